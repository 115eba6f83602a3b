package e2e

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/testenv"
)

// refunded is a payment with what went back of it.
type refunded struct {
	ID, Number, Status string
	Version            int
	Refunded           struct{ Amount string }
	Refunds            []struct {
		ID, Status, Reason string
		Amount             struct{ Amount string }
	}
	Orders []struct{ ID, Status string }
}

const refundedFields = `{ id number status version refunded { amount } refunds { id status reason amount { amount } } orders { id status } }`

// refundOf asks as a user to refund; fields are added to the input.
func refundOf(u user, key, paymentID string, fields map[string]any) (*refunded, []userError, error) {
	in := map[string]any{"idempotencyKey": key, "paymentId": paymentID, "reason": "the server is broken"}
	for k, v := range fields {
		in[k] = v
	}
	var out struct {
		RefundPayment *struct {
			Payment *refunded
			Errors  []userError
		}
	}
	err := u.ask(`mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { payment `+refundedFields+` errors { code message } } }`, map[string]any{"input": in}, &out)
	if err != nil || out.RefundPayment == nil {
		return nil, nil, err
	}
	return out.RefundPayment.Payment, out.RefundPayment.Errors, nil
}

// goneBack reads a payment with its refunds as its account sees it.
func (c *customer) goneBack(t testing.TB, id string) refunded {
	t.Helper()
	var out struct{ Payment *refunded }
	c.must(t, `query($id: ID!) { payment(id: $id) `+refundedFields+` }`, map[string]any{"id": id}, &out)
	if out.Payment == nil {
		t.Fatal("no payment", id)
	}
	return *out.Payment
}

// paidOnline pays an order through a channel.
func (c *customer) paidOnline(t testing.TB, order, channel, amount string) payment {
	t.Helper()
	r, err := c.pay(unique("pay"), order, onlineOf(channel, amount))
	p := started(t, r, err)
	if err := payer(p.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	return c.awaitStatus(t, p.ID, "SUCCEEDED")
}

// D10, lesson 18: a payment goes back in parts through its channel, each with a state of its own; never more than was paid; the payment's
// version stays. Who is no operator may not.
func TestRefund(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		operator, c := s.signIn(t, "OPERATOR", ""), s.customer(t)
		for _, channel := range []string{"ALIPAY", "WECHAT_PAY"} {
			order := c.orders(t, 1, "60.00")[0]
			p := c.paidOnline(t, order, channel, "60.00")
			part, bad, err := refundOf(operator, unique("refund"), p.ID, map[string]any{"amount": money("25.00")})
			if err != nil || len(bad) > 0 || part.Refunded.Amount != "25.00" || part.Version != p.Version || part.Orders[0].Status != "PROCESSING" || part.Refunds[0].Reason != "the server is broken" {
				t.Fatalf("%s: %+v %v %v", channel, part, bad, err)
			}
			for code, fields := range map[string]map[string]any{"AMOUNT_OUT_OF_RANGE": {"amount": money("35.01")}, "AMOUNT_INVALID": {"amount": money("1.001")}, "CURRENCY_MISMATCH": {"amount": map[string]any{"amount": "1.00", "currency": "USD"}},
				"CARD_DATA_NOT_ACCEPTED": {"reason": "4242424242424242"}, "INVALID_INPUT": {"reason": strings.Repeat("x", 501)}, "ORDER_NOT_FOUND": {"orderId": p.ID}} {
				if _, bad, err := refundOf(operator, unique("refund"), p.ID, fields); err != nil || len(bad) != 1 || bad[0].Code != code || bad[0].Message == "" {
					t.Errorf("%s: %v %v", code, bad, err)
				}
			}
			if _, bad, err := refundOf(operator, unique("refund"), p.ID, map[string]any{"orderId": order}); err != nil || len(bad) > 0 {
				t.Fatal(bad, err)
			}
			s.advance(t, "20s")
			s.advance(t, "20s")
			now := c.goneBack(t, p.ID)
			if now.Refunded.Amount != "60.00" || len(now.Refunds) != 2 || now.Refunds[0].Amount.Amount != "35.00" || now.Refunds[0].Status != "SUCCEEDED" || now.Refunds[1].Status != "SUCCEEDED" || now.Orders[0].Status != "REFUNDED" {
				t.Errorf("%s: %+v", channel, now)
			}
			var node struct{ Mine, Others *struct{ ID string } }
			c.must(t, `query($id: ID!) { mine: node(id: $id) { id } }`, map[string]any{"id": now.Refunds[0].ID}, &node)
			s.customer(t).must(t, `query($id: ID!) { others: node(id: $id) { id } }`, map[string]any{"id": now.Refunds[0].ID}, &node)
			if node.Mine == nil || node.Others != nil {
				t.Errorf("node: %+v", node)
			}
			if _, _, err := refundOf(c.user, unique("refund"), p.ID, nil); err == nil || !strings.Contains(err.Error(), "FORBIDDEN") {
				t.Errorf("by a customer: %v", err)
			}
		}
	})
}

// Kill -9 at each step of a refund, between the commit and the channel's call too: the same key, or time alone, brings exactly one
// refund, here and at the provider (lessons 1 and 18).
func TestCrashOfARefund(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		for i, step := range failpoint.Refunds {
			t.Run(step, func(t *testing.T) { crashRefund(t, home, step, []string{"ALIPAY", "WECHAT_PAY"}[i%2]) })
		}
	})
}

func crashRefund(t *testing.T, home testenv.Home, step, channel string) {
	o := options{tags: "failpoint", listen: freeAddress(t)}
	healthy := launch(t, homeEnv(home), o)
	healthy.awaitReady(t)
	c, key := healthy.customer(t), unique("crash")
	alone := c.paidOnline(t, c.orders(t, 1, "30.00")[0], channel, "30.00")
	operator := healthy.signIn(t, "OPERATOR", "")
	healthy.stop(t)

	doomed := o
	doomed.env = []string{"PAYDESK_FAILPOINT=" + step}
	mortal := launch(t, homeEnv(home), doomed)
	mortal.awaitReady(t)
	if _, _, err := refundOf(operator, key, alone.ID, nil); err != nil && !errors.Is(err, errTransport) {
		t.Errorf("before it died, the server said: %v", err)
	}
	mortal.awaitKilled(t)

	c.s = start(t, homeEnv(home), o)
	committed := len(c.goneBack(t, alone.ID).Refunds)
	if want := map[bool]int{true: 0, false: 1}[step == failpoint.RefundWritten || step == failpoint.RefundBooked]; committed != want {
		t.Errorf("%d refunds after the crash, want %d", committed, want)
	}
	if committed == 1 { // time alone brings it to its end
		c.s.advance(t, "70s")
		c.s.advance(t, "20s")
	}
	for range 2 {
		await(t, 20*time.Second, "the key of the process that died", func() (bool, error) {
			_, bad, err := refundOf(operator, key, alone.ID, nil)
			if err != nil || len(bad) > 0 && bad[0].Code != "IDEMPOTENCY_IN_PROGRESS" {
				t.Fatal(bad, err)
			}
			return len(bad) == 0, nil
		})
	}
	c.s.advance(t, "20s")
	await(t, 20*time.Second, "the refund's end", func() (bool, error) {
		now := c.goneBack(t, alone.ID)
		return len(now.Refunds) == 1 && now.Refunds[0].Status == "SUCCEEDED" && now.Refunded.Amount == "30.00" && now.Orders[0].Status == "REFUNDED", nil
	})
	var sum, count int64
	if _, err := home.DB.QueryRow(t.Context(), []any{&sum, &count}, "SELECT COALESCE(SUM(amount), 0), COUNT(*) FROM sandbox_refunds WHERE number = ?", alone.Number); err != nil || sum != 30_00 || count != 1 {
		t.Errorf("the provider sent %d back in %d refunds: %v", sum, count, err)
	}
}
