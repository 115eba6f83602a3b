package tenpay

import (
	"cmp"
	"context"
	"net/http"

	"paydesk/internal/channel"
)

// ParseNotification verifies the signature over all fields of the form and the merchant. One with an out_refund_no tells of a refund; it may
// have no id, then what it tells is one.
func (a *Tenpay) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	f, err := parseForm(n.Body)
	if err != nil {
		return channel.Event{}, forged("tenpay: " + err.Error())
	}
	switch {
	case !f.verified(a.key):
		return channel.Event{}, forged("tenpay: wrong signature")
	case f["partner"] != a.partner:
		return channel.Event{}, forged("tenpay: for another merchant")
	case f["out_trade_no"] == "" || f["notify_id"] == "" && f["out_refund_no"] == "":
		return channel.Event{}, forged("tenpay: names no trade")
	}
	read := tenpayEvent
	if f["out_refund_no"] != "" {
		read = tenpayRefund
	}
	e, err := read(f)
	if err != nil {
		return channel.Event{}, forged("tenpay: unreadable")
	}
	e.ID = cmp.Or(f["notify_id"], "refund/"+e.RefundNumber+"/"+code(f["refund_status"]))
	return e, nil
}

// Acknowledge is the word Tenpay waits for; anything else makes it come again.
func (a *Tenpay) Acknowledge() channel.Acknowledgement { return tenpayReply("success") }

// Refuse answers a forged one.
func (a *Tenpay) Refuse() channel.Acknowledgement { return tenpayReply("fail") }

func tenpayReply(word string) channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: word}
}
