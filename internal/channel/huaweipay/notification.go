package huaweipay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"paydesk/internal/channel"
)

// callback is a call of Huawei Pay: of an order, or of a refund, whose numbers have other names than in answers.
type callback struct {
	CallbackID string `json:"callbackId"`
	DataType   string `json:"dataType"`
	Payload    string `json:"payload"`
	MercNo     string `json:"mercNo"`
	RefundNo   string `json:"mercRefundNo"`
	SysRefund  string `json:"sysRefundNo"`
}

// ParseNotification verifies the signature over all fields as they came, known here or not, then the merchant. A callback of a refund may
// leave the merchant out by the documents; here it may not: everybody's callbacks have the same signer.
func (a *Adapter) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	fields, err := fieldsOf(n.Body)
	if err != nil {
		return channel.Event{}, forged(err.Error())
	}
	if !a.signed(fields) {
		return channel.Event{}, forged("wrong signature")
	}
	var c callback
	if err := json.Unmarshal(n.Body, &c); err != nil || c.CallbackID == "" {
		return channel.Event{}, forged("not a callback")
	}
	if c.MercNo != a.merchant {
		return channel.Event{}, forged("for another merchant")
	}
	if c.DataType != "plain" {
		return channel.Event{}, forged("encrypted; nothing of the kind was agreed")
	}
	e, err := a.told(n.Body, c)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	e.ID = c.CallbackID
	return e, nil
}

func (a *Adapter) told(body []byte, c callback) (channel.Event, error) {
	if c.RefundNo != "" {
		var o refundOrder
		if err := json.Unmarshal(body, &o); err != nil {
			return channel.Event{}, err
		}
		o.Number, o.Reference = c.RefundNo, c.SysRefund
		return o.event(c.Payload)
	}
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		return channel.Event{}, err
	}
	if o.MercOrderNo == "" || o.AppID != a.app {
		return channel.Event{}, errors.New("names no order, or another application's")
	}
	return o.event()
}

func forged(why string) error { return fmt.Errorf("%w: huaweipay: %s", channel.ErrForged, why) }

// Acknowledge is the exact answer that Huawei Pay waits for, three seconds; anything else makes it come again.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK, ContentType: "application/json", Body: `{"resultCode":"000000","resultDesc":"Success."}`}
}

// Refuse answers a forged callback.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest, ContentType: "application/json", Body: `{"resultCode":"200002","resultDesc":"Invalid signature."}`}
}
