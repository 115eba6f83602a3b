package payment_test

import (
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/input"
	"paydesk/models"
)

// grant gives the payer coupons and returns their ids as clients write them; no product means all.
func (w *world) grant(count int, kind models.CouponKind, face, product string) (ids []string) {
	w.Helper()
	g := benefit.Coupons{AccountID: w.payer.AccountID, Name: "coupon", Kind: kind, Face: input.Amount{Decimal: face, Currency: "CNY"}, ValidTo: w.clock.Now().Add(1000 * time.Hour), Count: &count}
	if product != "" {
		g.ProductTypes = []string{product}
	}
	granted, err := w.benefits.Grant(w.ctx, g)
	w.must(err)
	for _, c := range granted {
		ids = append(ids, c.ID.Encode(models.PrefixCoupon))
	}
	return ids
}

// discount gives the payer a discount and returns its id as clients write it.
func (w *world) discount(percent string) string {
	w.Helper()
	d, err := w.benefits.GrantDiscount(w.ctx, benefit.Discount{AccountID: w.payer.AccountID, Name: "discount", PercentOff: percent, ValidTo: w.clock.Now().Add(1000 * time.Hour)})
	w.must(err)
	return d.ID.Encode(models.PrefixDiscount)
}

// coupon reads a coupon as it now stands.
func (w *world) coupon(id string) models.Coupon {
	w.Helper()
	key, err := models.Decode(models.PrefixCoupon, id)
	w.must(err)
	c, found, err := w.benefits.ByID(w.ctx, w.payer.AccountID, key)
	w.must(err)
	if !found {
		w.Fatal("coupon gone")
	}
	return c
}
