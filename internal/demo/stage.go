package demo

import (
	"context"
	"fmt"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
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
func (s *stage) pay(a models.Account, o models.Order, total int64) {
	if s.err != nil {
		return
	}
	s.clock.now = s.clock.now.Add(7 * time.Minute)
	m := money.New(total, money.Currency(a.Currency))
	_, err := s.payments.Pay(s.ctx, payment.Payer{AccountID: a.ID, UserID: "demo", Locale: "zh-Hans"},
		payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Balance: &m}, ConfirmOutsideContract: true}})
	s.fail("pay "+o.Number, err)
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
