package payment

import (
	"context"
	"time"

	"paydesk/internal/billing/ledger"
	"paydesk/internal/money"
	"paydesk/models"
)

// A combined payment has a balance part and an online part (HW-33). The balance part is frozen with the intent. It is charged
// in the transaction of the success and given back in the transaction of any other end (D3), so that money of a payment is
// frozen exactly while the payment is unfinished.

// combined reports whether a payment has both parts.
func (i intent) combined() bool { return combined(i.Payment) }

func combined(p models.Payment) bool { return p.BalanceAmount > 0 && p.OnlineAmount > 0 }

// frozenBy is the reference of what is frozen for a payment.
func frozenBy(p models.Payment) string { return "pay:" + p.ID.String() }

// movement of a payment's balance part, or some of it; the reference is to be set.
func (i intent) movement(amount int64, at time.Time) ledger.Movement {
	return movement(i.Payment, amount, at)
}

func movement(p models.Payment, amount int64, at time.Time) ledger.Movement {
	return ledger.Movement{AccountID: p.AccountID, Amount: money.New(amount, currency(p.Currency)), Kind: models.KindOrderPayment, Book: models.BookRevenue, PaymentID: p.ID, At: at}
}

// freeze sets the balance part aside; it comes last in the transaction of the intent.
func (s *Service) freeze(ctx context.Context, p models.Payment) error {
	if !combined(p) {
		return nil
	}
	m := movement(p, p.BalanceAmount, p.CreatedAt)
	m.Reference = frozenBy(p)
	return s.Ledger.Freeze(ctx, m)
}

// thaw gives the balance part back; it comes last in the transaction of an end without success.
func (s *Service) thaw(ctx context.Context, p models.Payment) error {
	if !combined(p) {
		return nil
	}
	m := movement(p, p.BalanceAmount, s.Clock.Now())
	m.Reference = frozenBy(p)
	_, err := s.Ledger.Unfreeze(ctx, m)
	return err
}

// capture charges the balance part for good, in the transaction of the success: two lines of the statement.
func (s *Service) capture(ctx context.Context, p models.Payment) error {
	if !combined(p) {
		return nil
	}
	if err := s.thaw(ctx, p); err != nil {
		return err
	}
	m := movement(p, p.BalanceAmount, s.Clock.Now())
	m.Reference = "balance:" + p.ID.String() // the online part has "pay:"
	return s.Ledger.Charge(ctx, m)
}
