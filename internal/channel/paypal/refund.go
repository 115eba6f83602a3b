package paypal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// refund is what is read of a refund (Payments v2). custom_id has both numbers; invoice_id, which PayPal takes for one refund only, has that
// of the refund: where the Request-Id is forgotten, it still hinders a second one.
type refund struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"` // COMPLETED, PENDING, FAILED, CANCELLED
	Custom    string    `json:"custom_id"`
	Invoice   string    `json:"invoice_id"`
	Amount    amount    `json:"amount"`
	CreatedAt time.Time `json:"create_time"`
	Payer     payee     `json:"payer"` // who gives the money back: the merchant
	Links     []link    `json:"links"`
}

// customOf names a refund to PayPal: the payment's number, a full stop, the refund's; of 127 characters at most.
func customOf(payment, refund string) string { return payment + "." + refund }

// numbersOf reads what customOf wrote. What PayPal, or somebody at PayPal, made bears at most the payment's number.
func numbersOf(custom string) (payment, refund string) {
	payment, refund, _ = strings.Cut(custom, ".")
	return payment, refund
}

// apart is how far PayPal's clock and ours may differ.
const apart = 5 * time.Minute

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
	body := map[string]any{"amount": sum, "custom_id": customOf(r.Payment.Number, r.Refund.Number), "invoice_id": r.Refund.Number}
	if note := []rune(r.Reason); len(note) > 0 {
		body["note_to_payer"] = string(note[:min(len(note), maxNote)])
	}
	var made refund
	if err := a.api.call(ctx, http.MethodPost, "/v2/payments/captures/"+url.PathEscape(id)+"/refund", r.Refund.Number, body, &made); err != nil {
		return a.refused(ctx, r, err)
	}
	return made.event(r.Payment, r.Refund)
}

// refused judges a refused refund. An earlier call whose answer was lost may be why the number, or the money, is used up: then the order is
// asked for, and only one whose refunds are all somebody else's makes it certain.
func (a *Adapter) refused(ctx context.Context, r channel.RefundRequest, refusal error) (channel.Event, error) {
	code, spent := spentBy(refusal)
	if !spent {
		return channel.Event{}, refundError(refusal)
	}
	e, err := a.QueryRefund(ctx, r.Payment, r.Refund)
	if err == nil && e.State == channel.StateNotFound {
		err = refundError(refusal)
		if slices.Contains(exhausted, code) {
			err = fmt.Errorf("%w: paypal %s", channel.ErrDeclined, code)
		}
	}
	return e, err
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

// QueryRefund asks by the refund's id, or looks for our number among the refunds of the order. It is not found only where every refund
// that the order shows is certainly another one.
func (a *Adapter) QueryRefund(ctx context.Context, p, r channel.Ref) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	if r.Reference != "" {
		made, err := a.refundBy(ctx, r.Reference)
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
	return a.among(ctx, o, p, r)
}

func (a *Adapter) refundBy(ctx context.Context, id string) (made refund, err error) {
	err = a.api.call(ctx, http.MethodGet, "/v2/payments/refunds/"+url.PathEscape(id), "", nil, &made)
	return made, err
}

// among looks for a refund in its order. One that bears no number is asked for by itself; if it bears none there either (PayPal has taken the
// money back, or somebody has given it back at PayPal), it is another's only by another amount, or because it was there before ours.
func (a *Adapter) among(ctx context.Context, o order, p, r channel.Ref) (channel.Event, error) {
	shown, unclear := o.Units[0].Payments.Refunds, false
	for _, made := range shown {
		if made.nameless() && made.ID != "" {
			whole, err := a.refundBy(ctx, made.ID)
			if err != nil {
				return channel.Event{}, askError(err)
			}
			made = whole
		}
		if made.is(p, r) {
			return made.event(p, r)
		}
		m, err := made.Amount.money()
		unclear = unclear || made.nameless() && !made.before(r) && (err != nil || m == r.Amount)
	}
	for _, c := range o.Units[0].Payments.Captures {
		unclear = unclear || len(shown) == 0 && strings.HasSuffix(c.Status, "REFUNDED")
	}
	if unclear {
		return channel.Event{}, fmt.Errorf("%w: paypal shows a refund without a number", channel.ErrUnknown)
	}
	return channel.Event{Number: p.Number, RefundNumber: r.Number, State: channel.StateNotFound}, nil
}

func (made refund) nameless() bool { return made.Custom == "" && made.Invoice == "" }

// before: PayPal had made it when r was not written yet, by any clock.
func (made refund) before(r channel.Ref) bool {
	return !made.CreatedAt.IsZero() && made.CreatedAt.Before(r.MadeAt.Add(-apart))
}

// is: it bears the numbers of the refund r of the payment p.
func (made refund) is(p, r channel.Ref) bool {
	return made.Custom == customOf(p.Number, r.Number) || made.Custom == "" && made.Invoice == r.Number
}

// event says what became of the refund r of the payment p.
func (made refund) event(p, r channel.Ref) (channel.Event, error) {
	if made.ID == "" || !made.nameless() && !made.is(p, r) {
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
