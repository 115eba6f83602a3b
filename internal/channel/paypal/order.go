package paypal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// amount is PayPal's money: major units as text.
type amount struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"`
}

// currencies are those that PayPal settles. CNY is left out: it is for accounts of the mainland alone.
var currencies = strings.Fields("AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD")

// whole are currencies that PayPal takes without decimals although ISO 4217 has two.
var whole = []string{"HUF", "TWD"}

// amountOf writes an amount; false for one that PayPal cannot take.
func amountOf(m money.Money) (amount, bool) {
	out := amount{string(m.Currency), m.Decimal()}
	if slices.Contains(whole, out.Currency) {
		out.Value, _, _ = strings.Cut(out.Value, ".")
		return out, m.WholeUnits()
	}
	return out, slices.Contains(currencies, out.Currency)
}

func (a amount) money() (money.Money, error) { return money.Parse(a.Value, money.Currency(a.Currency)) }

type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

type payee struct {
	MerchantID string `json:"merchant_id"`
}

// order is what is read of an order (Orders v2).
type order struct {
	ID     string `json:"id"`
	Status string `json:"status"` // CREATED, SAVED, PAYER_ACTION_REQUIRED, APPROVED, VOIDED, COMPLETED
	Units  []struct {
		Number   string `json:"custom_id"`
		Payee    payee  `json:"payee"`
		Payments struct {
			Captures []capture `json:"captures"`
			Refunds  []refund  `json:"refunds"`
		} `json:"payments"`
	} `json:"purchase_units"`
	Links []link `json:"links"`
}

// capture is the taking of an order's money.
type capture struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"` // COMPLETED, PENDING, DECLINED, FAILED, PARTIALLY_REFUNDED, REFUNDED
	Number    string    `json:"custom_id"`
	Amount    amount    `json:"amount"`
	CreatedAt time.Time `json:"create_time"`
	Payee     payee     `json:"payee"`
	Links     []link    `json:"links"`
	Why       struct {
		Reason string `json:"reason"` // of PENDING: PENDING_REVIEW, RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION, ECHECK, ...
	} `json:"status_details"`
	Related struct {
		IDs struct {
			Order string `json:"order_id"`
		} `json:"related_ids"`
	} `json:"supplementary_data"`
}

func (o order) link(rels ...string) string {
	for _, l := range o.Links {
		if slices.Contains(rels, l.Rel) {
			return l.Href
		}
	}
	return ""
}

// locales are PayPal's names of the languages of its page.
var locales = map[string]string{"en": "en-US", "zh-Hans": "zh-CN", "zh-Hant": "zh-TW"}

// maxDescription is how many characters of the subject PayPal shows.
const maxDescription = 127

// newOrder is the body of POST /v2/checkout/orders. Our number is custom_id, which comes back with everything, and invoice_id, under which
// PayPal captures once only where the account blocks multiple payments for an invoice.
func newOrder(r channel.StartRequest, total amount) any {
	subject := []rune(r.Subject)
	unit := map[string]any{"custom_id": r.Number, "invoice_id": r.Number, "amount": total, "description": string(subject[:min(len(subject), maxDescription)])}
	page := map[string]string{"return_url": r.ReturnURL, "cancel_url": r.ReturnURL, "user_action": "PAY_NOW", "shipping_preference": "NO_SHIPPING",
		"payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED"}
	if l, ok := locales[r.Locale]; ok {
		page["locale"] = l
	}
	return map[string]any{"intent": "CAPTURE", "purchase_units": []any{unit}, "payment_source": map[string]any{"paypal": map[string]any{"experience_context": page}}}
}

// event is what an order says of the payment with this number. Its reference is the order's id.
func (a *Adapter) event(o order, number string) (channel.Event, error) {
	if o.ID == "" || len(o.Units) != 1 || o.Units[0].Number != number || !a.ours(o.Units[0].Payee) {
		return channel.Event{}, fmt.Errorf("%w: paypal answered for another order or merchant", channel.ErrUnknown)
	}
	e := channel.Event{Number: number, Reference: o.ID, Detail: o.Status, State: channel.StatePending}
	switch o.Status {
	case "APPROVED":
		e.State = channel.StateApproved
	case "VOIDED":
		e.State = channel.StateDeclined
	case "COMPLETED":
		return a.captured(e, o)
	}
	return e, nil // CREATED, PAYER_ACTION_REQUIRED, and what PayPal may invent: nothing to book
}

// captured judges a completed order by its captures: one that took money counts before one that may have, that before one that did not. One
// that shows none has one.
func (a *Adapter) captured(e channel.Event, o order) (channel.Event, error) {
	e.State = channel.StateInReview
	for i, c := range o.Units[0].Payments.Captures {
		of, err := c.event(e)
		if err != nil || of.State == channel.StatePaid {
			return of, err
		}
		if i == 0 || of.State == channel.StateInReview {
			e = of
		}
	}
	return e, nil
}

// event says what a capture means for the payment of e.
func (c capture) event(e channel.Event) (channel.Event, error) {
	e.Detail = c.Status
	switch c.Status {
	case "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED": // refunded later: the money did come
	case "DECLINED", "FAILED", "DENIED":
		e.State = channel.StateDeclined
		return e, nil
	default: // PENDING, and what PayPal may invent: taken, but PayPal looks at it, waits for the payer's bank, or for us to accept it there
		e.State = channel.StateInReview
		if plain.MatchString(c.Why.Reason) {
			e.Detail += " " + c.Why.Reason
		}
		return e, nil
	}
	m, err := c.Amount.money()
	if err != nil {
		return channel.Event{}, fmt.Errorf("%w: paypal, a captured amount: %w", channel.ErrUnknown, err)
	}
	e.State, e.Amount, e.PaidAt = channel.StatePaid, m, c.CreatedAt.UTC()
	return e, nil
}

// ours: a payee, where one is named, is our merchant.
func (a *Adapter) ours(p payee) bool { return p.MerchantID == "" || p.MerchantID == a.merchantID }
