package checkout

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paydesk/models"
)

func id(n byte) models.ID { return models.ID{1, n} }

var day = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func item(n byte, product string, amount int64) Item {
	return Item{ID: id(n), ProductType: product, Amount: amount}
}

func discount(n byte, kind models.DiscountKind, percent int64, products ...string) models.Discount {
	return models.Discount{ID: models.ID{2, n}, Kind: kind, Percent: percent, ProductTypes: products}
}

func coupon(n byte, kind models.CouponKind, remaining int64, products ...string) models.Coupon {
	return models.Coupon{ID: models.ID{3, n}, Kind: kind, Remaining: remaining, Face: remaining, ProductTypes: products, ValidTo: day.AddDate(0, 0, int(n))}
}

// C7, HW-R7, HW-R8, HW-R13, HW-R14 and the fine print of the contract (§7), each by an example worked out by hand.
func TestPrice(t *testing.T) {
	adjusted := discount(9, models.DiscountPriceAdjustment, 50*models.PercentScale, "db")
	commercial := discount(1, models.DiscountCommercial, 125_000) // 12.5 %
	ecs := discount(2, models.DiscountPromotion, 10*models.PercentScale, "ecs")
	voucher, second, cash := coupon(1, models.CouponVoucher, 1000), coupon(2, models.CouponVoucher, 1000), coupon(3, models.CouponCash, 500)
	alone := coupon(4, models.CouponCash, 500)
	alone.NotWith = models.Texts{"COMMERCIAL"}
	large := coupon(5, models.CouponCash, 500)
	large.MinimumSpend = 8751
	dear := coupon(6, models.CouponCash, 500)
	dear.MinimumSpend = 8750
	for name, c := range map[string]struct {
		items  []Item
		choice Choice
		due    []int64
		reason string // of the refusal
		at     int
	}{
		"nothing chosen":                     {items: []Item{item(1, "ecs", 9999)}, due: []int64{9999}},
		"half a cent goes up":                {items: []Item{item(1, "ecs", 100)}, choice: Choice{Discount: &commercial}, due: []int64{87}}, // 12.5 → 13
		"by order, not by the sum":           {items: []Item{item(1, "ecs", 100), item(2, "ecs", 100)}, choice: Choice{Discount: &commercial}, due: []int64{87, 87}},
		"only what it fits":                  {items: []Item{item(1, "ecs", 1000), item(2, "db", 1000)}, choice: Choice{Discount: &ecs}, due: []int64{900, 1000}},
		"fits nothing":                       {items: []Item{item(1, "db", 1000)}, choice: Choice{Discount: &ecs}, reason: ReasonProducts, at: -1},
		"an adjustment is not chosen":        {items: []Item{item(1, "db", 1000), item(2, "ecs", 1000)}, choice: Choice{Adjustments: []models.Discount{adjusted}}, due: []int64{500, 1000}},
		"an adjustment stands alone":         {items: []Item{item(1, "db", 1000), item(2, "ecs", 1000)}, choice: Choice{Discount: &commercial, Adjustments: []models.Discount{adjusted}}, due: []int64{500, 875}},
		"only adjusted orders: no discount":  {items: []Item{item(1, "db", 1000)}, choice: Choice{Discount: &commercial, Adjustments: []models.Discount{adjusted}}, reason: ReasonProducts, at: -1},
		"a voucher is spread":                {items: []Item{item(1, "ecs", 1000), item(2, "db", 2000)}, choice: Choice{Coupons: []models.Coupon{voucher}}, due: []int64{667, 1333}},
		"after the discount":                 {items: []Item{item(1, "ecs", 10000)}, choice: Choice{Discount: &commercial, Coupons: []models.Coupon{voucher, cash}}, due: []int64{7250}},
		"no more than there is to pay":       {items: []Item{item(1, "ecs", 700)}, choice: Choice{Coupons: []models.Coupon{voucher}}, due: []int64{0}},
		"two vouchers, one order":            {items: []Item{item(1, "ecs", 9000)}, choice: Choice{Coupons: []models.Coupon{voucher, second}}, reason: ReasonVoucher, at: 1},
		"two vouchers, their own orders":     {items: []Item{item(1, "ecs", 9000), item(2, "db", 9000)}, choice: Choice{Coupons: []models.Coupon{coupon(1, models.CouponVoucher, 1000, "ecs"), coupon(2, models.CouponVoucher, 500, "db")}}, due: []int64{8000, 8500}},
		"four on an order":                   {items: []Item{item(1, "ecs", 9000)}, choice: Choice{Coupons: []models.Coupon{voucher, cash, coupon(7, models.CouponCash, 1), coupon(8, models.CouponCash, 1)}}, reason: ReasonTooMany, at: 3},
		"not beside this discount":           {items: []Item{item(1, "ecs", 9000)}, choice: Choice{Discount: &commercial, Coupons: []models.Coupon{alone}}, reason: ReasonDiscount},
		"beside another order's discount":    {items: []Item{item(1, "db", 9000), item(2, "ecs", 9000)}, choice: Choice{Discount: &ecs, Coupons: []models.Coupon{alone}}, due: []int64{8743, 7857}},
		"below its minimum after discount":   {items: []Item{item(1, "ecs", 10000)}, choice: Choice{Discount: &commercial, Coupons: []models.Coupon{large}}, reason: ReasonMinimum},
		"its minimum after discount":         {items: []Item{item(1, "ecs", 10000)}, choice: Choice{Discount: &commercial, Coupons: []models.Coupon{dear}}, due: []int64{8250}},
		"nothing left for it":                {items: []Item{item(1, "ecs", 900)}, choice: Choice{Coupons: []models.Coupon{cash, voucher}}, reason: ReasonNothing},
		"products it is not for":             {items: []Item{item(1, "ecs", 900)}, choice: Choice{Coupons: []models.Coupon{coupon(1, models.CouponCash, 5, "db")}}, reason: ReasonProducts},
		"what is charged by use stays whole": {items: []Item{{ID: id(1), ProductType: "ecs", Amount: 900, Postpaid: true}}, choice: Choice{Coupons: []models.Coupon{cash}}, reason: ReasonProducts},
	} {
		t.Run(name, func(t *testing.T) {
			got, refused := Price(c.items, c.choice, 3)
			if c.reason != "" || refused != nil {
				if refused == nil || refused.Reason != c.reason || refused.Coupon != c.at {
					t.Fatalf("%+v, want %s of %d", refused, c.reason, c.at)
				}
				return
			}
			for i, l := range got.Lines {
				if l.Due != c.due[i] {
					t.Errorf("order %d: due %d, want %d", i, l.Due, c.due[i])
				}
			}
		})
	}
}

// Lesson 14: for any one to thirty orders and any allowed choice the shares sum to the whole, stay within their orders and do not depend
// on the order in which anything was named.
func TestPriceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items, discounts, adjustments, coupons := draw(t, 30, 6)
		choice := Choice{Adjustments: adjustments}
		if len(discounts) > 0 && rapid.Bool().Draw(t, "with discount") {
			choice.Discount = &discounts[0]
		}
		for _, c := range coupons { // the largest allowed choice, in this order
			with := choice
			with.Coupons = append(slices.Clone(choice.Coupons), c)
			if _, refused := Price(items, with, 3); refused == nil {
				choice = with
			} else if refused.Coupon < 0 {
				choice.Discount = nil
			}
		}
		got, refused := Price(items, choice, 3)
		if refused != nil {
			t.Fatalf("%+v", refused)
		}
		sums(t, got, choice)
		other, refused := Price(rapid.Permutation(items).Draw(t, "items"), Choice{choice.Discount, rapid.Permutation(adjustments).Draw(t, "adjustments"), rapid.Permutation(choice.Coupons).Draw(t, "coupons")}, 3)
		if refused != nil {
			t.Fatalf("permuted: %+v", refused)
		}
		for _, l := range got.Lines {
			if !slices.Contains(other.Lines, l) {
				t.Fatalf("%+v is not in %+v", l, other.Lines)
			}
		}
		for _, u := range got.Uses {
			if !slices.Contains(other.Uses, u) {
				t.Fatalf("%+v is not in %+v", u, other.Uses)
			}
		}
	})
}

func sums(t *rapid.T, p Priced, c Choice) {
	ofOrder, ofCoupon, due := map[models.ID]int64{}, map[models.ID]int64{}, int64(0)
	for _, u := range p.Uses {
		if u.Amount <= 0 {
			t.Fatalf("%+v", u)
		}
		ofOrder[u.OrderID] += u.Amount
		ofCoupon[u.CouponID] += u.Amount
	}
	for _, l := range p.Lines {
		if l.Due != l.Amount-l.Discount-l.Coupon || l.Due < 0 || l.Discount < 0 || l.Coupon < 0 || ofOrder[l.OrderID] != l.Coupon {
			t.Fatalf("%+v, uses %d", l, ofOrder[l.OrderID])
		}
		due += l.Due
	}
	for _, k := range c.Coupons {
		if ofCoupon[k.ID] <= 0 || ofCoupon[k.ID] > k.Remaining {
			t.Fatalf("coupon of %d pays %d", k.Remaining, ofCoupon[k.ID])
		}
	}
	if due != p.Total || p.Total != p.Subtotal-p.DiscountTotal-p.CouponTotal {
		t.Fatalf("%+v", p)
	}
}

var products = []string{"ecs", "db", "cdn"}

// draw makes orders and what could be taken off them.
func draw(t *rapid.T, maxItems, maxCoupons int) (items []Item, discounts, adjustments []models.Discount, coupons []models.Coupon) {
	amount := rapid.OneOf(rapid.Int64Range(0, 20), rapid.Int64Range(1, 100_000), rapid.Int64Range(1, 1_000_000_000_000))
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(products), 0, 2, rapid.ID[string])
	for n := range rapid.IntRange(1, maxItems).Draw(t, "orders") {
		items = append(items, Item{ID: id(byte(n)), ProductType: rapid.SampledFrom(products).Draw(t, "product"), Amount: amount.Draw(t, "amount"), Postpaid: rapid.IntRange(0, 9).Draw(t, "postpaid") == 0})
	}
	kinds := []models.DiscountKind{models.DiscountCommercial, models.DiscountPromotion, models.DiscountPartnerGranted}
	for n := range rapid.IntRange(0, 3).Draw(t, "discounts") {
		discounts = append(discounts, discount(byte(n), rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.Int64Range(1, 100*models.PercentScale).Draw(t, "percent"), some.Draw(t, "for")...))
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "adjustments") {
		adjustments = append(adjustments, discount(byte(n+100), models.DiscountPriceAdjustment, rapid.Int64Range(1, 100*models.PercentScale).Draw(t, "percent"), some.Draw(t, "for")...))
	}
	for n := range rapid.IntRange(0, maxCoupons).Draw(t, "coupons") {
		c := coupon(byte(n), rapid.SampledFrom([]models.CouponKind{models.CouponCash, models.CouponVoucher}).Draw(t, "kind"), rapid.Int64Range(1, 100_000).Draw(t, "left"), some.Draw(t, "for")...)
		c.ValidTo = day.AddDate(0, 0, rapid.IntRange(0, 2).Draw(t, "ends"))
		c.MinimumSpend = rapid.SampledFrom([]int64{0, 0, 500, 50_000}).Draw(t, "minimum")
		if rapid.IntRange(0, 3).Draw(t, "alone") == 0 {
			c.NotWith = models.Texts{string(rapid.SampledFrom(kinds).Draw(t, "not with"))}
		}
		if n > 0 && rapid.IntRange(0, 3).Draw(t, "twin") == 0 { // one grant gives several of a kind
			twin := coupons[n-1]
			twin.ID = c.ID
			c = twin
		}
		coupons = append(coupons, c)
	}
	return items, discounts, adjustments, coupons
}

// The recommendation is what trying everything finds.
func TestRecommendEqualsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items, discounts, adjustments, coupons := draw(t, 5, 7)
		got := Recommend(items, discounts, adjustments, coupons, 3)
		want, _ := Price(items, Choice{Adjustments: adjustments}, 3)
		best := Recommendation{Total: want.Total}
		for d := -1; d < len(discounts); d++ {
			for set := range 1 << len(coupons) {
				c, r := Choice{Adjustments: adjustments}, Recommendation{}
				if d >= 0 {
					c.Discount, r.Discount = &discounts[d], &discounts[d]
				}
				for i := range coupons {
					if set>>i&1 == 1 {
						c.Coupons, r.Coupons = append(c.Coupons, coupons[i]), append(r.Coupons, &coupons[i])
					}
				}
				if p, refused := Price(items, c, 3); refused == nil {
					if r.Total = p.Total; better(r, best) {
						best = r
					}
				}
			}
		}
		if !got.Proven || got.Total != best.Total || got.Saves != want.Total-best.Total || better(best, got) || better(got, best) {
			t.Fatalf("recommended %+v, brute force %+v", got, best)
		}
	})
}

// A hundred different coupons and ten discounts on thirty orders: the bound on work holds, and what is recommended can be paid.
func TestRecommendIsBounded(t *testing.T) {
	var items []Item
	for n := range byte(30) {
		items = append(items, item(n, products[n%3], 100_000+int64(n)))
	}
	var discounts []models.Discount
	for n := range byte(10) {
		discounts = append(discounts, discount(n, models.DiscountCommercial, int64(n+1)*models.PercentScale))
	}
	var coupons []models.Coupon
	for n := range byte(100) {
		coupons = append(coupons, coupon(n, models.CouponCash, 1000+37*int64(n), products[n%3]))
	}
	began := time.Now()
	r := Recommend(items, discounts, nil, coupons, 3)
	took := time.Since(began)
	c := Choice{Discount: r.Discount}
	for _, k := range r.Coupons {
		c.Coupons = append(c.Coupons, *k)
	}
	p, refused := Price(items, c, 3)
	if refused != nil || p.Total != r.Total || r.Saves <= 0 {
		t.Fatalf("%+v %+v", refused, r)
	}
	if !slices.IsSortedFunc(r.Coupons, func(a, b *models.Coupon) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		t.Error("coupons are not in order")
	}
	t.Logf("%v, proven: %v, %d coupons", took, r.Proven, len(r.Coupons))
	if took > 2*time.Second {
		t.Error("it took", took)
	}
}
