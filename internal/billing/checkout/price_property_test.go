package checkout

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"paydesk/models"
)

var products = []string{"ecs", "db", "cdn"}

// scene is orders and what could be taken off them.
type scene struct {
	items       []Item
	discounts   []models.Discount // to choose from
	adjustments []models.Discount
	coupons     []models.Coupon
	maximum     int
}

func draw(t *rapid.T, maxItems, maxCoupons int) (s scene) {
	amount := rapid.OneOf(rapid.Int64Range(0, 20), rapid.Int64Range(1, 100_000), rapid.Int64Range(1, 1_000_000_000_000))
	percent := rapid.OneOf(rapid.Int64Range(1, 100*models.PercentScale), rapid.SampledFrom([]int64{5 * models.PercentScale, 125_000, 50 * models.PercentScale, 100 * models.PercentScale}))
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(products), 0, 2, rapid.ID[string])
	s.maximum = rapid.IntRange(1, 3).Draw(t, "maximum")
	for n := range rapid.IntRange(1, maxItems).Draw(t, "orders") {
		s.items = append(s.items, Item{ID: id(byte(n)), ProductType: rapid.SampledFrom(products).Draw(t, "product"), Amount: amount.Draw(t, "amount"), Postpaid: rapid.IntRange(0, 9).Draw(t, "postpaid") == 0})
	}
	kinds := []models.DiscountKind{models.DiscountCommercial, models.DiscountPromotion, models.DiscountPartnerGranted}
	for n := range rapid.IntRange(0, 3).Draw(t, "discounts") {
		s.discounts = append(s.discounts, discount(byte(n), rapid.SampledFrom(kinds).Draw(t, "kind"), percent.Draw(t, "percent"), some.Draw(t, "for")...))
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "adjustments") {
		s.adjustments = append(s.adjustments, discount(byte(n+100), models.DiscountPriceAdjustment, percent.Draw(t, "percent"), some.Draw(t, "for")...))
	}
	for n := range rapid.IntRange(0, maxCoupons).Draw(t, "coupons") {
		c := coupon(byte(n), rapid.SampledFrom([]models.CouponKind{models.CouponCash, models.CouponVoucher}).Draw(t, "kind"), rapid.OneOf(rapid.Int64Range(1, 30), rapid.Int64Range(1, 100_000)).Draw(t, "left"), some.Draw(t, "for")...)
		c.ValidTo = day.AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "ends"))
		c.MinimumSpend = rapid.SampledFrom([]int64{0, 0, 500, 50_000}).Draw(t, "minimum")
		if rapid.IntRange(0, 3).Draw(t, "alone") == 0 {
			c.NotWith = models.Texts{string(rapid.SampledFrom(append(kinds, models.DiscountPriceAdjustment)).Draw(t, "not with"))}
		}
		if n > 0 && rapid.IntRange(0, 2).Draw(t, "twin") == 0 { // one grant gives several of a kind
			twin := rapid.SampledFrom(s.coupons).Draw(t, "of")
			twin.ID = c.ID
			c = twin
		}
		s.coupons = append(s.coupons, c)
	}
	return s
}

// choose names any discount and any coupons, in any order.
func (s scene) choose(t *rapid.T) Choice {
	c := Choice{Adjustments: s.adjustments}
	if len(s.discounts) > 0 && rapid.Bool().Draw(t, "with discount") {
		c.Discount = &s.discounts[rapid.IntRange(0, len(s.discounts)-1).Draw(t, "discount")]
	}
	if len(s.coupons) > 0 {
		c.Coupons = rapid.Permutation(s.coupons).Draw(t, "order")[:rapid.IntRange(0, len(s.coupons)).Draw(t, "chosen")]
	}
	return c
}

// reference is contract §7 once more, in other words and with numbers that have no end; false where the choice is refused.
type reference struct {
	scene
	choice   Choice
	discount map[models.ID]int64
	kind     map[models.ID]string
	rest     map[models.ID]*big.Int
	uses     map[[2]models.ID]int64
}

func refer(s scene, c Choice) (reference, bool) {
	r := reference{s, c, map[models.ID]int64{}, map[models.ID]string{}, map[models.ID]*big.Int{}, map[[2]models.ID]int64{}}
	discounted := false
	for _, it := range s.items {
		best := models.Discount{}
		for _, a := range s.adjustments {
			if r.fits(a.ProductTypes, it) && a.Percent > best.Percent {
				best = a
			}
		}
		if best.Percent == 0 && c.Discount != nil && r.fits(c.Discount.ProductTypes, it) {
			best, discounted = *c.Discount, true
		}
		whole := big.NewInt(100 * models.PercentScale)
		twice := new(big.Int).Mul(big.NewInt(2*it.Amount), big.NewInt(best.Percent))
		off := twice.Add(twice, whole).Div(twice, whole.Mul(whole, big.NewInt(2))).Int64() // half up: ⌊(2ap + w) ÷ 2w⌋
		r.discount[it.ID], r.kind[it.ID], r.rest[it.ID] = off, string(best.Kind), big.NewInt(it.Amount-off)
	}
	if c.Discount != nil && !discounted || !r.allowed() {
		return r, false
	}
	for _, k := range r.inTurn() {
		if !r.spend(k) {
			return r, false
		}
	}
	return r, true
}

func (r reference) fits(products models.Texts, it Item) bool {
	return !it.Postpaid && (len(products) == 0 || slices.Contains(products, it.ProductType))
}

func (r reference) eligible(k models.Coupon, it Item) bool {
	return r.fits(k.ProductTypes, it) && !slices.Contains(k.NotWith, r.kind[it.ID])
}

// allowed: minimum spends are reached, no order has two vouchers or too many coupons.
func (r reference) allowed() bool {
	for _, k := range r.choice.Coupons {
		spend, orders := int64(0), 0
		for _, it := range r.items {
			if r.eligible(k, it) {
				orders++
				spend += it.Amount - r.discount[it.ID]
			}
		}
		if orders == 0 || spend < k.MinimumSpend {
			return false
		}
	}
	for _, it := range r.items {
		all, vouchers := 0, 0
		for _, k := range r.choice.Coupons {
			if r.eligible(k, it) {
				if all++; k.Kind == models.CouponVoucher {
					vouchers++
				}
			}
		}
		if all > r.maximum || vouchers > 1 {
			return false
		}
	}
	return true
}

func (r reference) inTurn() (out []models.Coupon) {
	rank := func(k models.Coupon) string {
		kind := "1"
		if k.Kind == models.CouponVoucher {
			kind = "0"
		}
		return kind + k.ValidTo.Format("2006-01-02T15:04:05") + string(k.ID[:])
	}
	out = slices.Clone(r.choice.Coupons)
	slices.SortFunc(out, func(a, b models.Coupon) int { return bytes.Compare([]byte(rank(a)), []byte(rank(b))) })
	return out
}

// spend lets a coupon pay its orders in proportion to what is left of them; each cent that remains goes to the largest remainder that
// has none yet, the smallest id of equals.
func (r reference) spend(k models.Coupon) bool {
	var orders []models.ID
	sum := new(big.Int)
	for _, it := range r.items {
		if r.eligible(k, it) {
			orders = append(orders, it.ID)
			sum.Add(sum, r.rest[it.ID])
		}
	}
	slices.SortFunc(orders, func(a, b models.ID) int { return bytes.Compare(a[:], b[:]) })
	amount := big.NewInt(k.Remaining)
	if sum.Cmp(amount) < 0 {
		amount.Set(sum)
	}
	if amount.Sign() == 0 {
		return false
	}
	part, remainder, left := map[models.ID]*big.Int{}, map[models.ID]*big.Int{}, new(big.Int).Set(amount)
	for _, o := range orders {
		part[o], remainder[o] = new(big.Int).QuoRem(new(big.Int).Mul(amount, r.rest[o]), sum, new(big.Int))
		left.Sub(left, part[o])
	}
	for ; left.Sign() > 0; left.Sub(left, big.NewInt(1)) {
		most := orders[0]
		for _, o := range orders {
			if remainder[o].Cmp(remainder[most]) > 0 {
				most = o
			}
		}
		part[most].Add(part[most], big.NewInt(1))
		remainder[most] = big.NewInt(-1)
	}
	for _, o := range orders {
		r.rest[o].Sub(r.rest[o], part[o])
		if part[o].Sign() > 0 {
			r.uses[[2]models.ID{k.ID, o}] = part[o].Int64()
		}
	}
	return true
}

// Lesson 14: whatever is chosen for one to thirty orders is allowed or refused, and priced, as the contract says.
func TestPriceEqualsTheContract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, 30, 6)
		choice := s.choose(t)
		want, allowed := refer(s, choice)
		got, refused := Price(s.items, choice, s.maximum)
		if allowed != (refused == nil) {
			t.Fatalf("allowed is %v, refused %+v", allowed, refused)
		}
		if !allowed {
			return
		}
		for _, l := range got.Lines {
			if l.Discount != want.discount[l.OrderID] || l.Due != want.rest[l.OrderID].Int64() || string(l.Kind) != want.kind[l.OrderID] {
				t.Fatalf("%+v: want discount %d, due %s, %s", l, want.discount[l.OrderID], want.rest[l.OrderID], want.kind[l.OrderID])
			}
		}
		if len(got.Uses) != len(want.uses) {
			t.Fatalf("uses %+v, want %+v", got.Uses, want.uses)
		}
		for _, u := range got.Uses {
			if want.uses[[2]models.ID{u.CouponID, u.OrderID}] != u.Amount {
				t.Fatalf("%+v is not in %+v", u, want.uses)
			}
		}
	})
}

// Lesson 14: shares sum to the whole, stay within their orders and coupons, and do not depend on the order in which anything was named.
func TestPriceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, 30, 6)
		choice := s.largest(t)
		got, refused := Price(s.items, choice, s.maximum)
		if refused != nil {
			t.Fatalf("%+v", refused)
		}
		sums(t, s, got, choice)
		other, refused := Price(rapid.Permutation(s.items).Draw(t, "items"), Choice{choice.Discount, rapid.Permutation(s.adjustments).Draw(t, "adjustments"), rapid.Permutation(choice.Coupons).Draw(t, "coupons")}, s.maximum)
		if refused != nil {
			t.Fatalf("permuted: %+v", refused)
		}
		for _, l := range got.Lines {
			if !slices.Contains(other.Lines, l) {
				t.Fatalf("%+v is not in %+v", l, other.Lines)
			}
		}
		if !slices.Equal(got.Uses, other.Uses) {
			t.Fatalf("%+v is not %+v", got.Uses, other.Uses)
		}
	})
}

// largest is the discount where it fits anything, and of all coupons as many as are allowed, in their order.
func (s scene) largest(t *rapid.T) Choice {
	c := Choice{Adjustments: s.adjustments}
	if len(s.discounts) > 0 && rapid.Bool().Draw(t, "with discount") {
		c.Discount = &s.discounts[0]
		if _, refused := Price(s.items, c, s.maximum); refused != nil {
			c.Discount = nil
		}
	}
	for _, k := range s.coupons {
		with := c
		with.Coupons = append(slices.Clone(c.Coupons), k)
		if _, refused := Price(s.items, with, s.maximum); refused == nil {
			c = with
		}
	}
	return c
}

func sums(t *rapid.T, s scene, p Priced, c Choice) {
	ofOrder, ofCoupon := map[models.ID]int64{}, map[models.ID]int64{}
	for _, u := range p.Uses {
		if u.Amount <= 0 {
			t.Fatalf("%+v", u)
		}
		ofOrder[u.OrderID] += u.Amount
		ofCoupon[u.CouponID] += u.Amount
	}
	var amount, discount, coupon, due int64
	for i, l := range p.Lines {
		if l.OrderID != s.items[i].ID || l.Amount != s.items[i].Amount || l.Due != l.Amount-l.Discount-l.Coupon || l.Due < 0 || l.Discount < 0 || l.Coupon < 0 || ofOrder[l.OrderID] != l.Coupon {
			t.Fatalf("%+v, uses %d", l, ofOrder[l.OrderID])
		}
		amount, discount, coupon, due = amount+l.Amount, discount+l.Discount, coupon+l.Coupon, due+l.Due
	}
	for _, k := range c.Coupons {
		if ofCoupon[k.ID] <= 0 || ofCoupon[k.ID] > k.Remaining {
			t.Fatalf("coupon of %d pays %d", k.Remaining, ofCoupon[k.ID])
		}
	}
	if (p.Subtotal != amount) || p.DiscountTotal != discount || p.CouponTotal != coupon || p.Total != due || due != amount-discount-coupon {
		t.Fatalf("%+v", p)
	}
}
