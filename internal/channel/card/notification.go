package card

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
)

// ParseNotification verifies an event: the endpoint's signature, not older than five minutes nor from the future, of our mode and our version
// of the API. Events that are not about a payment or refund of ours have no number: whoever stores them sees what they are by Detail. Errors:
// ErrForged; of a dispute, which has no number of ours, those of asking for its intent.
func (a *Adapter) ParseNotification(ctx context.Context, n channel.Notification) (channel.Event, error) {
	header := n.Header.Get("Stripe-Signature")
	ev, err := stripe.ConstructEvent(n.Body, header, a.secret)
	if err != nil {
		return channel.Event{}, forged("signature, time or version")
	}
	if time.Until(signedAt(header)) > stripe.WebhookDefaultTolerance {
		return channel.Event{}, forged("from the future")
	}
	if ev.Livemode != a.live {
		return channel.Event{}, forged("of another mode")
	}
	if ev.ID == "" || ev.Data == nil {
		return channel.Event{}, forged("of nothing")
	}
	e, err := a.heard(ctx, ev)
	if err != nil && !errors.Is(err, channel.ErrUnknown) && !errors.Is(err, channel.ErrUnavailable) {
		err = forged("unreadable")
	}
	if err != nil {
		return channel.Event{}, err
	}
	e.ID = ev.ID
	return e, nil
}

// heard reads the object of an event.
func (a *Adapter) heard(ctx context.Context, ev stripe.Event) (channel.Event, error) {
	switch kind := string(ev.Type); {
	case strings.HasPrefix(kind, "payment_intent."):
		var i stripe.PaymentIntent
		if err := json.Unmarshal(ev.Data.Raw, &i); err != nil {
			return channel.Event{}, err
		}
		return intentTold(ev, &i), nil
	case strings.HasPrefix(kind, "charge.dispute."):
		var d stripe.Dispute
		if err := json.Unmarshal(ev.Data.Raw, &d); err != nil {
			return channel.Event{}, err
		}
		return a.disputed(ctx, kind, &d)
	case strings.HasPrefix(kind, "refund."), ev.Type == stripe.EventTypeChargeRefundUpdated:
		var r stripe.Refund
		if err := json.Unmarshal(ev.Data.Raw, &r); err != nil {
			return channel.Event{}, err
		}
		if r.Metadata[metaNumber] == "" || r.Metadata[metaPayment] == "" { // made by hand, in Stripe's dashboard
			return channel.Event{Reference: r.ID, State: channel.StatePending, Detail: kind}, nil
		}
		return refunded(r.Metadata[metaPayment], r.Metadata[metaNumber], &r), nil
	}
	// Charges have their intent's metadata, and tell nothing that the intent does not.
	var o struct {
		ID       string            `json:"id"`
		Metadata map[string]string `json:"metadata"`
	}
	if err := json.Unmarshal(ev.Data.Raw, &o); err != nil {
		return channel.Event{}, err
	}
	return channel.Event{Number: o.Metadata[metaNumber], Reference: o.ID, State: channel.StatePending, Detail: string(ev.Type)}, nil
}

// intentTold is what an event says of an intent. Our own cancellation comes back as an event while the payment is being ended by whoever
// canceled: it must not end it in another way.
func intentTold(ev stripe.Event, i *stripe.PaymentIntent) channel.Event {
	e := event(i)
	switch {
	case e.State == channel.StatePaid:
		e.PaidAt = time.Unix(ev.Created, 0).UTC()
	case e.State == channel.StateClosed && i.CancellationReason == abandoned:
		e.State = channel.StatePending
	}
	return e
}

// signedAt is the time in the signature's header, which ConstructEvent has read before.
func signedAt(header string) time.Time {
	for part := range strings.SplitSeq(header, ",") {
		if text, ok := strings.CutPrefix(part, "t="); ok {
			at, _ := strconv.ParseInt(text, 10, 64)
			return time.Unix(at, 0)
		}
	}
	return time.Time{}
}

func forged(why string) error { return fmt.Errorf("%w: card event %s", channel.ErrForged, why) }

// Acknowledge is what Stripe wants for a stored event.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK}
}

// Refuse answers a forged one.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest}
}
