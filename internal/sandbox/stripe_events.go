package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// stripeLetter is an event: JSON, signed with the endpoint's secret over time and body.
func stripeLetter(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
	k, err := s.stripeKeys(ctx)
	if err != nil {
		return letter{}, err
	}
	kind, object := stripeEvent(f)
	at := stamp(ctx).Unix()
	body := rawJSON(map[string]any{
		"id": "evt_" + n.NotifyID, "object": "event", "api_version": stripeVersion, "created": at, "livemode": false, "pending_webhooks": 1,
		"request": map[string]any{"id": nil, "idempotency_key": nil}, "type": kind, "data": map[string]any{"object": object},
	})
	secret := k.Webhook
	if n.Forged || spoils(ctx) {
		secret = k.Publishable // anything but the endpoint's
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.", at)
	mac.Write(body)
	return letter{map[string]string{
		"Content-Type":     "application/json; charset=utf-8",
		"Stripe-Signature": fmt.Sprintf("t=%d,v1=%s", at, hex.EncodeToString(mac.Sum(nil))),
	}, body}, nil
}

// stripeEvent is what happened and to what object.
func stripeEvent(f fact) (kind string, object map[string]any) {
	if d := f.Dispute; d != nil {
		return d.Event, stripeDisputeObject(f.Reference, f.Currency, *d)
	}
	if r := f.Refund; r != nil {
		kind = "refund.updated"
		if r.State == refundFailed {
			kind = "refund.failed"
		}
		return kind, stripeRefundObject(f.Reference, f.Currency, f.Number, *r)
	}
	switch f.State {
	case paid:
		kind = "payment_intent.succeeded"
	case closed:
		kind = "payment_intent.canceled"
	default:
		kind = "payment_intent.payment_failed"
	}
	return kind, stripeObject(f)
}
