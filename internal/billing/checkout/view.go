package checkout

import (
	"context"
	"slices"
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/models"
)

// MaximumIDs bounds how many orders, and how many coupons, one query may name.
const MaximumIDs = 100

// Want says which costly parts of a view somebody will look at.
type Want struct{ Options, Recommendation, Funding bool }

// View is a quote as it is shown before a payment: everything that was asked for is in it, also what cannot be paid, with the cause.
type View struct {
	Quote   // Orders are all lines; Judgement is theirs
	Balance models.Balance
	Blocked []fault.Blocked
	Reasons []*fault.Fault // against the whole: NO_ORDERS, TOO_MANY_ORDERS, ALL_ORDERS_STATUS_CHANGED, COUPON_NOT_APPLICABLE, IDENTITY_REQUIRED, …
	Payable bool           // pay or mergePay would take it, once it is funded and what overlaps the contract is confirmed

	DiscountOptions []Option[models.Discount]
	CouponOptions   []Option[models.Coupon]
	Best            Recommendation
	Funding         []FundingOption

	items  []Item
	choice Choice
	offer  offer
}

// View quotes for the eye: it goes on where Quote would refuse. Coupons and a discount that were chosen and cannot be used are among
// the reasons, and the rest is priced without them. It reads a handful of statements, however many the orders, and writes nothing.
// Errors: fault.BadInput (more than MaximumIDs), fault.ErrNotFound (an id that is not the account's).
func (s *Service) View(ctx context.Context, r Request, want Want) (v View, err error) {
	if len(r.OrderIDs) > MaximumIDs || len(r.CouponIDs) > MaximumIDs {
		return v, fault.BadInput("orderIds, couponIds: at most 100 each")
	}
	var found bool
	if v.Account, v.Balance, found, err = s.Accounts.WithBalance(ctx, r.AccountID); err != nil || !found {
		return v, orNotFound(err)
	}
	ids := distinct(r.OrderIDs)
	if v.Paying, err = s.Orders.ForPayment(ctx, r.AccountID, ids); err != nil {
		return v, err
	}
	if len(v.Paying.Asked) < len(ids) {
		return v, fault.ErrNotFound
	}
	now := s.Clock.Now()
	v.settle(all(v.Paying))
	s.reason(&v, now)
	if v.offer, err = s.offered(ctx, v.Account, now); err != nil {
		return v, err
	}
	picked, err := s.pick(ctx, &v, r, now)
	if err != nil {
		return v, err
	}
	if sum := sound(v.Orders, v.Account, "orderIds"); sum != nil {
		v.Reasons = append(v.Reasons, sum)
		v.Orders = nil // what has no sum has no price
	}
	v.items = itemsOf(v.Orders)
	v.priceWith(picked, s.Policy.CouponMaximum())
	v.Discount, v.Coupons = v.choice.Discount, v.choice.Coupons
	v.ValidUntil = now
	if rest := v.Judgement.Remaining; len(rest) > 0 {
		v.ValidUntil = s.validUntil(rest, itemsOf(rest), v.choice, now)
	}
	v.Payable = len(v.Blocked) == 0 && len(v.Reasons) == 0
	return v, s.complete(ctx, &v, want)
}

// Describe shows a quote that was made for a payment: the new one of QUOTE_CHANGED. What PAY_REMAINING left out is among the blocked.
func (s *Service) Describe(ctx context.Context, q Quote, want Want) (v View, err error) {
	v = View{Quote: q, Blocked: q.Removed, Payable: true, items: itemsOf(q.Orders)}
	var found bool
	if v.Account, v.Balance, found, err = s.Accounts.WithBalance(ctx, q.Account.ID); err != nil || !found {
		return v, orNotFound(err)
	}
	if v.offer, err = s.offered(ctx, v.Account, s.Clock.Now()); err != nil {
		return v, err
	}
	v.choice = Choice{Discount: q.Discount, Adjustments: v.offer.adjustments, Coupons: q.Coupons}
	return v, s.complete(ctx, &v, want)
}

func orNotFound(err error) error {
	if err == nil {
		err = fault.ErrNotFound
	}
	return err
}

// reason collects what stands against the orders and the account.
func (s *Service) reason(v *View, now time.Time) {
	maximum, n := s.Policy.MergeMaximum(), len(v.Orders)
	v.Judgement = judge(v.Orders, now)
	v.Blocked = v.Judgement.Blocked
	switch {
	case n == 0:
		v.Reasons = append(v.Reasons, fault.New(CodeNoOrders, "input", "orderIds"))
	case n > maximum:
		v.Reasons = append(v.Reasons, tooMany(n, maximum, "orderIds"))
	}
	if len(v.Blocked) > 0 {
		if v.Judgement.Code = v.Judgement.gravest("", n > 1); v.Judgement.Code == CodeAllChanged { // HW-16
			v.Reasons = append(v.Reasons, fault.New(CodeAllChanged, "input", "orderIds").Because(&fault.OrdersNotPayable{Blocked: v.Blocked}))
		}
	}
	if f := s.Policy.CheckAccount(policy.CustomerOf(&v.Account), models.PurposeOrders); f != nil {
		v.Reasons = append(v.Reasons, f)
	}
}

// complete adds what somebody will look at.
func (s *Service) complete(ctx context.Context, v *View, want Want) (err error) {
	maximum := s.Policy.CouponMaximum()
	if want.Options {
		v.options(maximum)
	}
	if want.Recommendation {
		v.Best = v.recommended(ctx, maximum, s.Policy.MergeMaximum())
	}
	if want.Funding {
		v.Funding, err = s.funding(ctx, v)
	}
	return err
}

// recommended searches for the cheapest choice; a selection that is too large to be paid is not worth it.
func (v *View) recommended(ctx context.Context, maximum, orders int) Recommendation {
	if len(v.items) > orders {
		plain, _ := Price(v.items, Choice{Adjustments: v.choice.Adjustments}, maximum)
		return Recommendation{Total: plain.Total, Proven: true}
	}
	return Recommend(ctx, v.items, v.offer.discounts, v.offer.adjustments, v.offer.coupons, maximum)
}

// offer is what the account could use now.
type offer struct {
	coupons                []models.Coupon
	discounts, adjustments []models.Discount
	idle                   []Option[models.Coupon]  // locked to a payment, or chosen and not usable now
	idleDiscount           *Option[models.Discount] // likewise
}

func (s *Service) offered(ctx context.Context, a models.Account, now time.Time) (o offer, err error) {
	all, discounts, adjustments, err := s.Benefits.Usable(ctx, a.ID, a.Currency, now)
	o.discounts, o.adjustments = discounts, adjustments
	for _, c := range all {
		if reason := benefit.Reason(c, a.Currency, now); reason != "" {
			o.idle = append(o.idle, closed(c, "COUPON_NOT_APPLICABLE", reason))
		} else {
			o.coupons = append(o.coupons, c)
		}
	}
	return o, err
}

// pick is a chosen coupon and its place in the input.
type pick struct {
	coupon models.Coupon
	at     int
}

// pick finds what was chosen, among what is offered or in one more statement; what cannot be used now is a reason against the quote.
func (s *Service) pick(ctx context.Context, v *View, r Request, now time.Time) (picked []pick, err error) {
	v.choice.Adjustments = v.offer.adjustments
	if err := s.pickDiscount(ctx, v, r.DiscountID, now); err != nil {
		return nil, err
	}
	ids, missing := make([]models.ID, len(r.CouponIDs)), []models.ID(nil)
	for i, text := range r.CouponIDs {
		if ids[i], err = models.Decode(models.PrefixCoupon, text); err != nil {
			return nil, fault.ErrNotFound
		}
		if !slices.ContainsFunc(v.offer.coupons, func(c models.Coupon) bool { return c.ID == ids[i] }) {
			missing = append(missing, ids[i])
		}
	}
	others, err := s.Benefits.ByIDs(ctx, v.Account.ID, missing)
	if err != nil {
		return nil, err
	}
	known := slices.Concat(v.offer.coupons, others)
	for i, id := range ids {
		at := slices.IndexFunc(known, func(c models.Coupon) bool { return c.ID == id })
		if at < 0 {
			return nil, fault.ErrNotFound
		}
		reason := benefit.Reason(known[at], v.Account.Currency, now)
		switch {
		case slices.Contains(ids[:i], id):
			reason = benefit.ReasonTwice
		case reason != "" && !slices.ContainsFunc(v.offer.idle, func(o Option[models.Coupon]) bool { return o.Benefit.ID == id }):
			v.offer.idle = append(v.offer.idle, closed(known[at], "COUPON_NOT_APPLICABLE", reason))
		case reason == "" && at >= len(v.offer.coupons): // good, but not among the first that are offered
			v.offer.coupons = append(v.offer.coupons, known[at])
			known = slices.Concat(v.offer.coupons, others)
		}
		if reason != "" {
			v.Reasons = append(v.Reasons, benefit.Refuse(i, reason))
		} else {
			picked = append(picked, pick{known[at], i})
		}
	}
	return picked, nil
}

func (s *Service) pickDiscount(ctx context.Context, v *View, text string, now time.Time) error {
	if text == "" {
		return nil
	}
	id, err := models.Decode(models.PrefixDiscount, text)
	if err != nil {
		return fault.ErrNotFound
	}
	if slices.ContainsFunc(v.offer.adjustments, func(d models.Discount) bool { return d.ID == id }) {
		return nil // it is applied anyway (HW-R8)
	}
	for i := range v.offer.discounts {
		if v.offer.discounts[i].ID == id {
			v.choice.Discount = &v.offer.discounts[i]
			return nil
		}
	}
	rows, err := s.Benefits.DiscountsByIDs(ctx, v.Account.ID, []models.ID{id})
	if err != nil || len(rows) == 0 {
		return orNotFound(err)
	}
	d := &rows[0]
	reason := benefit.ReasonEarly
	switch {
	case !now.Before(d.ValidTo):
		reason = benefit.ReasonExpired
	case !now.Before(d.ValidFrom): // good, but not among the first that are offered
		v.offer.discounts = append(v.offer.discounts, *d)
		v.choice.Discount = &v.offer.discounts[len(v.offer.discounts)-1]
		return nil
	}
	o := closed(*d, "DISCOUNT_NOT_APPLICABLE", reason)
	v.offer.idleDiscount = &o
	v.Reasons = append(v.Reasons, benefit.Refuse(-1, reason))
	return nil
}

// priceWith prices what was chosen; what is refused is a reason against the quote, and the rest is priced without it.
func (v *View) priceWith(picked []pick, maximum int) {
	for {
		v.choice.Coupons = make([]models.Coupon, len(picked))
		for i, p := range picked {
			v.choice.Coupons[i] = p.coupon
		}
		priced, refusal := Price(v.items, v.choice, maximum)
		switch {
		case refusal == nil:
			v.Priced = priced
			return
		case refusal.Coupon < 0:
			v.choice.Discount = nil
			v.Reasons = append(v.Reasons, benefit.Refuse(-1, refusal.Reason))
		default:
			v.Reasons = append(v.Reasons, benefit.Refuse(picked[refusal.Coupon].at, refusal.Reason))
			picked = slices.Delete(picked, refusal.Coupon, refusal.Coupon+1)
		}
	}
}
