package sandbox

import (
	"context"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
)

// paypalLetter is a webhook event: what happened, the object it happened to, and a signature over its id, its time, the webhook's id and
// the body's CRC-32. A forged one bears a signature that PayPal gave for somebody else's webhook.
func paypalLetter(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
	k, err := s.paypalKeys(ctx)
	if err != nil {
		return letter{}, err
	}
	t := trade{Channel: f.Channel, Number: f.Number, Reference: f.Reference, Amount: f.Amount, Currency: f.Currency, Subject: f.Subject, Status: f.State, CreatedAt: f.CreatedAt,
		PaidAt: f.PaidAt, Detail: f.Detail}
	event, kind, resource := "PAYMENT.CAPTURE.COMPLETED", "capture", paypalCaptureOf(k, t)
	switch {
	case f.Refund != nil:
		made := refund{Number: f.Refund.Number, Reference: f.Refund.Reference, Amount: f.Refund.Amount, Outcome: f.Refund.State, CreatedAt: f.Refund.At}
		event, kind, resource = "PAYMENT.CAPTURE.REFUNDED", "refund", paypalRefundOf(k, t, made, wall())
		switch {
		case strings.HasPrefix(made.Number, paypalReversed):
			event = "PAYMENT.CAPTURE.REVERSED"
		case made.Outcome == refundFailed:
			event = "PAYMENT.REFUND.FAILED"
		}
	case f.State == reviewing:
		event = "PAYMENT.CAPTURE.PENDING"
	case f.State == denied:
		event = "PAYMENT.CAPTURE.DENIED"
	case f.State == disputed:
		event, kind, resource = "CUSTOMER.DISPUTE.CREATED", "dispute", paypalDisputeOf(k, t)
	case f.State == approved:
		event, kind, resource = "CHECKOUT.ORDER.APPROVED", "checkout-order", paypalOrderOf(k, t)
	}
	now := stamp(ctx).Format(time.RFC3339)
	body := rawJSON(map[string]any{"id": "WH-" + strings.ToUpper(n.NotifyID), "event_version": "1.0", "create_time": now, "resource_type": kind, "resource_version": "2.0",
		"event_type": event, "summary": "Something happened to a " + kind + " <sandbox> & 100%", "resource": resource})
	webhook := k.WebhookID
	if n.Forged || spoils(ctx) {
		webhook = "9SOMEBODYELSES999"
	}
	id := newToken()
	signature, err := sign(k.key, fmt.Appendf(nil, "%s|%s|%s|%d", id, now, webhook, crc32.ChecksumIEEE(body)))
	return letter{map[string]string{"Content-Type": "application/json", "PAYPAL-TRANSMISSION-ID": id, "PAYPAL-TRANSMISSION-TIME": now, "PAYPAL-TRANSMISSION-SIG": signature,
		"PAYPAL-AUTH-ALGO": "SHA256withRSA", "PAYPAL-CERT-URL": f.Detail.Home + "/v1/notifications/certs/" + k.CertificateID}, body}, err
}
