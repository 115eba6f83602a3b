package checkout

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paydesk/models"
)

// brute tries everything.
func brute(s scene) Recommendation {
	plain, _ := Price(s.items, Choice{Adjustments: s.adjustments}, s.maximum)
	best := Recommendation{Total: plain.Total}
	for d := -1; d < len(s.discounts); d++ {
		for set := range 1 << len(s.coupons) {
			c, r := Choice{Adjustments: s.adjustments}, Recommendation{}
			if d >= 0 {
				c.Discount, r.Discount = &s.discounts[d], &s.discounts[d]
			}
			for i := range s.coupons {
				if set>>i&1 == 1 {
					c.Coupons, r.Coupons = append(c.Coupons, s.coupons[i]), append(r.Coupons, &s.coupons[i])
				}
			}
			if p, refused := Price(s.items, c, s.maximum); refused == nil {
				if r.Total = p.Total; better(r, best) {
					best = r
				}
			}
		}
	}
	best.Saves, best.Proven = plain.Total-best.Total, true
	return best
}

func same(a, b Recommendation) bool {
	return a.Total == b.Total && a.Saves == b.Saves && a.Proven == b.Proven && !better(a, b) && !better(b, a)
}

// The recommendation is what trying everything finds, whatever the order in which things are named.
func TestRecommendEqualsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, 5, 7)
		want := brute(s)
		if got := Recommend(t.Context(), s.items, s.discounts, s.adjustments, s.coupons, s.maximum); !same(got, want) {
			t.Fatalf("recommended %+v, brute force %+v", got, want)
		}
		got := Recommend(t.Context(), rapid.Permutation(s.items).Draw(t, "items"), rapid.Permutation(s.discounts).Draw(t, "discounts"), s.adjustments, rapid.Permutation(s.coupons).Draw(t, "coupons"), s.maximum)
		if !same(got, want) {
			t.Fatalf("permuted: recommended %+v, brute force %+v", got, want)
		}
	})
}

// Of two equal coupons the second is better where a third one has its turn between them: it finds what the third left.
func TestRecommendEqualCouponsWithAnotherBetween(t *testing.T) {
	between := coupon(2, models.CouponCash, 10, "ecs")
	s := scene{maximum: 2, items: []Item{item(1, "ecs", 10), item(2, "db", 10)}, coupons: []models.Coupon{coupon(1, models.CouponCash, 6), between, coupon(3, models.CouponCash, 6)}}
	for i := range s.coupons {
		s.coupons[i].ValidTo = day
	}
	if got, want := s.recommend(), brute(s); !same(got, want) || got.Saves != 16 {
		t.Fatalf("recommended %+v, brute force %+v", got, want)
	}
}

// hard is as many different benefits as a checkout offers, on thirty orders.
func hard(coupons, discounts byte) (s scene) {
	s.maximum = 3
	for n := range byte(30) {
		s.items = append(s.items, item(n, products[n%3], 100_000+int64(n)))
	}
	for n := range discounts {
		s.discounts = append(s.discounts, discount(n, models.DiscountCommercial, int64(n+1)*models.PercentScale/10))
	}
	for n := range coupons {
		c := coupon(n, models.CouponCash, 1000+37*int64(n), products[n%3])
		if n%5 == 0 {
			c.Kind, c.ProductTypes = models.CouponVoucher, models.Texts{products[n%3], products[(n+1)%3]}
		}
		s.coupons = append(s.coupons, c)
	}
	return s
}

// tangled is benefits for overlapping products, of which a proof takes longer than the bound on work allows.
func tangled() (s scene) {
	random := rand.New(rand.NewPCG(1, 2))
	product := func() string { return string(rune('a' + random.IntN(12))) }
	s.maximum = 3
	for n := range byte(30) {
		s.items = append(s.items, item(n, product(), 1000+random.Int64N(100_000)))
	}
	for n := range byte(20) {
		s.discounts = append(s.discounts, discount(n, models.DiscountCommercial, random.Int64N(30*models.PercentScale)+1, product(), product(), product()))
	}
	for n := range byte(200) {
		c := coupon(n, models.CouponCash, 1000+random.Int64N(20_000), product(), product(), product(), product())
		if n%3 == 0 {
			c.Kind = models.CouponVoucher
		}
		s.coupons = append(s.coupons, c)
	}
	return s
}

// everything is as much of everything as an account can have, none like the other: each order has its own product, and each benefit is
// for half of them.
func everything(maximum int) (s scene) {
	random := rand.New(rand.NewPCG(3, 4))
	some := func() (out []string) {
		for n := range 30 {
			if random.IntN(2) == 0 {
				out = append(out, string(rune('A'+n)))
			}
		}
		return out
	}
	kinds := []models.DiscountKind{models.DiscountCommercial, models.DiscountPromotion, models.DiscountPartnerGranted}
	s.maximum = maximum
	for n := range byte(30) {
		s.items = append(s.items, item(n, string(rune('A'+n)), 1000+random.Int64N(100_000)))
	}
	for n := range byte(200) {
		s.discounts = append(s.discounts, discount(n, kinds[n%3], random.Int64N(30*models.PercentScale)+1, some()...))
		s.adjustments = append(s.adjustments, discount(n, models.DiscountPriceAdjustment, 1+random.Int64N(5*models.PercentScale), string(rune('A'+n%5))))
		c := coupon(n, models.CouponCash, 1000+random.Int64N(200_000), some()...)
		switch n % 5 {
		case 0:
			c.Kind = models.CouponVoucher
		case 1:
			c.NotWith = models.Texts{string(kinds[n%3])}
		}
		s.coupons = append(s.coupons, c)
	}
	return s
}

func (s scene) recommend() Recommendation {
	return Recommend(context.Background(), s.items, s.discounts, s.adjustments, s.coupons, s.maximum)
}

// As many benefits as a checkout offers on thirty orders: the bound on work holds, what is recommended can be paid, and is
// no worse than the best discount alone.
func TestRecommendIsBounded(t *testing.T) {
	for name, s := range map[string]scene{"many": hard(200, 200), "tangled": tangled(), "everything": everything(3), "everything, many on an order": everything(20)} {
		t.Run(name, func(t *testing.T) { bounded(t, s, name == "many") })
	}
}

func bounded(t *testing.T, s scene, proven bool) {
	var r Recommendation
	took := time.Hour
	for range 3 { // the quickest: others may have the machine meanwhile
		began := time.Now()
		r = s.recommend()
		took = min(took, time.Since(began))
	}
	c := Choice{Discount: r.Discount, Adjustments: s.adjustments}
	for _, k := range r.Coupons {
		c.Coupons = append(c.Coupons, *k)
	}
	p, refused := Price(s.items, c, s.maximum)
	if refused != nil || p.Total != r.Total || len(r.Coupons) == 0 {
		t.Fatalf("%+v %+v", refused, r)
	}
	if !slices.IsSortedFunc(r.Coupons, func(a, b *models.Coupon) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		t.Error("coupons are not in order")
	}
	for i := range s.discounts {
		if alone, _ := Price(s.items, Choice{Discount: &s.discounts[i], Adjustments: s.adjustments}, s.maximum); alone.Total <= r.Total {
			t.Errorf("discount %d alone costs %d, what is recommended %d", i, alone.Total, r.Total)
		}
	}
	if r.Proven != proven {
		t.Error("proven:", r.Proven)
	}
	t.Logf("%v, proven: %v, %d coupons", took, r.Proven, len(r.Coupons))
	if took > time.Second {
		t.Error("it took", took)
	}
}

// Nobody waits any more: what was found so far is enough.
func TestRecommendEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := everything(20)
	plain, _ := Price(s.items, Choice{Adjustments: s.adjustments}, s.maximum)
	if r := Recommend(ctx, s.items, s.discounts, s.adjustments, s.coupons, s.maximum); r.Proven || r.Total != plain.Total || r.Saves != 0 {
		t.Errorf("%+v", r)
	}
}

func BenchmarkRecommend(b *testing.B) {
	for name, s := range map[string]scene{"5 coupons, 2 discounts": hard(5, 2), "20 coupons, 5 discounts": hard(20, 5), "200 coupons, 200 discounts": hard(200, 200), "no proof": tangled(), "everything": everything(3), "everything, 20 on an order": everything(20)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.recommend()
			}
		})
	}
}
