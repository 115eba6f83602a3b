package checkout

import (
	"testing"
	"time"

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

// HW-R7, HW-R8, HW-R11, HW-R13, HW-R14, HW-R15, C7 and the fine print of the contract (§7), each by an example worked out by hand.
func TestPrice(t *testing.T) {
	adjusted := discount(9, models.DiscountPriceAdjustment, 50*models.PercentScale, "db")
	commercial := discount(1, models.DiscountCommercial, 125_000) // 12.5 %
	ecs := discount(2, models.DiscountPromotion, 10*models.PercentScale, "ecs")
	voucher, second, cash := coupon(1, models.CouponVoucher, 1000), coupon(2, models.CouponVoucher, 1000), coupon(3, models.CouponCash, 500)
	alone := coupon(4, models.CouponCash, 500)
	alone.NotWith = models.Texts{"COMMERCIAL"}
	apart := coupon(10, models.CouponCash, 500)
	apart.NotWith = models.Texts{"PROMOTION"}
	unadjusted := coupon(11, models.CouponCash, 500)
	unadjusted.NotWith = models.Texts{"PRICE_ADJUSTMENT"}
	slight := discount(3, models.DiscountPriceAdjustment, 5*models.PercentScale)
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
		"beside a discount of another kind":  {items: []Item{item(1, "db", 9000), item(2, "ecs", 9000)}, choice: Choice{Discount: &ecs, Coupons: []models.Coupon{alone}}, due: []int64{8737, 7863}}, // 263.16 and 236.84 of 500
		"beside another order's discount":    {items: []Item{item(1, "db", 9000), item(2, "ecs", 9000)}, choice: Choice{Discount: &ecs, Coupons: []models.Coupon{apart}}, due: []int64{8500, 8100}},
		"not beside a price adjustment":      {items: []Item{item(1, "db", 9000)}, choice: Choice{Adjustments: []models.Discount{adjusted}, Coupons: []models.Coupon{unadjusted}}, reason: ReasonDiscount},
		"the best of two adjustments":        {items: []Item{item(1, "db", 1000)}, choice: Choice{Adjustments: []models.Discount{slight, adjusted}}, due: []int64{500}},
		"the rest goes to the smaller id":    {items: []Item{item(3, "ecs", 1000), item(1, "ecs", 1000), item(2, "ecs", 1000)}, choice: Choice{Coupons: []models.Coupon{coupon(1, models.CouponCash, 1000)}}, due: []int64{667, 666, 667}},
		"the one that ends first pays first": {items: []Item{item(1, "ecs", 900), item(2, "db", 900)}, choice: Choice{Coupons: []models.Coupon{coupon(9, models.CouponCash, 900, "ecs"), coupon(2, models.CouponCash, 900)}}, due: []int64{0, 450}},
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
