package checkout

import (
	"bytes"
	"slices"

	"paydesk/models"
)

// maxSets bounds the work of a recommendation: so many sets of coupons are priced at most, over all discounts, which takes a few tens
// of milliseconds with thirty orders. What is best among them is recommended; as long as the bound is not met, that is provably the
// cheapest there is.
const maxSets = 20_000

// Recommendation is the cheapest allowed combination of discount and coupons.
type Recommendation struct {
	Discount *models.Discount // nil for none
	Coupons  []*models.Coupon // by id
	Total    int64
	Saves    int64 // less than without any of them, price adjustments excepted
	Proven   bool  // false where the bound on work ended the search
}

// Recommend searches discounts × sets of coupons by branch and bound. Discounts can be chosen, coupons can be used: both are valid
// now. Equal totals go to fewer coupons, then to no discount or the smaller id, then to the smaller ids of coupons.
func Recommend(items []Item, discounts, adjustments []models.Discount, coupons []models.Coupon, maximum int) Recommendation {
	s := search{left: maxSets}
	plain, _ := discounted(items, nil, adjustments, maximum)
	full := plain.sum(nil).Total
	s.best = Recommendation{Total: full}
	s.try(plain, nil, coupons)
	for _, d := range slices.SortedFunc(slices.Values(pointers(discounts)), func(a, b *models.Discount) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		if p, fits := discounted(items, d, adjustments, maximum); fits {
			s.try(p, d, coupons)
		}
	}
	s.best.Saves, s.best.Proven = full-s.best.Total, s.left > 0
	return s.best
}

func pointers[T any](values []T) []*T {
	out := make([]*T, len(values))
	for i := range values {
		out[i] = &values[i]
	}
	return out
}

type search struct {
	best Recommendation
	left int // sets that may still be priced

	pricing  pricing
	discount *models.Discount
	open     []candidate
	total    int64 // without coupons
	chosen   []applied
}

// candidate is a coupon that could be used; most is the most it could save, twin the candidate before it that is its equal.
type candidate struct {
	applied
	most int64
	twin int // −1 for none
}

// try looks for the best set of coupons under one discount.
func (s *search) try(p pricing, d *models.Discount, coupons []models.Coupon) {
	s.pricing, s.discount, s.chosen = p, d, nil
	s.total = p.sum(nil).Total
	s.open = s.candidates(coupons)
	s.weigh()
	s.extend(0)
}

// candidates are the coupons that could be used alone, those that could save most first.
func (s *search) candidates(coupons []models.Coupon) (out []candidate) {
	for i := range coupons {
		a, reason := s.pricing.eligible(&coupons[i])
		if reason != "" {
			continue
		}
		sum := int64(0)
		for _, at := range a.orders {
			sum += s.pricing.lines[at].Due
		}
		if most := min(coupons[i].Remaining, sum); most > 0 {
			out = append(out, candidate{a, most, -1})
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		if a.most != b.most {
			if a.most > b.most {
				return -1
			}
			return 1
		}
		return bytes.Compare(a.coupon.ID[:], b.coupon.ID[:])
	})
	for i := range out {
		for j := i - 1; j >= 0 && out[j].most == out[i].most; j-- {
			if equal(out[j].coupon, out[i].coupon) {
				out[i].twin = j
				break
			}
		}
	}
	return out
}

// equal: two coupons that one grant gave, for example, of which one is as good as the other.
func equal(a, b *models.Coupon) bool {
	return a.Kind == b.Kind && a.Remaining == b.Remaining && a.MinimumSpend == b.MinimumSpend && a.ValidTo.Equal(b.ValidTo) &&
		slices.Equal(a.ProductTypes, b.ProductTypes) && slices.Equal(a.NotWith, b.NotWith)
}

// extend tries every allowed set that begins with the chosen ones and goes on with candidates from here.
func (s *search) extend(from int) {
	for i := from; i < len(s.open) && s.left > 0; i++ {
		if !s.promising(i) {
			return // candidates get smaller: what follows promises less
		}
		c := s.open[i]
		if c.twin >= 0 && !s.has(s.open[c.twin]) { // the set with its twin instead is the same set
			continue
		}
		if s.pricing.beside(s.chosen, c.applied) != "" {
			continue
		}
		s.chosen = append(s.chosen, c.applied)
		s.weigh()
		s.extend(i + 1)
		s.chosen = s.chosen[:len(s.chosen)-1]
	}
}

func (s *search) has(c candidate) bool {
	return slices.ContainsFunc(s.chosen, func(a applied) bool { return a.coupon == c.coupon })
}

// promising: could the chosen ones, with candidates from here on, be better than the best? No coupon saves more than its most, an order
// has at most so many of them, and nothing costs less than nothing.
func (s *search) promising(from int) bool {
	saves, room := int64(0), s.pricing.maximum*len(s.pricing.items)-len(s.chosen)
	for _, a := range s.chosen {
		saves += s.mostOf(a)
	}
	for i := from; i < len(s.open) && room > 0; i++ {
		saves += s.open[i].most
		room--
		if saves >= s.total {
			break
		}
	}
	least := max(0, s.total-saves)
	return least < s.best.Total || least == s.best.Total && len(s.chosen)+1 <= len(s.best.Coupons)
}

func (s *search) mostOf(a applied) int64 {
	for _, c := range s.open {
		if c.coupon == a.coupon {
			return c.most
		}
	}
	return 0
}

// weigh prices the chosen set and keeps it where it is better.
func (s *search) weigh() {
	s.left--
	if _, idle := s.pricing.apply(s.chosen); idle != nil {
		return // the same without it costs as much
	}
	total := int64(0)
	for i := range s.pricing.lines {
		total += s.pricing.lines[i].Due
	}
	r := Recommendation{Discount: s.discount, Total: total}
	for _, a := range s.chosen {
		r.Coupons = append(r.Coupons, a.coupon)
	}
	slices.SortFunc(r.Coupons, func(a, b *models.Coupon) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	if better(r, s.best) {
		s.best = r
	}
}

// better compares in the order that Recommend promises.
func better(a, b Recommendation) bool {
	switch {
	case a.Total != b.Total:
		return a.Total < b.Total
	case len(a.Coupons) != len(b.Coupons):
		return len(a.Coupons) < len(b.Coupons)
	case (a.Discount == nil) != (b.Discount == nil):
		return a.Discount == nil
	case a.Discount != nil && a.Discount.ID != b.Discount.ID:
		return bytes.Compare(a.Discount.ID[:], b.Discount.ID[:]) < 0
	}
	return slices.CompareFunc(a.Coupons, b.Coupons, func(x, y *models.Coupon) int { return bytes.Compare(x.ID[:], y.ID[:]) }) < 0
}
