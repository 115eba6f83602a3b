package e2e

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// notified is a server behind a gateway on a home.
type notified struct {
	*server
	home testenv.Home
	gate *gateway
}

func startNotified(t *testing.T, home testenv.Home) notified {
	t.Helper()
	listen := freeAddress(t)
	gate := newGateway(t, listen)
	s := start(t, append(homeEnv(home), "PAYDESK_PUBLIC_URL="+gate.URL), options{listen: listen})
	return notified{s, home, gate}
}

// next is the notification that comes next: each part of the test takes those that it causes.
func (n notified) next(t testing.TB) notification {
	t.Helper()
	select {
	case got := <-n.gate.captured:
		return got
	case <-time.After(10 * time.Second):
		t.Fatal("no notification came")
		panic("unreachable")
	}
}

// refused: the provider is told that its notification was not taken.
func refused(n notification) bool { return n.status/100 != 2 && n.answer != "success" }

// TestNotifications: what the channel says counts only with a valid signature, the right merchant, number, currency and
// amount, and once (contract.md §5, lessons 3 to 7).
func TestNotifications(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		n := startNotified(t, home)
		for _, channel := range []string{"ALIPAY", "WECHAT_PAY"} {
			t.Run(channel, func(t *testing.T) {
				t.Run("replayed", func(t *testing.T) { replayed(t, n, channel) })
				t.Run("forged", func(t *testing.T) { forged(t, n, channel) })
				t.Run("another amount", func(t *testing.T) { anotherAmount(t, n, channel) })
				t.Run("dropped", func(t *testing.T) { dropped(t, n, channel) })
				t.Run("late", func(t *testing.T) { late(t, n, channel) })
				t.Run("declined", func(t *testing.T) { declined(t, n, channel) })
			})
		}
		t.Run("another merchant", func(t *testing.T) { anotherMerchant(t, n) })
		t.Run("a number nobody knows", func(t *testing.T) { unknownNumber(t, n) })
	})
}

// paidBehindTheGate is a top-up whose payer has paid while the gate held the notification.
func paidBehindTheGate(t *testing.T, n notified, c *customer, channel, amount string) (payment, notification) {
	t.Helper()
	n.gate.hold(true)
	defer n.gate.hold(false)
	r, err := c.topUp(unique("top-up"), channel, amount)
	p := started(t, r, err)
	if err := payer(p.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	return p, n.next(t)
}

// replayed: a notification that comes 1,000 times from 50 sides is booked once.
func replayed(t *testing.T, n notified, channel string) {
	c := n.customer(t)
	p, letter := paidBehindTheGate(t, n, c, channel, "40.00")
	c.want(t, "0.00", nil)
	var calls atomic.Int64
	var workers sync.WaitGroup
	for range 50 {
		workers.Go(func() {
			for calls.Add(1) <= 1000 {
				if got, err := n.gate.deliver(letter); err != nil || got.status/100 != 2 {
					t.Errorf("a replay was answered %d %q, %v", got.status, got.answer, err)
					return
				}
			}
		})
	}
	workers.Wait()
	if got := c.awaitStatus(t, p.ID, "SUCCEEDED"); got.Version != 3 || len(got.Timeline) != 3 {
		t.Errorf("version %d with %d events, want 3 and 3: PROCESSING, REQUIRES_ACTION, SUCCEEDED", got.Version, len(got.Timeline))
	}
	c.want(t, "40.00", map[string]int{"TOP_UP": 1})
}

// forged: a wrongly signed success is refused and moves nothing; the truth is found by asking.
func forged(t *testing.T, n notified, channel string) {
	c := n.customer(t)
	n.behave(t, channel, map[string]string{"notify": "forge"})
	r, err := c.topUp(unique("top-up"), channel, "40.00")
	p := started(t, r, err)
	if err := payer(p.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	got := n.next(t)
	n.behave(t, channel, map[string]string{"notify": "normal"})
	if !refused(got) {
		t.Errorf("a forged notification was answered %d %q", got.status, got.answer)
	}
	if e := n.newest(t); e.Verdict != "REFUSED" || e.Channel != channel || e.Body != string(got.body) || e.Number != nil || e.Payment != nil || len(e.Headers) == 0 {
		t.Errorf("an operator sees of it %+v", e)
	}
	if p := c.payment(t, p.ID); p.Status != "REQUIRES_ACTION" {
		t.Errorf("a forged notification made the payment %s", p.Status)
	}
	c.want(t, "0.00", nil)
	n.advance(t, "20s")
	c.awaitStatus(t, p.ID, "SUCCEEDED")
	c.want(t, "40.00", map[string]int{"TOP_UP": 1})
}

// anotherAmount: rightly signed, another amount: acknowledged, kept apart in suspense, payment and balance unchanged.
func anotherAmount(t *testing.T, n notified, channel string) {
	c := n.customer(t)
	before := n.suspended(t)
	r, err := c.topUp(unique("top-up"), channel, "40.00")
	p := started(t, r, err)
	n.behave(t, channel, map[string]string{"call": "wrong_amount"})
	if err := payer(p.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	got := n.next(t)
	n.behave(t, channel, map[string]string{"call": "normal"})
	if refused(got) {
		t.Errorf("answered %d %q, want it acknowledged: the money is there", got.status, got.answer)
	}
	if p := c.payment(t, p.ID); p.Status != "REQUIRES_ACTION" {
		t.Errorf("the payment is %s, want it unchanged", p.Status)
	}
	c.want(t, "0.00", nil)
	if after := n.suspended(t); after != before+1 {
		t.Errorf("%d items in suspense, want %d", after, before+1)
	}
	if e := n.newest(t); e.Verdict != "SUSPENSE" || e.Number == nil || *e.Number != p.Number || e.Payment == nil || e.Payment.ID != p.ID || e.Body != string(got.body) || e.NextAttemptAt != nil {
		t.Errorf("an operator sees of it %+v", e)
	}
}

// suspended counts what no rule could place, as an operator sees it.
func (n notified) suspended(t testing.TB) int {
	t.Helper()
	var out struct{ Suspense struct{ TotalCount int } }
	n.signIn(t, "OPERATOR", "").must(t, `{ suspense { totalCount } }`, nil, &out)
	return out.Suspense.TotalCount
}

// evidence is what an operator sees of the newest notification.
type evidence struct {
	Channel, Verdict, Body string
	Number, NextAttemptAt  *string
	Payment                *struct{ ID string }
	Headers                []struct{ Name, Value string }
}

func (n notified) newest(t testing.TB) evidence {
	t.Helper()
	var out struct{ Notifications struct{ Nodes []evidence } }
	n.signIn(t, "OPERATOR", "").must(t, `{ notifications(first: 1) { nodes { channel verdict number payment { id } nextAttemptAt headers { name value } body } } }`, nil, &out)
	if len(out.Notifications.Nodes) != 1 {
		t.Fatal("no notification is there")
	}
	return out.Notifications.Nodes[0]
}

// dropped: a notification that never comes is found by the sweep (TX-6).
func dropped(t *testing.T, n notified, channel string) {
	c := n.customer(t)
	n.behave(t, channel, map[string]string{"notify": "drop"})
	defer n.behave(t, channel, map[string]string{"notify": "normal"})
	r, err := c.topUp(unique("top-up"), channel, "40.00")
	p := started(t, r, err)
	if err := payer(p.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	n.advance(t, "20s")
	if got := c.payment(t, p.ID); got.Status != "SUCCEEDED" { // due work is done when the clock answers
		t.Errorf("after the sweep the payment is %s", got.Status)
	}
	c.want(t, "40.00", map[string]int{"TOP_UP": 1})
}

// late: who pays after the end has it in the balance as LATE_PAYMENT; the payment stays as it ended (lesson 7).
func late(t *testing.T, n notified, channel string) {
	c := n.customer(t)
	order := c.orders(t, 1, "40.00")[0]
	r, err := c.pay(unique("late"), order, onlineOf(channel, "40.00"))
	p := started(t, r, err)
	n.advance(t, "3h")
	c.awaitStatus(t, p.ID, "EXPIRED")
	if err := payer(p.NextAction.Content, "succeed", "late", "true"); err != nil {
		t.Fatal(err)
	}
	n.next(t)
	await(t, 10*time.Second, "the late money is in the balance", func() (bool, error) { return c.books(t).Available == "40.00", nil })
	c.want(t, "40.00", map[string]int{"LATE_PAYMENT": 1})
	if got := c.payment(t, p.ID); got.Status != "EXPIRED" {
		t.Errorf("the late money made the payment %s", got.Status)
	}
	// The order was freed: it can be paid with the money that came late, unless its own time is over.
	r, err = c.pay(unique("again"), c.orders(t, 1, "40.00")[0], balanceOf("40.00"))
	if err != nil || r.Payment == nil || r.Payment.Status != "SUCCEEDED" {
		t.Errorf("paying with the late money: %+v, %v", r, err)
	}
}

// declined: the provider says no; the payment fails, and nothing moves.
func declined(t *testing.T, n notified, channel string) {
	c := n.customer(t)
	r, err := c.topUp(unique("top-up"), channel, "40.00")
	p := started(t, r, err)
	if err := payer(p.NextAction.Content, "decline"); err != nil {
		t.Fatal(err)
	}
	if channel == "ALIPAY" { // WeChat Pay tells of success alone: the sweep asks
		n.next(t)
	}
	n.advance(t, "20s")
	c.awaitStatus(t, p.ID, "FAILED")
	c.want(t, "0.00", nil)
}

// anotherMerchant: signed by the provider itself, but for another merchant's application: refused, nothing moves (lesson 4).
func anotherMerchant(t *testing.T, n notified) {
	c := n.customer(t)
	p, letter := paidBehindTheGate(t, n, c, "ALIPAY", "40.00")
	for _, field := range []string{"app_id", "auth_app_id", "seller_id"} {
		other := letter
		other.body = n.signedAgain(t, letter.body, field, "2088999999999999")
		got, err := n.gate.deliver(other)
		if err != nil || !refused(got) {
			t.Errorf("%s of another merchant was answered %d %q, %v", field, got.status, got.answer, err)
		}
	}
	if p := c.payment(t, p.ID); p.Status != "REQUIRES_ACTION" {
		t.Errorf("another merchant's notification made the payment %s", p.Status)
	}
	c.want(t, "0.00", nil)
	same := letter
	same.body = n.signedAgain(t, letter.body, "buyer_id", "2088000000000001")
	if got, err := n.gate.deliver(same); err != nil || got.status != http.StatusOK || got.answer != "success" {
		t.Errorf("our own, signed the same way, was answered %d %q, %v: the test's signature is at fault", got.status, got.answer, err)
	}
	c.awaitStatus(t, p.ID, "SUCCEEDED")
}

// unknownNumber: rightly signed, of a payment that is not known here: acknowledged, for it is stored, and it waits to be tried again where
// an operator sees it (lesson 4).
func unknownNumber(t *testing.T, n notified) {
	c := n.customer(t)
	_, letter := paidBehindTheGate(t, n, c, "ALIPAY", "40.00")
	letter.body = n.signedAgain(t, letter.body, "out_trade_no", "20991231000000000000")
	if got, err := n.gate.deliver(letter); err != nil || refused(got) {
		t.Errorf("answered %d %q, %v", got.status, got.answer, err)
	}
	if e := n.newest(t); e.Verdict != "UNKNOWN_REFERENCE" || e.Number == nil || *e.Number != "20991231000000000000" || e.Payment != nil || e.NextAttemptAt == nil {
		t.Errorf("an operator sees of it %+v", e)
	}
	c.want(t, "0.00", nil)
}

// signedAgain changes a field of an Alipay notification and signs it with the provider's own key (RSA2: SHA256withRSA over
// the sorted fields without sign and sign_type).
func (n notified) signedAgain(t testing.TB, body []byte, field, value string) []byte {
	t.Helper()
	form, err := url.ParseQuery(string(body))
	if err != nil {
		t.Fatal(err)
	}
	form.Set(field, value)
	var pairs []string
	for name := range form {
		if name != "sign" && name != "sign_type" {
			pairs = append(pairs, name+"="+form.Get(name))
		}
	}
	slices.Sort(pairs)
	sum := sha256.Sum256([]byte(strings.Join(pairs, "&")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, n.sandboxKey(t, "alipay"), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	form.Set("sign", base64.StdEncoding.EncodeToString(signature))
	return []byte(form.Encode())
}

// sandboxKey is what the sandbox signs a provider's messages with; it lies in the same database (contract.md §6).
func (n notified) sandboxKey(t testing.TB, provider string) *rsa.PrivateKey {
	t.Helper()
	var text string
	found, err := n.home.DB.QueryRow(context.Background(), []any{&text}, "SELECT value FROM settings WHERE name = ?", "sandbox.keys."+provider)
	if err != nil || !found {
		t.Fatalf("the sandbox's keys: %v, %v", found, err)
	}
	var keys struct{ Platform string }
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(keys.Platform))
	if block == nil {
		t.Fatal("the sandbox's key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}
