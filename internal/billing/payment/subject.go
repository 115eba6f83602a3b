package payment

import (
	"context"
	"errors"
	"fmt"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/money"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// subject is what a payment is for. Both methods run in the transaction of the payment's transition.
type subject interface {
	// settle takes what the payment is for; false where it can no longer be taken.
	settle(ctx context.Context, p models.Payment) (bool, error)
	// book moves the money that the channel collected; it comes last in the transaction.
	book(ctx context.Context, p models.Payment) error
	// release frees what the payment held, except money of the balance: thaw comes last in the transaction.
	release(ctx context.Context, p models.Payment) error
}

func (s *Service) subjectOf(p models.Payment) subject {
	switch p.Purpose {
	case models.PurposeTopUp:
		return topUp{s}
	case models.PurposeOrders:
		return orders{s}
	}
	panic(fmt.Sprintf("payment: purpose %s has no subject", p.Purpose))
}

func (s *Service) collected(p models.Payment, kind models.TransactionKind, reference, book string) ledger.Movement {
	return ledger.Movement{AccountID: p.AccountID, Amount: money.New(p.OnlineAmount, currency(p.Currency)), Kind: kind, Reference: reference + ":" + p.ID.String(),
		Book: book, PaymentID: p.ID, At: s.Clock.Now()}
}

func clearing(p models.Payment) string { return models.BookClearing + string(p.Channel) }

// topUp brings the money to the balance, in the transaction of the success (PA-13).
type topUp struct{ *Service }

func (topUp) settle(context.Context, models.Payment) (bool, error) { return true, nil }
func (topUp) release(context.Context, models.Payment) error        { return nil }
func (t topUp) book(ctx context.Context, p models.Payment) error {
	return t.Ledger.Receive(ctx, t.collected(p, models.KindTopUp, "topup", clearing(p)))
}

// orders are held by the payment until it ends.
type orders struct{ *Service }

// settle takes all held orders or none: what cannot be taken as a whole is not taken at all.
func (o orders) settle(ctx context.Context, p models.Payment) (bool, error) {
	var wanted, held int64
	if _, err := o.DB.QueryRow(ctx, []any{&wanted, &held}, "SELECT (SELECT COUNT(*) FROM payment_orders WHERE account_id = ? AND payment_id = ?), "+
		"(SELECT COUNT(*) FROM orders WHERE account_id = ? AND active_payment_id = ? AND status = 'PENDING_PAYMENT')", p.AccountID, p.ID, p.AccountID, p.ID); err != nil {
		return false, err
	}
	if held < wanted {
		return false, nil
	}
	taken, err := o.Orders.TakeHeld(ctx, p.AccountID, p.ID, o.Clock.Now())
	if err == nil && taken != wanted {
		err = errStale // somebody was quicker: look again
	}
	if err == nil {
		err = o.Benefits.Consume(ctx, p.AccountID, p.ID)
	}
	return true, err
}

func (o orders) release(ctx context.Context, p models.Payment) error {
	now := o.Clock.Now()
	if _, err := o.Orders.ReleaseHold(ctx, p.AccountID, p.ID, now); err != nil {
		return err
	}
	err := o.Benefits.Release(ctx, p.AccountID, p.ID, now)
	if errors.Is(err, benefit.ErrEnded) { // a success was quicker: look again
		err = fmt.Errorf("%w: %w", errStale, err)
	}
	return err
}

func (o orders) book(ctx context.Context, p models.Payment) error {
	if err := o.Ledger.Transfer(ctx, o.collected(p, models.KindOrderPayment, "pay", models.BookRevenue), clearing(p)); err != nil {
		return err
	}
	return o.capture(ctx, p)
}

// lapse ends a payment without success, in the transaction of ctx: it frees what was held, makes the transition and gives back
// what was frozen (D3).
func (s *Service) lapse(ctx context.Context, p *models.Payment, ev event, failure string) error {
	p.FailureCode = failure
	if err := s.subjectOf(*p).release(ctx, *p); err != nil {
		return err
	}
	var topics []string
	if combined(*p) {
		topics = append(topics, live.Balance(p.AccountID))
	}
	if _, err := s.move(ctx, p, ev, topics...); err != nil {
		return err
	}
	if ev == evExpired && p.PartnerAmount > 0 { // the partner has not answered: the customer has to know
		if err := s.tellCustomer(ctx, *p, "letter.partner_expired"); err != nil {
			return err
		}
	}
	return s.thaw(ctx, *p)
}
