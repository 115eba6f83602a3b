package benefit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/models"
)

// Lesson 15, HW-R10: of a hundred payments at once with one coupon, one has it; of the others nothing is left, and they are told why.
func TestOneOfAHundredReservesACoupon(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		c := e.grant(e.cash("5"))
		priced, err := e.chosen(c)
		e.must(err)
		start, results := make(chan struct{}), make(chan error, 100)
		for range 100 {
			go func() {
				<-start
				_, err := e.begin(e.ctx, priced, use(c, models.NewID(), 200))
				results <- err
			}()
		}
		close(start)
		won := 0
		for range 100 {
			if err := <-results; err == nil {
				won++
			} else if !errors.Is(err, benefit.ErrTaken) {
				t.Error(err)
			}
		}
		var payments, uses int
		_, err = e.db.QueryRow(e.ctx, []any{&payments, &uses}, "SELECT (SELECT COUNT(*) FROM payments), (SELECT COUNT(*) FROM payment_coupons)")
		e.must(err)
		if now := e.read(c); won != 1 || payments != 1 || uses != 1 || now.Remaining != 300 || now.PaymentID.IsZero() {
			t.Errorf("%d won, %d payments, %d uses, %+v", won, payments, uses, now)
		}
		_, err = e.chosen(c)
		e.refused(err, "COUPON_NOT_APPLICABLE", "input.couponIds.0", benefit.ReasonLocked)
		e.sound()
	})
}

// Lesson 15: payments that succeed at once, as from the balance, use a coupon up to the last cent and not beyond, however many there are.
func TestACouponIsUsedUpExactly(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		c := e.grant(e.cash("1"))
		var mu sync.Mutex
		var all sync.WaitGroup
		used, won := int64(0), 0
		for range 20 {
			all.Go(func() {
				for {
					priced, err := e.chosen(c)
					if err != nil {
						e.refused(err, "COUPON_NOT_APPLICABLE", "input.couponIds.0", benefit.ReasonUsed)
						return
					}
					amount := min(30, priced[0].Remaining)
					err = e.db.InTx(e.ctx, func(ctx context.Context) error {
						p, err := e.begin(ctx, priced, use(c, models.NewID(), amount))
						if err != nil {
							return err
						}
						if _, err = e.db.Exec(ctx, "UPDATE payments SET status = 'SUCCEEDED' WHERE account_id = ? AND id = ?", e.account, p.id); err != nil {
							return err
						}
						return e.Consume(ctx, e.account, p.id)
					})
					if errors.Is(err, benefit.ErrTaken) {
						continue
					}
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					used, won = used+amount, won+1
					mu.Unlock()
					return
				}
			})
		}
		all.Wait()
		if now := e.read(c); used != 100 || won != 4 || now.Remaining != 0 || !now.PaymentID.IsZero() {
			t.Errorf("used %d by %d, %+v", used, won, now)
		}
		e.sound()
	})
}

// HW-R10, HW-R11: success keeps what was used and frees the rest, any other end gives it back; both once, however often they are done.
func TestConsumeAndRelease(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		a, b := e.grant(e.cash("5")), e.grant(e.cash("7"))
		o1, o2 := models.NewID(), models.NewID()
		uses := []models.PaymentCoupon{use(a, o1, 101), use(a, o2, 99), use(b, o2, 700)}
		p := e.reserved([]models.Coupon{a, b}, uses...)
		want := func(what string, left, right int64, locked bool) {
			t.Helper()
			x, y := e.read(a), e.read(b)
			if x.Remaining != left || y.Remaining != right || x.PaymentID.IsZero() == locked || y.PaymentID.IsZero() == locked {
				t.Errorf("%s: %d and %d left, locked to %v and %v", what, x.Remaining, y.Remaining, x.PaymentID, y.PaymentID)
			}
			e.sound()
		}
		want("reserved", 300, 0, true)
		e.end(p, models.PaymentExpired)
		want("released", 500, 700, false)
		e.must(e.Release(e.ctx, e.account, p.id, e.clock.Now()))
		e.must(e.Return(e.ctx, e.account, p.id, []models.ID{o1, o2}, e.clock.Now()))
		want("released again", 500, 700, false)
		p = e.reserved([]models.Coupon{e.read(a), e.read(b)}, uses...)
		e.end(p, models.PaymentSucceeded)
		want("consumed", 300, 0, false)
		e.must(e.Consume(e.ctx, e.account, p.id))
		want("consumed again", 300, 0, false)
		next := e.reserved([]models.Coupon{e.read(a)}, use(a, o1, 300)) // the rest is used by another, whose end must not touch the first's
		e.end(next, models.PaymentCanceled)
		want("the rest released", 300, 0, false)
	})
}

// A release that comes after a success takes nothing back: the lock is gone, and the transaction fails.
func TestReleaseAfterSuccessFails(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		c := e.grant(e.cash("5"))
		p := e.reserved([]models.Coupon{c}, use(c, models.NewID(), 200))
		e.end(p, models.PaymentSucceeded)
		err := e.db.InTx(e.ctx, func(ctx context.Context) error { return e.Release(ctx, e.account, p.id, e.clock.Now()) })
		if now := e.read(c); err == nil || now.Remaining != 300 {
			t.Errorf("%v %+v", err, now)
		}
		e.sound()
	})
}

// D10, HW-R18: a refund gives back exactly what each order had of each coupon, once; where the policy keeps coupons, nothing.
func TestReturn(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		a, b := e.grant(e.cash("5")), e.grant(e.cash("7"))
		o1, o2, o3 := models.NewID(), models.NewID(), models.NewID()
		p := e.reserved([]models.Coupon{a, b}, use(a, o1, 167), use(a, o2, 167), use(a, o3, 166), use(b, o2, 1))
		e.end(p, models.PaymentSucceeded)
		back := func(s *benefit.Service, left, right int64, orders ...models.ID) {
			t.Helper()
			e.must(e.db.InTx(e.ctx, func(ctx context.Context) error { return s.Return(ctx, e.account, p.id, orders, e.clock.Now()) }))
			if x, y := e.read(a).Remaining, e.read(b).Remaining; x != left || y != right {
				t.Errorf("%d and %d are left, want %d and %d", x, y, left, right)
			}
			e.sound()
		}
		back(e.service(false), 0, 699, o1, o2, o3)
		back(e.Service, 0, 699)
		back(e.Service, 167, 700, o2)
		back(e.Service, 167, 700, o2)
		back(e.Service, 167, 700, models.NewID())
		other := e.read(a)
		lock := e.reserved([]models.Coupon{other}, use(other, models.NewID(), 100)) // another payment has it meanwhile
		back(e.Service, 167-100+166, 700, o2, o3)
		if now := e.read(a); now.PaymentID != lock.id {
			t.Error("the other payment's lock is gone")
		}
		e.end(lock, models.PaymentFailed)
		e.clock.advance(60 * 24 * time.Hour)
		back(e.Service, 500, 700, o1, o2, o3)
		if _, err := e.chosen(a); err == nil {
			t.Error("an expired coupon was taken")
		}
	})
}

// Ten refunds of one order at once give its coupon back once.
func TestReturnHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		c := e.grant(e.cash("5"))
		order := models.NewID()
		p := e.reserved([]models.Coupon{c}, use(c, order, 200))
		e.end(p, models.PaymentSucceeded)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := e.db.InTx(e.ctx, func(ctx context.Context) error {
					return e.Return(ctx, e.account, p.id, []models.ID{order}, e.clock.Now())
				}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if now := e.read(c); now.Remaining != 500 {
			t.Errorf("%+v", now)
		}
		e.sound()
	})
}

// What was priced is what is reserved: a coupon that has changed, is locked or over is refused, and nothing of the transaction stays.
func TestReserveRefusesWhatChanged(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		fresh, changed := e.grant(e.cash("5")), e.grant(e.cash("5"))
		e.end(e.reserved([]models.Coupon{changed}, use(changed, models.NewID(), 1)), models.PaymentSucceeded)
		order := models.NewID()
		try := func(what string, c models.Coupon) {
			t.Helper()
			_, err := e.begin(e.ctx, []models.Coupon{fresh, c}, use(fresh, order, 5), use(c, order, 5))
			if now := e.read(fresh); !errors.Is(err, benefit.ErrTaken) || now.Remaining != 500 || !now.PaymentID.IsZero() {
				t.Errorf("%s: %v, %+v", what, err, now)
			}
			e.sound()
		}
		try("another rest", changed)
		locked := e.grant(e.cash("5"))
		e.reserved([]models.Coupon{locked}, use(locked, models.NewID(), 1))
		try("locked", e.read(locked))
		g := e.cash("5")
		g.ValidTo = e.clock.Now().Add(time.Hour)
		short := e.grant(g)
		g.ValidFrom, g.ValidTo = ref(e.clock.Now().Add(2*time.Hour)), e.clock.Now().Add(3*time.Hour)
		later := e.grant(g)
		e.clock.advance(time.Hour)
		try("over", short)
		try("not begun", later)
		for amount, c := range map[int64]models.Coupon{501: fresh, 0: fresh, -1: fresh, 1: {}} {
			if _, err := e.begin(e.ctx, []models.Coupon{fresh}, use(c, order, amount)); err == nil {
				t.Errorf("%d of %v were reserved", amount, c.ID)
			}
		}
	})
}

// Lesson 15: who dies between reserving and the commit leaves nothing behind.
func TestACrashBeforeTheCommitReservesNothing(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		c := e.grant(e.cash("5"))
		func() {
			defer func() { _ = recover() }()
			_ = e.db.InTx(e.ctx, func(ctx context.Context) error {
				if _, err := e.begin(ctx, []models.Coupon{c}, use(c, models.NewID(), 200)); err != nil {
					t.Error(err)
				}
				panic("killed")
			})
		}()
		if now := e.read(c); now.Remaining != 500 || !now.PaymentID.IsZero() {
			t.Errorf("%+v", now)
		}
		e.sound()
	})
}

// Lesson 15: a lock that its payment has left behind is found by the audit and ended by the sweep, as the payment ended; one of an open
// payment is left alone.
func TestRepair(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		coupons, payments := make([]models.Coupon, 5), make([]payment, 5)
		for i := range coupons {
			coupons[i] = e.grant(e.cash("5"))
			payments[i] = e.reserved(coupons[i:i+1], use(coupons[i], models.NewID(), 200))
		}
		if n, err := e.Repair(e.ctx, 100); n != 0 || err != nil {
			t.Fatal("open payments were repaired:", n, err)
		}
		for i, status := range []models.PaymentStatus{models.PaymentSucceeded, models.PaymentExpired, models.PaymentFailed} {
			e.exec("UPDATE payments SET status = ? WHERE account_id = ? AND id = ?", string(status), e.account, payments[i].id)
		}
		e.exec("DELETE FROM payments WHERE account_id = ? AND id = ?", e.account, payments[3].id)
		e.exec("DELETE FROM payment_orders WHERE account_id = ? AND payment_id = ?", e.account, payments[3].id)
		if names := e.broken(); len(names) < 2 {
			t.Error("the audit saw", names)
		}
		if n, err := e.Repair(e.ctx, 3); n != 3 || err != nil {
			t.Error(n, err)
		}
		if n, err := e.Repair(e.ctx, 3); n != 1 || err != nil {
			t.Error(n, err)
		}
		for i, left := range []int64{300, 500, 500, 500, 300} {
			if now := e.read(coupons[i]); now.Remaining != left || now.PaymentID.IsZero() != (i < 4) {
				t.Errorf("%d: %+v", i, now)
			}
		}
		e.exec("DELETE FROM payment_coupons WHERE account_id = ? AND payment_id = ?", e.account, payments[3].id) // its payment is gone for good
		e.sound()
	})
}
