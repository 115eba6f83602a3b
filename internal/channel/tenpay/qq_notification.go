package tenpay

import (
	"context"
	"net/http"

	"paydesk/internal/channel"
)

// ParseNotification verifies the signature over all fields and the merchant, and that it tells of a success: QQ Wallet notifies nothing
// else. Its notifications have no id, so what they tell is one.
func (a *QQ) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	f, err := parseXML(n.Body)
	if err != nil {
		return channel.Event{}, forged("qq wallet: " + err.Error())
	}
	switch {
	case !f.verified(a.key):
		return channel.Event{}, forged("qq wallet: wrong signature")
	case f["mch_id"] != a.mchID:
		return channel.Event{}, forged("qq wallet: for another merchant")
	case f["out_trade_no"] == "" || f["transaction_id"] == "":
		return channel.Event{}, forged("qq wallet: names no trade")
	}
	e, err := qqEvent(f)
	if err != nil {
		return channel.Event{}, forged("qq wallet: unreadable")
	}
	e.ID = e.Reference + "/" + e.Detail + "/" + code(f["total_fee"])
	return e, nil
}

// Acknowledge is what QQ Wallet waits for; anything else makes it come again.
func (a *QQ) Acknowledge() channel.Acknowledgement { return qqReply(success) }

// Refuse answers a forged one.
func (a *QQ) Refuse() channel.Acknowledgement { return qqReply("FAIL") }

func qqReply(code string) channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK, ContentType: "text/xml; charset=utf-8", Body: "<xml><return_code>" + code + "</return_code></xml>"}
}
