package checkout_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

func couponOption(t testing.TB, v checkout.View, c models.Coupon) checkout.Option[models.Coupon] {
	t.Helper()
	i := slices.IndexFunc(v.CouponOptions, func(o checkout.Option[models.Coupon]) bool { return o.Benefit.ID == c.ID })
	if i < 0 {
		t.Fatalf("coupon %s is not offered", c.Name)
	}
	return v.CouponOptions[i]
}

func discountOption(t testing.TB, v checkout.View, d models.Discount) checkout.Option[models.Discount] {
	t.Helper()
	i := slices.IndexFunc(v.DiscountOptions, func(o checkout.Option[models.Discount]) bool { return o.Benefit.ID == d.ID })
	if i < 0 {
		t.Fatalf("discount %s is not offered", d.Name)
	}
	return v.DiscountOptions[i]
}

// HW-21, HW-R7, HW-R8, HW-R13, HW-R14, C7: every coupon and discount with what it saves beside what is chosen, or why it cannot be used.
func TestOptions(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		o := w.place(false, w.one(10_000), w.one(20_000, of("db")))
		tenth, cdn := w.discount(models.DiscountCommercial, "10"), w.discount(models.DiscountPromotion, "50", func(d *benefit.Discount) { d.ProductTypes = []string{"cdn"} })
		adjusted := w.discount(models.DiscountPriceAdjustment, "25", func(d *benefit.Discount) { d.ProductTypes = []string{"db"} })
		cash, voucher, second := w.coupon(models.CouponCash, 5_000), w.coupon(models.CouponVoucher, 1_000), w.coupon(models.CouponVoucher, 2_000)
		strict := w.coupon(models.CouponCash, 300, func(c *benefit.Coupons) {
			c.NotWith, c.ProductTypes = []models.DiscountKind{models.DiscountCommercial}, []string{"ecs"}
		})
		large := w.coupon(models.CouponCash, 100, func(c *benefit.Coupons) { m := amount(24_001, "CNY"); c.MinimumSpend = &m })
		r := w.request(o...)
		r.DiscountID, r.CouponIDs = discountID(tenth), couponIDs(cash, voucher)
		v := w.view(r)
		// 10,000 − 10 % + 20,000 − 25 % = 24,000, less 1,000, less 5,000
		if !v.Payable || v.Priced.Subtotal != 30_000 || v.Priced.DiscountTotal != 6_000 || v.Priced.CouponTotal != 6_000 || v.Priced.Total != 18_000 {
			t.Fatalf("%v %+v %s", v.Payable, v.Priced, reasons(v))
		}
		for name, c := range map[string]struct {
			got  checkout.Option[models.Coupon]
			want checkout.Option[models.Coupon]
		}{
			"chosen":            {couponOption(t, v, cash), checkout.Option[models.Coupon]{Selected: true, Saves: 5_000}},
			"chosen voucher":    {couponOption(t, v, voucher), checkout.Option[models.Coupon]{Selected: true, Saves: 1_000}},
			"a second voucher":  {couponOption(t, v, second), checkout.Option[models.Coupon]{Code: "COUPON_NOT_APPLICABLE", Reason: checkout.ReasonVoucher}},
			"not with discount": {couponOption(t, v, strict), checkout.Option[models.Coupon]{Code: "COUPON_NOT_APPLICABLE", Reason: checkout.ReasonDiscount}},
			"minimum spend":     {couponOption(t, v, large), checkout.Option[models.Coupon]{Code: "COUPON_NOT_APPLICABLE", Reason: checkout.ReasonMinimum}},
		} {
			c.want.Benefit = c.got.Benefit
			if c.got.Selected != c.want.Selected || c.got.Saves != c.want.Saves || c.got.Code != c.want.Code || c.got.Reason != c.want.Reason {
				t.Errorf("%s: %+v", name, c.got)
			}
		}
		for name, c := range map[string]struct {
			got  checkout.Option[models.Discount]
			want checkout.Option[models.Discount]
		}{
			"chosen":     {discountOption(t, v, tenth), checkout.Option[models.Discount]{Selected: true, Saves: 1_000}},
			"adjustment": {discountOption(t, v, adjusted), checkout.Option[models.Discount]{Selected: true, Saves: 5_000}},
			"not for it": {discountOption(t, v, cdn), checkout.Option[models.Discount]{Code: "DISCOUNT_NOT_APPLICABLE", Reason: checkout.ReasonProducts}},
		} {
			if c.got.Selected != c.want.Selected || c.got.Saves != c.want.Saves || c.got.Code != c.want.Code || c.got.Reason != c.want.Reason {
				t.Errorf("%s: %+v", name, c.got)
			}
		}
		r.DiscountID, r.CouponIDs = "", couponIDs(strict) // the discount would shut the coupon out
		v = w.view(r)
		if got := discountOption(t, v, tenth); got.Code != "DISCOUNT_NOT_APPLICABLE" || got.Reason != checkout.ReasonBeside || got.Saves != 0 {
			t.Errorf("beside a strict coupon: %+v", got)
		}
		if got := couponOption(t, v, cash); got.Code != "" || got.Saves != 5_000 {
			t.Errorf("one more cash coupon: %+v", got)
		}
	})
}

// What is offered as applicable can be added to the choice and is worth what was said; what is recommended can be chosen and costs
// what was said, no more than any single step away from it.
func TestWhatIsOfferedHolds(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		o := w.place(false, w.one(10_000), w.one(777, of("db")), w.one(20_001, of("cdn")))
		for _, p := range []string{"10", "33.3333"} {
			w.discount(models.DiscountCommercial, p)
			w.discount(models.DiscountPromotion, p, func(d *benefit.Discount) { d.ProductTypes = []string{"cdn"} })
		}
		for _, minor := range []int64{100, 5_000, 9_999} {
			w.coupon(models.CouponCash, minor)
			w.coupon(models.CouponVoucher, minor, func(c *benefit.Coupons) { c.ProductTypes = []string{"ecs", "db"} })
			w.coupon(models.CouponCash, minor, func(c *benefit.Coupons) { c.NotWith = []models.DiscountKind{models.DiscountPromotion} })
		}
		v := w.view(w.request(o...))
		for _, c := range v.CouponOptions {
			r := w.request(o...)
			r.CouponIDs = couponIDs(c.Benefit)
			q, err := w.Quote(w.ctx, r)
			if applicable := c.Code == ""; applicable != (err == nil) || applicable && v.Priced.Total-q.Priced.Total != c.Saves {
				t.Errorf("%+v: %v, %d", c, err, q.Priced.Total)
			}
		}
		for _, d := range v.DiscountOptions {
			r := w.request(o...)
			r.DiscountID = discountID(d.Benefit)
			q, err := w.Quote(w.ctx, r)
			w.must(err)
			if v.Priced.Total-q.Priced.Total != d.Saves || d.Saves <= 0 {
				t.Errorf("%+v: %d", d, q.Priced.Total)
			}
		}
		r := w.request(o...)
		for _, k := range v.Best.Coupons {
			r.CouponIDs = append(r.CouponIDs, couponIDs(*k)...)
		}
		if v.Best.Discount != nil {
			r.DiscountID = discountID(*v.Best.Discount)
		}
		best := w.view(r)
		if !best.Payable || best.Priced.Total != v.Best.Total || v.Priced.Total-best.Priced.Total != v.Best.Saves || best.Best.Total != v.Best.Total {
			t.Errorf("recommended %+v, it is %d %s", v.Best, best.Priced.Total, reasons(best))
		}
		for _, c := range best.CouponOptions {
			if !c.Selected && c.Saves > 0 {
				t.Errorf("%+v would save more", c)
			}
		}
	})
}

// Coupons and a discount that were chosen and cannot be used: reasons hold it, the quote is not payable and priced without them, as
// the payment would refuse it. Ids that are not the account's are not found (contract §7).
func TestChosenButNotUsable(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		o := w.place(false, w.one(10_000))
		good, short := w.coupon(models.CouponCash, 100), w.coupon(models.CouponCash, 100, func(c *benefit.Coupons) { c.ValidTo = w.clock.Now().Add(time.Hour) })
		brief := w.discount(models.DiscountPromotion, "10", func(d *benefit.Discount) { d.ValidTo = w.clock.Now().Add(time.Hour) })
		cdn := w.coupon(models.CouponCash, 100, func(c *benefit.Coupons) { c.ProductTypes = []string{"cdn"} })
		adjusted := w.discount(models.DiscountPriceAdjustment, "1")
		w.clock.advance(2 * time.Hour)
		r := w.request(o...)
		r.DiscountID, r.CouponIDs = discountID(brief), append(couponIDs(short, good, cdn), couponIDs(good)...)
		v := w.view(r)
		want := "DISCOUNT_NOT_APPLICABLE at input.discountId, COUPON_NOT_APPLICABLE at input.couponIds.0, COUPON_NOT_APPLICABLE at input.couponIds.3, COUPON_NOT_APPLICABLE at input.couponIds.2"
		if v.Payable || reasons(v) != want || v.Priced.Total != 9_800 || len(v.Coupons) != 1 || v.Discount != nil {
			t.Errorf("%v %s: %d", v.Payable, reasons(v), v.Priced.Total)
		}
		if got := couponOption(t, v, short); got.Selected || got.Reason != benefit.ReasonExpired {
			t.Errorf("%+v", got)
		}
		if got := discountOption(t, v, brief); got.Selected || got.Reason != benefit.ReasonExpired {
			t.Errorf("%+v", got)
		}
		if _, err := w.Quote(w.ctx, r); !fault.Is(err, "COUPON_NOT_APPLICABLE") {
			t.Error(err)
		}
		r.CouponIDs, r.DiscountID = nil, discountID(adjusted) // HW-R8: applied anyway, so naming it changes nothing
		if v := w.view(r); !v.Payable || v.Discount != nil || v.Priced.Total != 9_900 {
			t.Errorf("%s: %d", reasons(v), v.Priced.Total)
		}
		me := w.me
		w.me = w.open(account.Opening{})
		foreign, theirs, its := w.place(false, w.one(1))[0], w.coupon(models.CouponCash, 1), w.discount(models.DiscountCommercial, "1")
		w.me = me
		for name, r := range map[string]checkout.Request{
			"order":        {OrderIDs: ids(o[0], foreign)},
			"coupon":       {OrderIDs: ids(o...), CouponIDs: couponIDs(theirs)},
			"no coupon":    {OrderIDs: ids(o...), CouponIDs: []string{o[0].ID.Encode(models.PrefixOrder)}},
			"discount":     {OrderIDs: ids(o...), DiscountID: discountID(its)},
			"no discount":  {OrderIDs: ids(o...), DiscountID: "x"},
			"only foreign": {OrderIDs: ids(foreign)},
		} {
			r.AccountID = me.ID
			if _, err := w.View(w.ctx, r, everything); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var bad fault.BadInput
		if _, err := w.View(w.ctx, checkout.Request{AccountID: me.ID, OrderIDs: make([]models.ID, 101)}, everything); !errors.As(err, &bad) {
			t.Error(err)
		}
	})
}

// What stands against the selection as a whole: nothing chosen, the account's state (AL-67), all changed (HW-16).
func TestReasons(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		if v := w.view(w.request()); v.Payable || reasons(v) != "NO_ORDERS at input.orderIds" || v.Total().String() != "0.00 CNY" || len(v.Funding) != 4 || !v.ValidUntil.Equal(w.clock.Now()) {
			t.Errorf("nothing: %+v", v)
		}
		o := w.place(false, w.one(100), w.one(200, inReview), w.one(300, toBeConfirmed))
		v := w.view(w.request(o...))
		if v.Payable || len(v.Reasons) != 0 || causes(v.Blocked) != o[1].Number+" ORDER_PENDING_REVIEW, "+o[2].Number+" ORDER_PENDING_CONFIRMATION" || v.Priced.Total != 600 {
			t.Errorf("%s, %s for %d", reasons(v), causes(v.Blocked), v.Priced.Total)
		}
		two := w.many(2)
		w.cancel(two[0])
		w.cancel(two[1])
		if v := w.view(w.request(two...)); !strings.HasPrefix(reasons(v), "ALL_ORDERS_STATUS_CHANGED") {
			t.Error(reasons(v))
		}
		if v := w.view(w.request(two[0])); v.Payable || len(v.Reasons) != 0 || causes(v.Blocked) != two[0].Number+" ORDER_STATUS_CHANGED" {
			t.Error(reasons(v), causes(v.Blocked))
		}
		required := models.IdentityRequired
		_, err := w.accounts.Update(w.ctx, w.me.ID, account.Update{Identity: &required})
		w.must(err)
		v = w.view(w.request(o[0]))
		if v.Payable || reasons(v) != "IDENTITY_REQUIRED" || v.Funding[0].Closed == nil || v.Funding[0].Closed.Code != "IDENTITY_REQUIRED" {
			t.Error(reasons(v))
		}
	})
}

// The new quote of QUOTE_CHANGED is the one of the query, of what would be paid.
func TestDescribe(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		o := w.place(false, w.one(10_000), w.one(20_000), w.one(5_000))
		w.cancel(o[2])
		r := w.request(o...)
		r.PayRemaining, r.CouponIDs, r.DiscountID = true, couponIDs(w.coupon(models.CouponCash, 500)), discountID(w.discount(models.DiscountCommercial, "1"))
		w.discount(models.DiscountPriceAdjustment, "2", func(d *benefit.Discount) { d.ProductTypes = []string{"cdn"} })
		q, err := w.Quote(w.ctx, r)
		w.must(err)
		got, err := w.Describe(w.ctx, q, everything)
		w.must(err)
		asked := w.request(o[:2]...)
		asked.CouponIDs, asked.DiscountID = r.CouponIDs, r.DiscountID
		want := w.view(asked)
		if got.Total() != want.Total() || got.Total().Minor != 29_200 || !got.Payable || causes(got.Blocked) != o[2].Number+" ORDER_STATUS_CHANGED" || len(got.Priced.Lines) != 2 ||
			len(got.CouponOptions) != 1 || !got.CouponOptions[0].Selected || len(got.DiscountOptions) != 2 || got.Best.Total != want.Best.Total || len(got.Funding) != 4 || !got.ValidUntil.Equal(want.ValidUntil) {
			t.Errorf("%+v\n%+v", got, want)
		}
	})
}
