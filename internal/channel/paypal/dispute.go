package paypal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"paydesk/internal/channel"
)

// dispute is what is read of CUSTOMER.DISPUTE.*: the payer's complaint, or the card's bank's.
type dispute struct {
	ID           string `json:"dispute_id"`
	Status       string `json:"status"` // OPEN, UNDER_REVIEW, RESOLVED, ...
	Amount       amount `json:"dispute_amount"`
	Transactions []struct {
		ID     string `json:"seller_transaction_id"` // the capture's
		Custom string `json:"custom"`
		Seller payee  `json:"seller"`
	} `json:"disputed_transactions"`
}

// toldDispute: whatever becomes of a dispute, an operator looks, and answers at PayPal.
func (a *Adapter) toldDispute(ctx context.Context, text []byte) (channel.Event, error) {
	var d dispute
	if err := json.Unmarshal(text, &d); err != nil || d.ID == "" {
		return channel.Event{}, fmt.Errorf("not a dispute")
	}
	e := disputed(d.ID, d.Status, d.Amount)
	for _, t := range d.Transactions {
		if !a.ours(t.Seller) {
			return channel.Event{}, fmt.Errorf("not a dispute of ours")
		}
		number, err := a.paymentOf(ctx, t.Custom, t.ID)
		if err != nil {
			return channel.Event{}, err
		}
		if e.Number == "" {
			e.Number = number
		}
	}
	return e, nil
}

// toldReversal: PayPal has taken the money of a capture back. It is told as a refund that bears no number.
func (a *Adapter) toldReversal(ctx context.Context, text []byte) (channel.Event, error) {
	var r struct {
		refund
		Payee payee `json:"payee"` // where it is told as the capture itself
	}
	if err := json.Unmarshal(text, &r); err != nil || !a.ours(r.Payer) || !a.ours(r.Payee) {
		return channel.Event{}, fmt.Errorf("not a reversal of ours")
	}
	e := disputed(r.ID, r.Status, r.Amount)
	id := linked(r.Links, "captures")
	if id == "" && above(r.Links) != "" {
		id = r.ID
	}
	var err error
	e.Number, err = a.paymentOf(ctx, r.Custom, id)
	return e, err
}

func disputed(id, status string, sum amount) channel.Event {
	e := channel.Event{Reference: id, State: channel.StateDisputed}
	if plain.MatchString(status) {
		e.Detail = status
	}
	if m, err := sum.money(); err == nil {
		e.Amount = m
	}
	return e
}

// notOurs are the refusals of a question about a capture that asking again does not change.
var notOurs = []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity}

// paymentOf is the number of the payment that a custom_id names, or else the capture; empty where PayPal knows no capture of ours. One
// that another application of the same merchant has made is refused to us (403), and what is refused now is refused again: the event is kept
// without a number, for PayPal gives up after three days.
func (a *Adapter) paymentOf(ctx context.Context, custom, id string) (string, error) {
	if number, _ := numbersOf(custom); number != "" || id == "" {
		return number, nil
	}
	var c capture
	err := a.api.call(ctx, http.MethodGet, "/v2/payments/captures/"+url.PathEscape(id), "", nil, &c)
	switch {
	case slices.Contains(notOurs, status(err)) || err == nil && !a.ours(c.Payee):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("%w: which payment is meant: %w", channel.ErrUnavailable, askError(err))
	}
	return c.Number, nil
}
