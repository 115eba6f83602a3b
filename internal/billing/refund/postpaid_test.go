package refund_test

import (
	"errors"
	"testing"

	"paydesk/internal/billing/fault"
	"paydesk/internal/money"
	"paydesk/models"
)

// Contract §5: a part of a payment, of no order in particular, charges no freeze: it falls on the other orders alone, and what they
// have left is the most. With the order named, or as a whole, the freeze ends.
func TestPartLeavesFrozenOrdersOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		orders := append(w.place(models.Postpaid, "40.00", "20.00"), w.place(models.Prepaid, "30.00")...)
		p := w.paid(bill(90_00, 0, ""), orders)
		tooMuch := func(amount, most int64) {
			t.Helper()
			var f *fault.Fault
			if _, err := w.refund(p, all, amount); !errors.As(err, &f) || f.Code != "AMOUNT_OUT_OF_RANGE" || f.Args["maximum"] != money.New(most, "CNY") {
				t.Errorf("%d of %d that are not frozen: %+v", amount, most, err)
			}
		}
		tooMuch(30_01, 30_00)
		w.mustRefund(p, all, 10_00)
		if b := w.balance(w.payer); b.Frozen != 60_00 || b.Available() != 20_00 || w.status(orders[2]) != models.OrderProcessing {
			t.Errorf("10.00 back: %+v", b)
		}
		w.mustRefund(p, all, 20_00)
		if b := w.balance(w.payer); b.Frozen != 60_00 || b.Available() != 40_00 || w.status(orders[2]) != models.OrderRefunded {
			t.Errorf("all that is not frozen: %+v, %s", b, w.status(orders[2]))
		}
		tooMuch(1, 0)
		w.clean()
		_, err := w.payments.SettleFreeze(w.ctx, orders[1].ID, cny(15_00))
		w.must(err)
		tooMuch(15_01, 15_00)
		w.mustRefund(p, all, 5_00) // what was charged is like any other money
		if b := w.balance(w.payer); b.Frozen != 40_00 || b.Available() != 50_00 {
			t.Errorf("of what was charged: %+v", b)
		}
		w.mustRefund(p, orders[0].ID, 10_00)
		if b := w.balance(w.payer); b.Frozen != 0 || b.Available() != 60_00 {
			t.Errorf("with its order named the freeze is charged: %+v", b)
		}
		w.mustRefund(p, all, 0)
		if b := w.balance(w.payer); b.Available() != 100_00 || w.status(orders[0]) != models.OrderRefunded || w.status(orders[1]) != models.OrderRefunded {
			t.Errorf("%+v", b)
		}
	})
}
