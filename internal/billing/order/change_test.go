package order_test

import (
	"context"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/models"
)

func (e *env) set(o models.Order, s models.OrderStatus) models.Order {
	e.t.Helper()
	e.exec("UPDATE orders SET status = ? WHERE account_id = ? AND id = ?", string(s), o.AccountID, o.ID)
	return o
}

func (e *env) hold(o models.Order) (payment models.ID) {
	e.t.Helper()
	payment = models.NewID()
	e.must(e.db.InTx(e.ctx, func(ctx context.Context) error {
		return e.Hold(ctx, e.account, []models.ID{o.ID}, payment, e.clock.Now())
	}))
	return payment
}

// HW-R23: what waits is canceled; what is paid, held or over is not, and each says why.
func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		for _, s := range []models.OrderStatus{models.OrderPendingPayment, models.OrderPendingReview, models.OrderPendingConfirmation} {
			o := e.set(e.place(newOrder("1"))[0], s)
			got, err := e.Cancel(e.ctx, e.account, o.ID)
			if err != nil || got.Status != models.OrderCanceled {
				t.Errorf("from %s: %s, %v", s, got.Status, err)
			}
		}
		held := e.place(newOrder("1"))[0]
		e.hold(held)
		canceled := e.place(newOrder("1"))[0]
		_, err := e.Cancel(e.ctx, e.account, canceled.ID)
		e.must(err)
		over := e.place(newOrder("1"))[0]
		e.exec("UPDATE orders SET expires_at = ? WHERE account_id = ? AND id = ?", e.clock.Now(), e.account, over.ID)
		tests := []struct {
			name  string
			order models.Order
			code  string
		}{
			{"held by a payment", held, "ORDER_BEING_PAID"},
			{"paid", e.set(e.place(newOrder("1"))[0], models.OrderProcessing), "ORDER_STATUS_CHANGED"},
			{"canceled", canceled, "ORDER_STATUS_CHANGED"},
			{"expired", e.set(e.place(newOrder("1"))[0], models.OrderExpired), "ORDER_EXPIRED"},
			{"over, though not swept", over, "ORDER_EXPIRED"},
		}
		for _, c := range tests {
			before := e.status(c.order)
			_, err := e.Cancel(e.ctx, e.account, c.order.ID)
			f, ok := fault.As(err)
			if !ok || f.Code != c.code {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if d, ok := f.Detail.(*fault.OrdersNotPayable); !ok || d.Blocked[0].Order.ID != c.order.ID || d.Blocked[0].Code != c.code {
				t.Errorf("%s: detail %+v", c.name, f.Detail)
			}
			if e.status(c.order) != before {
				t.Errorf("%s: it is %s now", c.name, e.status(c.order))
			}
		}
	})
}

// Something of another account is as if it were not there (contract.md §7).
func TestOrdersOfOthersAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o, other := e.place(newOrder("1"))[0], e.openAccount(models.AccountActive, "CNY")
		if _, err := e.Cancel(e.ctx, other, o.ID); !fault.Is(err, "ORDER_NOT_FOUND") {
			t.Error(err)
		}
		if _, found, err := e.ByNumber(e.ctx, other, o.Number); found || err != nil {
			t.Error("found by number", err)
		}
		if got, err := e.ByIDs(e.ctx, other, []models.ID{o.ID}); len(got) != 0 || err != nil {
			t.Error("found by id", err)
		}
		if p, err := e.ForPayment(e.ctx, other, []models.ID{o.ID}); len(p.Asked) != 0 || err != nil {
			t.Error("found for a payment", err)
		}
		if got, err := e.ByIDsAnywhere(e.ctx, []models.ID{o.ID, models.NewID()}); len(got) != 1 || err != nil {
			t.Error("the desk does not find it", err)
		}
		if _, found, err := e.ByNumberAnywhere(e.ctx, o.Number); !found || err != nil {
			t.Error("the desk does not find it by number", err)
		}
	})
}

// HW-1: what was paid for is delivered, or not; the same report again changes nothing.
func TestReportDelivery(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		good, bad := e.set(e.place(newOrder("1"))[0], models.OrderProcessing), e.set(e.place(newOrder("1"))[0], models.OrderProcessing)
		for range 2 {
			if o, err := e.ReportDelivery(e.ctx, good.ID, true, ""); err != nil || o.Status != models.OrderCompleted {
				t.Errorf("%s, %v", o.Status, err)
			}
			if o, err := e.ReportDelivery(e.ctx, bad.ID, false, "sold out"); err != nil || o.Status != models.OrderDeliveryFailed {
				t.Errorf("%s, %v", o.Status, err)
			}
		}
		if _, err := e.ReportDelivery(e.ctx, good.ID, false, ""); !fault.Is(err, "ORDER_STATUS_CHANGED") {
			t.Error(err)
		}
		if _, err := e.ReportDelivery(e.ctx, e.place(newOrder("1"))[0].ID, true, ""); !fault.Is(err, "ORDER_STATUS_CHANGED") {
			t.Error("an order that is not paid was delivered:", err)
		}
		if _, err := e.ReportDelivery(e.ctx, models.NewID(), true, ""); !fault.Is(err, "ORDER_NOT_FOUND") {
			t.Error(err)
		}
		if _, err := e.ReportDelivery(e.ctx, good.ID, true, "card 4242424242424242"); !fault.Is(err, "CARD_DATA_NOT_ACCEPTED") {
			t.Error(err)
		}
	})
}

// HW-3, HW-R1, C6: what is not paid in time expires, and stays so; what a payment holds waits for its end.
func TestExpireDue(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		due := e.place(newOrder("1"), newOrder("2"), newOrder("3"))
		e.set(due[1], models.OrderPendingReview)
		e.set(due[2], models.OrderPendingConfirmation)
		held, paid := e.place(newOrder("1"))[0], e.place(newOrder("1"))[0]
		payment := e.hold(held)
		e.set(paid, models.OrderProcessing)
		if n, err := e.ExpireDue(e.ctx, e.clock.Now(), 2); n != 0 || err != nil {
			t.Fatalf("%d too early (%v)", n, err)
		}
		e.clock.advance(7 * 24 * time.Hour)
		later := e.place(newOrder("1"))[0]
		if n, err := e.ExpireDue(e.ctx, e.clock.Now(), 2); n != 3 || err != nil {
			t.Fatalf("%d expired (%v)", n, err)
		}
		for _, o := range due {
			if s := e.status(o); s != models.OrderExpired {
				t.Errorf("still %s", s)
			}
			if _, err := e.Cancel(e.ctx, e.account, o.ID); !fault.Is(err, "ORDER_EXPIRED") {
				t.Error(err)
			}
		}
		if e.status(held) != models.OrderPendingPayment || e.status(paid) != models.OrderProcessing || e.status(later) != models.OrderPendingPayment {
			t.Error("an order that was not due expired")
		}
		_, err := e.ReleaseHold(e.ctx, e.account, payment, e.clock.Now())
		e.must(err)
		if n, err := e.ExpireDue(e.ctx, e.clock.Now(), 2); n != 1 || err != nil || e.status(held) != models.OrderExpired {
			t.Errorf("released: %d (%v)", n, err)
		}
	})
}
