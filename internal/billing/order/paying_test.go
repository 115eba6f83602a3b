package order_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/order"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

func (e *env) take(shares ...order.Share) error {
	return e.db.InTx(e.ctx, func(ctx context.Context) error { return e.Take(ctx, e.account, shares, e.clock.Now()) })
}

// HW-8: with an order come those of its bundle. An order that stands alone takes one statement, the account's facts included.
func TestForPayment(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		alone := e.place(newOrder("1"))[0]
		bundle := e.bundle(newOrder("2"), newOrder("3"), newOrder("4"))
		e.bundle(newOrder("5"), newOrder("6"))
		ctx, counter := database.WithCounter(e.ctx)
		p, err := e.ForPayment(ctx, e.account, []models.ID{bundle[1].ID, alone.ID, bundle[0].ID, models.NewID(), alone.ID})
		e.must(err)
		if counter.N() != 2 {
			t.Errorf("%d statements", counter.N())
		}
		one, counter := database.WithCounter(e.ctx)
		if p, err := e.ForPayment(one, e.account, []models.ID{alone.ID}); err != nil || len(p.Asked) != 1 || len(p.Linked) != 0 || counter.N() != 1 {
			t.Errorf("%d statements for %+v, %v", counter.N(), p, err)
		}
		if len(p.Asked) != 3 || p.Asked[0].ID != bundle[1].ID || p.Asked[1].ID != alone.ID || p.Asked[2].ID != bundle[0].ID {
			t.Errorf("asked: %s", numbers(p.Asked))
		}
		if len(p.Linked) != 1 || p.Linked[0].ID != bundle[2].ID || p.Linked[0].AmountDue != 400 || p.Linked[0].ExpiresAt == nil {
			t.Errorf("linked: %+v", p.Linked)
		}
		a := p.Account
		if a.ID != e.account || a.Status != models.AccountActive || a.Kind != models.AccountEnterprise || a.Currency != "CNY" ||
			a.SigningEntity != "MAINLAND" || a.Region != "CN" || a.Country != "CN" || a.Identity != models.IdentityVerified || !a.OperationProtection {
			t.Errorf("account: %+v", a)
		}
		if p, err := e.ForPayment(e.ctx, e.account, []models.ID{models.NewID()}); err != nil || len(p.Asked) != 0 {
			t.Error(p, err)
		}
	})
}

// HW-6, HW-14: a payment takes its orders as they wait, all of them or none; one that changed meanwhile is not paid.
func TestTake(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o := e.place(newOrder("10"), newOrder("20"), newOrder("30"))
		e.must(e.take(order.Share{OrderID: o[0].ID, Due: 1000}, order.Share{OrderID: o[1].ID, Due: 1500}))
		got, err := e.ByIDs(e.ctx, e.account, []models.ID{o[0].ID, o[1].ID})
		e.must(err)
		for _, g := range got {
			if want := map[models.ID]int64{o[0].ID: 1000, o[1].ID: 1500}[g.ID]; g.Status != models.OrderProcessing || g.Paid != want {
				t.Errorf("%s, paid %d", g.Status, g.Paid)
			}
		}
		blocked := map[string]models.Order{"taken": o[0], "held": e.place(newOrder("1"))[0], "over": e.place(newOrder("1"))[0],
			"in review": e.set(e.place(newOrder("1"))[0], models.OrderPendingReview), "of another account": {ID: models.NewID()}}
		e.hold(blocked["held"])
		e.exec("UPDATE orders SET expires_at = ? WHERE account_id = ? AND id = ?", e.clock.Now(), e.account, blocked["over"].ID)
		for name, b := range blocked {
			if err := e.take(order.Share{OrderID: o[2].ID, Due: 3000}, order.Share{OrderID: b.ID, Due: 1}); !errors.Is(err, order.ErrChanged) {
				t.Errorf("%s: %v", name, err)
			}
			if s := e.status(o[2]); s != models.OrderPendingPayment {
				t.Fatalf("%s: the other order is %s", name, s)
			}
		}
		e.must(e.take(order.Share{OrderID: o[2].ID, Due: 3000}))
	})
}

func TestHoldAndTakeHeld(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o := e.place(newOrder("10"), newOrder("20"))
		payment, ids := models.NewID(), []models.ID{o[0].ID, o[1].ID}
		hold := func(p models.ID) error {
			return e.db.InTx(e.ctx, func(ctx context.Context) error { return e.Hold(ctx, e.account, ids, p, e.clock.Now()) })
		}
		e.must(hold(payment))
		if err := hold(models.NewID()); !errors.Is(err, order.ErrChanged) {
			t.Error("held twice:", err)
		}
		if err := e.take(order.Share{OrderID: o[0].ID, Due: 1}); !errors.Is(err, order.ErrChanged) {
			t.Error("taken while held:", err)
		}
		n, err := e.ReleaseHold(e.ctx, e.account, payment, e.clock.Now())
		if n != 2 || err != nil {
			t.Errorf("released %d (%v)", n, err)
		}
		e.must(hold(payment))
		for i, id := range ids {
			e.exec("INSERT INTO payment_orders (account_id, payment_id, order_id, amount, discount, coupon, due, created_at) VALUES (?,?,?,?,0,0,?,?)",
				e.account, payment, id, 1000*(i+1), 900*(i+1), e.clock.Now())
		}
		if n, err = e.TakeHeld(e.ctx, e.account, payment, e.clock.Now()); n != 2 || err != nil {
			t.Errorf("took %d (%v)", n, err)
		}
		if n, err = e.TakeHeld(e.ctx, e.account, payment, e.clock.Now()); n != 0 || err != nil {
			t.Errorf("took %d once more (%v)", n, err)
		}
		got, _, err := e.ByID(e.ctx, e.account, o[1].ID)
		if err != nil || got.Status != models.OrderProcessing || got.Paid != 1800 || !got.ActivePaymentID.IsZero() {
			t.Errorf("%+v (%v)", got, err)
		}
	})
}

// HW-3, lesson 2: at the end of its validity an order either expires or is held, never both.
func TestExpiryRacesWithHold(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		orders := make([]order.NewOrder, 40)
		for i := range orders {
			orders[i] = newOrder("1")
		}
		placed := e.place(orders...)
		before, after := e.clock.Now(), e.clock.Now().Add(8*24*time.Hour)
		held := make([]bool, len(placed))
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := w; i < len(placed); i += 4 {
					err := e.db.InTx(e.ctx, func(ctx context.Context) error {
						return e.Hold(ctx, e.account, []models.ID{placed[i].ID}, models.NewID(), before) // judged just in time
					})
					if held[i] = err == nil; err != nil && !errors.Is(err, order.ErrChanged) {
						t.Error(err)
					}
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for range 5 {
					if _, err := e.ExpireDue(e.ctx, after, 3); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i, o := range placed {
			got, _, err := e.ByID(e.ctx, e.account, o.ID)
			e.must(err)
			if wasHeld := !got.ActivePaymentID.IsZero(); wasHeld != held[i] || wasHeld == (got.Status == models.OrderExpired) {
				t.Errorf("%s, held %v, told %v", got.Status, wasHeld, held[i])
			}
		}
	})
}
