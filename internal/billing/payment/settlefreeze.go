package payment

import (
	"context"
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// frozenFor is the reference of what is frozen for a POSTPAID order.
func frozenFor(order models.ID) string { return "order:" + order.String() }

// freezePostpaid sets aside what POSTPAID orders are due, in the transaction of the payment p that has taken them: one FREEZE
// line for each order, in as many statements as for one, and nothing is charged yet (TX-1, contract §5). Shares are those of the POSTPAID orders alone. It
// returns how much is frozen; what the payment takes beside it (p.BalanceAmount less this) is spent after it. Errors:
// *ledger.InsufficientError about the whole of p.BalanceAmount (HW-24); wrap Spend's with wholeOf for the same.
func (s *Service) freezePostpaid(ctx context.Context, p models.Payment, shares []order.Share) (frozen int64, err error) {
	var ms []ledger.Movement
	for _, sh := range shares {
		if sh.Due == 0 {
			continue
		}
		ms = append(ms, ledger.Movement{AccountID: p.AccountID, Amount: money.New(sh.Due, currency(p.Currency)), Reference: frozenFor(sh.OrderID),
			PaymentID: p.ID, OrderID: sh.OrderID, At: p.CreatedAt})
		frozen += sh.Due
	}
	return frozen, wholeOf(p, 0, s.Ledger.FreezeMany(ctx, ms))
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

// SettleFreeze charges what a POSTPAID order used of what it froze and releases the rest, in one transaction; a charge of zero
// releases all (contract §5). It returns the order as it now stands. What was not charged counts as paid back: a refund cannot
// give it a second time. Faults: ORDER_NOT_FOUND, ORDER_STATUS_CHANGED where nothing is frozen for it, AMOUNT_OUT_OF_RANGE,
// CURRENCY_MISMATCH, those of the key.
func (s *Service) SettleFreeze(ctx context.Context, id models.ID, charge money.Money) (models.Order, error) {
	_, _, err := s.Keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		out := idempotency.Outcome{Kind: "order", Ref: id}
		o, err := s.orderAnywhere(ctx, id)
		if err != nil {
			return out, err
		}
		if string(charge.Currency) != o.Currency {
			return out, fault.New("CURRENCY_MISMATCH", "input", "charge").With("currency", o.Currency)
		}
		return out, s.DB.InTx(ctx, func(ctx context.Context) error {
			if err := s.Keys.Claim(ctx, out); err != nil {
				return err
			}
			return s.settleFrozen(ctx, o, charge)
		})
	})
	if err != nil {
		return models.Order{}, err
	}
	return s.orderAnywhere(ctx, id)
}

func (s *Service) orderAnywhere(ctx context.Context, id models.ID) (models.Order, error) {
	rows, err := s.Orders.ByIDsAnywhere(ctx, []models.ID{id})
	if err == nil && len(rows) == 0 {
		err = fault.New(order.CodeNotFound, "input", "orderId")
	}
	if err != nil {
		return models.Order{}, err
	}
	return rows[0], nil
}

func (s *Service) settleFrozen(ctx context.Context, o models.Order, charge money.Money) error {
	f, found, err := s.Ledger.Frozen(ctx, o.AccountID, frozenFor(o.ID))
	if err != nil {
		return err
	}
	if !found || f.EndedAt != nil {
		return fault.New(order.CodeStatusChanged, "input", "orderId").With("case", "frozen")
	}
	if charge.Minor > f.Amount {
		return fault.New("AMOUNT_OUT_OF_RANGE", "input", "charge").With("maximum", money.New(f.Amount, charge.Currency))
	}
	err = s.EndFreeze(ctx, f, charge.Minor)
	if errors.Is(err, ledger.ErrNotFrozen) { // somebody else was quicker
		return fault.New(order.CodeStatusChanged, "input", "orderId").With("case", "frozen")
	}
	return err
}

// EndFreeze ends what is frozen for a POSTPAID order, in the transaction of ctx: charge (minor units, at most f.Amount) is taken
// for good and the rest released, which counts as paid back. Settlement and refunds call it, a refund with all of f.Amount
// before it pays back. Call it last. Errors: ledger.ErrNotFrozen where it has ended meanwhile.
func (s *Service) EndFreeze(ctx context.Context, f models.Freeze, charge int64) error {
	now, released := s.Clock.Now(), f.Amount-charge
	for _, q := range []struct {
		text string
		args []any
	}{
		{"UPDATE payments SET refunded = refunded + ? WHERE account_id = ? AND id = ?", []any{released, f.AccountID, f.PaymentID}}, // first: refunds wait here, and read what stands after it
		{"UPDATE payment_orders SET refunded = refunded + ? WHERE account_id = ? AND payment_id = ? AND order_id = ?", []any{released, f.AccountID, f.PaymentID, f.OrderID}},
		{"UPDATE orders SET paid = ?, updated_at = ? WHERE account_id = ? AND id = ?", []any{charge, now, f.AccountID, f.OrderID}},
		{"UPDATE freezes SET charged = ? WHERE account_id = ? AND reference = ? AND ended_at IS NULL", []any{charge, f.AccountID, f.Reference}},
	} {
		if _, err := s.DB.Exec(ctx, q.text, q.args...); err != nil {
			return err
		}
	}
	if err := s.Outbox.Add(ctx, f.AccountID, live.Balance(f.AccountID)); err != nil {
		return err
	}
	m := ledger.Movement{AccountID: f.AccountID, Amount: money.New(f.Amount, currency(f.Currency)), Reference: f.Reference, PaymentID: f.PaymentID, OrderID: f.OrderID, At: now}
	if _, err := s.Ledger.Unfreeze(ctx, m); err != nil || charge == 0 {
		return err
	}
	m.Amount, m.Kind, m.Reference, m.Book = money.New(charge, m.Amount.Currency), models.KindOrderPayment, "settle:"+f.OrderID.String(), models.BookRevenue
	return s.Ledger.Charge(ctx, m)
}
