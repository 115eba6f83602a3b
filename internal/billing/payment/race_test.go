package payment_test

import (
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/verification"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/ratelimit"
	"paydesk/internal/platform/seal"
	"paydesk/models"
)

// Lesson 15, HW-R10: 100 parallel payments with one coupon: one uses it, nobody else is charged; the rest stays with it.
func TestOneCouponManyPayments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(1_000_000)
		amounts := make([]string, 100)
		for i := range amounts {
			amounts[i] = "10.00"
		}
		orders := w.place(false, amounts...)
		coupon := w.grant(1, models.CouponVoucher, "4.00", "")
		before := w.available()
		var paid atomic.Int64
		var wg sync.WaitGroup
		for _, o := range orders {
			wg.Go(func() {
				in := fromBalance(o, 600)
				in.CouponIDs = coupon
				in.ExpectedTotal = in.Funding.Balance
				_, err := w.payments.Pay(w.ctx, w.payer, in)
				if err == nil {
					paid.Add(1)
				} else if !fault.Is(err, "COUPON_NOT_APPLICABLE") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if c := w.coupon(coupon[0]); paid.Load() != 1 || before-w.available() != 600 || c.Remaining != 0 || !c.PaymentID.IsZero() || w.statuses(orders)[models.OrderProcessing] != 1 {
			t.Fatalf("%d paid, %d moved, coupon has %d left", paid.Load(), before-w.available(), c.Remaining)
		}
	})
}

// Lesson 15: a coupon with a rest is wanted by many at once. Who finds it changed is not charged another price than he saw:
// QUOTE_CHANGED, or paid with what the coupon still gives where nothing was expected. It never gives more than it has.
func TestACouponIsNeverSpentTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(1_000_000)
		amounts := make([]string, 30)
		for i := range amounts {
			amounts[i] = "3.00"
		}
		orders := w.place(false, amounts...)
		coupon := w.grant(1, models.CouponCash, "10.00", "") // pays three, and one in part
		before := w.available()
		var free, moved atomic.Int64
		var wg sync.WaitGroup
		for _, o := range orders {
			wg.Go(func() {
				zero := cny(0)
				in := payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Balance: &zero}, ExpectedTotal: &zero, CouponIDs: coupon}}
				p, err := w.payments.Pay(w.ctx, w.payer, in)
				switch {
				case err == nil:
					free.Add(1)
					moved.Add(p.Amount)
				case !fault.Is(err, "COUPON_NOT_APPLICABLE") && !fault.Is(err, "QUOTE_CHANGED"):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		c := w.coupon(coupon[0])
		if free.Load() > 3 || c.Remaining != 1000-300*free.Load() || moved.Load() != 0 || w.available() != before {
			t.Fatalf("%d paid by it, %d left on it, %d moved", free.Load(), c.Remaining, before-w.available())
		}
	})
}

// Lesson 12: 200 parallel payments by different customers to one book never surface a deadlock, and no lock error is ever told
// as an insufficient balance.
func TestManyCustomersPayAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const customers = 200
		payers, orders := make([]payment.Payer, customers), make([][]models.Order, customers)
		for i := range payers {
			w.payer = w.newPayer("MAINLAND", "CNY", "")
			w.give(1_000)
			payers[i], orders[i] = w.payer, w.placeN(3, i%2 == 0)
		}
		var wg sync.WaitGroup
		for i, who := range payers {
			wg.Go(func() {
				if p, err := w.payments.MergePay(w.ctx, who, merged(orders[i])); err != nil || p.Status != models.PaymentSucceeded {
					t.Errorf("%s: %v", p.Status, err)
				}
			})
		}
		wg.Wait()
		for i, who := range payers {
			if b, err := w.ledger.Balance(w.ctx, who.AccountID); err != nil || b.Available() != 400 {
				t.Fatalf("customer %d has %d, %v", i, b.Available(), err)
			}
		}
	})
}

// Lesson 13: 50 parallel merged payments of 3.00 race for a balance of 100.00; some of them combined, so that it is frozen and
// spent by turns. None of it is overdrawn.
func TestMergedPaymentsRaceOneBalance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10_000)
		amounts := make([]string, 100)
		for i := range amounts {
			amounts[i] = "1.50"
		}
		orders := w.place(false, amounts...)
		var paid, frozen, short atomic.Int64
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				in := merged(orders[2*i : 2*i+2])
				if i%5 == 0 {
					in.Funding = parts(200, 100)
				}
				p, err := w.payments.MergePay(w.ctx, w.payer, in)
				switch {
				case err == nil && p.Status == models.PaymentSucceeded:
					paid.Add(1)
				case err == nil:
					frozen.Add(1)
				case fault.Is(err, "INSUFFICIENT_BALANCE"):
					short.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b, err := w.ledger.Balance(w.ctx, w.payer.AccountID)
		w.must(err)
		if paid.Load()+frozen.Load()+short.Load() != 50 || b.Frozen != 200*frozen.Load() || b.Available() != 10_000-300*paid.Load()-b.Frozen || b.Available() >= 300 {
			t.Fatalf("%d paid, %d frozen, %d short; %+v", paid.Load(), frozen.Load(), short.Load(), b)
		}
	})
}

// HW-14: twenty payments want overlapping sets of thirty orders, in any order: each order is paid once, each payment pays all
// of its set or nothing.
func TestMergedPaymentsRaceTheirOrders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(1_000_000)
		orders := w.placeN(40, false)
		before := w.available()
		var total, all atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				mine := slices.Concat(orders[i:], orders[:i])[:20]
				if i%2 == 1 {
					slices.Reverse(mine)
				}
				p, err := w.payments.MergePay(w.ctx, w.payer, merged(mine))
				if err == nil {
					total.Add(p.Amount)
					all.Add(20)
				} else if !fault.Is(err, "ORDER_STATUS_CHANGED") && !fault.Is(err, "ALL_ORDERS_STATUS_CHANGED") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := w.statuses(orders)[models.OrderProcessing]; int64(got) != all.Load() || before-w.available() != total.Load() || all.Load() == 0 {
			t.Fatalf("%d orders paid, %d by payments that succeeded; %d moved, %d said", got, all.Load(), before-w.available(), total.Load())
		}
	})
}

// HW-34, D2: ten combined payments at once with one code, each of other orders: one uses it up and freezes its balance part;
// the payment remembers how the code had come. The others are told, and hold and freeze nothing.
func TestOneCodeManyCombinedPayments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		box, err := seal.Load(w.ctx, w.DB, "")
		w.must(err)
		rules, err := policy.Load("default")
		w.must(err)
		messages := notify.Open(notify.Config{DB: w.DB, Clock: w.clock, Log: log, Seal: box, Development: true})
		real := verification.New(verification.Config{DB: w.DB, Accounts: w.accounts, Orders: w.orders, Policy: rules, Messages: messages, Seal: box, Clock: w.clock, Log: log, SendsPerDay: 20,
			Guesses: ratelimit.New(w.Redis, config.Rates{User: 100, Account: 100, Money: 100, SignIn: 100, Guesses: 100}, true, log)})
		w.payments.Codes = real
		_, err = w.DB.Exec(w.ctx, "UPDATE accounts SET operation_protection = TRUE WHERE id = ?", w.payer.AccountID)
		w.must(err)
		w.give(10_000)
		_, err = real.Send(w.ctx, verification.Sending{AccountID: w.payer.AccountID, UserID: w.payer.UserID, Locale: "en", Scene: models.SceneCombinedPayment, Kind: models.CodeByEmail})
		w.must(err)
		letters, err := messages.Of(w.ctx, w.payer.AccountID)
		w.must(err)
		orders := w.placeN(10, false)
		var paid atomic.Int64
		var wg sync.WaitGroup
		for i, o := range orders {
			wg.Go(func() {
				in := payment.MergeInput{OrderIDs: []models.ID{o.ID}, Agreed: payment.Agreed{Funding: parts(int64(i+1)*100-50, 50), VerificationCode: letters[0].Code}}
				p, err := w.payments.MergePay(w.ctx, w.payer, in)
				switch {
				case err == nil:
					paid.Add(1)
					if p.Terms.VerifiedBy != "EMAIL" || w.now(p).Terms.VerifiedBy != "EMAIL" {
						t.Errorf("%+v", p.Terms)
					}
				case !fault.Is(err, "VERIFICATION_FAILED") && !fault.Is(err, "TOO_MANY_ATTEMPTS"): // a try is counted while it is looked at
					t.Error(err)
				}
			})
		}
		wg.Wait()
		held := 0
		for _, o := range orders {
			if !w.orderNow(o).ActivePaymentID.IsZero() {
				held++
			}
		}
		if paid.Load() != 1 || held != 1 || w.lines(models.KindFreeze) != 1 {
			t.Fatalf("%d paid, %d held, %d freezes", paid.Load(), held, w.lines(models.KindFreeze))
		}
	})
}
