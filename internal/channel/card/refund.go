package card

import (
	"context"
	"fmt"
	"time"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// Refund sends money of a payment back. Stripe knows a refund again by its idempotency key, for a day or so; for longer than that by our
// number in its metadata, so that is looked for first.
func (a *Adapter) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	known, err := a.refund(ctx, r.Payment, r.Refund)
	if err != nil {
		return channel.Event{}, err
	}
	if known != nil {
		return refunded(r.Payment.Number, r.Refund.Number, known), nil
	}
	if r.Payment.Reference, err = a.reference(ctx, r.Payment); err != nil {
		return channel.Event{}, err
	}
	p := &stripe.RefundCreateParams{PaymentIntent: &r.Payment.Reference, Amount: &r.Refund.Amount.Minor, Reason: stripe.String("requested_by_customer"),
		Metadata: map[string]string{metaNumber: r.Refund.Number, metaPayment: r.Payment.Number}}
	p.SetIdempotencyKey("refund-" + r.Refund.Number)
	made, err := a.api.V1Refunds.Create(ctx, p)
	if err != nil {
		return channel.Event{}, startError(err)
	}
	return refunded(r.Payment.Number, r.Refund.Number, made), nil
}

// QueryRefund asks for the state of a refund.
func (a *Adapter) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	known, err := a.refund(ctx, p, refund)
	if err != nil {
		return channel.Event{}, err
	}
	if known == nil {
		return channel.Event{Number: p.Number, RefundNumber: refund.Number, State: channel.StateNotFound}, nil
	}
	return refunded(p.Number, refund.Number, known), nil
}

// refund reads a refund by Stripe's number, or finds it by ours among those of its payment; nil where there is none.
func (a *Adapter) refund(ctx context.Context, p, refund channel.Ref) (*stripe.Refund, error) {
	if refund.Reference != "" {
		r, err := a.api.V1Refunds.Retrieve(ctx, refund.Reference, nil)
		if err != nil {
			return nil, askError(err)
		}
		if r.Metadata[metaNumber] != refund.Number {
			return nil, fmt.Errorf("%w: card answered for another refund", channel.ErrUnknown)
		}
		return r, nil
	}
	intent, err := a.reference(ctx, p)
	if err != nil {
		return nil, err
	}
	q := &stripe.RefundListParams{PaymentIntent: &intent}
	q.Limit = stripe.Int64(100)
	for r, err := range a.api.V1Refunds.List(ctx, q).All(ctx) {
		if err != nil {
			return nil, askError(err)
		}
		if r.Metadata[metaNumber] == refund.Number {
			return r, nil
		}
	}
	return nil, nil
}

// reference is Stripe's number of a payment.
func (a *Adapter) reference(ctx context.Context, p channel.Ref) (string, error) {
	if p.Reference != "" {
		return p.Reference, nil
	}
	i, err := a.find(ctx, p)
	if err != nil {
		return "", err
	}
	if i == nil {
		return "", fmt.Errorf("%w: card does not find the payment", channel.ErrUnknown)
	}
	return i.ID, nil
}

// refunded is what a refund says.
func refunded(payment, number string, r *stripe.Refund) channel.Event {
	e := channel.Event{Number: payment, RefundNumber: number, Reference: r.ID, State: channel.StatePending, Detail: string(r.Status)}
	switch r.Status {
	case stripe.RefundStatusSucceeded:
		e.State, e.Amount, e.PaidAt = channel.StateRefunded, amount(r.Amount, r.Currency), time.Unix(r.Created, 0).UTC()
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		e.State, e.Detail = channel.StateRefundFailed, string(r.Status)+" "+string(r.FailureReason)
	}
	return e
}
