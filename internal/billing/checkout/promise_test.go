package checkout_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/verification"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/models"
)

// noCodes never asks for a code: these payments are from the balance.
type noCodes struct{}

func (noCodes) Wanted(models.Account) bool { return false }
func (noCodes) Check(context.Context, verification.Use) (verification.Proof, error) {
	return verification.Proof{}, nil
}
func (noCodes) Spend(context.Context, verification.Proof) error { return nil }

func (w *world) payments() *payment.Service {
	return payment.New(payment.Config{DB: w.DB, Ledger: w.ledger, Orders: w.orders, Accounts: w.accounts, Checkout: w.Service, Benefits: w.benefits, Codes: noCodes{}, Policy: w.rules,
		Channels: channel.Registry{}, Keys: w.keys, Outbox: outbox.New(w.DB, w.clock, live.New(w.Redis, w.log()), w.log()), Messages: notify.New(w.DB), Clock: w.clock, Log: w.log(),
		NotifyURL: func(models.PaymentChannel) string { return "" }, ReturnOrigins: func() []string { return nil }})
}

// draw gives an account orders of all sorts, coupons and discounts, and chooses among them; sometimes what cannot be chosen.
func (w *world) draw(t *rapid.T) (r checkout.Request, release func()) {
	release = func() {}
	w.me = w.open(account.Opening{})
	var asked []models.Order
	held := false
	for range rapid.IntRange(1, 4).Draw(t, "purchases") {
		var orders []order.NewOrder
		for range rapid.IntRange(1, 3).Draw(t, "orders") {
			like := rapid.SampledFrom([]func(*order.NewOrder){of("ecs"), of("ecs"), of("ecs"), of("db"), of("db"), of("cdn"), outside, outside, postpaid}).Draw(t, "like")
			if rapid.IntRange(0, 30).Draw(t, "review") == 17 {
				like = inReview
			}
			orders = append(orders, w.one(rapid.OneOf(rapid.Int64Range(0, 50), rapid.Int64Range(1, 300_000)).Draw(t, "minor"), like))
		}
		placed := w.place(rapid.Bool().Draw(t, "bundle"), orders...)
		switch n := rapid.IntRange(0, 15).Draw(t, "meanwhile"); {
		case n == 7:
			w.cancel(placed[0])
		case n == 11 && !held && placed[0].Status == models.OrderPendingPayment:
			held = true
			release = w.hold(placed[0])
		}
		asked = append(asked, placed[:rapid.IntRange(1, len(placed)).Draw(t, "asked")]...)
	}
	r = w.request(rapid.Permutation(asked).Draw(t, "in this order")...)
	r.Merged = len(asked) > 1
	for range rapid.IntRange(0, 4).Draw(t, "coupons") {
		c := w.coupon(rapid.SampledFrom([]models.CouponKind{models.CouponCash, models.CouponVoucher}).Draw(t, "kind"), rapid.Int64Range(1, 50_000).Draw(t, "face"), func(c *benefit.Coupons) {
			c.ProductTypes = rapid.SampledFrom([][]string{nil, nil, nil, {"ecs"}, {"db", "cdn"}}).Draw(t, "for")
			if rapid.IntRange(0, 3).Draw(t, "minimum") == 0 {
				m := amount(rapid.Int64Range(1, 100_000).Draw(t, "spend"), "CNY")
				c.MinimumSpend = &m
			}
			c.NotWith = rapid.SampledFrom([][]models.DiscountKind{nil, nil, nil, {models.DiscountCommercial}}).Draw(t, "not with")
		})
		if rapid.IntRange(0, 2).Draw(t, "use") == 0 {
			r.CouponIDs = append(r.CouponIDs, couponIDs(c)...)
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "discounts") {
		kind := rapid.SampledFrom([]models.DiscountKind{models.DiscountCommercial, models.DiscountPromotion, models.DiscountPriceAdjustment}).Draw(t, "discount")
		d := w.discount(kind, rapid.SampledFrom([]string{"0.5", "12.5", "33.3333", "100"}).Draw(t, "percent"), func(d *benefit.Discount) {
			d.ProductTypes = rapid.SampledFrom([][]string{nil, {"ecs"}, {"cdn"}}).Draw(t, "for")
		})
		if rapid.Bool().Draw(t, "take") && (kind != models.DiscountPriceAdjustment || rapid.IntRange(0, 5).Draw(t, "wrongly") == 0) {
			r.DiscountID = discountID(d)
		}
	}
	return r, release
}

// Whatever checkout shows for a choice is what the payment takes, order by order; what it shows as not payable, or the balance as not
// enough, the payment refuses, and nothing moves (C5; issue 4: nothing they confirm can turn out differently).
func TestWhatIsShownIsPaid(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		payments, paid, refusals, recommended := w.payments(), 0, 0, 0
		rapid.Check(t, func(t *rapid.T) {
			r, release := w.draw(t)
			defer release()
			v := w.view(r)
			if rapid.Bool().Draw(t, "as recommended") && v.Payable {
				r.CouponIDs, r.DiscountID = nil, ""
				for _, k := range v.Best.Coupons {
					r.CouponIDs = append(r.CouponIDs, couponIDs(*k)...)
				}
				if v.Best.Discount != nil {
					r.DiscountID = discountID(*v.Best.Discount)
				}
				best := v.Best.Total
				if v = w.view(r); v.Priced.Total != best {
					t.Fatalf("recommended for %d, shown for %d", best, v.Priced.Total)
				}
				recommended++
			}
			total, missing := v.Total(), rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(t, "missing")
			if have := total.Minor - missing; have > 0 {
				w.give(have)
			}
			v = w.view(r)
			enough := closedBy(v.Funding[0]) == ""
			if v.Payable && enough != (total.Minor == 0 || missing == 0) {
				t.Fatalf("%s from a balance of %d: %q", total, v.Balance.Spendable(), closedBy(v.Funding[0]))
			}
			p, err := pay(w, payments, r, total)
			if !v.Payable || !enough {
				refusals++
				if _, ok := fault.As(err); !ok {
					t.Fatalf("shown as not payable (%s; %s), paid: %v", reasons(v), causes(v.Blocked), err)
				}
				if after := w.view(r); after.Balance != v.Balance {
					t.Fatalf("refused, and it moved: %+v", after.Balance)
				}
				return
			}
			if err != nil {
				t.Fatalf("shown as payable for %s: %v", total, err)
			}
			paid++
			shares, err := payments.Allocations(w.ctx, w.me.ID, []models.ID{p.ID})
			w.must(err)
			if p.Amount != total.Minor || len(shares[p.ID]) != len(v.Priced.Lines) {
				t.Fatalf("shown %s, paid %d", total, p.Amount)
			}
			for _, l := range v.Priced.Lines {
				if !slices.ContainsFunc(shares[p.ID], func(s models.PaymentOrder) bool {
					return s.OrderID == l.OrderID && s.Amount == l.Amount && s.Discount == l.Discount && s.Coupon == l.Coupon && s.Due == l.Due
				}) {
					t.Fatalf("shown %+v, paid %+v", l, shares[p.ID])
				}
			}
		})
		t.Logf("%d paid, %d of them as recommended, %d refused", paid, recommended, refusals)
		if paid == 0 || refusals == 0 || recommended == 0 {
			t.Error("one kind is missing")
		}
		report, err := audit.Run(w.ctx, w.DB, w.clock.Now())
		w.must(err)
		for _, f := range report.Findings {
			t.Errorf("audit: %+v", f)
		}
	})
}

func pay(w *world, s *payment.Service, r checkout.Request, total money.Money) (models.Payment, error) {
	who := payment.Payer{AccountID: w.me.ID, UserID: "lin", Locale: "en"}
	a := payment.Agreed{Funding: payment.Funding{Balance: &total}, CouponIDs: r.CouponIDs, DiscountID: r.DiscountID, ExpectedTotal: &total, ConfirmOutsideContract: true}
	if !r.Merged {
		return s.Pay(w.ctx, who, payment.PayInput{OrderID: r.OrderIDs[0], Agreed: a})
	}
	return s.MergePay(w.ctx, who, payment.MergeInput{OrderIDs: r.OrderIDs, Agreed: a})
}

// Prices that change between the view and the payment are refused with the new quote, which then is paid (HW-19).
func TestQuoteChanged(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		payments := w.payments()
		w.give(100_000)
		r := w.request(w.place(false, w.one(10_000), w.one(20_000))...)
		seen := w.view(r).Total()
		w.discount(models.DiscountPriceAdjustment, "10", func(d *benefit.Discount) { d.ValidTo = w.clock.Now().Add(time.Hour) })
		_, err := pay(w, payments, r, seen)
		f, ok := fault.As(err)
		if !ok || f.Code != "QUOTE_CHANGED" {
			t.Fatal(err)
		}
		changed, err := w.Describe(w.ctx, f.Detail.(*checkout.Changed).Quote, everything)
		w.must(err)
		if changed.Total().Minor != 27_000 || changed.Total() != w.view(r).Total() || changed.Balance.Available() != 100_000 {
			t.Errorf("now %s", changed.Total())
		}
		p, err := pay(w, payments, r, changed.Total())
		if w.must(err); p.Amount != 27_000 {
			t.Error(p.Amount)
		}
	})
}

// A policy without payments from the balance closes it, shown and enforced; nothing to pay is confirmed all the same (contract §7).
func TestNoPaymentFromTheBalance(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("extends: default\nname: test\nbalance_payment: false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	each(t, file, func(t *testing.T, w *world) {
		w.give(100_000)
		o := w.place(false, w.one(10_000), w.one(0))
		v := w.view(w.request(o...))
		const off = "FUNDING_NOT_ALLOWED funding.reason.balance"
		if closedBy(v.Funding[0]) != off || closedBy(v.Funding[1]) != "" || closedBy(v.Funding[2]) != off {
			t.Errorf("%q, %q, %q", closedBy(v.Funding[0]), closedBy(v.Funding[1]), closedBy(v.Funding[2]))
		}
		if _, err := pay(w, w.payments(), w.request(o...), v.Total()); !fault.Is(err, "FUNDING_NOT_ALLOWED") {
			t.Error(err)
		}
		nothing := w.request(o[1])
		if v := w.view(nothing); closedBy(v.Funding[0]) != "" {
			t.Error(closedBy(v.Funding[0]))
		}
		if _, err := pay(w, w.payments(), nothing, money.Zero("CNY")); err != nil {
			t.Error(err)
		}
	})
}
