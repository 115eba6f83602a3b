package checkout

import (
	"context"
	"slices"
	"strconv"
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/money"
	"paydesk/models"
)

// Request is what is to be paid, and with what taken off.
type Request struct {
	AccountID    models.ID
	OrderIDs     []models.ID
	CouponIDs    []string
	DiscountID   string
	PayRemaining bool   // leave out what changed and pay the rest (merged payments alone)
	Merged       bool   // mergePay; otherwise pay, of one order
	Field        string // where the ids stand in the input: "orderId" or "orderIds"; empty goes by Merged
}

// Quote is what a payment would pay. Orders, Removed and AutoSelected are different orders; Lines of Priced are in the order of Orders.
type Quote struct {
	Paying          order.Paying
	Account         models.Account // the facts that decide about paying, see order.Paying
	Orders          []models.Order // those to be paid: asked ones first, then linked ones
	AutoSelected    []models.Order // those of Orders that are paid because they are linked
	Judgement       Judgement      // of everything that was asked for
	Removed         []fault.Blocked
	Priced          Priced
	Discount        *models.Discount // the chosen one
	Coupons         []models.Coupon  // the chosen ones, as they were priced with
	ValidUntil      time.Time        // the first end of an order, a discount or a coupon in it (HW-25, HW-R2, D4)
	OutsideContract []models.Order   // those of Orders that need confirmOutsideContract (HW-20)
}

// Changed is the detail of QUOTE_CHANGED: the quote as it now is.
type Changed struct{ Quote Quote }

// Total is what has to be paid, in the account's currency.
func (q Quote) Total() money.Money {
	return money.New(q.Priced.Total, money.Currency(q.Account.Currency))
}

// Quote judges and prices for pay and mergePay; it reads a handful of statements, however many the orders, and writes nothing.
// Faults: NO_ORDERS, TOO_MANY_ORDERS, ORDER_NOT_FOUND, those of OrdersNotPayable (Judge), CURRENCY_MISMATCH, AMOUNT_OUT_OF_RANGE,
// COUPON_NOT_APPLICABLE at input.couponIds.<index>, DISCOUNT_NOT_APPLICABLE at input.discountId. What the account itself may not
// do (policy.CheckAccount) is for those who know what it is funded from.
func (s *Service) Quote(ctx context.Context, r Request) (Quote, error) {
	if r.Field == "" {
		r.Field = fieldOf(r.Merged)
	}
	ids := distinct(r.OrderIDs)
	if maximum := s.Policy.MergeMaximum(); len(ids) > maximum {
		return Quote{}, tooMany(len(ids), maximum, r.Field)
	}
	if len(ids) == 0 {
		return Quote{}, fault.New(CodeNoOrders, "input", r.Field)
	}
	p, err := s.Orders.ForPayment(ctx, r.AccountID, ids)
	if err != nil {
		return Quote{}, err
	}
	if len(p.Asked) < len(ids) {
		return Quote{}, notFound(r, p)
	}
	now := s.Clock.Now()
	q := Quote{Paying: p, Account: p.Account}
	var f *fault.Fault
	if q.Judgement, f = Judge(p, now, s.Policy.MergeMaximum(), r.Merged); f != nil {
		if !r.PayRemaining || !q.Judgement.MayRemain() {
			f.Field = []string{"input", r.Field}
			return Quote{}, f
		}
		q.Removed = q.Judgement.Blocked
	}
	q.settle(q.Judgement.Remaining)
	return q, s.price(ctx, &q, r, now)
}

// notFound names the first id that is not there; a list by its place.
func notFound(r Request, p order.Paying) *fault.Fault {
	f := fault.New(order.CodeNotFound, "input", r.Field)
	if r.Field == "orderIds" {
		missing := slices.IndexFunc(r.OrderIDs, func(id models.ID) bool {
			return !slices.ContainsFunc(p.Asked, func(o models.Order) bool { return o.ID == id })
		})
		f.Field = append(f.Field, strconv.Itoa(missing))
	}
	return f
}

// settle puts the orders that are to be paid into the quote.
func (q *Quote) settle(orders []models.Order) {
	q.Orders = orders
	for _, o := range orders {
		if o.OutsideContract {
			q.OutsideContract = append(q.OutsideContract, o)
		}
		if slices.ContainsFunc(q.Paying.Linked, func(l models.Order) bool { return l.ID == o.ID }) {
			q.AutoSelected = append(q.AutoSelected, o)
		}
	}
}

// price takes off what was chosen.
func (s *Service) price(ctx context.Context, q *Quote, r Request, now time.Time) error {
	if f := sound(q.Orders, q.Account, r.Field); f != nil {
		return f
	}
	var choice Choice
	if q.Paying.Adjusted || r.DiscountID != "" || len(r.CouponIDs) > 0 {
		var err error
		if choice, err = s.choice(ctx, q.Account, r, now); err != nil {
			return err
		}
	}
	q.Discount, q.Coupons = choice.Discount, choice.Coupons
	items := itemsOf(q.Orders)
	priced, refusal := Price(items, choice, s.Policy.CouponMaximum())
	if refusal != nil {
		return benefit.Refuse(refusal.Coupon, refusal.Reason)
	}
	q.Priced, q.ValidUntil = priced, s.validUntil(q.Orders, items, choice, now)
	return nil
}

func (s *Service) choice(ctx context.Context, a models.Account, r Request, now time.Time) (c Choice, err error) {
	c.Coupons, c.Discount, c.Adjustments, err = s.Benefits.Chosen(ctx, r.AccountID, r.CouponIDs, r.DiscountID, a.Currency, now)
	return c, err
}

// sound: orders are in the account's currency and their sum is an amount.
func sound(orders []models.Order, a models.Account, field string) *fault.Fault {
	sum := money.Zero(money.Currency(a.Currency))
	for _, o := range orders {
		if o.Currency != a.Currency {
			return fault.New("CURRENCY_MISMATCH", "input", field).With("currency", a.Currency)
		}
		var err error
		if sum, err = sum.Add(money.New(o.AmountDue, sum.Currency)); err != nil {
			return fault.New("AMOUNT_OUT_OF_RANGE", "input", field)
		}
	}
	return nil
}

func itemsOf(orders []models.Order) []Item {
	items := make([]Item, len(orders))
	for i, o := range orders {
		items[i] = Item{ID: o.ID, ProductType: o.ProductType, Amount: o.AmountDue, Postpaid: o.ChargingMode == models.Postpaid}
	}
	return items
}

// validUntil is the first end of what is in the quote. Orders without an end are quoted for as long as a new order is valid.
func (s *Service) validUntil(orders []models.Order, items []Item, c Choice, now time.Time) time.Time {
	end := now.Add(s.Policy.OrderValidity())
	first := func(t time.Time) {
		if t.Before(end) {
			end = t
		}
	}
	for i, o := range orders {
		if o.ExpiresAt != nil {
			first(*o.ExpiresAt)
		}
		if d := discountOf(items[i], c.Discount, c.Adjustments); d != nil {
			first(d.ValidTo)
		}
	}
	for _, k := range c.Coupons {
		first(k.ValidTo)
	}
	return end
}

func distinct(ids []models.ID) []models.ID {
	seen, out := make(map[models.ID]bool, len(ids)), make([]models.ID, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
