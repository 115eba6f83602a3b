package paymentrequest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/paymentrequest"
	"paydesk/internal/billing/policy"
	"paydesk/internal/platform/blob"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/pdf/pdftest"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *testClock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// world is payment requests over the real services.
type world struct {
	*testing.T
	testenv.Home
	*paymentrequest.Service
	clock    *testClock
	accounts *account.Service
	orders   *order.Service
	benefits *benefit.Service
	files    *blob.Store
	me       models.Account
}

var serial atomic.Int64

func fresh(prefix string) string { return fmt.Sprint(prefix, serial.Add(1)) }

func each(t *testing.T, profile string, test func(w *world)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) { test(newWorld(t, home, profile)) })
}

func newWorld(t *testing.T, home testenv.Home, profile string) *world {
	w := &world{T: t, Home: home, clock: &testClock{now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}, files: blob.New(home.DB)}
	rules, err := policy.Load(profile)
	w.must(err)
	keys := idempotency.New(home.DB, home.Redis, w.clock)
	w.accounts = account.New(home.DB, w.clock, keys, rules)
	w.orders = order.New(home.DB, notify.New(home.DB), w.clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.benefits = benefit.New(home.DB, w.clock, keys, benefit.Rules{})
	quotes := checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: w.benefits, Policy: rules, Clock: w.clock})
	w.Service = paymentrequest.New(paymentrequest.Config{DB: home.DB, Keys: keys, Quotes: quotes, Accounts: w.accounts, Files: w.files, Policy: rules, Clock: w.clock})
	w.me = w.open(models.AccountEnterprise)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open(kind models.AccountKind) models.Account {
	w.Helper()
	a, err := w.accounts.Open(w.Context(), account.Opening{Number: fresh("A"), Name: "示例 Trading", RealName: "示例", Kind: kind, Region: "CN", Country: "CN", SigningEntity: "MAINLAND", Currency: "CNY"})
	w.must(err)
	return a
}

// place places n orders of 100.00; change alters each.
func (w *world) place(n int, bundle bool, change func(*order.NewOrder)) []models.Order {
	w.Helper()
	var list []order.NewOrder
	for range n {
		o := order.NewOrder{Number: fresh("CS"), Type: "NEW_PURCHASE", ProductType: "ecs", Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: input.Amount{Decimal: "100.00", Currency: "CNY"}}}}
		if change != nil {
			change(&o)
		}
		list = append(list, o)
	}
	out, err := w.orders.Place(w.Context(), order.Placement{AccountID: w.me.ID, Orders: list, Bundle: bundle})
	w.must(err)
	return out
}

func (w *world) input(orders ...models.Order) paymentrequest.Input {
	in := paymentrequest.Input{AccountID: w.me.ID, UserID: "u1", Locale: "en"}
	for _, o := range orders {
		in.OrderIDs = append(in.OrderIDs, o.ID)
	}
	return in
}

func (w *world) text(r paymentrequest.Request) string {
	w.Helper()
	b, err := io.ReadAll(w.files.Open(w.Context(), r.Document))
	w.must(err)
	if int64(len(b)) != r.Document.Size {
		w.Errorf("%d bytes, said to be %d", len(b), r.Document.Size)
	}
	pages, err := pdftest.Read(b)
	w.must(err)
	whole := ""
	for _, p := range pages {
		whole += p.All()
	}
	return whole
}

func (w *world) refused(in paymentrequest.Input, want, path string) {
	w.Helper()
	r, err := w.Create(w.Context(), in)
	f, ok := fault.As(err)
	if !ok || f.Code != want || strings.Join(f.Field, ".") != path {
		w.Errorf("%+v, %v: want %s at %q", r.PaymentRequest, err, want, path)
	}
	var n int64
	if _, err := w.DB.QueryRow(w.Context(), []any{&n}, "SELECT (SELECT COUNT(*) FROM payment_requests) + (SELECT COUNT(*) FROM files) + (SELECT COUNT(*) FROM file_parts)"); err != nil || n != 0 {
		w.Errorf("%s left %d rows, %v", want, n, err)
	}
}

// HW-25, HW-R2: the document is valid until the first end of an order, a discount or a coupon in it, says so, and is priced as a payment.
func TestValidity(t *testing.T) {
	each(t, "default", func(w *world) {
		in := func(d time.Duration) time.Time { return w.clock.Now().Add(d) }
		early := in(30 * time.Hour)
		orders := append(w.place(2, false, nil), w.place(1, false, func(o *order.NewOrder) { o.ExpiresAt = &early })...)
		coupons, err := w.benefits.Grant(w.Context(), benefit.Coupons{AccountID: w.me.ID, Name: "Autumn", Kind: models.CouponCash, Face: input.Amount{Decimal: "5.00", Currency: "CNY"}, ValidTo: in(20 * time.Hour)})
		w.must(err)
		discount, err := w.benefits.GrantDiscount(w.Context(), benefit.Discount{AccountID: w.me.ID, Name: "Ten", Kind: models.DiscountCommercial, PercentOff: "10", ValidTo: in(10 * time.Hour)})
		w.must(err)
		for _, c := range []struct {
			name             string
			orders           []models.Order
			coupon, discount bool
			want             time.Time
			total            int64
			text             string
		}{
			{"orders alone", orders[:2], false, false, *orders[0].ExpiresAt, 200_00, "The prices hold until 2026-11-29 11:00 (UTC+08:00)"},
			{"an order that ends earlier", orders, false, false, early, 300_00, "2026-11-23 17:00"},
			{"a coupon", orders, true, false, in(20 * time.Hour), 295_00, "Finish the payment by 2026-11-23 07:00"},
			{"a discount", orders, true, true, in(10 * time.Hour), 265_00, "Finish the payment by 2026-11-22 21:00"},
		} {
			request := w.input(c.orders...)
			if c.coupon {
				request.CouponIDs = []string{coupons[0].ID.Encode(models.PrefixCoupon)}
			}
			if c.discount {
				request.DiscountID = discount.ID.Encode(models.PrefixDiscount)
			}
			r, err := w.Create(w.Context(), request)
			w.must(err)
			if !r.ValidUntil.Equal(c.want) || r.Total != c.total {
				w.Errorf("%s: %v, %d; want %v, %d", c.name, r.ValidUntil, r.Total, c.want, c.total)
			}
			if text := w.text(r); !strings.Contains(text, c.text) || !strings.Contains(text, r.Number) || strings.Count(text, c.orders[0].Number) != 1 {
				w.Errorf("%s: no %q in %q", c.name, c.text, text)
			}
		}
		// Nothing is reserved: all of it can still be chosen and canceled.
		left, _, _, err := w.benefits.Chosen(w.Context(), w.me.ID, []string{coupons[0].ID.Encode(models.PrefixCoupon)}, "", "CNY", w.clock.Now())
		if err != nil || left[0].Remaining != 5_00 {
			w.Error(left, err)
		}
		if _, err := w.orders.Cancel(w.Context(), w.me.ID, orders[0].ID); err != nil {
			w.Error(err)
		}
	})
}

// Linked orders come along, and thirty are the most (HW-8, HW-13).
func TestThirtyOrdersWithTheirLinks(t *testing.T) {
	each(t, "default", func(w *world) {
		bundle, rest := w.place(2, true, nil), w.place(29, false, nil)
		r, err := w.Create(w.Context(), w.input(append(rest[:28:28], bundle[0])...))
		w.must(err)
		if text := w.text(r); r.Total != 30*100_00 || !strings.Contains(text, bundle[1].Number) || !strings.Contains(text, "\n30\n") {
			w.Error(r.Total, text)
		}
		if _, err := w.Create(w.Context(), w.input(append(rest, bundle[0])...)); !fault.Is(err, "TOO_MANY_ORDERS") {
			w.Error(err)
		}
	})
}

func TestRefused(t *testing.T) {
	each(t, "huawei", func(w *world) {
		fine := w.place(2, false, nil)
		inReview := w.place(1, false, func(o *order.NewOrder) { o.Status = models.OrderPendingReview })
		canceled := w.place(1, false, nil)
		_, err := w.orders.Cancel(w.Context(), w.me.ID, canceled[0].ID)
		w.must(err)
		w.refused(w.input(), "NO_ORDERS", "input.orderIds")
		w.refused(w.input(fine[0], models.Order{ID: models.NewID()}), "ORDER_NOT_FOUND", "input.orderIds.1")
		w.refused(w.input(fine[0], inReview[0]), "ORDER_PENDING_REVIEW", "input.orderIds")
		w.refused(w.input(fine[0], canceled[0]), "ORDER_STATUS_CHANGED", "input.orderIds")
		foreign := w.input(fine...)
		foreign.AccountID = w.open(models.AccountEnterprise).ID
		w.refused(foreign, "ORDER_NOT_FOUND", "input.orderIds.0")
		noCoupon := w.input(fine...)
		noCoupon.CouponIDs = []string{models.NewID().Encode(models.PrefixCoupon)}
		w.refused(noCoupon, "COUPON_NOT_APPLICABLE", "input.couponIds.0")
		noDiscount := w.input(fine...)
		noDiscount.DiscountID = models.NewID().Encode(models.PrefixDiscount)
		w.refused(noDiscount, "DISCOUNT_NOT_APPLICABLE", "input.discountId")
		person := w.input(fine...) // HW-25: for enterprises, by Huawei's policy
		person.AccountID = w.open(models.AccountIndividual).ID
		w.refused(person, "FUNDING_NOT_ALLOWED", "")
		closing := models.AccountClosing
		_, err = w.accounts.Update(w.Context(), w.me.ID, account.Update{Status: &closing})
		w.must(err)
		w.refused(w.input(fine...), "ACCOUNT_NOT_ACTIVE", "")
	})
}

// The same key gives the same document, also where Redis has forgotten it and its orders were paid meanwhile; it is gone when the policy
// says so, long after the key.
func TestOnceForAKey(t *testing.T) {
	each(t, "default", func(w *world) {
		orders := w.place(2, false, nil)
		key := fresh("key")
		ctx := idempotency.With(context.WithoutCancel(w.Context()), idempotency.Request{Scope: w.me.ID.String(), Mutation: "createPaymentRequest", Key: key, Hash: sha256.Sum256([]byte(key))})
		var wait sync.WaitGroup
		made := make([]paymentrequest.Request, 8)
		for i := range made {
			wait.Go(func() {
				var err error
				if made[i], err = w.Create(ctx, w.input(orders...)); err != nil {
					w.Error(err)
				}
			})
		}
		wait.Wait()
		w.must(w.Redis.FlushDB(w.Context()).Err())
		_, err := w.orders.Cancel(w.Context(), w.me.ID, orders[0].ID)
		w.must(err)
		again, err := w.Create(ctx, w.input(orders...))
		w.must(err)
		for _, r := range append(made, again) {
			if r.ID != made[0].ID || r.Document.ID != made[0].Document.ID || r.Document.Size != made[0].Document.Size || !r.ValidUntil.Equal(made[0].ValidUntil) || r.Number != made[0].Number || r.Total != made[0].Total {
				w.Errorf("%+v, want %+v", r, made[0])
			}
		}
		var n int64
		if _, err := w.DB.QueryRow(w.Context(), []any{&n}, "SELECT COUNT(*) FROM files WHERE account_id = ?", w.me.ID); err != nil || n != 1 {
			w.Error(n, "documents", err)
		}
		w.clock.advance(96 * 24 * time.Hour)
		if swept, err := w.files.Sweep(w.Context(), w.clock.Now(), 10); swept != 0 || err != nil {
			w.Error("swept too early:", swept, err)
		}
		w.clock.advance(2 * 24 * time.Hour) // 7 days of validity and 90
		if swept, err := w.files.Sweep(w.Context(), w.clock.Now(), 10); swept != 1 || err != nil {
			w.Error("not swept:", swept, err)
		}
	})
}
