package payment

import (
	"context"
	"errors"

	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/money"
	"paydesk/models"
)

// frozenFor is the reference of what is frozen for a POSTPAID order.
func frozenFor(order models.ID) string { return "order:" + order.String() }

// freezePostpaid sets aside what POSTPAID orders are due, in the transaction of the payment p that has taken them: one FREEZE
// line for each order, and nothing is charged yet (TX-1, contract §5). Shares are those of the POSTPAID orders alone. It
// returns how much is frozen; what the payment takes beside it (p.BalanceAmount less this) is spent after it. Errors:
// *ledger.InsufficientError about the whole of p.BalanceAmount (HW-24); wrap Spend's with wholeOf for the same.
func (s *Service) freezePostpaid(ctx context.Context, p models.Payment, shares []order.Share) (frozen int64, err error) {
	for _, sh := range shares {
		if sh.Due == 0 {
			continue
		}
		err := s.Ledger.Freeze(ctx, ledger.Movement{AccountID: p.AccountID, Amount: money.New(sh.Due, currency(p.Currency)), Reference: frozenFor(sh.OrderID),
			PaymentID: p.ID, OrderID: sh.OrderID, At: p.CreatedAt})
		if err != nil {
			return frozen, wholeOf(p, frozen, err)
		}
		frozen += sh.Due
	}
	return frozen, nil
}

// wholeOf makes an InsufficientError in the middle of a payment one about all it takes from the balance: frozen is what the
// transaction, which is rolled back, had set aside before.
func wholeOf(p models.Payment, frozen int64, err error) error {
	var short *ledger.InsufficientError
	if !errors.As(err, &short) {
		return err
	}
	c := currency(p.Currency)
	return &ledger.InsufficientError{Spendable: money.New(short.Spendable.Minor+frozen, c), Required: money.New(p.BalanceAmount, c)}
}
