package sandbox

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"paydesk/models"
)

// An account whose local part is paypalReview pays, and PayPal keeps the money for a while: to look at it, as the merchant or the payer's
// bank may make it. The payer's page then plays PayPal's decision.
const (
	paypalReview = "review@"

	reviewing status = "REVIEWING"
	denied    status = "DENIED"   // what was reviewed went back to the payer
	disputed  status = "DISPUTED" // never stored: what a dispute is told as
)

// paypalReversed begins the number under which PayPal takes a capture's money back.
const paypalReversed = "REVERSED-"

// paypalKeeps takes the payer's money, for PayPal to decide about. It is booked, as pending, on the day it was taken.
func (s *Sandbox) paypalKeeps(ctx context.Context, t trade) error {
	now := wall()
	_, err := s.turn(ctx, t, reviewing, "UPDATE sandbox_trades SET status = 'REVIEWING', paid_at = ?, booked_at = ? WHERE channel = ? AND number = ? AND status = 'APPROVED' AND (expires_at IS NULL OR expires_at > ?)",
		now, s.clock.Now(), string(t.Channel), t.Number, s.clock.Now())
	return err
}

// paypalDecides is PayPal's word on a payment in review.
func (s *Sandbox) paypalDecides(ctx context.Context, t trade, to status) (bool, error) {
	return s.turn(ctx, t, to, "UPDATE sandbox_trades SET status = ? WHERE channel = ? AND number = ? AND status = 'REVIEWING'", string(to), string(t.Channel), t.Number)
}

// paypalDeclines is the payer's no; with dispute=true, that of a payer who has paid: a dispute is opened, and PayPal gives the money back.
func paypalDeclines(ctx context.Context, s *Sandbox, t trade, form url.Values) (bool, error) {
	switch {
	case t.Status == reviewing:
		return s.paypalDecides(ctx, t, denied)
	case form.Get("dispute") == "true":
		return s.paypalReverses(ctx, t)
	}
	return s.decline(ctx, t)
}

func (s *Sandbox) paypalReverses(ctx context.Context, t trade) (bool, error) {
	if t.Status != paid || t.Refunded >= t.Amount {
		return false, nil
	}
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		left := t
		left.Amount -= t.Refunded
		if err := s.notify(ctx, left, disputed); err != nil {
			return err
		}
		_, _, err := s.giveBack(ctx, refund{Channel: models.ChannelPayPal, Number: paypalReversed + t.Reference, Trade: t.Number, Reference: paypalID("0"), Amount: t.Amount - t.Refunded, Reason: "Payment reversed"})
		return err
	})
	s.wakeUp()
	return err == nil, err
}

// paypalDisputeOf is a dispute as it is told. It names the capture; the merchant's own names need not be in it.
func paypalDisputeOf(k *paypalKeys, t trade) map[string]any {
	return map[string]any{"dispute_id": "PP-D-" + t.Reference[9:], "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "status": "OPEN", "dispute_amount": paypalAmount(t.Amount, t.Currency),
		"disputed_transactions": []any{map[string]any{"seller_transaction_id": paypalCaptureID(t.Reference), "seller": map[string]string{"merchant_id": k.MerchantID}}}}
}

// paypalShowCapture answers for a capture by its id.
func (s *Sandbox) paypalShowCapture(k *paypalKeys, r *http.Request, _ []byte) (paypalAnswer, error) {
	t, found, err := s.paypalFind(r.Context(), paypalOrderID(r.PathValue("id")))
	if err != nil || !found || !paypalCaptured(t) || !strings.HasPrefix(r.PathValue("id"), "3") {
		return paypalUnknown(), err
	}
	return paypalAnswer{http.StatusOK, paypalCaptureOf(k, t)}, nil
}

// paypalCaptured: the order's money was taken, whatever became of it.
func paypalCaptured(t trade) bool {
	return t.Status == paid || t.Status == reviewing || t.Status == denied
}
