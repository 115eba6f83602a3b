package checkout

import (
	"bytes"
	"cmp"
	"context"
	"math/bits"
	"slices"

	"paydesk/models"
)

// maxWork bounds the work of a recommendation, whatever an account has been granted: so many looks at most, where a look is one coupon
// looked at for one order or one group of orders, wherever that is done: finding what fits, sorting it, bounding, pricing. A look takes
// some fifteen nanoseconds of a core: with at most 200 coupons and 200 discounts (package benefit) thirty orders take some 80 ms of it, on
// a busy machine 200, a usual account less than one (BenchmarkRecommend). Each discount gets its share of what is left, so that every
// discount is tried. What is best among all that was priced is recommended; as long as no share runs out, that is provably the cheapest.
const maxWork = 5_000_000

// spread is how many looks it takes to spread a coupon over one order (money.Allocate).
const spread = 8

// Recommendation is the cheapest allowed combination of discount and coupons.
type Recommendation struct {
	Discount *models.Discount // nil for none
	Coupons  []*models.Coupon // by id
	Total    int64
	Saves    int64 // less than without any of them, price adjustments excepted
	Proven   bool  // false where the bound on work ended the search
}

// Recommend searches discounts × sets of coupons by branch and bound, at most until ctx is over. Discounts can be chosen, coupons can be
// used: both are valid now. Equal totals go to fewer coupons, then to no discount or the smaller id, then to the smaller ids of coupons.
func Recommend(ctx context.Context, items []Item, discounts, adjustments []models.Discount, coupons []models.Coupon, maximum int) Recommendation {
	options := optionsOf(items, discounts, adjustments, maximum)
	full := options[0].total
	s := search{best: Recommendation{Total: full}, turns: turnsOf(&options[0].pricing, coupons)}
	slices.SortStableFunc(options, func(a, b option) int { return cmp.Compare(a.total, b.total) }) // a cheap start spares work
	work := maxWork - len(items)*(len(options)+len(coupons))
	for i, o := range options {
		if ctx.Err() != nil {
			s.cut = true
			break
		}
		share := max(work, 0) / (len(options) - i)
		s.work = share
		s.try(o)
		work -= share - s.work
	}
	s.best.Saves, s.best.Proven = full-s.best.Total, !s.cut
	return s.best
}

// option is the list under one discount, or none.
type option struct {
	pricing  pricing
	discount *models.Discount
	total    int64 // without coupons
}

// optionsOf begins with no discount; the others fit an order.
func optionsOf(items []Item, discounts, adjustments []models.Discount, maximum int) []option {
	adjustments = applying(items, adjustments)
	plain, _ := discounted(items, nil, adjustments, maximum)
	out := []option{{plain, nil, plain.sum(nil).Total}}
	for i := range discounts {
		if p, fits := discounted(items, &discounts[i], adjustments, maximum); fits {
			out = append(out, option{p, &discounts[i], p.sum(nil).Total})
		}
	}
	return out
}

// applying are the price adjustments that any order has: the same whatever is chosen.
func applying(items []Item, adjustments []models.Discount) (out []models.Discount) {
	used := map[*models.Discount]bool{}
	for _, it := range items {
		used[discountOf(it, nil, adjustments)] = true
	}
	for i := range adjustments {
		if used[&adjustments[i]] {
			out = append(out, adjustments[i])
		}
	}
	return out
}

// turned is a coupon in the order of turns, with the orders it is for.
type turned struct {
	coupon  *models.Coupon
	fitting []int
}

func turnsOf(p *pricing, coupons []models.Coupon) []turned {
	out := make([]turned, len(coupons))
	for i := range coupons {
		out[i] = turned{&coupons[i], p.fitting(&coupons[i])}
	}
	slices.SortFunc(out, func(a, b turned) int { return turn(a.coupon, b.coupon) })
	return out
}

type search struct {
	best  Recommendation
	work  int  // looks that the option at hand may still take
	cut   bool // they did not suffice, here or before, or nobody waits any more
	turns []turned

	option
	open    []candidate
	groups  []group
	chosen  []int     // positions in open
	set     []applied // the same, in turn
	taken   []bool    // the same, by turn
	on      []int     // how many of them each order has
	voucher []bool    // whether one of them is a voucher
}

// candidate is a coupon that could be used; most is the most it could save, worth that shared evenly among its orders, at its turn, twin
// the turn of the one just before that is its equal.
type candidate struct {
	applied
	most  int64
	worth float64
	at    int
	twin  int // −1 for none
}

// group is orders that the same candidates fit, with these by what they could save of one of its orders, the most first.
type group struct {
	orders     []int
	fits       []uint64 // the candidates once more, a bit each
	candidates []int
}

// try looks for the best set of coupons under one discount.
func (s *search) try(o option) {
	s.option, s.chosen, s.set = o, nil, nil
	s.on, s.voucher, s.taken = make([]int, len(o.pricing.items)), make([]bool, len(o.pricing.items)), make([]bool, len(s.turns))
	s.weigh() // the discount alone, whatever work is left
	if s.candidates(); s.work < 0 {
		s.cut = true
		return
	}
	s.group()
	s.extend(0)
}

// candidates are the coupons that could be used alone, those that could save most first.
func (s *search) candidates() {
	s.open = make([]candidate, 0, len(s.turns))
	for at, t := range s.turns {
		s.work -= 1 + len(t.fitting)
		a, spend, reason := s.pricing.among(t.coupon, t.fitting)
		most := min(t.coupon.Remaining, spend)
		if reason != "" || most <= 0 {
			continue
		}
		c := candidate{a, most, float64(most) / float64(len(a.orders)), at, -1}
		if n := len(s.open); n > 0 && equal(s.open[n-1].coupon, t.coupon) {
			c.twin = s.open[n-1].at
		}
		s.open = append(s.open, c)
	}
	s.work -= ordering(len(s.open))
	slices.SortFunc(s.open, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.most, a.most), bytes.Compare(a.coupon.ID[:], b.coupon.ID[:]))
	})
}

// ordering is how many looks it takes to sort n.
func ordering(n int) int { return n * bits.Len(uint(n)) }

// equal: two coupons that one grant gave, for example, of which one is as good as the other.
func equal(a, b *models.Coupon) bool {
	return a.Kind == b.Kind && a.Remaining == b.Remaining && a.MinimumSpend == b.MinimumSpend && a.ValidTo.Equal(b.ValidTo) &&
		slices.Equal(a.ProductTypes, b.ProductTypes) && slices.Equal(a.NotWith, b.NotWith)
}

// group finds the groups of orders.
func (s *search) group() {
	words := (len(s.open) + 63) / 64
	fits := make([]uint64, words*len(s.pricing.items))
	byWorth := make([]int, len(s.open))
	for i, c := range s.open {
		byWorth[i] = i
		for _, at := range c.orders {
			fits[at*words+i/64] |= 1 << (i % 64)
		}
		s.work -= len(c.orders)
	}
	s.work -= ordering(len(s.open))
	slices.SortStableFunc(byWorth, func(a, b int) int { return cmp.Compare(s.open[b].worth, s.open[a].worth) })
	s.groups = nil
	for at := range s.pricing.items {
		mine := fits[at*words : (at+1)*words]
		s.work -= 1 + len(s.groups)*words
		if i := slices.IndexFunc(s.groups, func(g group) bool { return slices.Equal(g.fits, mine) }); i >= 0 {
			s.groups[i].orders = append(s.groups[i].orders, at)
			continue
		}
		g := group{orders: []int{at}, fits: mine}
		for _, i := range byWorth {
			if mine[i/64]>>(i%64)&1 == 1 {
				g.candidates = append(g.candidates, i)
			}
		}
		s.work -= len(byWorth)
		s.groups = append(s.groups, g)
	}
}

// extend tries every allowed set that begins with the chosen ones and goes on with candidates from here.
func (s *search) extend(from int) {
	for i := from; i < len(s.open); i++ {
		if !s.promising(i) {
			return // fewer candidates promise less
		}
		if s.work < 0 {
			s.cut = true
			return
		}
		c := &s.open[i]
		if c.twin >= 0 && !s.taken[c.twin] { // the set with its twin instead is the same set
			continue
		}
		if !s.room(c) {
			continue
		}
		s.push(i)
		s.weigh()
		s.extend(i + 1)
		s.pop(i)
	}
}

// room: may the candidate stand beside the chosen ones (C7)?
func (s *search) room(c *candidate) bool {
	s.work -= len(c.orders)
	for _, at := range c.orders {
		if s.on[at] >= s.pricing.maximum || c.coupon.Kind == models.CouponVoucher && s.voucher[at] {
			return false
		}
	}
	return true
}

func (s *search) push(i int) {
	c := &s.open[i]
	at, _ := slices.BinarySearchFunc(s.set, c.applied, func(a, b applied) int { return turn(a.coupon, b.coupon) })
	s.chosen, s.set = append(s.chosen, i), slices.Insert(s.set, at, c.applied)
	s.count(c, 1)
}

func (s *search) pop(i int) {
	c := &s.open[i]
	s.chosen = s.chosen[:len(s.chosen)-1]
	s.set = slices.DeleteFunc(s.set, func(a applied) bool { return a.coupon == c.coupon })
	s.count(c, -1)
}

func (s *search) count(c *candidate, n int) {
	s.taken[c.at] = n > 0
	for _, at := range c.orders {
		s.on[at] += n
		if c.coupon.Kind == models.CouponVoucher {
			s.voucher[at] = n > 0
		}
	}
}

// promising: could the chosen ones, with candidates from here on, be better than the best? What a candidate could save is shared evenly
// among its orders; then no order saves more than those chosen for it and the best others that it has room for, one voucher at most.
// Fractions are rounded so that too much is promised, never too little.
func (s *search) promising(from int) bool {
	s.work -= len(s.chosen) + len(s.groups)
	saves := 0.0
	for _, i := range s.chosen {
		saves += float64(s.open[i].most)
	}
	for g := range s.groups {
		saves += s.promise(&s.groups[g], from)
	}
	least := int64(0)
	if saves = saves*(1+1e-12) + 1e-6; saves < float64(s.total) {
		least = s.total - int64(saves)
	}
	return least < s.best.Total || least == s.best.Total && len(s.chosen) < len(s.best.Coupons)
}

// promise is what candidates from here on could add for the orders of a group.
func (s *search) promise(g *group, from int) (saves float64) {
	first := g.orders[0] // what fits one of them fits all
	room, voucher := s.pricing.maximum-s.on[first], s.voucher[first]
	for _, i := range g.candidates {
		if room == 0 {
			break
		}
		s.work--
		if i < from {
			continue
		}
		if s.open[i].coupon.Kind == models.CouponVoucher {
			if voucher {
				continue
			}
			voucher = true
		}
		saves += s.open[i].worth
		room--
	}
	return saves * float64(len(g.orders))
}

// weigh prices the chosen set and keeps it where it is better.
func (s *search) weigh() {
	s.work -= len(s.pricing.lines)
	for _, a := range s.set {
		s.work -= spread * len(a.orders)
	}
	if _, idle := s.pricing.apply(s.set); idle != nil {
		return // the same without it costs as much
	}
	total := int64(0)
	for i := range s.pricing.lines {
		total += s.pricing.lines[i].Due
	}
	if total > s.best.Total {
		return
	}
	r := Recommendation{Discount: s.discount, Total: total}
	for _, a := range s.set {
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
