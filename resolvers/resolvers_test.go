package resolvers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

const payQuery = `mutation($in: PayInput!) { pay(input: $in) { payment { id status number amount { amount } parts { kind amount { amount } status }
	orders { number status } allocations { due { amount } order { id } } timeline { version status note } account { number } version }
	errors { __typename code message field
		... on InsufficientBalance { available { amount formatted } required { amount } shortfall { amount } }
		... on OrdersNotPayable { blocked { code message order { number payability { code } } } remaining { number } }
		... on QuoteChanged { checkout { total { amount } lines { order { number } due { amount } } } } } } }`

func paying(key, order, amount string, more ...any) map[string]any {
	in := map[string]any{"idempotencyKey": key, "orderId": order, "funding": map[string]any{"balance": map[string]any{"amount": amount, "currency": "CNY"}}}
	for k, v := range vars(more...) {
		in[k] = v
	}
	return in
}

// PA-1, HW-23, HW-24: what the balance covers is paid at once, what it does not says what is missing.
func TestPayFromBalance(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 10000)
	ids := w.placed(false, "30.00", "99.00")
	paid := w.ask(payQuery, "in", paying("k1", ids[0], "30.00"))
	w.want(paid, "pay.payment.status", "SUCCEEDED")
	w.want(paid, "pay.payment.parts.0.kind", "BALANCE")
	w.want(paid, "pay.payment.orders.0.status", "PROCESSING")
	w.want(paid, "pay.payment.allocations.0.due.amount", "30.00")
	w.want(paid, "pay.payment.account.number", w.me.Number)
	again := w.ask(payQuery, "in", paying("k1", ids[0], "30.00"))
	w.want(again, "pay.payment.id", w.at(paid, "pay.payment.id"))
	w.want(w.ask(payQuery, "in", paying("k1", ids[1], "99.00")), "pay.errors.0.code", "IDEMPOTENCY_KEY_REUSED")
	short := w.ask(payQuery, "in", paying("k2", ids[1], "99.00"))
	w.want(short, "pay.errors.0.__typename", "InsufficientBalance")
	w.want(short, "pay.errors.0.available.amount", "70.00")
	w.want(short, "pay.errors.0.shortfall.amount", "29.00")
	gone := w.ask(payQuery, "in", paying("k3", ids[0], "30.00"))
	w.want(gone, "pay.errors.0.__typename", "OrdersNotPayable")
	w.want(gone, "pay.errors.0.blocked.0.order.payability.code", "ORDER_STATUS_CHANGED")
	changed := w.ask(payQuery, "in", paying("k4", ids[1], "99.00", "expectedTotal", map[string]any{"amount": "98.00", "currency": "CNY"}))
	w.want(changed, "pay.errors.0.__typename", "QuoteChanged")
	w.want(changed, "pay.errors.0.checkout.total.amount", "99.00")
	for _, key := range []string{"", "a b", "键", strings.Repeat("k", 256)} {
		bad := w.ask(payQuery, "in", paying(key, ids[1], "99.00"))
		w.want(bad, "pay.errors.0.code", "INVALID_INPUT")
		w.want(bad, "pay.errors.0.field.0", "idempotencyKey")
	}
	statement := w.ask(`{ transactions(first: 1) { totalCount nodes { kind amount { amount } balanceAfter { amount } note payment { number } order { number } } } balance { available { amount } version } }`)
	w.want(statement, "transactions.nodes.0.amount.amount", "-30.00")
	w.want(statement, "transactions.nodes.0.payment.number", w.at(paid, "pay.payment.number"))
	w.want(statement, "balance.available.amount", "70.00")
}

// PA-9 to PA-11: a top-up waits with a code to scan; it can be canceled.
func TestTopUp(t *testing.T) {
	w := newWorld(t)
	up := w.ask(`mutation { topUp(input: {idempotencyKey: "k", online: {channel: ALIPAY, amount: {amount: "100.00", currency: "CNY"}}}) {
		errors { code } payment { id purpose status nextAction { __typename ... on ScanQrCode { content imageUrl expiresAt } } orders { id } bills { id } refunds { id } } } }`)
	w.want(up, "topUp.payment.status", "REQUIRES_ACTION")
	w.want(up, "topUp.payment.nextAction.__typename", "ScanQrCode")
	ended := w.ask(`mutation($id: ID!) { cancelPayment(input: {paymentId: $id}) { errors { code } payment { status nextAction { __typename } } } }`, "id", w.at(up, "topUp.payment.id"))
	w.want(ended, "cancelPayment.payment.status", "CANCELED")
	w.want(ended, "cancelPayment.payment.nextAction", nil)
	options := w.ask(`{ topUpOptions { channels { channel name available code reason minimum { formatted } banks { code name } } suggested { amount } lastAmount { amount } } }`)
	w.want(options, "topUpOptions.channels.0.channel", "ALIPAY")
	w.want(options, "topUpOptions.lastAmount", nil)
}

// TX-11 and contract §7: a card's number is refused as such wherever it is written, before anything else is judged.
func TestCardNumbersAreRefused(t *testing.T) {
	w := newWorld(t)
	up := w.ask(`mutation { topUp(input: {idempotencyKey: "k", online: {channel: BANK_CARD, cardToken: "4242 4242 4242 4242", amount: {amount: "0", currency: "CNY"}}}) { errors { code field } payment { id } } }`)
	w.want(up, "topUp.errors.0.code", "CARD_DATA_NOT_ACCEPTED")
	w.want(up, "topUp.errors.0.field.1", "cardToken")
	paid := w.ask(`mutation { pay(input: {idempotencyKey: "k", orderId: "` + models.NewID().Encode(models.PrefixOrder) + `", funding: {partner: {message: "use 5555555555554444"}}}) { errors { code field } payment { id } } }`)
	w.want(paid, "pay.errors.0.code", "CARD_DATA_NOT_ACCEPTED")
	w.want(paid, "pay.errors.0.field.2", "message")
}

// TX-3, PA-5 and contract §3: who may ask what.
func TestRoles(t *testing.T) {
	w := newWorld(t)
	viewer := func(role auth.Role) *auth.Viewer {
		if role.AnyAccount() {
			return &auth.Viewer{UserID: "desk", Role: role}
		}
		return &auth.Viewer{UserID: "u", Role: role, AccountID: w.me.ID}
	}
	everybody := []auth.Role{auth.Creator, auth.Finance, auth.Collaborator, auth.Partner, auth.Operator, auth.Service}
	tests := []struct {
		query string
		roles []auth.Role
	}{
		{`{ viewer { role account { number } permissions } }`, everybody},
		{`{ now }`, everybody},
		{`{ node(id: "x") { id } nodes(ids: ["x"]) { id } }`, everybody},
		{`{ payment(id: "x") { id } }`, everybody},
		{`{ balance { version } }`, everybody[:4]},
		{`{ orders { nodes { id } } }`, everybody[:4]},
		{`{ order(number: "x") { id } }`, everybody[:4]},
		{`{ payments { nodes { id } } }`, everybody[:4]},
		{`{ transactions { nodes { id } } }`, everybody[:4]},
		{`{ topUpOptions { channels { name } } }`, everybody[:2]},
		{`{ account(number: "x") { id } }`, everybody[4:]},
		{`mutation { cancelPayment(input: {paymentId: "x"}) { errors { code } } }`, everybody[:2]},
		{`mutation { openAccount(input: {idempotencyKey: "k", number: "", name: "", kind: INDIVIDUAL, region: "", country: "", signingEntity: "", currency: "CNY"}) { errors { code } } }`, everybody[5:]},
		{`mutation { updateAccount(input: {accountId: "x"}) { errors { code } } }`, everybody[4:]},
		{`mutation { reportDelivery(input: {orderId: "x", delivered: true}) { errors { code } } }`, everybody[5:]},
		// the role comes before the input is looked at
		{`mutation { topUp(input: {idempotencyKey: "", online: {channel: ALIPAY, amount: {amount: "+5", currency: "CNY"}}}) { errors { code } } }`, nil},
	}
	for _, c := range tests {
		allowed := fmt.Sprint(c.roles)
		for _, role := range everybody {
			a := w.as(viewer(role), c.query, nil)
			if strings.Contains(c.query, "+5") {
				want := "FORBIDDEN"
				if role == auth.Creator || role == auth.Finance {
					want = "BAD_USER_INPUT"
				}
				if got := w.code(a); got != want {
					t.Errorf("%s as %s: %s", c.query, role, got)
				}
				continue
			}
			if strings.Contains(allowed, string(role)) != (len(a.Errors) == 0) {
				t.Errorf("%s as %s: %+v", c.query, role, a.Errors)
			}
			if len(a.Errors) > 0 && w.code(a) != "FORBIDDEN" {
				t.Errorf("%s as %s: %+v", c.query, role, a.Errors)
			}
		}
		for _, e := range w.as(nil, c.query, nil).Errors {
			if e.Extensions["code"] != "UNAUTHENTICATED" || len(e.Path) != 1 {
				t.Errorf("%s as nobody: %+v", c.query, e)
			}
		}
	}
	if a := w.as(nil, `{ __typename }`, nil); len(a.Errors) > 0 || string(a.Data) != `{"__typename":"Query"}` {
		t.Errorf("nobody may ask __typename: %+v", a)
	}
	if a := w.as(nil, `{ balance { version } now }`, nil); string(a.Data) != "null" || len(a.Errors) != 2 {
		t.Errorf("a refused non-null field blanks the whole: %s %+v", a.Data, a.Errors)
	}
}

// TX-5 and contract §7: the scalars' grammar.
func TestScalarsAreStrict(t *testing.T) {
	w := newWorld(t)
	q := `mutation($a: Decimal!) { topUp(input: {idempotencyKey: "k", online: {channel: ALIPAY, amount: {amount: $a, currency: "CNY"}}}) { errors { code field } payment { id } } }`
	for _, bad := range []any{json.Number("5"), "+5", "1e3", "05", "５", "", " 5", "5.", ".5", "0x10", "NaN", "5\n", true, nil} {
		a := w.as(w.viewer, q, vars("a", bad))
		if got := w.code(a); got != "BAD_USER_INPUT" && (bad != nil || got != "GRAPHQL_VALIDATION_FAILED") {
			t.Errorf("%v: %s", bad, got)
		}
	}
	much := w.as(w.viewer, q, vars("a", strings.Repeat("9", 100))) // well-formed, and more than any limit (contract §7)
	if len(much.Errors) > 0 || !strings.Contains(string(much.Data), "AMOUNT_OUT_OF_RANGE") {
		t.Errorf("a hundred digits: %s %+v", much.Data, much.Errors)
	}
	literal := w.as(w.viewer, `mutation { topUp(input: {idempotencyKey: "k", online: {channel: ALIPAY, amount: {amount: 5, currency: "CNY"}}}) { errors { code } } }`, nil)
	if got := w.code(literal); got != "BAD_USER_INPUT" {
		t.Errorf("a number as literal: %s", got)
	}
	for in, want := range map[string]string{"0": "AMOUNT_INVALID", "-5": "AMOUNT_INVALID", "5.001": "AMOUNT_INVALID", "0.01": "AMOUNT_OUT_OF_RANGE", "99999999999999999999": "AMOUNT_OUT_OF_RANGE"} {
		w.want(w.ask(q, "a", in), "topUp.errors.0.code", want)
	}
	for _, bad := range []string{
		`{ orders(first: 0) { nodes { id } } }`, `{ orders(first: 101) { nodes { id } } }`, `{ orders(first: 1, last: 1) { nodes { id } } }`, `{ orders(first: 99999999999) { nodes { id } } }`,
		`{ orders(after: "x") { nodes { id } } }`, `{ orders(filter: {createdFrom: "yesterday"}) { nodes { id } } }`, `{ transactions(last: 0) { nodes { id } } }`,
		`{ payments(first: -1) { nodes { id } } }`,
	} {
		if got := w.code(w.as(w.viewer, bad, nil)); got != "BAD_USER_INPUT" {
			t.Errorf("%s: %s", bad, got)
		}
	}
}

// Contract §2: something of another account is null or NOT_FOUND, never FORBIDDEN; operators and services reach every account.
func TestForeignThingsAreNotThere(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 10000)
	id := w.placed(false, "1.00")[0]
	pay := w.at(w.ask(payQuery, "in", paying("k", id, "1.00")), "pay.payment.id")
	line := w.at(w.ask(`{ transactions { nodes { id } } }`), "transactions.nodes.0.id")
	ids := []any{id, pay, line, w.me.ID.Encode(models.PrefixAccount), "pay_nonsense", ""}
	nodes := `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Payment { orders { id } } } }`
	stranger := &auth.Viewer{UserID: "s", Role: auth.Creator, AccountID: w.open("Stranger").ID}
	count := func(v *auth.Viewer) string {
		a := w.as(v, nodes, vars("ids", ids))
		return fmt.Sprint(strings.Count(string(a.Data), "__typename"), len(a.Errors))
	}
	if got := count(w.viewer); got != "4 0" {
		t.Errorf("own: %s", got)
	}
	if got := count(stranger); got != "0 0" {
		t.Errorf("foreign: %s", got)
	}
	if got := count(&auth.Viewer{UserID: "o", Role: auth.Operator}); got != "4 0" {
		t.Errorf("operator: %s", got)
	}
	if a := w.as(stranger, `query($id: ID!) { payment(id: $id) { id } }`, vars("id", pay)); string(a.Data) != `{"payment":null}` || len(a.Errors) > 0 {
		t.Errorf("%s %+v", a.Data, a.Errors)
	}
	cancel := `mutation($id: ID!) { cancelPayment(input: {paymentId: $id}) { errors { code } } }`
	for _, some := range []any{pay, id, "x"} {
		if a := w.as(stranger, cancel, vars("id", some)); string(a.Data) != `{"cancelPayment":{"errors":[{"code":"PAYMENT_NOT_FOUND"}]}}` {
			t.Errorf("%s %+v", a.Data, a.Errors)
		}
	}
}

const homeQuery = `query($n: Int = 20) { viewer { account { name } } balance { available { amount currency } frozen { amount currency } credit { available { amount currency } } }
	orders(filter: {statuses: [PENDING_PAYMENT]}, first: $n) { totalCount nodes { id number type productType amountDue { amount currency } createdAt expiresAt
		items { name quantity amount { amount currency } } payability { payable code } } } }`

const deepQuery = `query($n: Int) { orders(first: $n) { pageInfo { endCursor hasNextPage } edges { cursor node { id } } nodes { id account { number balance { version } orders(first: 2) { nodes { id } } }
	linkedOrders { number payability { code } linkedOrders { id } } payments { number timeline { version } allocations { due { amount } order { number } } } activePayment { number } payability { code } } } }`

// The number of statements of an operation does not grow with the page.
func TestStatementsAreConstant(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 100000)
	for i := range 10 {
		ids := w.placed(i%2 == 0, "1.00", "2.00", "3.00")
		if i%2 == 1 {
			w.ask(payQuery, "in", paying(fmt.Sprint("k", i), ids[0], "1.00"))
		}
	}
	statements := func(query string, n int) int {
		ctx, counter := database.WithCounter(w.context(w.viewer))
		raw, _ := json.Marshal(w.start(ctx, query, vars("n", json.Number(fmt.Sprint(n))))(context.Background()))
		if strings.Contains(string(raw), `"errors"`) {
			t.Fatalf("%s", raw)
		}
		if testing.Verbose() {
			t.Log(n, strings.Join(counter.Statements(), "\n"))
		}
		return int(counter.N())
	}
	few, many := statements(deepQuery, 4), statements(deepQuery, 30)
	if many > few {
		t.Errorf("4 orders take %d statements, 30 take %d", few, many)
	}
	if home := statements(homeQuery, 20); home > 7 {
		t.Errorf("the home query takes %d statements", home)
	}
	t.Log(few, many)
}
