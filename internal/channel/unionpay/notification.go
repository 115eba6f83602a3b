package unionpay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"paydesk/internal/channel"
)

// ParseNotification verifies a back notification, an ordinary form: the certificate it brings, the signature over all of it, the merchant
// and the kind of bank. UnionPay tells of payments (txnType 01) that succeeded, and of refunds (04) that ended; nothing else is ours (31
// is a void, which we never ask for).
func (a *Adapter) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	form, err := url.ParseQuery(string(n.Body))
	if err != nil {
		return channel.Event{}, forged("not a form")
	}
	f := fields{}
	for name, values := range form {
		if len(values) != 1 {
			return channel.Event{}, forged("a field stands there twice")
		}
		f[name] = values[0]
	}
	if err := a.verify(f); err != nil {
		return channel.Event{}, forged(err.Error())
	}
	if f["bizType"] != a.bizType {
		return channel.Event{}, forged("for the other kind of bank")
	}
	if f["orderId"] == "" || f["queryId"] == "" {
		return channel.Event{}, forged("names no trade")
	}
	e, err := event(f)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	return e, nil
}

// event reads what is said of a payment or a refund. A notification has no id of its own: the trade, its kind and its code are one. What has
// an origRespCode is an answer to a question, as rightly signed as any: its respCode is of the question, and says nothing of money.
func event(f fields) (channel.Event, error) {
	code := f["respCode"]
	if f["origRespCode"] != "" {
		code = f["origRespCode"]
	}
	e := channel.Event{ID: f["txnType"] + "-" + f["queryId"] + "-" + code, Reference: f["queryId"], Detail: code}
	switch f["txnType"] {
	case "01":
		e.Number, e.State = f["orderId"], paymentState(e.Detail)
	case "04":
		e.Number, e.RefundNumber, e.State = f["reqReserved"], f["orderId"], refundState(e.Detail)
	default:
		return channel.Event{}, fmt.Errorf("a trade of kind %q", f["txnType"])
	}
	switch e.State {
	case channel.StatePaid, channel.StateRefunded:
		return paid(e, f)
	case channel.StateNotFound: // no word for a notification
		e.State = channel.StatePending
	}
	return e, nil
}

func forged(why string) error { return fmt.Errorf("%w: unionpay: %s", channel.ErrForged, why) }

// Acknowledge is HTTP 200, within ten seconds; the body does not matter.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK, ContentType: "text/plain", Body: "ok"}
}

// Refuse answers a forged notification.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest, ContentType: "text/plain", Body: "refused"}
}
