package refund

import (
	"context"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/models"
)

// held: the money has left us and did not reach the payer; it waits between the two until somebody settles it at the provider, under the
// same number. So the refund goes on, its amount stays taken, for another refund of it could be paid beside this one, and no book moves:
// where it lies is still on its way. An operator is shown an item of suspense, once, of no amount, until the refund ends. A refund that had
// succeeded here has bounced; one that had failed stays so, and is shown as well: it may have been made anew.
func (s *Service) held(ctx context.Context, r models.Refund, ev channel.Event) (payment.Verdict, error) {
	if r.Status == models.RefundSucceeded {
		return s.returned(ctx, r, ev)
	}
	if shown, err := s.shownHeld(ctx, r); err != nil || shown {
		return payment.Nothing, err
	}
	s.Log.WarnContext(ctx, "a refund waits for somebody at the provider", "refund", r.ID, "account", r.AccountID, "payment", r.PaymentID, "channel", r.Channel, "reference", ev.Reference, "detail", ev.Detail)
	return payment.Suspense, s.suspense(ctx, r, 0, "REFUND_HELD", heldReference)
}

// current is what the channel says now of a refund that has ended here and was told to be held: that may be an old word, late.
func (s *Service) current(ctx context.Context, r models.Refund) (channel.Event, error) {
	adapter, ok := s.Channels[r.Channel]
	if !ok {
		return channel.Event{}, channel.ErrUnavailable
	}
	p, err := s.Payments.ByID(ctx, r.AccountID, r.PaymentID)
	if err != nil {
		return channel.Event{}, err
	}
	return adapter.QueryRefund(ctx, payment.RefOf(p), refOf(r))
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
