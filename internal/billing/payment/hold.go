package payment

import (
	"context"

	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// throughChannel commits the intent, which holds the orders and freezes the balance part, and only then calls the channel.
func (s *Service) throughChannel(ctx context.Context, i intent) error {
	err := s.DB.InTx(ctx, func(ctx context.Context) error {
		topics := []string{live.Payment(i.ID)}
		if i.combined() {
			topics = append(topics, live.Balance(i.AccountID))
		}
		if err := s.hold(ctx, i, topics...); err != nil {
			return err
		}
		err := s.freeze(ctx, i.Payment)
		failpoint.Hit(failpoint.PayFrozen)
		return err
	})
	if err != nil {
		return insufficient(err)
	}
	failpoint.Hit(failpoint.PayCommitted)
	return s.start(ctx, i.Payment)
}

// byPartner commits the intent, which holds the orders, together with the question to the partner (HW-35).
func (s *Service) byPartner(ctx context.Context, i intent) error {
	err := s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.hold(ctx, i, live.Payment(i.ID)); err != nil {
			return err
		}
		return s.askPartner(ctx, i.Payment, i.quote.Account)
	})
	failpoint.Hit(failpoint.PayCommitted)
	return err
}

// hold writes a payment that is not finished: key, orders, payment, allocations, coupons, code, outbox.
func (s *Service) hold(ctx context.Context, i intent, topics ...string) error {
	if err := s.claim(ctx, i); err != nil {
		return err
	}
	ids := make([]models.ID, len(i.quote.Orders))
	for n, o := range i.quote.Orders {
		ids[n] = o.ID
	}
	if err := s.Orders.Hold(ctx, i.AccountID, ids, i.ID, i.CreatedAt); err != nil {
		return err
	}
	failpoint.Hit(failpoint.PayTaken)
	if err := s.write(ctx, i); err != nil {
		return err
	}
	failpoint.Hit(failpoint.PayWritten)
	if err := s.Outbox.Add(ctx, i.AccountID, topics...); err != nil {
		return err
	}
	failpoint.Hit(failpoint.PayTold)
	return nil
}

func (s *Service) claim(ctx context.Context, i intent) error {
	if err := s.Keys.Claim(ctx, idempotency.Outcome{Kind: outcomeKind, Ref: i.ID}); err != nil {
		return err
	}
	failpoint.Hit(failpoint.PayClaimed)
	return nil
}

// write inserts the payment, its allocations and its first event, reserves its coupons (HW-R10) and uses up its code. The
// number of statements does not grow with the orders.
func (s *Service) write(ctx context.Context, i intent) error {
	if err := s.create(ctx, i.Payment); err != nil {
		return err
	}
	query := make([]byte, 0, 128+len(i.quote.Priced.Lines)*18)
	query = append(query, "INSERT INTO payment_orders (account_id, payment_id, order_id, amount, discount, coupon, due, created_at) VALUES "...)
	args := make([]any, 0, 8*len(i.quote.Priced.Lines))
	for n, l := range i.quote.Priced.Lines {
		if n > 0 {
			query = append(query, ',')
		}
		query = append(query, "(?,?,?,?,?,?,?,?)"...)
		args = append(args, i.AccountID, i.ID, l.OrderID, l.Amount, l.Discount, l.Coupon, l.Due, i.CreatedAt)
	}
	if _, err := s.DB.Exec(ctx, string(query), args...); err != nil {
		return err
	}
	if err := s.reserve(ctx, i); err != nil {
		return err
	}
	if !i.combined() { // nothing else wants a code
		return nil
	}
	return s.Codes.Spend(ctx, i.proof)
}

func (s *Service) reserve(ctx context.Context, i intent) error {
	if len(i.quote.Priced.Uses) == 0 {
		return nil
	}
	uses := make([]models.PaymentCoupon, len(i.quote.Priced.Uses))
	for n, u := range i.quote.Priced.Uses {
		uses[n] = models.PaymentCoupon{AccountID: i.AccountID, PaymentID: i.ID, CouponID: u.CouponID, OrderID: u.OrderID, Amount: u.Amount, CreatedAt: i.CreatedAt}
	}
	return s.Benefits.Reserve(ctx, i.AccountID, i.ID, i.quote.Coupons, uses, i.CreatedAt)
}
