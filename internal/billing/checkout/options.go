package checkout

import (
	"slices"

	"paydesk/models"
)

// Reasons of options beside those of pricing: keys of messages.
const (
	ReasonBeside   = "benefit.reason.beside"   // a chosen coupon may not stand beside this discount
	ReasonAdjusted = "benefit.reason.adjusted" // a larger price adjustment is applied already
)

// Option is a coupon or a discount in a quote.
type Option[T any] struct {
	Benefit  T
	Selected bool   // the quote uses it
	Saves    int64  // what it takes off here, or would beside what is chosen; 0 where it cannot be used
	Code     string // a UserErrorCode where it cannot be used; empty where it can
	Reason   string // key of a message where it cannot be used
}

func closed[T any](b T, code, reason string) Option[T] {
	return Option[T]{Benefit: b, Code: code, Reason: reason}
}

// options are all coupons and discounts of the account, each as it would do beside what is chosen: what is applicable can be added to
// the choice, and the choice stays payable.
func (v *View) options(maximum int) {
	for i := range v.offer.coupons {
		v.CouponOptions = append(v.CouponOptions, v.couponOption(v.offer.coupons[i], maximum))
	}
	v.CouponOptions = append(v.CouponOptions, v.offer.idle...)
	base := v.discountTotal(nil, maximum)
	for i := range v.offer.adjustments {
		v.DiscountOptions = append(v.DiscountOptions, v.adjustmentOption(&v.offer.adjustments[i]))
	}
	for i := range v.offer.discounts {
		v.DiscountOptions = append(v.DiscountOptions, v.discountOption(&v.offer.discounts[i], base, maximum))
	}
	if o := v.offer.idleDiscount; o != nil {
		v.DiscountOptions = append(v.DiscountOptions, *o)
	}
}

func (v *View) couponOption(c models.Coupon, maximum int) Option[models.Coupon] {
	if slices.ContainsFunc(v.choice.Coupons, func(k models.Coupon) bool { return k.ID == c.ID }) {
		o := Option[models.Coupon]{Benefit: c, Selected: true}
		for _, u := range v.Priced.Uses {
			if u.CouponID == c.ID {
				o.Saves += u.Amount
			}
		}
		return o
	}
	with := v.choice
	with.Coupons = append(slices.Clone(with.Coupons), c)
	p, refusal := Price(v.items, with, maximum)
	if refusal != nil {
		return closed(c, "COUPON_NOT_APPLICABLE", refusal.Reason)
	}
	return Option[models.Coupon]{Benefit: c, Saves: v.Priced.Total - p.Total}
}

// discountTotal is what discounts take off with this one chosen and no coupons.
func (v *View) discountTotal(d *models.Discount, maximum int) int64 {
	p, _ := Price(v.items, Choice{Discount: d, Adjustments: v.choice.Adjustments}, maximum)
	return p.DiscountTotal
}

func (v *View) discountOption(d *models.Discount, base int64, maximum int) Option[models.Discount] {
	with := v.choice
	with.Discount = d
	p, refusal := Price(v.items, with, maximum)
	switch {
	case refusal == nil:
		return Option[models.Discount]{Benefit: *d, Selected: v.choice.Discount != nil && v.choice.Discount.ID == d.ID, Saves: p.DiscountTotal - base}
	case refusal.Coupon < 0:
		return closed(*d, "DISCOUNT_NOT_APPLICABLE", refusal.Reason)
	}
	return closed(*d, "DISCOUNT_NOT_APPLICABLE", ReasonBeside)
}

// adjustmentOption: a price adjustment is applied, never chosen (HW-R8).
func (v *View) adjustmentOption(d *models.Discount) Option[models.Discount] {
	o, fits := Option[models.Discount]{Benefit: *d}, false
	for i, it := range v.items {
		fits = fits || fitsProduct(d.ProductTypes, it)
		if used := discountOf(it, nil, v.choice.Adjustments); used != nil && used.ID == d.ID {
			o.Selected = true
			o.Saves += v.Priced.Lines[i].Discount
		}
	}
	switch {
	case o.Selected:
		return o
	case fits:
		return closed(*d, "DISCOUNT_NOT_APPLICABLE", ReasonAdjusted)
	}
	return closed(*d, "DISCOUNT_NOT_APPLICABLE", ReasonProducts)
}
