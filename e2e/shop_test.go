package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// customer is an account of its own, with the vendor's systems at hand.
type customer struct {
	user
	s         *server
	service   user
	AccountID string
}

var counter atomic.Int64

// unique is text that no other test uses.
func unique(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, time.Now().UnixNano(), counter.Add(1))
}

// money is a MoneyInput in CNY.
func money(amount string) map[string]any { return map[string]any{"amount": amount, "currency": "CNY"} }

// userError is what a payload's errors say.
type userError struct{ Code, Message string }

// payment is what the tests look at.
type payment struct {
	ID, Number, Status string
	Version            int
	Amount             struct{ Amount string }
	NextAction         *struct{ Content string }
	Timeline           []struct {
		Status  string
		Version int
	}
}

const paymentFields = `{ id number status version amount { amount } nextAction { ... on ScanQrCode { content } } timeline { status version } }`

// customer opens an account of a verified person on the mainland.
func (s *server) customer(t testing.TB) *customer {
	t.Helper()
	return s.customerNamed(t, "Li Na")
}

func (s *server) customerNamed(t testing.TB, name string) *customer {
	t.Helper()
	c := &customer{s: s, service: s.signIn(t, "SERVICE", "")}
	var out struct {
		OpenAccount struct {
			Account *struct{ ID string }
			Errors  []userError
		}
	}
	c.service.must(t, `mutation($input: OpenAccountInput!) { openAccount(input: $input) { account { id } errors { code message } } }`, map[string]any{"input": map[string]any{
		"idempotencyKey": unique("open"), "number": unique("E2E"), "name": name, "kind": "INDIVIDUAL", "region": "CN", "country": "CN",
		"signingEntity": "MAINLAND", "currency": "CNY", "realName": "Li Na", "email": "li.na@example.com", "phone": "+8613800138000"}}, &out)
	if out.OpenAccount.Account == nil {
		t.Fatalf("openAccount: %v", out.OpenAccount.Errors)
	}
	c.AccountID = out.OpenAccount.Account.ID
	c.user = s.signIn(t, "CREATOR", c.AccountID)
	return c
}

// orders places n orders of one amount and gives their ids.
func (c *customer) orders(t testing.TB, n int, amount string) []string {
	t.Helper()
	var ids []string
	for len(ids) < n {
		var list []map[string]any
		for range min(20, n-len(ids)) {
			list = append(list, map[string]any{"number": unique("ORD"), "type": "NEW_PURCHASE", "productType": "ecs",
				"items": []any{map[string]any{"name": "Cloud server", "quantity": 1, "amount": money(amount)}}})
		}
		var out struct {
			PlaceOrders struct {
				Orders []struct{ ID string }
				Errors []userError
			}
		}
		c.service.must(t, `mutation($input: PlaceOrdersInput!) { placeOrders(input: $input) { orders { id } errors { code message } } }`,
			map[string]any{"input": map[string]any{"idempotencyKey": unique("place"), "accountId": c.AccountID, "orders": list}}, &out)
		if len(out.PlaceOrders.Orders) != len(list) {
			t.Fatalf("placeOrders: %v", out.PlaceOrders.Errors)
		}
		for _, o := range out.PlaceOrders.Orders {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// result is a payment or what stands against it.
type result struct {
	Payment *payment
	Errors  []userError
}

func (r result) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	return r.Errors[0].Code
}

// topUp starts a top-up.
func (c *customer) topUp(key, channel, amount string) (result, error) {
	var out struct{ Result result }
	err := c.ask(`mutation($input: TopUpInput!) { result: topUp(input: $input) { payment `+paymentFields+` errors { code message } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": key, "online": map[string]any{"channel": channel, "amount": money(amount)}}}, &out)
	return out.Result, err
}

// pay pays an order; funding is balanceOf or onlineOf.
func (c *customer) pay(key, orderID string, funding map[string]any) (result, error) {
	var out struct{ Result result }
	err := c.ask(`mutation($input: PayInput!) { result: pay(input: $input) { payment `+paymentFields+` errors { code message } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": key, "orderId": orderID, "funding": funding}}, &out)
	return out.Result, err
}

func balanceOf(amount string) map[string]any { return map[string]any{"balance": money(amount)} }

func onlineOf(channel, amount string) map[string]any {
	return map[string]any{"online": map[string]any{"channel": channel, "amount": money(amount)}}
}

// started wants a payment that waits for its payer.
func started(t testing.TB, r result, err error) payment {
	t.Helper()
	if err != nil || r.Payment == nil || r.Payment.NextAction == nil {
		t.Fatalf("no payment with an action: %+v, %v", r, err)
	}
	return *r.Payment
}

// charge brings money in, with the payer, and waits until it is there.
func (c *customer) charge(t testing.TB, channel, amount string) payment {
	t.Helper()
	r, err := c.topUp(unique("charge"), channel, amount)
	p := started(t, r, err)
	if err := payer(p.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	return c.awaitStatus(t, p.ID, "SUCCEEDED")
}

// payment reads one payment.
func (c *customer) payment(t testing.TB, id string) payment {
	t.Helper()
	var out struct{ Payment *payment }
	c.must(t, `query($id: ID!) { payment(id: $id) `+paymentFields+` }`, map[string]any{"id": id}, &out)
	if out.Payment == nil {
		t.Fatalf("no payment %s", id)
	}
	return *out.Payment
}

func (c *customer) awaitStatus(t testing.TB, id, status string) payment {
	t.Helper()
	var p payment
	await(t, 20*time.Second, "payment "+status, func() (bool, error) {
		p = c.payment(t, id)
		return p.Status == status, fmt.Errorf("it is %s", p.Status)
	})
	return p
}

// line is a line of the statement.
type line struct {
	Kind    string
	Amount  struct{ Amount string }
	Payment *struct{ ID string }
}

// books are the available balance and the statement, newest first.
type books struct {
	Available string
	Lines     []line
}

// kinds counts the statement's lines of a kind.
func (b books) kinds(kind string) (n int) {
	for _, l := range b.Lines {
		if l.Kind == kind {
			n++
		}
	}
	return n
}

func (c *customer) books(t testing.TB) books {
	t.Helper()
	var out struct {
		Balance      struct{ Available struct{ Amount string } }
		Transactions struct {
			Nodes    []line
			PageInfo struct{ HasNextPage bool }
		}
	}
	c.must(t, `{ balance { available { amount } } transactions(first: 100) { nodes { kind amount { amount } payment { id } } pageInfo { hasNextPage } } }`, nil, &out)
	if out.Transactions.PageInfo.HasNextPage {
		t.Fatal("the statement is longer than a page")
	}
	return books{out.Balance.Available.Amount, out.Transactions.Nodes}
}

// want checks the available balance and how many lines of each kind the statement has, and that it has no others.
func (c *customer) want(t testing.TB, available string, kinds map[string]int) {
	t.Helper()
	b := c.books(t)
	total := 0
	for kind, n := range kinds {
		total += n
		if got := b.kinds(kind); got != n {
			t.Errorf("statement: %d lines %s, want %d", got, kind, n)
		}
	}
	if b.Available != available || len(b.Lines) != total {
		t.Errorf("available %s with %d lines, want %s with %d: %+v", b.Available, len(b.Lines), available, total, b.Lines)
	}
}
