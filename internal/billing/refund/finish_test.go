package refund_test

import (
	"testing"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/models"
)

// A refund that its channel refuses may leave an order with all its money back: what was refused falls on the other. That order ends
// all the same, and its coupons return (D10, HW-R18).
func TestFailedRefundEndsOrdersThatHaveAllTheirMoneyBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		coupon := w.coupon("6.01")
		rest := func() int64 {
			id, err := models.Decode(models.PrefixCoupon, coupon)
			w.must(err)
			c, _, err := w.benefits.ByID(w.ctx, w.payer.AccountID, id)
			w.must(err)
			return c.Remaining
		}
		orders := w.place(models.Prepaid, "66.00", "0.11")
		p := w.paid(bill(59_10, 1_00, wechat), orders, coupon) // dues of 60.00 and 0.10
		w.behave(wechat, `"call":"refund_fail"`)
		w.mustRefund(p, all, 0)
		w.until("the refusal", func() bool { return len(w.of(p)) == 2 })
		if w.status(orders[0]) != models.OrderProcessing || w.status(orders[1]) != models.OrderRefunded || rest() != 1 {
			t.Errorf("%s, %s, %d of 0.01 have returned", w.status(orders[0]), w.status(orders[1]), rest())
		}
		w.clean()
		w.behave(wechat, `"call":"normal"`)
		w.mustRefund(p, all, 0)
		w.until("the rest", func() bool { return w.status(orders[0]) == models.OrderRefunded })
		if rest() != 6_01 {
			t.Errorf("%d of 6.01 have returned", rest())
		}
	})
}

// An order that two refunds give from ends with the one that ends last, even where that one fails and loses nothing of it.
func TestTheLastRefundToEndEndsTheOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 200_00)
		for _, state := range []channel.State{channel.StateRefundFailed, channel.StateRefunded} {
			orders := w.place(models.Prepaid, "60.00", "0.10")
			w.behave(wechat, `"call":"normal"`)
			p := w.paid(bill(59_10, 1_00, wechat), orders)
			w.behave(wechat, `"call":"refund_late:1h"`)
			w.mustRefund(p, all, 30_05)
			first := w.of(p)[0]
			w.mustRefund(p, orders[1].ID, 0)
			if second := w.of(p)[0]; second.Amount != 5 || second.Status != models.RefundSucceeded || w.status(orders[1]) != models.OrderProcessing {
				t.Fatalf("%+v, while the first is on its way: %s", second, w.status(orders[1]))
			}
			w.clean()
			v, err := w.refunds.Apply(w.ctx, wechat, channel.Event{Number: p.Number, RefundNumber: first.Number, Reference: "R", State: state, Amount: cny(first.OnlineAmount)})
			w.must(err)
			if v != payment.Applied || w.status(orders[0]) != models.OrderProcessing || w.status(orders[1]) != models.OrderRefunded {
				t.Errorf("%s: %s, %s %s", state, v, w.status(orders[0]), w.status(orders[1]))
			}
			w.clean()
		}
	})
}

// What a settlement released counts as paid back, and is no refund: the order does not end with the refund of another.
func TestSettlementAloneEndsNoOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		orders := w.place(models.Postpaid, "40.00", "30.00")
		p := w.paid(bill(70_00, 0, ""), orders)
		_, err := w.payments.SettleFreeze(w.ctx, orders[0].ID, cny(0))
		w.must(err)
		w.mustRefund(p, all, 0)
		if w.status(orders[0]) != models.OrderProcessing || w.status(orders[1]) != models.OrderRefunded {
			t.Errorf("%s %s", w.status(orders[0]), w.status(orders[1]))
		}
	})
}
