package sandbox

import (
	"context"
	"strings"
)

// factOf is what is to tell of a trade now.
func factOf(t trade) fact {
	return fact{Number: t.Number, Reference: t.Reference, Amount: t.Amount, Currency: t.Currency, Subject: t.Subject, State: t.Status, CreatedAt: t.CreatedAt,
		PaidAt: t.PaidAt, ClosedAt: t.ClosedAt, Channel: t.Channel, Detail: t.Detail}
}

// stripeIntent is the object PaymentIntent in an answer.
func (s *Sandbox) stripeIntent(ctx context.Context, t trade) map[string]any {
	f := factOf(t)
	if behaviourIn(ctx).Call == wrongAmount {
		f.Amount++
	}
	o := stripeObject(f)
	if o["status"] == "requires_action" {
		o["next_action"] = map[string]any{"type": "redirect_to_url", "redirect_to_url": map[string]string{"url": s.payerURL(t.Token), "return_url": t.Detail.ReturnURL}}
	}
	return o
}

// stripeObject is the object PaymentIntent as it stands in answers and events.
func stripeObject(f fact) map[string]any {
	o := map[string]any{
		"id": f.Reference, "object": "payment_intent", "livemode": false, "amount": f.Amount, "amount_received": 0, "currency": strings.ToLower(f.Currency),
		"capture_method": "automatic", "confirmation_method": map[bool]string{true: "manual", false: "automatic"}[f.Detail.Manual], "payment_method": f.Detail.Token, "payment_method_types": []string{"card"},
		"client_secret": clientSecret(f.Reference), "created": f.CreatedAt.Unix(), "description": f.Subject, "metadata": stripeMetadata(f), "next_action": nil,
		"last_payment_error": nil, "latest_charge": nil,
	}
	switch f.State {
	case paid:
		o["status"], o["amount_received"], o["latest_charge"] = "succeeded", f.Amount, chargeID(f.Reference)
	case closed:
		o["status"], o["cancellation_reason"] = "canceled", f.Detail.Failure
		if f.ClosedAt != nil {
			o["canceled_at"] = f.ClosedAt.Unix()
		}
	case declined:
		o["status"], o["payment_method"], o["latest_charge"] = "requires_payment_method", nil, chargeID(f.Reference)
		o["last_payment_error"] = stripeFailure(f.Detail.Failure).object()
	default:
		o["status"] = "requires_confirmation"
		if f.Detail.Asked && f.State != approved {
			o["status"] = "requires_action"
		}
	}
	return o
}

// stripeMetadata is what the merchant has put on an intent. Former versions kept its number alone, where it has one.
func stripeMetadata(f fact) map[string]string {
	switch {
	case f.Detail.Metadata != nil:
		return f.Detail.Metadata
	case f.Number != f.Reference:
		return map[string]string{"number": f.Number}
	}
	return map[string]string{}
}

// clientSecret lets a browser do with an intent what Stripe lets it do. It is added to the address that the payer comes back to.
func clientSecret(intent string) string { return intent + "_secret_sandbox" }

// chargeID is the charge of an intent; ours has one at most.
func chargeID(intent string) string { return "ch_" + strings.TrimPrefix(intent, "pi_") }
