// Package webhook is the face that channels see: verify, store, apply, acknowledge. A notification is acknowledged once it is
// stored; storing it twice finds the row that is there, and what it says is booked once (lessons 3 to 6, 25). What is refused is kept
// too, as evidence.
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Payments applies what a channel says of payments, or of refunds.
type Payments interface {
	Apply(ctx context.Context, ch models.PaymentChannel, ev channel.Event) (payment.Verdict, error)
}

// Inbox stores and applies notifications. It is safe for concurrent use.
type Inbox struct {
	DB       *database.DB
	Payments Payments
	Refunds  Payments // applies what names a refund
	Channels channel.Registry
	Clock    clock.Clock
	Log      *slog.Logger
	// Heard is told of each notification that came and what became of it, for metrics: a payment.Verdict, REFUSED, REPEATED,
	// LATER (stored, not yet applied) or FAILED (not stored). It may be nil.
	Heard func(channel models.PaymentChannel, outcome string)
}

const maxBody = 256 << 10 // a notification has a few KiB

// Serve answers one notification of a channel, which POSTs it, or where it is known to, asks for our address with its fields in the query;
// nothing else is one.
func (i *Inbox) Serve(w http.ResponseWriter, r *http.Request, name models.PaymentChannel) {
	adapter, ok := i.Channels[name]
	inQuery := r.Method == http.MethodGet && r.URL.RawQuery != "" && channel.NotifiesInQuery(name)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost && !inQuery {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "notifications are POSTed", http.StatusMethodNotAllowed)
		return
	}
	text := io.ReadCloser(r.Body)
	if inQuery {
		text = io.NopCloser(strings.NewReader(r.URL.RawQuery))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, text, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		i.refuse(w, r, name, adapter, body, err)
		return
	}
	if err != nil { // it broke off: nobody is there to be answered
		answer(w, adapter.Refuse())
		return
	}
	ev, err := adapter.ParseNotification(r.Context(), channel.Notification{Header: r.Header, Body: body})
	if errors.Is(err, channel.ErrForged) {
		i.refuse(w, r, name, adapter, body, err)
		return
	}
	if err == nil {
		err = i.take(r.Context(), name, r.Header, body, ev)
	}
	if err != nil { // it could not be judged, or not be stored
		i.Log.ErrorContext(r.Context(), "notification not stored, the provider sends it again", "channel", name, "number", ev.Number, "error", err)
		i.heard(name, "FAILED")
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	answer(w, adapter.Acknowledge())
}

// refuse answers what proves nothing, and keeps it as evidence where there is room.
func (i *Inbox) refuse(w http.ResponseWriter, r *http.Request, name models.PaymentChannel, adapter channel.Adapter, body []byte, why error) {
	i.Log.WarnContext(r.Context(), "notification refused", "channel", name, "reason", why)
	i.heard(name, string(refused))
	if err := i.keepRefused(r.Context(), name, r.Header, body); err != nil {
		i.Log.ErrorContext(r.Context(), "refused notification not kept", "channel", name, "error", err)
	}
	answer(w, adapter.Refuse())
}

func answer(w http.ResponseWriter, a channel.Acknowledgement) {
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

func (i *Inbox) heard(name models.PaymentChannel, outcome string) {
	if i.Heard != nil {
		i.Heard(name, outcome)
	}
}
