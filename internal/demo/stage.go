package demo

import (
	"context"
	"fmt"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/refund"
	"paydesk/internal/money"
	"paydesk/internal/platform/locale"
	"paydesk/models"
)

// stage is where the story is played: each method is one thing that happened. After the first error nothing happens
// any more, and err has it.
type stage struct {
	ctx      context.Context
	err      error
	clock    *pastClock
	end      time.Time // now
	policy   *policy.Policy
	accounts *account.Service
	orders   *order.Service
	ledger   *ledger.Ledger
	payments *payment.Service
	benefits *benefit.Service
	refunds  *refund.Service
	numbers  int
}

const day = 24 * time.Hour

// ago moves the story to a time before now.
func (s *stage) ago(d time.Duration) { s.clock.now = s.end.Add(-d) }

// open makes an account; false where the policy has no place for it.
func (s *stage) open(o account.Opening) (models.Account, bool) {
	if s.err != nil || !s.policy.RegionExists(o.Region) || !s.policy.CurrencyAllowed(o.SigningEntity, money.Currency(o.Currency)) {
		return models.Account{}, false
	}
	a, err := s.accounts.Open(s.ctx, o)
	s.fail("open "+o.Number, err)
	return a, s.err == nil
}

// credit gives an account its money: an entry in the ledger like any other.
func (s *stage) credit(a models.Account, amount string) {
	m, err := money.Parse(amount, money.Currency(a.Currency))
	if s.fail("credit", err); s.err != nil {
		return
	}
	s.fail("credit", s.ledger.Receive(s.ctx, ledger.Movement{AccountID: a.ID, Amount: m, Kind: models.KindAdjustment,
		Reference: "demo:" + s.clock.now.Format(time.RFC3339), Book: "adjustment", At: s.clock.now}))
}

// buy places orders, each of one product.
func (s *stage) buy(a models.Account, products ...product) []models.Order {
	return s.place(a, false, products)
}

// bundle places orders that are one combined purchase.
func (s *stage) bundle(a models.Account, products ...product) []models.Order {
	return s.place(a, true, products)
}

func (s *stage) place(a models.Account, bundle bool, products []product) []models.Order {
	if s.err != nil {
		return nil
	}
	p := order.Placement{AccountID: a.ID, Bundle: bundle}
	for _, pr := range products {
		s.numbers++
		minor := pr.yuan
		if a.Currency == "USD" {
			minor = pr.dollars
		}
		amount := money.New(minor*int64(pr.quantity), money.Currency(a.Currency))
		n := order.NewOrder{Number: fmt.Sprintf("CS26%08d", s.numbers), Type: pr.orderType, ProductType: pr.kind, ChargingMode: pr.mode, Status: pr.status, OutsideContract: pr.outside}
		n.Items = []order.NewItem{{Name: pr.name, Specification: pr.spec, Quantity: pr.quantity, Period: pr.period,
			Amount: input.Amount{Decimal: amount.Decimal(), Currency: a.Currency}}}
		p.Orders = append(p.Orders, n)
	}
	placed, err := s.orders.Place(s.ctx, p)
	s.fail("place", err)
	return placed
}

// pay pays an order from the balance a few minutes later, with those linked to it.
func (s *stage) pay(a models.Account, o models.Order, total int64) models.Payment {
	return s.payWith(a, o, total, nil, "")
}

// payWith does so with coupons and a discount; total is what is then due.
func (s *stage) payWith(a models.Account, o models.Order, total int64, coupons []models.Coupon, discount string) models.Payment {
	m := money.New(total, money.Currency(a.Currency))
	agreed := payment.Agreed{Funding: payment.Funding{Balance: &m}, DiscountID: discount, ConfirmOutsideContract: true}
	for _, c := range coupons {
		agreed.CouponIDs = append(agreed.CouponIDs, c.ID.Encode(models.PrefixCoupon))
	}
	return s.settle(a, o, agreed)
}

// ask lets the account's partner be asked to pay (HW-35).
func (s *stage) ask(a models.Account, o models.Order, message string) models.Payment {
	return s.settle(a, o, payment.Agreed{Funding: payment.Funding{Partner: &payment.PartnerPart{Message: message}}})
}

func (s *stage) settle(a models.Account, o models.Order, agreed payment.Agreed) (p models.Payment) {
	if s.err != nil {
		return p
	}
	s.clock.now = s.clock.now.Add(7 * time.Minute)
	p, err := s.payments.Pay(s.ctx, payment.Payer{AccountID: a.ID, UserID: "demo", Locale: locale.OfCountry(a.Country)}, payment.PayInput{OrderID: o.ID, Agreed: agreed})
	s.fail("pay "+o.Number, err)
	return p
}

// approve lets a partner pay what it was asked for (HW-R21).
func (s *stage) approve(partner models.ID, p models.Payment) {
	if s.err == nil {
		s.clock.now = s.clock.now.Add(3 * time.Hour)
		_, err := s.payments.ApprovePartner(s.ctx, payment.Payer{AccountID: partner, UserID: "demo", Locale: locale.SimplifiedChinese}, p.ID)
		s.fail("approve", err)
	}
}

// charge ends what a POSTPAID order froze: so much of it was used.
func (s *stage) charge(o models.Order, used int64) {
	if s.err == nil {
		s.clock.now = s.clock.now.Add(day)
		_, err := s.payments.SettleFreeze(s.ctx, o.ID, money.New(used, money.Currency(o.Currency)))
		s.fail("charge "+o.Number, err)
	}
}

// refund gives a part of a payment back, a day later.
func (s *stage) refund(p models.Payment, amount int64, reason string) {
	if s.err == nil {
		s.clock.now = s.clock.now.Add(day)
		m := money.New(amount, money.Currency(p.Currency))
		_, err := s.refunds.Refund(s.ctx, refund.Input{PaymentID: p.ID, Amount: &m, Reason: reason, By: "demo"})
		s.fail("refund "+p.Number, err)
	}
}

// grant gives an account coupons, good for days from now.
func (s *stage) grant(a models.Account, g benefit.Coupons, amount string, days int) []models.Coupon {
	if s.err != nil {
		return nil
	}
	g.AccountID, g.Face = a.ID, input.Amount{Decimal: amount, Currency: a.Currency}
	g.ValidTo = s.clock.now.Add(time.Duration(days) * day)
	out, err := s.benefits.Grant(s.ctx, g)
	s.fail("grant "+g.Name, err)
	return out
}

// discount gives an account a discount, good for days from now; it returns its id as clients write it.
func (s *stage) discount(a models.Account, kind models.DiscountKind, name, percent string, days int, products ...string) string {
	if s.err != nil {
		return ""
	}
	d, err := s.benefits.GrantDiscount(s.ctx, benefit.Discount{AccountID: a.ID, Name: name, Kind: kind, PercentOff: percent, ProductTypes: products,
		ValidTo: s.clock.now.Add(time.Duration(days) * day)})
	s.fail("discount "+name, err)
	return d.ID.Encode(models.PrefixDiscount)
}

// bought is an order that was placed, paid and delivered.
func (s *stage) bought(a models.Account, ago time.Duration, products ...product) {
	s.ago(ago)
	for _, o := range s.buy(a, products...) {
		s.pay(a, o, o.AmountDue)
		s.deliver(o, true)
	}
}

func (s *stage) deliver(o models.Order, delivered bool) {
	if s.err == nil {
		s.clock.now = s.clock.now.Add(2 * time.Minute)
		_, err := s.orders.ReportDelivery(s.ctx, o.ID, delivered, "")
		s.fail("deliver "+o.Number, err)
	}
}

func (s *stage) cancel(o models.Order) {
	if s.err == nil {
		_, err := s.orders.Cancel(s.ctx, o.AccountID, o.ID)
		s.fail("cancel "+o.Number, err)
	}
}

// lapse lets pass what was not paid in time (HW-3).
func (s *stage) lapse() {
	if s.err == nil {
		_, err := s.orders.ExpireDue(s.ctx, s.clock.now, 100)
		s.fail("expire", err)
	}
}

func (s *stage) fail(what string, err error) {
	if s.err == nil && err != nil {
		s.err = fmt.Errorf("demo: %s: %w", what, err)
	}
}
