package payment

import (
	"context"
	"errors"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// Funding is exactly what the person chose; a part of zero counts as not given.
type Funding struct {
	Balance *money.Money
	Online  *Online
	Partner bool
}

// PayInput is one payment of one order and those linked to it.
type PayInput struct {
	OrderID                models.ID
	Funding                Funding
	CouponIDs              []string
	DiscountID             string
	ExpectedTotal          *money.Money // what the person saw; nil does not compare
	ConfirmOutsideContract bool
}

// Pay pays an order, with those linked to it, from the balance (HW-23) or through a channel (HW-28). From the balance it is
// done when it returns; through a channel the payment holds its orders until it ends. Faults: ORDER_NOT_FOUND, those of
// OrdersNotPayable, QUOTE_CHANGED, FUNDING_*, INSUFFICIENT_BALANCE (HW-24), IDENTITY_REQUIRED, ACCOUNT_NOT_ACTIVE,
// COUPON_NOT_APPLICABLE, DISCOUNT_NOT_APPLICABLE, those of CheckOnline and of the key.
func (s *Service) Pay(ctx context.Context, who Payer, in PayInput) (models.Payment, error) {
	var done models.Payment // what this very call paid from the balance: nothing has to be read again
	out, replayed, err := s.Keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		for range 5 {
			p, err := s.payOnce(ctx, who, in)
			if errors.Is(err, order.ErrChanged) {
				continue // judged again, it is a fault; unless what stood against it is gone
			}
			done = p
			return idempotency.Outcome{Kind: outcomeKind, Ref: p.ID}, err
		}
		return idempotency.Outcome{}, fault.New("ORDER_STATUS_CHANGED", "input", "orderId")
	})
	if err != nil {
		return models.Payment{}, err
	}
	if !replayed && done.Status == models.PaymentSucceeded {
		return done, nil
	}
	return s.resumed(ctx, who.AccountID, out.Ref)
}

// payOnce judges and pays; order.ErrChanged says that an order changed between the two.
func (s *Service) payOnce(ctx context.Context, who Payer, in PayInput) (models.Payment, error) {
	paying, err := s.Orders.ForPayment(ctx, who.AccountID, []models.ID{in.OrderID})
	if err != nil {
		return models.Payment{}, err
	}
	if f := s.judge(paying, in); f != nil {
		return models.Payment{}, f
	}
	shares, total, f := allocate(paying)
	if f != nil {
		return models.Payment{}, f
	}
	if in.ExpectedTotal != nil && *in.ExpectedTotal != total {
		return models.Payment{}, fault.New("QUOTE_CHANGED", "input", "expectedTotal").Because(&fault.QuoteChanged{Orders: all(paying), Total: total})
	}
	p := s.newPayment(who, models.PurposeOrders, total)
	if f := s.fund(&p, policy.CustomerOf(&paying.Account), in.Funding, total, soonest(paying)); f != nil {
		return models.Payment{}, f
	}
	if p.Channel == "" {
		return p, s.fromBalance(ctx, p, shares)
	}
	return p, s.throughChannel(ctx, p, shares)
}

func all(p order.Paying) []models.Order {
	return append(append([]models.Order{}, p.Asked...), p.Linked...)
}

// allocate is how the payment falls on its orders: each pays what it is due.
func allocate(p order.Paying) (shares []order.Share, total money.Money, f *fault.Fault) {
	orders := all(p)
	shares, total = make([]order.Share, len(orders)), money.Zero(currency(orders[0].Currency))
	for i, o := range orders {
		shares[i] = order.Share{OrderID: o.ID, Due: o.AmountDue}
		var err error
		if total, err = total.Add(money.New(o.AmountDue, currency(o.Currency))); err != nil {
			return nil, total, fault.New("AMOUNT_OUT_OF_RANGE", "input", "orderId")
		}
	}
	return shares, total, nil
}

// soonest is when the first of the orders lapses; nil where none does.
func soonest(p order.Paying) (end *time.Time) {
	for _, o := range all(p) {
		if o.ExpiresAt != nil && (end == nil || o.ExpiresAt.Before(*end)) {
			end = o.ExpiresAt
		}
	}
	return end
}

// fund checks what the person chose against the total and puts it on the payment.
func (s *Service) fund(p *models.Payment, c policy.Customer, f Funding, total money.Money, end *time.Time) *fault.Fault {
	balance, online, bad := parts(f, total.Currency)
	if bad != nil {
		return bad
	}
	switch {
	case f.Partner: // comes with the partners
		return fault.New("FUNDING_NOT_ALLOWED", "input", "funding", "partner")
	case balance != 0 && online != 0: // comes with the combined payments
		return fault.New("FUNDING_NOT_ALLOWED", "input", "funding")
	case balance+online != total.Minor, balance == 0 && online == 0 && f.Balance == nil:
		return fault.New("FUNDING_MISMATCH", "input", "funding").With("total", total)
	case online == 0:
		if f := s.Policy.CheckAccount(c, models.PurposeOrders); f != nil {
			return f
		}
		p.Status, p.BalanceAmount, p.CompletedAt = models.PaymentSucceeded, balance, &p.CreatedAt
		return nil
	}
	if f := s.checkOnline(c, models.PurposeOrders, *f.Online, "input", "funding", "online"); f != nil {
		return f
	}
	s.viaChannel(p, *f.Online, end)
	return nil
}

func parts(f Funding, c money.Currency) (balance, online int64, bad *fault.Fault) {
	for _, part := range []struct {
		amount *money.Money
		into   *int64
		path   []string
	}{{f.Balance, &balance, []string{"balance"}}, {f.Online.amount(), &online, []string{"online", "amount"}}} {
		if part.amount == nil {
			continue
		}
		path := append([]string{"input", "funding"}, part.path...)
		if part.amount.Currency != c {
			return 0, 0, fault.New("CURRENCY_MISMATCH", path...).With("currency", string(c))
		}
		if part.amount.Minor < 0 {
			return 0, 0, fault.New("AMOUNT_INVALID", path...)
		}
		*part.into = part.amount.Minor
	}
	return balance, online, nil
}

func (o *Online) amount() *money.Money {
	if o == nil {
		return nil
	}
	return &o.Amount
}

// fromBalance pays in one transaction: key, orders, payment, allocations, timeline, outbox, and the account's row last.
func (s *Service) fromBalance(ctx context.Context, p models.Payment, shares []order.Share) error {
	err := s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.Keys.Claim(ctx, idempotency.Outcome{Kind: outcomeKind, Ref: p.ID}); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayClaimed)
		if err := s.Orders.Take(ctx, p.AccountID, shares, p.CreatedAt); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayTaken)
		if err := s.write(ctx, p, shares); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayWritten)
		if err := s.Outbox.Add(ctx, p.AccountID, live.Payment(p.ID), live.Balance(p.AccountID)); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayTold)
		if p.Amount == 0 { // nothing to move
			return nil
		}
		m := ledger.Movement{AccountID: p.AccountID, Amount: money.New(p.Amount, currency(p.Currency)), Kind: models.KindOrderPayment, Reference: "pay:" + p.ID.String(),
			Book: models.BookRevenue, PaymentID: p.ID, At: p.CreatedAt}
		if len(shares) == 1 {
			m.OrderID = shares[0].OrderID
		}
		err := s.Ledger.Spend(ctx, m)
		failpoint.Hit(failpoint.PayBooked)
		return err
	})
	failpoint.Hit(failpoint.PayCommitted)
	return insufficient(err)
}

// insufficient tells the payer what is missing (HW-24).
func insufficient(err error) error {
	var short *ledger.InsufficientError
	if !errors.As(err, &short) {
		return err
	}
	have := short.Spendable
	if have.Minor < 0 {
		have.Minor = 0
	}
	missing := money.New(short.Required.Minor-have.Minor, have.Currency)
	return fault.New("INSUFFICIENT_BALANCE", "input", "funding", "balance").With("available", have).With("required", short.Required).With("shortfall", missing).
		Because(&fault.InsufficientBalance{Available: have, Required: short.Required, Shortfall: missing})
}

// throughChannel commits the intent, which holds the orders, and only then calls the channel.
func (s *Service) throughChannel(ctx context.Context, p models.Payment, shares []order.Share) error {
	err := s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.Keys.Claim(ctx, idempotency.Outcome{Kind: outcomeKind, Ref: p.ID}); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayClaimed)
		ids := make([]models.ID, len(shares))
		for i, sh := range shares {
			ids[i] = sh.OrderID
		}
		if err := s.Orders.Hold(ctx, p.AccountID, ids, p.ID, p.CreatedAt); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayTaken)
		if err := s.write(ctx, p, shares); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayWritten)
		return s.Outbox.Add(ctx, p.AccountID, live.Payment(p.ID))
	})
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.PayCommitted)
	return s.start(ctx, p)
}

// write inserts the payment, its allocations and its first event.
func (s *Service) write(ctx context.Context, p models.Payment, shares []order.Share) error {
	if err := s.create(ctx, p); err != nil {
		return err
	}
	query := make([]byte, 0, 128+len(shares)*16)
	query = append(query, "INSERT INTO payment_orders (account_id, payment_id, order_id, amount, discount, coupon, due, created_at) VALUES "...)
	args := make([]any, 0, 6*len(shares))
	for i, sh := range shares {
		if i > 0 {
			query = append(query, ',')
		}
		query = append(query, "(?,?,?,?,0,0,?,?)"...)
		args = append(args, p.AccountID, p.ID, sh.OrderID, sh.Due, sh.Due, p.CreatedAt)
	}
	_, err := s.DB.Exec(ctx, string(query), args...)
	return err
}
