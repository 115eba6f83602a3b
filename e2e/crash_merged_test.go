package e2e

import (
	"errors"
	"strings"
	"testing"

	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/testenv"
)

// aMerge is a merged payment of thirty orders with a coupon that dies at one step.
type aMerge struct {
	step     string
	combined bool // 10.00 from the balance, the rest online; otherwise all from the balance
	alone    bool // nobody asks again and nobody pays: time alone brings it to an end
}

func (m aMerge) String() string {
	name := m.step + " from balance"
	if m.combined {
		name = m.step + " combined"
	}
	if m.alone {
		name += ", left alone"
	}
	return name
}

// merges are all steps that each kind of merged payment passes. Left alone is told apart only from the commit on: before it
// there is nothing that could be left.
func merges() (list []aMerge) {
	for _, step := range failpoint.All {
		pay := strings.HasPrefix(step, "pay.")
		if pay && step != failpoint.PayFrozen {
			list = append(list, aMerge{step: step})
		}
		if pay && step != failpoint.PayBooked || strings.HasPrefix(step, "channel.") || strings.HasPrefix(step, "settle.") {
			list = append(list, aMerge{step: step, combined: true})
		}
		if step == failpoint.PayCommitted || step == failpoint.ChannelStarted {
			list = append(list, aMerge{step: step, combined: true, alone: true})
		}
	}
	return list
}

// Lesson 8, HW-13, HW-33: kill -9 at each step of a merged payment of thirty orders, from the balance and combined. After the
// start none of them or all thirty are paid; the same key then gives one payment of all thirty, or time gives back what was
// frozen, held and reserved. The audit that each start ends with is clean.
func TestCrashOfAMergedPayment(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		o := options{tags: "failpoint", listen: freeAddress(t)}
		healthy := launch(t, homeEnv(home), o)
		healthy.awaitReady(t)
		desks := map[aMerge]*mergeDesk{}
		for _, m := range merges() {
			desks[m] = newMergeDesk(t, healthy)
		}
		healthy.stop(t)
		for _, m := range merges() {
			t.Run(m.String(), func(t *testing.T) { desks[m].walk(t, home, o, m) })
		}
	})
}

// mergeDesk is a customer with 100.00, thirty orders of 1.00 and a coupon of 3.00.
type mergeDesk struct {
	*customer
	asked  []string
	coupon string
	key    string
}

func newMergeDesk(t *testing.T, s *server) *mergeDesk {
	t.Helper()
	d := &mergeDesk{customer: s.customer(t), key: unique("crash")}
	d.charge(t, "ALIPAY", "100.00")
	d.asked = d.orders(t, 30, "1.00")
	var out struct {
		GrantCoupons struct {
			Coupons []struct{ ID string }
			Errors  []userError
		}
	}
	d.service.must(t, `mutation($input: GrantCouponsInput!) { grantCoupons(input: $input) { coupons { id } errors { code message } } }`, map[string]any{"input": map[string]any{
		"idempotencyKey": unique("grant"), "accountId": d.AccountID, "name": "three", "kind": "CASH", "face": money("3.00"), "validTo": "2099-01-01T00:00:00Z"}}, &out)
	if len(out.GrantCoupons.Coupons) != 1 {
		t.Fatalf("grantCoupons: %v", out.GrantCoupons.Errors)
	}
	d.coupon = out.GrantCoupons.Coupons[0].ID
	return d
}

// merge pays the thirty orders with the coupon: 27.00 in all.
func (d *mergeDesk) merge(combined bool) (result, error) {
	funding := balanceOf("27.00")
	if combined {
		funding = onlineOf("ALIPAY", "17.00")
		funding["balance"] = money("10.00")
	}
	var out struct{ Result result }
	err := d.ask(`mutation($input: MergePayInput!) { result: mergePay(input: $input) { payment `+paymentFields+` errors { code message } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": d.key, "orderIds": d.asked, "funding": funding, "couponIds": []string{d.coupon}, "expectedTotal": money("27.00")}}, &out)
	return out.Result, err
}

func (d *mergeDesk) walk(t *testing.T, home testenv.Home, o options, m aMerge) {
	doomed := o
	doomed.env = []string{"PAYDESK_FAILPOINT=" + m.step}
	mortal := launch(t, homeEnv(home), doomed)
	mortal.awaitReady(t)
	d.s = mortal
	r, err := d.merge(m.combined)
	if err == nil && r.Payment != nil && r.Payment.NextAction != nil && !m.alone {
		err = payerGone(payer(r.Payment.NextAction.Content, "succeed"))
	}
	if err != nil && !errors.Is(err, errTransport) {
		t.Errorf("before it died, the server said: %v", err)
	}
	mortal.awaitKilled(t)

	d.s = start(t, homeEnv(home), o)
	d.noneOrAll(t)
	if m.alone {
		d.s.advance(t, "20m")
		d.s.advance(t, "1m")
		d.settled(t, "100.00", "3.00", 0, map[string]int{"TOP_UP": 1, "FREEZE": 1, "UNFREEZE": 1})
		return
	}
	first := samePayment(t, 1, func() (result, error) { return d.merge(m.combined) })
	if p := d.payment(t, first.ID); p.Status == "REQUIRES_ACTION" {
		_ = payer(p.NextAction.Content, "succeed") // it may be paid already: then the page says no, and the sweep finds it
	}
	d.s.advance(t, "20s")
	d.awaitStatus(t, first.ID, "SUCCEEDED")
	if m.combined {
		d.settled(t, "90.00", "0.00", 30, map[string]int{"TOP_UP": 1, "FREEZE": 1, "UNFREEZE": 1, "ORDER_PAYMENT": 1})
	} else {
		d.settled(t, "73.00", "0.00", 30, map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
	}
}

// noneOrAll counts the orders that are paid, and wants none or thirty.
func (d *mergeDesk) noneOrAll(t *testing.T) (paid int) {
	t.Helper()
	var out struct {
		Orders struct{ Nodes []struct{ Status string } }
	}
	d.must(t, `{ orders(first: 100) { nodes { status } } }`, nil, &out)
	for _, o := range out.Orders.Nodes {
		if o.Status == "PROCESSING" {
			paid++
		}
	}
	if len(out.Orders.Nodes) != 30 || paid != 0 && paid != 30 {
		t.Errorf("%d of %d orders are paid", paid, len(out.Orders.Nodes))
	}
	return paid
}

// settled compares what is left in the end: nothing frozen, the coupon used or whole, the orders paid or free.
func (d *mergeDesk) settled(t *testing.T, available, coupon string, paid int, lines map[string]int) {
	t.Helper()
	if got := d.noneOrAll(t); got != paid {
		t.Errorf("%d orders paid, want %d", got, paid)
	}
	d.want(t, available, lines)
	var out struct {
		Balance struct{ Frozen struct{ Amount string } }
		Coupons struct {
			Nodes []struct{ Remaining struct{ Amount string } }
		}
		Orders struct {
			Nodes []struct{ ActivePayment *struct{ ID string } }
		}
	}
	d.must(t, `{ balance { frozen { amount } } coupons { nodes { remaining { amount } } } orders(first: 100) { nodes { activePayment { id } } } }`, nil, &out)
	if out.Balance.Frozen.Amount != "0.00" || len(out.Coupons.Nodes) != 1 || out.Coupons.Nodes[0].Remaining.Amount != coupon {
		t.Errorf("frozen %s, coupons %+v, want %s left", out.Balance.Frozen.Amount, out.Coupons.Nodes, coupon)
	}
	for _, o := range out.Orders.Nodes {
		if o.ActivePayment != nil {
			t.Error("an order is still held")
		}
	}
}
