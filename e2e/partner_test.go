package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/testenv"
)

// TestPartner goes the whole way of HW-35 and HW-R21 over GraphQL: asked, seen, refused, asked again, approved; and that of a
// POSTPAID order (TX-1): frozen and settled.
func TestPartner(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		t.Run("asked, refused, approved", func(t *testing.T) { partnerFlow(t, s) })
		t.Run("frozen and settled", func(t *testing.T) { freezeFlow(t, s) })
	})
}

// reseller is a customer with a partner that has money.
func (s *server) reseller(t *testing.T, money string) (c, partner *customer, decides user) {
	t.Helper()
	partner, c = s.customerNamed(t, "Huizhi Partners"), s.customerNamed(t, "Wang Fang")
	partner.charge(t, "ALIPAY", money)
	var out struct{ UpdateAccount struct{ Errors []userError } }
	c.service.must(t, `mutation($input: UpdateAccountInput!) { updateAccount(input: $input) { errors { code message } } }`,
		map[string]any{"input": map[string]any{"accountId": c.AccountID, "partnerId": partner.AccountID}}, &out)
	if len(out.UpdateAccount.Errors) > 0 {
		t.Fatal(out.UpdateAccount.Errors)
	}
	return c, partner, s.signIn(t, "PARTNER", partner.AccountID)
}

// asked is what a partner's people see of a payment.
type asked struct {
	ID, Number, Status string
	Account            struct{ ID, Number, Name, Kind string }
	Parts              []struct {
		Kind   string
		Amount struct{ Amount string }
	}
	NextAction *struct {
		Typename  string `json:"__typename"`
		Partner   struct{ AccountID, Name string }
		ExpiresAt time.Time
	}
	Allocations []struct {
		Due   struct{ Amount string }
		Order struct {
			ID, Number    string
			Payments      []struct{ ID string }
			ActivePayment *struct{ ID string }
		}
	}
	Failure *struct{ Code, Message, Remedy string }
}

const askedFields = `{ id number status account { id number name kind } parts { kind amount { amount } } nextAction { __typename ... on AwaitPartner { partner { accountId name } expiresAt } }
	allocations { due { amount } order { id number payments { id } activePayment { id } } } failure { code message remedy } }`

// decision is an approval or a refusal.
func (u user) decision(t *testing.T, mutation, id string, more ...string) (p *asked, code string) {
	t.Helper()
	in := map[string]any{"paymentId": id}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i]] = more[i+1]
	}
	var out struct {
		Result struct {
			Payment *asked
			Errors  []struct {
				Typename string `json:"__typename"`
				Code     string
			}
		}
	}
	input := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input"
	u.must(t, `mutation($in: `+input+`!) { result: `+mutation+`(input: $in) { payment `+askedFields+` errors { __typename code } } }`, map[string]any{"in": in}, &out)
	if len(out.Result.Errors) > 0 {
		return out.Result.Payment, out.Result.Errors[0].Typename + " " + out.Result.Errors[0].Code
	}
	return out.Result.Payment, ""
}

func partnerFlow(t *testing.T, s *server) {
	c, partner, decides := s.reseller(t, "50.00")
	stranger, own := s.signIn(t, "PARTNER", s.customer(t).AccountID), c.user
	order := c.orders(t, 1, "30.00")[0]
	// another payment of that order, long over, which is none of the partner's business
	r, err := c.pay(unique("before"), order, onlineOf("ALIPAY", "30.00"))
	before := started(t, r, err)
	c.cancel(t, before.ID)

	first := c.asks(t, order, "for the new office")
	if again, err := c.pay(unique("again"), order, balanceOf("30.00")); err != nil || again.code() != "ORDER_BEING_PAID" {
		t.Errorf("%+v %v", again, err)
	}
	seen := decides.sees(t, first)
	switch {
	case seen == nil || seen.Account.ID != c.AccountID || seen.Account.Name != "Wang Fang" || seen.Account.Kind != "INDIVIDUAL" || seen.Account.Number == "":
		t.Fatalf("the partner sees %+v", seen)
	case len(seen.Parts) != 1 || seen.Parts[0].Kind != "PARTNER" || seen.Parts[0].Amount.Amount != "30.00":
		t.Errorf("parts %+v", seen.Parts)
	case seen.NextAction == nil || seen.NextAction.Typename != "AwaitPartner" || seen.NextAction.Partner.AccountID != partner.AccountID || seen.NextAction.Partner.Name != "Huizhi Partners" ||
		time.Until(seen.NextAction.ExpiresAt) < 71*time.Hour || time.Until(seen.NextAction.ExpiresAt) > 73*time.Hour:
		t.Errorf("action %+v", seen.NextAction)
	case len(seen.Allocations) != 1 || seen.Allocations[0].Order.ID != order || seen.Allocations[0].Due.Amount != "30.00" || seen.Allocations[0].Order.Number == "":
		t.Errorf("allocations %+v", seen.Allocations)
	case len(seen.Allocations[0].Order.Payments) != 1 || seen.Allocations[0].Order.Payments[0].ID != first || seen.Allocations[0].Order.ActivePayment == nil:
		t.Errorf("of the order's payments the partner sees %+v", seen.Allocations[0].Order)
	}
	partnerSeesNoMore(t, decides, first, order, c.AccountID)
	if stranger.sees(t, first) != nil || s.signIn(t, "CREATOR", partner.AccountID).sees(t, first) != nil {
		t.Error("who is not the partner sees what it was asked")
	}
	for _, who := range []user{stranger} {
		if _, code := who.decision(t, "approvePartnerPayment", first, "idempotencyKey", unique("k")); code != "InputError PAYMENT_NOT_FOUND" {
			t.Error(code)
		}
	}
	if letters := s.letters(t, partner.AccountID, "Wang Fang", "30.00", "for the new office"); !slices.Equal(letters, []string{"EMAIL", "SMS"}) {
		t.Error("the partner was told by", letters)
	}

	customerWatches, partnerWatches := own.watches(t, first), decides.watches(t, first)
	if p, code := decides.decision(t, "declinePartnerPayment", first, "reason", "not this quarter"); code != "" || p.Status != "FAILED" {
		t.Fatal(code, p)
	}
	for _, w := range []<-chan string{customerWatches, partnerWatches} {
		if got := last(t, w); got != "FAILED" {
			t.Error("woken with", got)
		}
	}
	if p := own.sees(t, first); p.Failure == nil || p.Failure.Code != "PAYMENT_DECLINED" || !strings.Contains(p.Failure.Message, "not this quarter") || p.Failure.Remedy == "" {
		t.Errorf("the customer reads %+v", p.Failure)
	}

	next := c.asks(t, order, "")
	wake := own.watches(t, next)
	key := unique("approve")
	for range 2 {
		if p, code := decides.decision(t, "approvePartnerPayment", next, "idempotencyKey", key); code != "" || p.Status != "SUCCEEDED" {
			t.Fatal(code, p)
		}
	}
	if got := last(t, wake); got != "SUCCEEDED" {
		t.Error("the customer was woken with", got)
	}
	if _, code := decides.decision(t, "approvePartnerPayment", next, "idempotencyKey", unique("k")); code != "InputError PAYMENT_ENDED" {
		t.Error(code)
	}
	partner.want(t, "20.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
	c.want(t, "0.00", map[string]int{})
	if letters := s.letters(t, c.AccountID, "has paid", "30.00"); !slices.Equal(letters, []string{"EMAIL", "SMS"}) {
		t.Error("the customer was told by", letters)
	}
	dear := c.asks(t, c.orders(t, 1, "20.01")[0], "")
	if _, code := decides.decision(t, "approvePartnerPayment", dear, "idempotencyKey", unique("k")); code != "InsufficientBalance INSUFFICIENT_BALANCE" {
		t.Error(code)
	}
	if p := decides.sees(t, dear); p.Status != "REQUIRES_ACTION" {
		t.Error(p.Status)
	}
	waits, all := decides.list(t, `{statuses: [REQUIRES_ACTION]}`), decides.list(t, `{purposes: [ORDERS]}`)
	if !slices.Equal(waits, []string{dear}) || !slices.Equal(all, []string{dear, next, first}) {
		t.Errorf("waiting %v, all %v", waits, all)
	}
	s.advance(t, "73h")
	if p := decides.sees(t, dear); p.Status != "EXPIRED" {
		t.Error("after 73 hours:", p.Status)
	}
}

// partnerSeesNoMore: of its customer a partner is told who it is; all else is not there for it.
func partnerSeesNoMore(t *testing.T, decides user, payment, order, account string) {
	t.Helper()
	for _, field := range []string{"status", "region", "currency", "identity", "creditLine { limit { amount } }", "partner { name }", "settings { operationProtection }", "balance { available { amount } }",
		"orders { totalCount }", "payments { totalCount }", "transactions { totalCount }", "paymentMethods { id }"} {
		for _, query := range []string{`payment(id: "` + payment + `") { account { ` + field + ` } }`, `payment(id: "` + payment + `") { orders { account { ` + field + ` } } }`,
			`node(id: "` + payment + `") { ... on Payment { account { ...f } } } } fragment f on Account { ` + field} {
			var out map[string]any
			if err := decides.ask("{ "+query+" }", nil, &out); err == nil || !strings.HasPrefix(err.Error(), "NOT_FOUND") {
				t.Errorf("a partner reads %s: %v %v", query, out, err)
			}
		}
	}
	var out struct {
		Nodes []any
	}
	decides.must(t, `query($o: ID!, $a: ID!) { nodes(ids: [$o, $a]) { id } }`, map[string]any{"o": order, "a": account}, &out)
	if out.Nodes[0] != nil || out.Nodes[1] != nil {
		t.Errorf("a partner reads its customer's %+v", out)
	}
}

// sees reads a payment as this user; nil where there is none for him.
func (u user) sees(t *testing.T, id string) *asked {
	t.Helper()
	var out struct {
		Payment *asked
		Node    *struct{ ID string }
	}
	u.must(t, `query($id: ID!) { payment(id: $id) `+askedFields+` node(id: $id) { id } }`, map[string]any{"id": id}, &out)
	if (out.Payment == nil) != (out.Node == nil) {
		t.Error("payment and node do not agree")
	}
	return out.Payment
}

// list are the ids of payments that a filter finds for this user, newest first, and counted.
func (u user) list(t *testing.T, filter string) (ids []string) {
	t.Helper()
	var out struct {
		Payments struct {
			Nodes      []asked
			TotalCount int
		}
	}
	u.must(t, `{ payments(filter: `+filter+`) { totalCount nodes `+askedFields+` } }`, nil, &out)
	for _, p := range out.Payments.Nodes {
		ids = append(ids, p.ID)
	}
	if out.Payments.TotalCount != len(ids) {
		t.Errorf("%d in the list, %d counted", len(ids), out.Payments.TotalCount)
	}
	return ids
}

// asks makes the customer ask its partner; the payment's id comes back.
func (c *customer) asks(t *testing.T, order, message string) string {
	t.Helper()
	r, err := c.pay(unique("ask"), order, map[string]any{"partner": map[string]any{"message": message}})
	if err != nil || r.Payment == nil || r.Payment.Status != "REQUIRES_ACTION" {
		t.Fatalf("%+v %v", r, err)
	}
	return r.Payment.ID
}

func (c *customer) cancel(t *testing.T, id string) {
	t.Helper()
	var out struct{ CancelPayment struct{ Errors []userError } }
	c.must(t, `mutation($id: ID!) { cancelPayment(input: {paymentId: $id}) { errors { code message } } }`, map[string]any{"id": id}, &out)
	if len(out.CancelPayment.Errors) > 0 {
		t.Fatal(out.CancelPayment.Errors)
	}
}

// letters are the kinds of an account's messages that say all of this.
func (s *server) letters(t *testing.T, account string, says ...string) (kinds []string) {
	t.Helper()
	res, err := web.Get(s.URL + "/dev/messages?accountId=" + account)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var all []struct{ Kind, To, Body string }
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res.Status, err)
	}
	for _, m := range all {
		if m.To != "" && !slices.ContainsFunc(says, func(text string) bool { return !strings.Contains(m.Body, text) }) {
			kinds = append(kinds, m.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// watches subscribes to a payment and sends its statuses, the first of which has come when this returns.
func (u user) watches(t *testing.T, id string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	conn := dial(t, ctx, u.base)
	t.Cleanup(func() { _ = conn.CloseNow() })
	for _, text := range []string{`{"type":"connection_init","payload":{"authorization":"Bearer ` + u.token + `"}}`,
		`{"id":"1","type":"subscribe","payload":{"query":"subscription { paymentStatus(paymentId: \"` + id + `\") { status account { name } } }"}}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	statuses := make(chan string, 10)
	go func() {
		defer close(statuses)
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var f struct {
				Type    string
				Payload struct {
					Data struct{ PaymentStatus struct{ Status string } }
				}
			}
			_ = json.Unmarshal(text, &f) // an error's payload is a list
			switch f.Type {
			case "next":
				statuses <- f.Payload.Data.PaymentStatus.Status
			case "error", "complete":
				return
			}
		}
	}()
	if first := <-statuses; first != "REQUIRES_ACTION" {
		t.Fatal("the subscription begins with", first)
	}
	return statuses
}

// last is what a subscription ends with; the safety net that reads every ten seconds would be too late.
func last(t *testing.T, statuses <-chan string) (status string) {
	t.Helper()
	late := time.After(8 * time.Second)
	for {
		select {
		case s, open := <-statuses:
			if !open {
				return status
			}
			status = s
		case <-late:
			t.Error("not woken")
			return status
		}
	}
}

// freezeFlow pays an order that is charged by use: frozen, settled for less, and shown in the statement with its order.
func freezeFlow(t *testing.T, s *server) {
	c := s.customer(t)
	c.charge(t, "ALIPAY", "60.00")
	var placed struct {
		PlaceOrders struct{ Orders []struct{ ID, Number string } }
	}
	c.service.must(t, `mutation($input: PlaceOrdersInput!) { placeOrders(input: $input) { orders { id number } } }`, map[string]any{"input": map[string]any{"idempotencyKey": unique("place"), "accountId": c.AccountID,
		"orders": []any{map[string]any{"number": unique("USE"), "type": "NEW_PURCHASE", "productType": "ecs", "chargingMode": "POSTPAID", "items": []any{map[string]any{"name": "GPU hours", "quantity": 1, "amount": money("60.01")}}},
			map[string]any{"number": unique("USE"), "type": "NEW_PURCHASE", "productType": "ecs", "chargingMode": "POSTPAID", "items": []any{map[string]any{"name": "GPU hours", "quantity": 1, "amount": money("45.00")}}}}}}, &placed)
	dear, order := placed.PlaceOrders.Orders[0], placed.PlaceOrders.Orders[1]
	for id, funding := range map[string]map[string]any{dear.ID: balanceOf("60.01"), order.ID: onlineOf("ALIPAY", "45.00")} {
		r, err := c.pay(unique("pay"), id, funding)
		if want := map[string]string{dear.ID: "INSUFFICIENT_BALANCE", order.ID: "FUNDING_NOT_ALLOWED"}[id]; err != nil || r.code() != want {
			t.Errorf("%+v %v, want %s", r, err, want)
		}
	}
	if r, err := c.pay(unique("pay"), order.ID, balanceOf("45.00")); err != nil || r.Payment == nil || r.Payment.Status != "SUCCEEDED" {
		t.Fatalf("%+v %v", r, err)
	}
	settle := func(key, amount string) (paid, code string) {
		var out struct {
			SettleFreeze struct {
				Order  *struct{ Paid struct{ Amount string } }
				Errors []userError
			}
		}
		c.service.must(t, `mutation($in: SettleFreezeInput!) { settleFreeze(input: $in) { order { status paid { amount } } errors { code message } } }`,
			map[string]any{"in": map[string]any{"idempotencyKey": key, "orderId": order.ID, "charge": money(amount)}}, &out)
		if len(out.SettleFreeze.Errors) > 0 {
			return "", out.SettleFreeze.Errors[0].Code
		}
		return out.SettleFreeze.Order.Paid.Amount, ""
	}
	type books struct {
		Balance      struct{ Available, Frozen, Total struct{ Amount string } }
		Transactions struct {
			Nodes []struct {
				Kind   string
				Amount struct{ Amount string }
				Order  *struct{ ID string }
				Note   string
			}
		}
	}
	read := func() (b books) {
		c.must(t, `{ balance { available { amount } frozen { amount } total { amount } } transactions(first: 2) { nodes { kind amount { amount } order { id } note } } }`, nil, &b)
		return b
	}
	b := read()
	line := b.Transactions.Nodes[0]
	if b.Balance.Available.Amount != "15.00" || b.Balance.Frozen.Amount != "45.00" || b.Balance.Total.Amount != "60.00" || line.Kind != "FREEZE" || line.Amount.Amount != "-45.00" || line.Order == nil || line.Order.ID != order.ID || line.Note == "" {
		t.Errorf("frozen: %+v", b)
	}
	if _, code := settle(unique("settle"), "45.01"); code != "AMOUNT_OUT_OF_RANGE" {
		t.Error(code)
	}
	key := unique("settle")
	for range 2 {
		if paid, code := settle(key, "31.50"); paid != "31.50" || code != "" {
			t.Error(paid, code)
		}
	}
	if _, code := settle(unique("settle"), "1.00"); code != "ORDER_STATUS_CHANGED" {
		t.Error(code)
	}
	b = read()
	nodes := b.Transactions.Nodes
	if b.Balance.Available.Amount != "28.50" || b.Balance.Frozen.Amount != "0.00" || nodes[0].Kind != "ORDER_PAYMENT" || nodes[0].Amount.Amount != "-31.50" || nodes[1].Kind != "UNFREEZE" || nodes[1].Amount.Amount != "45.00" {
		t.Errorf("settled: %+v", b)
	}
}
