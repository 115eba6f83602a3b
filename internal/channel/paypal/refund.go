package paypal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// refund is what is read of a refund (Payments v2). We give custom_id our number of it, invoice_id that of the payment.
type refund struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"` // COMPLETED, PENDING, FAILED, CANCELLED
	Number    string    `json:"custom_id"`
	Payment   string    `json:"invoice_id"`
	Amount    amount    `json:"amount"`
	CreatedAt time.Time `json:"create_time"`
	Payer     payee     `json:"payer"` // who gives the money back: the merchant
}

// maxNote is how many characters of a reason PayPal shows the payer.
const maxNote = 255

// Refund sends money of a capture back, whose id the order tells. The refund's number is the PayPal-Request-Id.
func (a *Adapter) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	sum, ok := amountOf(r.Refund.Amount)
	if !ok {
		return channel.Event{}, fmt.Errorf("%w: paypal gives no %s back", channel.ErrDeclined, r.Refund.Amount)
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	id, err := a.captureOf(ctx, r.Payment)
	if err != nil {
		return channel.Event{}, err
	}
	body := map[string]any{"amount": sum, "custom_id": r.Refund.Number, "invoice_id": r.Payment.Number}
	if note := []rune(r.Reason); len(note) > 0 {
		body["note_to_payer"] = string(note[:min(len(note), maxNote)])
	}
	var made refund
	if err := a.call(ctx, http.MethodPost, "/v2/payments/captures/"+url.PathEscape(id)+"/refund", r.Refund.Number, body, &made); err != nil {
		return channel.Event{}, refundError(err)
	}
	return made.event(r.Payment, r.Refund)
}

// captureOf reads, from the order, the id of the capture that took the money.
func (a *Adapter) captureOf(ctx context.Context, p channel.Ref) (string, error) {
	o, err := a.order(ctx, p.Reference)
	if err != nil {
		return "", askError(err)
	}
	if _, err := a.event(o, p.Number); err != nil {
		return "", err
	}
	for _, c := range o.Units[0].Payments.Captures {
		if e, err := c.event(channel.Event{}); err == nil && e.State == channel.StatePaid {
			return c.ID, nil
		}
	}
	return "", fmt.Errorf("%w: paypal knows of no captured money", channel.ErrUnknown)
}

// QueryRefund asks by the refund's id, or looks for our number among the refunds of the order.
func (a *Adapter) QueryRefund(ctx context.Context, p, r channel.Ref) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	if r.Reference != "" {
		var made refund
		err := a.call(ctx, http.MethodGet, "/v2/payments/refunds/"+url.PathEscape(r.Reference), "", nil, &made)
		switch {
		case err == nil:
			return made.event(p, r)
		case !notThere(err):
			return channel.Event{}, askError(err)
		}
	}
	o, err := a.order(ctx, p.Reference)
	if err != nil {
		return channel.Event{}, askError(err)
	}
	if _, err := a.event(o, p.Number); err != nil {
		return channel.Event{}, err
	}
	for _, made := range o.Units[0].Payments.Refunds {
		if made.Number == r.Number {
			return made.event(p, r)
		}
	}
	return channel.Event{Number: p.Number, RefundNumber: r.Number, State: channel.StateNotFound}, nil
}

// event says what became of the refund r of the payment p.
func (made refund) event(p, r channel.Ref) (channel.Event, error) {
	if made.ID == "" || made.Number != "" && made.Number != r.Number {
		return channel.Event{}, fmt.Errorf("%w: paypal answered for another refund", channel.ErrUnknown)
	}
	e := channel.Event{Number: p.Number, RefundNumber: r.Number, Reference: made.ID, Detail: made.Status, State: channel.StatePending}
	switch made.Status {
	case "FAILED", "CANCELLED":
		e.State = channel.StateRefundFailed
	case "COMPLETED":
		m, err := made.Amount.money()
		if err != nil {
			return channel.Event{}, fmt.Errorf("%w: paypal, a refunded amount: %w", channel.ErrUnknown, err)
		}
		e.State, e.Amount, e.PaidAt = channel.StateRefunded, m, made.CreatedAt.UTC()
	}
	return e, nil
}
