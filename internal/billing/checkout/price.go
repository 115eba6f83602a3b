// Package checkout is the quote before a payment: what orders cost with a discount and coupons, what stands against paying them, how
// they can be funded, and the cheapest way. Payments price with the same code, so what was shown is what is paid.
package checkout

import (
	"bytes"
	"slices"

	"paydesk/internal/money"
	"paydesk/models"
)

// Item is an order as pricing sees it; Amount is in minor units, never below zero.
type Item struct {
	ID          models.ID
	ProductType string
	Amount      int64
	Postpaid    bool // it freezes its whole amount and is charged by use: no discount, no coupon (contract §5)
}

// Choice is what is to be taken off. All of it is valid now and in the orders' currency; coupons have something left.
type Choice struct {
	Discount    *models.Discount  // the chosen one; nil for none
	Adjustments []models.Discount // of kind PRICE_ADJUSTMENT: applied without being chosen (HW-R8)
	Coupons     []models.Coupon   // all different
}

// Line is what an order costs: Due = Amount − Discount − Coupon. Kind is of the discount; empty without one.
type Line struct {
	OrderID                       models.ID
	Amount, Discount, Coupon, Due int64
	Kind                          models.DiscountKind
}

// Use is what a coupon pays of an order.
type Use struct {
	CouponID, OrderID models.ID
	Amount            int64
}

// Priced is what a choice comes to. Lines are in the order of the items, uses by coupon.
type Priced struct {
	Lines                                       []Line
	Uses                                        []Use
	Subtotal, DiscountTotal, CouponTotal, Total int64
}

// Reasons for which a discount or a coupon cannot be used: keys of messages.
const (
	ReasonProducts = "benefit.reason.products" // it fits none of these orders
	ReasonDiscount = "benefit.reason.discount" // it may not stand beside the discount (HW-R7)
	ReasonMinimum  = "benefit.reason.minimum"  // what it fits costs less than its minimum spend
	ReasonTooMany  = "benefit.reason.too_many" // more coupons on an order than the policy allows (C7)
	ReasonVoucher  = "benefit.reason.voucher"  // a second voucher for the same order (HW-R14)
	ReasonNothing  = "benefit.reason.nothing"  // nothing is left to pay
)

// Refusal says which part of a choice cannot be used and why. Coupon is its index, −1 for the discount.
type Refusal struct {
	Coupon int
	Reason string
}

// pricing is one order list under one discount: what coupons start from.
type pricing struct {
	items   []Item
	byID    []int // positions of items by id: who is served first does not depend on the input's order
	lines   []Line
	maximum int // coupons on an order
}

// Price prices orders under a choice (contract §7): first the discount of each order, half up to the minor unit; then vouchers, then
// cash coupons, each spread over the orders it fits by largest remainder. maximum is how many coupons an order may have. A
// refused choice prices nothing.
func Price(items []Item, c Choice, maximum int) (Priced, *Refusal) {
	p, fits := discounted(items, c.Discount, c.Adjustments, maximum)
	if c.Discount != nil && !fits {
		return Priced{}, &Refusal{-1, ReasonProducts}
	}
	set := make([]applied, len(c.Coupons))
	for i := range c.Coupons {
		reason := ""
		if set[i], reason = p.eligible(&c.Coupons[i]); reason != "" {
			return Priced{}, &Refusal{i, reason}
		}
		if reason = p.beside(set[:i], set[i]); reason != "" {
			return Priced{}, &Refusal{i, reason}
		}
	}
	uses, idle := p.apply(set)
	if idle != nil {
		return Priced{}, &Refusal{slices.IndexFunc(c.Coupons, func(k models.Coupon) bool { return k.ID == idle.coupon.ID }), ReasonNothing}
	}
	return p.sum(uses), nil
}

// discounted is the list with each order's discount; fits tells whether the chosen one fits any.
func discounted(items []Item, chosen *models.Discount, adjustments []models.Discount, maximum int) (p pricing, fits bool) {
	p = pricing{items: items, byID: make([]int, len(items)), lines: make([]Line, len(items)), maximum: maximum}
	for i, it := range items {
		p.byID[i] = i
		l := Line{OrderID: it.ID, Amount: it.Amount, Due: it.Amount}
		if d := discountOf(it, chosen, adjustments); d != nil {
			l.Kind = d.Kind
			l.Discount = money.Portion(it.Amount, d.Percent, 100*models.PercentScale)
			l.Due -= l.Discount
			fits = fits || d == chosen
		}
		p.lines[i] = l
	}
	slices.SortFunc(p.byID, func(a, b int) int { return bytes.Compare(items[a].ID[:], items[b].ID[:]) })
	return p, fits
}

// discountOf is the one discount of an order: the largest price adjustment that fits it, else the chosen one (contract §7).
func discountOf(it Item, chosen *models.Discount, adjustments []models.Discount) (best *models.Discount) {
	for i := range adjustments {
		if a := &adjustments[i]; fitsProduct(a.ProductTypes, it) && (best == nil || a.Percent > best.Percent) {
			best = a
		}
	}
	if best == nil && chosen != nil && fitsProduct(chosen.ProductTypes, it) {
		best = chosen
	}
	return best
}

// fitsProduct: what a discount or a coupon is for; no products means all.
func fitsProduct(products models.Texts, it Item) bool {
	return !it.Postpaid && (len(products) == 0 || slices.Contains(products, it.ProductType))
}

// applied is a coupon with the orders it may pay, as positions by id.
type applied struct {
	coupon *models.Coupon
	orders []int
}

// eligible finds the orders a coupon may pay, whatever else is chosen; reason says why there are none.
func (p *pricing) eligible(c *models.Coupon) (a applied, reason string) {
	a, _, reason = p.among(c, p.fitting(c))
	return a, reason
}

// fitting are the orders that a coupon is for, whatever their discounts.
func (p *pricing) fitting(c *models.Coupon) (out []int) {
	for _, i := range p.byID {
		if fitsProduct(c.ProductTypes, p.items[i]) {
			out = append(out, i)
		}
	}
	return out
}

// among is eligible, given the orders that the coupon is for; spend is what those cost that it may pay.
func (p *pricing) among(c *models.Coupon, fitting []int) (a applied, spend int64, reason string) {
	a, reason = applied{coupon: c, orders: make([]int, 0, len(fitting))}, ReasonProducts
	for _, i := range fitting {
		if p.lines[i].Kind != "" && slices.Contains(c.NotWith, string(p.lines[i].Kind)) {
			reason = ReasonDiscount
			continue
		}
		a.orders = append(a.orders, i)
		spend += p.lines[i].Amount - p.lines[i].Discount
	}
	switch {
	case len(a.orders) == 0:
		return a, spend, reason
	case spend < c.MinimumSpend:
		return a, spend, ReasonMinimum
	}
	return a, spend, ""
}

// beside says what stands against a coupon beside others on the same orders; empty for nothing (C7).
func (p *pricing) beside(others []applied, a applied) string {
	for _, i := range a.orders {
		n := 1
		for _, o := range others {
			if !slices.Contains(o.orders, i) {
				continue
			}
			if n++; a.coupon.Kind == models.CouponVoucher && o.coupon.Kind == models.CouponVoucher {
				return ReasonVoucher
			}
		}
		if n > p.maximum {
			return ReasonTooMany
		}
	}
	return ""
}

// apply lets coupons pay: vouchers, which never share an order, then cash coupons, the one that ends first first. idle is one that
// finds nothing left to pay.
func (p *pricing) apply(set []applied) (uses []Use, idle *applied) {
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b applied) int { return turn(a.coupon, b.coupon) })
	for i := range p.lines {
		l := &p.lines[i]
		l.Coupon, l.Due = 0, l.Amount-l.Discount
	}
	for i := range set {
		a := &set[i]
		rest := make([]int64, len(a.orders))
		sum := int64(0)
		for n, at := range a.orders {
			rest[n] = p.lines[at].Due
			sum += rest[n]
		}
		amount := min(a.coupon.Remaining, sum)
		if amount <= 0 {
			return nil, a
		}
		for n, part := range money.Allocate(amount, rest) {
			if l := &p.lines[a.orders[n]]; part > 0 {
				l.Coupon, l.Due = l.Coupon+part, l.Due-part
				uses = append(uses, Use{a.coupon.ID, l.OrderID, part})
			}
		}
	}
	return uses, nil
}

// turn orders coupons: vouchers first (HW-R13), then the one that ends first, then by id.
func turn(a, b *models.Coupon) int {
	if av, bv := a.Kind == models.CouponVoucher, b.Kind == models.CouponVoucher; av != bv {
		if av {
			return -1
		}
		return 1
	}
	if n := a.ValidTo.Compare(b.ValidTo); n != 0 {
		return n
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

func (p *pricing) sum(uses []Use) Priced {
	out := Priced{Lines: p.lines, Uses: uses}
	for _, l := range p.lines {
		out.Subtotal += l.Amount
		out.DiscountTotal += l.Discount
		out.CouponTotal += l.Coupon
		out.Total += l.Due
	}
	return out
}
