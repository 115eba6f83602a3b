package checkout_test

import (
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Orders that change between the quote and the payment, k of thirty (HW-14 to HW-16, lesson 9): the lists are exact, and
// PAY_REMAINING prices the rest.
func TestStatusChangesBetweenQuoteAndPay(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		for _, k := range []int{0, 1, 29, 30} {
			orders := w.many(30)
			seen := w.view(w.request(orders...))
			if !seen.Payable || seen.Priced.Total != 30*10_000 {
				t.Fatalf("before: %v %d %s", seen.Payable, seen.Priced.Total, reasons(seen))
			}
			for _, o := range orders[:k] {
				w.cancel(o)
			}
			q, err := w.Quote(w.ctx, w.request(orders...))
			if k == 0 {
				if err != nil || q.Priced.Total != seen.Priced.Total {
					t.Errorf("nothing changed: %d %v", q.Priced.Total, err)
				}
				continue
			}
			code, path, d := refused(t, err)
			want := order.CodeStatusChanged
			if k == 30 {
				want = checkout.CodeAllChanged // HW-16
			}
			if code != want || path != "input.orderIds" || len(d.Blocked) != k || numbers(d.Remaining) != numbers(orders[k:]) {
				t.Errorf("%d changed: %s at %s, %d blocked, remaining %s", k, code, path, len(d.Blocked), numbers(d.Remaining))
			}
			after := w.view(w.request(orders...))
			if after.Payable || causes(after.Blocked) != causes(d.Blocked) || len(after.Priced.Lines) != 30 || strings.Contains(reasons(after), checkout.CodeAllChanged) != (k == 30) {
				t.Errorf("%d changed: shown payable %v, blocked %s, %s", k, after.Payable, causes(after.Blocked), reasons(after))
			}
			rest := w.request(orders...)
			rest.PayRemaining = true
			q, err = w.Quote(w.ctx, rest)
			if k == 30 {
				if code, _, _ := refused(t, err); code != checkout.CodeAllChanged {
					t.Error("nothing remains:", code)
				}
				continue
			}
			w.must(err)
			if numbers(q.Orders) != numbers(orders[k:]) || causes(q.Removed) != causes(d.Blocked) || q.Priced.Total != int64(30-k)*10_000 {
				t.Errorf("the rest of %d: %s for %d", k, numbers(q.Orders), q.Priced.Total)
			}
		}
	})
}

// With PAY_REMAINING a bundle goes as a whole (HW-8), and coupons and discounts are applied anew to what remains (contract §7).
func TestRemainingIsPricedAnew(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		pair := w.place(true, w.one(10_000), w.one(20_000))
		alone := w.place(false, w.one(30_000), w.one(40_000))
		half, voucher := w.discount(models.DiscountCommercial, "50"), w.coupon(models.CouponVoucher, 7_000)
		w.hold(pair[1])
		r := w.request(pair[0], alone[0], alone[1])
		r.PayRemaining, r.DiscountID, r.CouponIDs = true, discountID(half), couponIDs(voucher)
		q, err := w.Quote(w.ctx, r)
		w.must(err)
		if numbers(q.Orders) != numbers(alone) || q.Priced.Total != 35_000-7_000 || len(q.AutoSelected) != 0 {
			t.Errorf("%s for %d", numbers(q.Orders), q.Priced.Total)
		}
		if want := causes([]fault.Blocked{{Order: pair[0], Code: order.CodeLinkedNotPayable}, {Order: pair[1], Code: order.CodeBeingPaid}}); causes(q.Removed) != want {
			t.Errorf("removed %s, not %s", causes(q.Removed), want)
		}
		for _, like := range []func(*order.NewOrder){inReview, toBeConfirmed} { // HW-17, HW-18: they are waited for, not left out
			o := w.place(false, w.one(100, like))
			r := w.request(append(o, alone...)...)
			r.PayRemaining = true
			_, err := w.Quote(w.ctx, r)
			if code, _, d := refused(t, err); code != "ORDER_"+string(o[0].Status) || len(d.Remaining) != 2 {
				t.Error(code)
			}
		}
	})
}

// Linked orders come along, once, and are counted (HW-8, HW-13, D1).
func TestLinkedOrdersAreCounted(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		pair, others := w.place(true, w.one(100), w.one(200)), w.many(29)
		q, err := w.Quote(w.ctx, w.request(append([]models.Order{pair[0]}, others[:28]...)...))
		w.must(err)
		if len(q.Orders) != 30 || numbers(q.AutoSelected) != pair[1].Number || q.Orders[0].ID != pair[0].ID || q.Orders[29].ID != pair[1].ID {
			t.Errorf("%d orders, with %s", len(q.Orders), numbers(q.AutoSelected))
		}
		both, err := w.Quote(w.ctx, w.request(pair[1], pair[0], pair[1]))
		w.must(err)
		if len(both.Orders) != 2 || len(both.AutoSelected) != 0 || both.Priced.Total != 300 {
			t.Errorf("%s for %d", numbers(both.Orders), both.Priced.Total)
		}
		tooMany := w.request(append([]models.Order{pair[0]}, others...)...)
		tooMany.PayRemaining = true
		_, err = w.Quote(w.ctx, tooMany)
		if code, _, _ := refused(t, err); code != checkout.CodeTooManyOrders {
			t.Error(code)
		}
		v := w.view(tooMany)
		if v.Payable || reasons(v) != "TOO_MANY_ORDERS at input.orderIds" || len(v.Priced.Lines) != 31 || v.Best.Saves != 0 || v.Best.Total != v.Priced.Total {
			t.Errorf("%v %s, %d lines, %+v", v.Payable, reasons(v), len(v.Priced.Lines), v.Best)
		}
	})
}

// What is not there is not found; nothing is asked of the database for nothing, or for more than the maximum.
func TestQuoteRefuses(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		mine := w.place(false, w.one(100))[0]
		me := w.me
		w.me = w.open(account.Opening{})
		foreign := w.place(false, w.one(100))[0]
		theirs := w.coupon(models.CouponCash, 100)
		w.me = me
		for name, c := range map[string]struct {
			request    checkout.Request
			code, path string
		}{
			"none":           {w.request(), "NO_ORDERS", "input.orderIds"},
			"another's":      {w.request(mine, foreign), "ORDER_NOT_FOUND", "input.orderIds.1"},
			"pay another's":  {checkout.Request{AccountID: me.ID, OrderIDs: ids(foreign)}, "ORDER_NOT_FOUND", "input.orderId"},
			"his coupon":     {checkout.Request{AccountID: me.ID, OrderIDs: ids(mine), CouponIDs: couponIDs(theirs)}, "COUPON_NOT_APPLICABLE", "input.couponIds.0"},
			"no discount":    {checkout.Request{AccountID: me.ID, OrderIDs: ids(mine), DiscountID: "x"}, "DISCOUNT_NOT_APPLICABLE", "input.discountId"},
			"more than many": {checkout.Request{AccountID: me.ID, OrderIDs: make31(), Merged: true}, "TOO_MANY_ORDERS", "input.orderIds"},
		} {
			_, err := w.Quote(w.ctx, c.request)
			if code, path, _ := refused(t, err); code != c.code || path != c.path {
				t.Errorf("%s: %s at %s", name, code, path)
			}
		}
	})
}

func make31() (out []models.ID) {
	for range 31 {
		out = append(out, models.NewID())
	}
	return out
}

// A quote holds until the first end of an order, a discount or a coupon in it (HW-25, HW-R2, D4); what is not used does not count.
func TestValidUntil(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		now := w.clock.Now()
		hours := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
		o := w.place(false, w.one(10_000), w.one(10_000, until(hours(60))))
		d := w.discount(models.DiscountPromotion, "10", func(d *benefit.Discount) { d.ValidTo = hours(40) })
		c := w.coupon(models.CouponCash, 100, func(c *benefit.Coupons) { c.ValidTo = hours(20) })
		w.discount(models.DiscountPriceAdjustment, "1", func(d *benefit.Discount) { d.ValidTo, d.ProductTypes = hours(1), []string{"cdn"} })
		for name, c := range map[string]struct {
			request checkout.Request
			want    time.Time
		}{
			"an order's seven days":   {w.request(o[0]), hours(7 * 24)},
			"an order's own end":      {w.request(o...), hours(60)},
			"a discount's":            {checkout.Request{AccountID: w.me.ID, OrderIDs: ids(o...), DiscountID: discountID(d)}, hours(40)},
			"a coupon's":              {checkout.Request{AccountID: w.me.ID, OrderIDs: ids(o...), DiscountID: discountID(d), CouponIDs: couponIDs(c)}, hours(20)},
			"an adjustment that fits": {w.request(w.place(false, w.one(10_000, of("cdn")))...), hours(1)},
		} {
			q, err := w.Quote(w.ctx, c.request)
			w.must(err)
			if v := w.view(c.request); !q.ValidUntil.Equal(c.want) || !v.ValidUntil.Equal(c.want) {
				t.Errorf("%s: %v, shown %v, not %v", name, q.ValidUntil, v.ValidUntil, c.want)
			}
		}
		w.clock.advance(21 * time.Hour) // HW-25: past its time the benefit is lost
		r := w.request(o...)
		r.CouponIDs = couponIDs(c)
		_, err := w.Quote(w.ctx, r)
		if code, path, _ := refused(t, err); code != "COUPON_NOT_APPLICABLE" || path != "input.couponIds.0" {
			t.Error(code, path)
		}
	})
}

// HW-20: orders that overlap the sales contract are named, linked ones too, and are refused until that is confirmed.
func TestOutsideContract(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		pair := w.place(true, w.one(100), w.one(200, outside))
		other := w.place(false, w.one(300))
		q, err := w.Quote(w.ctx, w.request(pair[0], other[0]))
		w.must(err)
		f := q.Unconfirmed()
		code, path, d := refused(t, f)
		if numbers(q.OutsideContract) != pair[1].Number || code != checkout.CodeOutsideContract || path != "input.confirmOutsideContract" ||
			causes(d.Blocked) != pair[1].Number+" "+code || len(d.Remaining) != 2 {
			t.Errorf("%s: %v", numbers(q.OutsideContract), f)
		}
		v := w.view(w.request(pair[0], other[0]))
		if numbers(v.OutsideContract) != pair[1].Number || !v.Payable {
			t.Error("not shown", v.Payable)
		}
		if q, err = w.Quote(w.ctx, w.request(other...)); err != nil || q.Unconfirmed() != nil {
			t.Error(err, q.Unconfirmed())
		}
	})
}

// A quote takes a handful of statements: for thirty orders in bundles, with three coupons and a discount, as many as for one of each.
// Nothing is written.
func TestStatements(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		statements := func(r checkout.Request) (quote, view int) {
			ctx, counter := database.WithCounter(w.ctx)
			_, err := w.Quote(ctx, r)
			w.must(err)
			quote = counter.N()
			ctx, counter = database.WithCounter(w.ctx)
			_, err = w.View(ctx, r, everything)
			w.must(err)
			for _, text := range counter.Statements() {
				if !strings.HasPrefix(strings.TrimSpace(text), "SELECT") {
					t.Error("a quote writes:", text)
				}
			}
			return quote, counter.N()
		}
		d := w.discount(models.DiscountCommercial, "10")
		few := w.request(w.place(true, w.one(10_000), w.one(10_000))[0])
		few.DiscountID, few.CouponIDs = discountID(d), couponIDs(w.coupon(models.CouponCash, 100))
		fewQuote, fewView := statements(few)
		many := w.request()
		for range 10 {
			many.OrderIDs = append(many.OrderIDs, w.place(true, w.one(10_000), w.one(10_000), w.one(10_000))[0].ID)
		}
		many.Merged, many.DiscountID = true, discountID(d)
		for range 3 {
			many.CouponIDs = append(many.CouponIDs, couponIDs(w.coupon(models.CouponCash, 100))...)
		}
		for range 40 {
			w.coupon(models.CouponCash, 50)
		}
		manyQuote, manyView := statements(many)
		t.Logf("quote %d, view %d", manyQuote, manyView)
		if manyQuote != fewQuote || manyView != fewView || manyQuote > 4 || manyView > 6 {
			t.Errorf("quote: %d, then %d; view: %d, then %d", fewQuote, manyQuote, fewView, manyView)
		}
	})
}
