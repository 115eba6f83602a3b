package card

import (
	"context"
	"errors"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// disputed is what an event says of a dispute: the card's bank takes the money back, inquires, gives it back or decides. Books wait for an
// operator, who answers in Stripe's dashboard. A dispute has no metadata of ours: its intent has.
func (a *Adapter) disputed(ctx context.Context, kind string, d *stripe.Dispute) (channel.Event, error) {
	e := channel.Event{Reference: d.ID, State: channel.StateDisputed, Amount: amount(d.Amount, d.Currency), Detail: strings.Join([]string{kind, string(d.Status), string(d.Reason)}, " ")}
	if d.PaymentIntent == nil {
		return e, nil // of a charge that was made without one, by somebody else with our account
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	i, err := a.api.V1PaymentIntents.Retrieve(ctx, d.PaymentIntent.ID, nil)
	var refusal *stripe.Error
	switch {
	case errors.As(err, &refusal) && refusal.Code == stripe.ErrorCodeResourceMissing:
		return e, nil
	case err != nil:
		return channel.Event{}, askError(err)
	}
	e.Number = i.Metadata[metaNumber]
	return e, nil
}

// withdrawal is the line of a movement by a dispute; false for another movement. Each is one of its own, for both of a dispute may lie on one day.
func withdrawal(l channel.Line, m *stripe.BalanceTransaction) (channel.Line, bool) {
	if m.Source == nil || m.Source.Dispute == nil {
		return l, false
	}
	d := m.Source.Dispute
	l.RefundNumber, l.Reference, l.State, l.Amount = m.ID, d.ID, channel.StateRefunded, amount(d.Amount, d.Currency)
	if m.Amount > 0 { // given back
		l.State = channel.StatePaid
	}
	if d.Charge != nil {
		l.Number = d.Charge.Metadata[metaNumber]
	}
	return l, true
}
