package refund

import (
	"context"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/models"
)

// held: the money has left us and did not reach the payer; it waits between the two until somebody settles it at the provider, under the
// same number. So the refund goes on, its amount stays taken, for another refund of it could be paid beside this one, and no book moves:
// where it lies is still on its way. An operator is shown an item of suspense, once, of no amount, until the refund ends.
func (s *Service) held(ctx context.Context, r models.Refund, ev channel.Event) (payment.Verdict, error) {
	if r.Status != models.RefundProcessing {
		return payment.Nothing, nil
	}
	if shown, err := s.shownHeld(ctx, r); err != nil || shown {
		return payment.Nothing, err
	}
	s.Log.WarnContext(ctx, "a refund waits for somebody at the provider", "refund", r.ID, "account", r.AccountID, "payment", r.PaymentID, "channel", r.Channel, "reference", ev.Reference, "detail", ev.Detail)
	return payment.Suspense, s.suspense(ctx, r, 0, "REFUND_HELD", heldReference)
}

// heldReference is how the item of suspense is named between the channel and the refund's number.
const heldReference = ":held:"

func (s *Service) shownHeld(ctx context.Context, r models.Refund) (bool, error) {
	var n int64
	return s.DB.QueryRow(ctx, []any{&n}, "SELECT 1 FROM suspense_items WHERE account_id = ? AND payment_id = ? AND reference = ?", r.AccountID, r.PaymentID, suspenseOf(r, heldReference))
}

// release takes the item of a refund that has ended back.
func (s *Service) release(ctx context.Context, r models.Refund) error {
	shown, err := s.shownHeld(ctx, r)
	if err != nil || !shown {
		return err
	}
	_, err = s.DB.Exec(ctx, "DELETE FROM suspense_items WHERE account_id = ? AND payment_id = ? AND reference = ?", r.AccountID, r.PaymentID, suspenseOf(r, heldReference))
	return err
}
