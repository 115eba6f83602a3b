package card

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// intent turns an intent that Stripe answered with into what the product knows; p is the payment that was asked about.
func (a *Adapter) intent(p channel.Ref, i *stripe.PaymentIntent) (channel.Event, error) {
	if i.Livemode != a.live || i.ID == "" || i.Metadata[metaNumber] != p.Number {
		return channel.Event{}, fmt.Errorf("%w: card answered for another mode or payment", channel.ErrUnknown)
	}
	return event(i), nil
}

// event is what an intent says. A confirmed intent that wants another payment method was refused: we give it none, and nobody else can. One
// that another payment method than the given one has paid, or is to pay, is not what anybody agreed to: it is not confirmed, and its money
// not booked.
func event(i *stripe.PaymentIntent) channel.Event {
	e := channel.Event{Number: i.Metadata[metaNumber], Reference: i.ID, State: channel.StatePending, Detail: string(i.Status)}
	switch i.Status {
	case stripe.PaymentIntentStatusSucceeded:
		e.State, e.Amount = channel.StatePaid, amount(i.AmountReceived, i.Currency)
		if exchanged(i) {
			e.State, e.Detail = channel.StateDisputed, "paid with another payment method than the one given"
		}
	case stripe.PaymentIntentStatusRequiresConfirmation:
		if !exchanged(i) {
			e.State = channel.StateApproved
		}
	case stripe.PaymentIntentStatusCanceled:
		e.State = channel.StateClosed
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		if i.LastPaymentError != nil {
			e.State, e.Failure, e.Detail = channel.StateDeclined, failure(i.LastPaymentError), reason(i.LastPaymentError)
		}
	}
	return e
}

// exchanged reports whether an intent has another payment method than the one that was given at the start. Former versions did not note that
// one; whoever has the publishable key cannot take the note away.
func exchanged(i *stripe.PaymentIntent) bool {
	given, noted := i.Metadata[metaMethod]
	return noted && (i.PaymentMethod == nil || i.PaymentMethod.ID != given)
}

func amount(minor int64, c stripe.Currency) money.Money {
	return money.New(minor, money.Currency(strings.ToUpper(string(c))))
}

// failure is what the payer is told of a card's refusal; why a bank refuses is between the bank and the holder (lost, stolen).
func failure(e *stripe.Error) string {
	switch e.Code {
	case stripe.ErrorCodePaymentIntentAuthenticationFailure, stripe.ErrorCodeAuthenticationRequired:
		return "AUTHENTICATION_FAILED"
	}
	return "PAYMENT_DECLINED"
}

// reason is the code for the log.
func reason(e *stripe.Error) string {
	if e.DeclineCode != "" {
		return string(e.DeclineCode)
	}
	return string(e.Code)
}

// startError judges a failed charge. Only a card's refusal and a request that Stripe does not take are certain; a key that is known there
// with other values, or still in use, leaves the outcome open.
func startError(err error) error {
	var e *stripe.Error
	if !errors.As(err, &e) {
		return askError(err)
	}
	switch {
	case e.HTTPStatusCode >= http.StatusInternalServerError || e.HTTPStatusCode == http.StatusConflict || e.HTTPStatusCode == http.StatusTooManyRequests || door(e):
		return askError(err)
	case e.Type == stripe.ErrorTypeCard:
		return &channel.Declined{Code: failure(e), Detail: reason(e)}
	case e.Type == stripe.ErrorTypeInvalidRequest && badToken(e):
		return &channel.Declined{Code: "METHOD_NOT_FOUND", Detail: told(e)}
	case e.Type == stripe.ErrorTypeInvalidRequest:
		return fmt.Errorf("%w: card %s", channel.ErrDeclined, told(e))
	}
	return askError(err)
}

// badToken: the token is none, or has been used; of that Stripe tells by no code, and not before it is charged. Where the words change, it is
// a refusal like any other.
func badToken(e *stripe.Error) bool {
	return e.Code == stripe.ErrorCodeResourceMissing && e.Param == "payment_method" || strings.Contains(e.Msg, "may not be used again")
}

// door reports a refusal before anything was done: our key, our rights, our rate.
func door(e *stripe.Error) bool {
	switch e.HTTPStatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	case http.StatusTooManyRequests:
		return e.Code != stripe.ErrorCodeLockTimeout // somebody else is at this very object
	}
	return false
}

// askError judges a failed question: it says nothing about the payment. Of Stripe's words only the codes are used, of the network's neither
// address nor body: tokens stand in the one, people in the other.
func askError(err error) error {
	var e *stripe.Error
	if errors.As(err, &e) {
		if door(e) {
			return fmt.Errorf("%w: card %s", channel.ErrUnavailable, told(e))
		}
		return fmt.Errorf("%w: card %s", channel.ErrUnknown, told(e))
	}
	var u *url.Error
	if errors.As(err, &u) {
		return channel.TransportError(u.Err)
	}
	return fmt.Errorf("%w: card answered nothing that can be read", channel.ErrUnknown)
}

// told is what the log has of an error.
func told(e *stripe.Error) string {
	text := fmt.Sprintf("HTTP %d %s", e.HTTPStatusCode, e.Type)
	for _, more := range []string{string(e.Code), string(e.DeclineCode), e.Param} {
		if more != "" {
			text += " " + more
		}
	}
	return text
}
