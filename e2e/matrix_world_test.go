package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// things are what an account has, by kind: a type of the schema with its first letter small gives an id ("order"), the same
// with ".number" a number, with ".cursor" a place in a list.
type things map[string]string

// notYet are kinds that nothing can be made of yet: the root field that will bring the first one, and the prefix its ids
// will have, for ids that are made up till then.
var notYet = map[string]struct{ until, prefix string }{
	"bankCredit":    {"importBankStatement", "bcr"},
	"bill":          {"issueBills", "bil"},
	"paymentMethod": {"bindCard", "pmt"},
	"remittance":    {"submitRemittance", "rmt"},
	"withdrawal":    {"withdraw", "wdr"},
}

// party is an account with its things, what is said of it nowhere else, and its people.
type party struct {
	*customer
	things  things
	secrets []string        // ids, numbers, names: in nobody else's answers
	people  map[string]user // by role
}

// matrixWorld is a server with an account that has something of everything, and two that have no business with it: a
// stranger, and its partner, whom it has not asked for anything.
type matrixWorld struct {
	*server
	schema   *generator
	owner    *party
	stranger *party
	partner  *party
	any      map[string]user // OPERATOR and SERVICE, who belong to no account
	nobody   user
	expired  user
}

func newMatrixWorld(t *testing.T, home testenv.Home) *matrixWorld {
	t.Helper()
	// Whole answers are wanted, however large: the limits have tests of their own.
	s := start(t, homeEnv(home), options{env: []string{"PAYDESK_LIMIT_TOKENS=20000", "PAYDESK_LIMIT_COMPLEXITY=1000000",
		"PAYDESK_LIMIT_ALIASES=1000", "PAYDESK_LIMIT_FIELDS=100000", "PAYDESK_LIMIT_FRAGMENTS=1000", "PAYDESK_LIMIT_DEPTH=30"}})
	w := &matrixWorld{server: s, schema: newGenerator(t), any: map[string]user{}, nobody: user{base: s.URL}}
	for _, role := range []string{"OPERATOR", "SERVICE"} {
		w.any[role] = s.signIn(t, role, "")
	}
	w.partner, w.stranger, w.owner = w.party(t, "Partner"), w.party(t, "Stranger"), w.party(t, "Owner")
	for _, p := range []*party{w.partner, w.stranger, w.owner} {
		w.ask(t, p)
	}
	w.update(t, w.owner.AccountID, map[string]any{"partnerId": w.partner.AccountID})
	w.owner.things["partner"] = w.partner.AccountID
	w.desk(t, home, w.owner)
	var out struct{ Token string }
	post(t, s.URL+"/dev/token", map[string]string{"role": "CREATOR", "accountId": w.owner.AccountID, "ttl": "-1h"}, &out)
	w.expired = user{base: s.URL, token: out.Token}
	return w
}

func (w *matrixWorld) update(t *testing.T, account string, change map[string]any) {
	t.Helper()
	change["accountId"] = account
	var out struct{ UpdateAccount struct{ Errors []userError } }
	w.any["SERVICE"].must(t, `mutation($input: UpdateAccountInput!) { updateAccount(input: $input) { errors { code message } } }`, map[string]any{"input": change}, &out)
	if len(out.UpdateAccount.Errors) > 0 {
		t.Fatal("updateAccount:", out.UpdateAccount.Errors)
	}
}

// party makes an account with money, a waiting order, a payment that waits and one that is done.
func (w *matrixWorld) party(t *testing.T, name string) *party {
	t.Helper()
	p := &party{customer: w.customerNamed(t, name+models.NewID().Encode("")) /* no run of digits, which could be a card's */, things: things{}, people: map[string]user{}}
	for _, role := range []string{"CREATOR", "FINANCE", "COLLABORATOR", "PARTNER"} {
		p.people[role] = w.signIn(t, role, p.AccountID)
	}
	p.charge(t, "ALIPAY", "250.00")
	orders := p.orders(t, 2, "10.00")
	paid, err := p.pay(unique("pay"), orders[1], balanceOf("10.00"))
	if err != nil || paid.Payment == nil {
		t.Fatalf("pay: %+v, %v", paid, err)
	}
	r, err := p.topUp(unique("waits"), "ALIPAY", "30.00")
	waiting := started(t, r, err)
	p.things["account"], p.things["order"], p.things["payment"] = p.AccountID, orders[0], waiting.ID
	p.things["otherOrder"] = orders[1]
	w.benefits(t, p)
	w.refund(t, p, paid.Payment.ID)
	p.look(t)
	if len(p.secrets) < 15 {
		t.Fatalf("%s: only %d things are known of it: %v", name, len(p.secrets), p.secrets)
	}
	return p
}

// benefits gives the account a coupon and a discount.
func (w *matrixWorld) benefits(t *testing.T, p *party) {
	t.Helper()
	var out struct {
		GrantCoupons struct {
			Coupons []struct{ ID string }
			Errors  []userError
		}
		GrantDiscount struct {
			Discount struct{ ID string }
			Errors   []userError
		}
	}
	w.any["SERVICE"].must(t, `mutation($coupon: GrantCouponsInput!, $discount: GrantDiscountInput!) {
		grantCoupons(input: $coupon) { coupons { id } errors { code message } } grantDiscount(input: $discount) { discount { id } errors { code message } } }`,
		map[string]any{"coupon": map[string]any{"idempotencyKey": unique("coupon"), "accountId": p.AccountID, "name": "Welcome", "kind": "CASH", "face": money("1.00"), "validTo": "2030-01-01T00:00:00Z"},
			"discount": map[string]any{"idempotencyKey": unique("discount"), "accountId": p.AccountID, "name": "Contract", "percentOff": "5", "validTo": "2030-01-01T00:00:00Z"}}, &out)
	if len(out.GrantCoupons.Coupons) != 1 || out.GrantDiscount.Discount.ID == "" {
		t.Fatalf("benefits: %+v", out)
	}
	p.things["coupon"], p.things["discount"] = out.GrantCoupons.Coupons[0].ID, out.GrantDiscount.Discount.ID
}

// refund pays a part of a payment back.
func (w *matrixWorld) refund(t *testing.T, p *party, payment string) {
	t.Helper()
	var out struct {
		RefundPayment struct {
			Payment struct{ Refunds []struct{ ID string } }
			Errors  []userError
		}
	}
	w.any["OPERATOR"].must(t, `mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { payment { refunds { id } } errors { code message } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": unique("refund"), "paymentId": payment, "amount": money("2.50"), "reason": "not wanted"}}, &out)
	if len(out.RefundPayment.Payment.Refunds) != 1 {
		t.Fatalf("refund: %+v", out)
	}
	p.things["refund"] = out.RefundPayment.Payment.Refunds[0].ID
}

// ask makes another account that asks this one, its partner, to pay an order.
func (w *matrixWorld) ask(t *testing.T, p *party) {
	t.Helper()
	c := w.customerNamed(t, "Client"+models.NewID().Encode(""))
	w.update(t, c.AccountID, map[string]any{"partnerId": p.AccountID})
	r, err := c.pay(unique("asks"), c.orders(t, 1, "3.00")[0], map[string]any{"partner": map[string]any{"message": "please"}})
	if err != nil || r.Payment == nil {
		t.Fatalf("ask: %+v, %v", r, err)
	}
	p.things["asked"] = r.Payment.ID
	p.secrets = append(p.secrets, r.Payment.ID)
}

// look reads what the account has as its own people see it.
func (p *party) look(t *testing.T) {
	t.Helper()
	type list struct {
		Nodes []struct{ ID, Number string }
		Edges []struct{ Cursor string }
	}
	var out struct {
		Viewer struct {
			Account struct{ ID, Number, Name string }
		}
		Orders, Payments, Transactions, Coupons list
	}
	p.must(t, `{ viewer { account { id number name } } orders { nodes { id number } edges { cursor } } payments { nodes { id number } edges { cursor } }
		transactions { nodes { id } edges { cursor } } coupons { edges { cursor } } }`, nil, &out)
	p.things["account.number"], p.things["transaction"] = out.Viewer.Account.Number, out.Transactions.Nodes[0].ID
	p.secrets = []string{p.AccountID, strings.TrimPrefix(p.AccountID, "acc_"), out.Viewer.Account.Number, out.Viewer.Account.Name}
	p.secrets = append(p.secrets, p.things["coupon"], p.things["discount"], p.things["refund"])
	p.things["coupon.cursor"] = out.Coupons.Edges[0].Cursor
	for kind, l := range map[string]list{"order": out.Orders, "payment": out.Payments, "transaction": out.Transactions} {
		p.things[kind+".cursor"] = l.Edges[0].Cursor
		for _, n := range l.Nodes {
			if n.ID == p.things[kind] && n.Number != "" {
				p.things[kind+".number"] = n.Number
			}
			for _, secret := range []string{n.ID, n.Number} {
				if secret != "" {
					p.secrets = append(p.secrets, secret)
				}
			}
		}
	}
}

// get is the account's thing of a kind; a made-up id where the kind has none yet. ok is false where nobody has taught us.
func (p things) get(kind string) (id string, ok bool) {
	if id, ok = p[kind]; ok {
		return id, true
	}
	base, other, _ := strings.Cut(kind, ".")
	n, ok := notYet[base]
	if other != "" {
		return "none", ok
	}
	return models.NewID().Encode(n.prefix), ok
}

// volatile is what tells the time of reading: some fields, and signed links, which are made anew each time.
var volatile = regexp.MustCompile(`"(asOf|now|validUntil)":"[^"]*"|until=\d+[^"]*signature=[\w-]+`)

// changed shows where two snapshots begin to differ; "" where they do not.
func changed(before, after string) string {
	at := 0
	for at < min(len(before), len(after)) && before[at] == after[at] {
		at++
	}
	if before == after {
		return ""
	}
	around := func(text string) string { return text[max(0, at-200):min(len(text), at+200)] }
	return around(before) + "\n  became\n" + around(after)
}

// snapshot is everything the account's creator can see of it, and what was sent to it.
func (w *matrixWorld) snapshot(t *testing.T, p *party) string {
	t.Helper()
	var b strings.Builder
	for _, o := range w.schema.operations("Query") {
		if len(o.slots) > 0 || !o.permits("CREATOR") {
			continue
		}
		got := o.post(t, p.people["CREATOR"], o.variables(t, p.things, nil))
		if len(got.codes) > 0 {
			t.Fatalf("%s: the account does not see itself: %s", o.name, got.text)
		}
		b.WriteString(volatile.ReplaceAllString(got.text, "$1") + "\n")
	}
	res, err := http.Get(w.URL + "/dev/messages?accountId=" + p.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	sent, err := io.ReadAll(res.Body)
	if err != nil || !json.Valid(sent) {
		t.Fatalf("messages: %v %s", err, sent)
	}
	b.Write(sent)
	return b.String()
}
