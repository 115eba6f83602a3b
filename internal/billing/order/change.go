package order

import (
	"context"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Cancel gives up an order that waits for review, confirmation or payment; it stays canceled. The rest of its bundle can
// then not be paid (HW-8). Faults: ORDER_NOT_FOUND; ORDER_BEING_PAID while a payment holds it, ORDER_EXPIRED and
// ORDER_STATUS_CHANGED with *fault.OrdersNotPayable.
func (s *Service) Cancel(ctx context.Context, account, id models.ID) (models.Order, error) {
	now := s.clock.Now()
	guard := " AND active_payment_id IS NULL AND (expires_at IS NULL OR expires_at > ?)"
	done, err := s.change(ctx, account, id, CanceledByUser, guard, now)
	if err != nil {
		return models.Order{}, err
	}
	o, found, err := s.ByID(ctx, account, id)
	switch {
	case err != nil:
		return models.Order{}, err
	case !found:
		return models.Order{}, fault.New(CodeNotFound, "input", "orderId")
	case done:
		return o, nil
	}
	code := ownPayability(&o, now)
	if code != CodeBeingPaid && code != CodeExpired {
		code = CodeStatusChanged
	}
	return models.Order{}, NotPayable(code, o).With("case", "cancel")
}

// ReportDelivery ends an order that was paid: the order centre says whether what was bought is there (HW-1). The same
// report again changes nothing; reason is checked and not kept. Faults: ORDER_NOT_FOUND, INVALID_INPUT,
// CARD_DATA_NOT_ACCEPTED; ORDER_STATUS_CHANGED with *fault.OrdersNotPayable in any other status.
func (s *Service) ReportDelivery(ctx context.Context, id models.ID, delivered bool, reason string) (models.Order, error) {
	if _, err := input.Text(reason, false, input.MaxReason, "input", "reason"); err != nil {
		return models.Order{}, err
	}
	o, found, err := one(s.ByIDsAnywhere(ctx, []models.ID{id}))
	if err != nil {
		return models.Order{}, err
	}
	if !found {
		return models.Order{}, fault.New(CodeNotFound, "input", "orderId")
	}
	event := NotDelivered
	if delivered {
		event = Delivered
	}
	if _, err := s.change(ctx, o.AccountID, id, event, ""); err != nil {
		return models.Order{}, err
	}
	if o, _, err = s.ByID(ctx, o.AccountID, id); err != nil {
		return models.Order{}, err
	}
	if o.Status != steps[event].to {
		return models.Order{}, NotPayable(CodeStatusChanged, o).With("case", "delivery")
	}
	return o, nil
}

// NotPayable is the fault of one order that is not in the status that was expected.
func NotPayable(code string, o models.Order) *fault.Fault {
	return fault.New(code, "input", "orderId").With("number", o.Number).
		Because(&fault.OrdersNotPayable{Blocked: []fault.Blocked{{Order: o, Code: code}}})
}

// change lets an event happen to an order, where the table and the guard allow it; it tells whether it did.
func (s *Service) change(ctx context.Context, account, id models.ID, e Event, guard string, args ...any) (bool, error) {
	st := steps[e]
	values := database.Args([]any{string(st.to), s.clock.Now(), account, id}, st.from)
	n, err := s.db.Exec(ctx, "UPDATE orders SET status = ?, updated_at = ? WHERE account_id = ? AND id = ? AND status IN ("+database.Marks(len(st.from))+")"+guard,
		append(values, args...)...)
	return n == 1, err
}
