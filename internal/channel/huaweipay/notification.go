package huaweipay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"paydesk/internal/channel"
)

// ParseNotification verifies the signature over all fields as they came, known here or not, that they cannot be another merchant's cut
// elsewhere, then the merchant. A callback of a refund may leave the merchant out; since everybody's callbacks have the same signer, Huawei
// Pay is then asked for that refund, as it tells each merchant of its own only. Errors: ErrForged, and those of QueryRefund.
func (a *Adapter) ParseNotification(ctx context.Context, n channel.Notification) (channel.Event, error) {
	fields, err := fieldsOf(n.Body)
	if err != nil {
		return channel.Event{}, forged(err.Error())
	}
	if !a.signed(fields) {
		return channel.Event{}, forged("wrong signature")
	}
	if err := unequivocal(n.Body, fields); err != nil {
		return channel.Event{}, forged(err.Error())
	}
	c := callback(fields)
	if c.text("callbackId") == "" {
		return channel.Event{}, forged("not a callback")
	}
	if c.text("dataType") != "plain" {
		return channel.Event{}, forged("encrypted; nothing of the kind was agreed")
	}
	e, err := a.judge(ctx, c)
	e.ID = c.text("callbackId")
	return e, err
}

// judge finds out whether a callback is ours, and what it says.
func (a *Adapter) judge(ctx context.Context, c callback) (channel.Event, error) {
	switch named := c.text("mercNo"); {
	case named == "" && c.text("mercRefundNo") != "":
		return a.asked(ctx, c)
	case named != a.merchant:
		return channel.Event{}, forged("for another merchant")
	}
	e, err := a.told(c)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	return e, nil
}

// asked is what Huawei Pay answers us of the refund that a callback tells of. One that it does not know as ours is another merchant's.
func (a *Adapter) asked(ctx context.Context, c callback) (channel.Event, error) {
	refund := channel.Ref{Number: c.text("mercRefundNo"), Reference: c.text("sysRefundNo")}
	if refund.Reference == "" {
		return channel.Event{}, forged("names neither merchant nor refund")
	}
	e, err := a.QueryRefund(ctx, channel.Ref{Number: c.text("payload")}, refund)
	if err == nil && e.State == channel.StateNotFound {
		err = forged("of a refund that is none of ours")
	}
	return e, err
}

// callback are the verified fields of a call of Huawei Pay. They are read by their exact names: Go's structs would take mercno for mercNo.
type callback map[string]any

// text is a field's text; of what is no text none.
func (c callback) text(name string) string {
	text, _ := c[name].(string)
	return text
}

// fen is an amount; nil where there is none.
func (c callback) fen(name string) *int64 {
	number, _ := c[name].(json.Number)
	amount, err := number.Int64()
	if err != nil {
		return nil
	}
	return &amount
}

// told reads a callback of an order, or of a refund, whose numbers have other names than in answers.
func (a *Adapter) told(c callback) (channel.Event, error) {
	if number := c.text("mercRefundNo"); number != "" {
		o := refundOrder{Number: number, Reference: c.text("sysRefundNo"), RefundOrderStatus: c.text("refundOrderStatus"), Currency: c.text("currency"),
			RefundAmount: c.fen("refundAmount"), FinishTime: c.text("finishTime")}
		return o.event(c.text("payload"))
	}
	o := order{MercOrderNo: c.text("mercOrderNo"), SysTransOrderNo: c.text("sysTransOrderNo"), OrderStatus: c.text("orderStatus"), Currency: c.text("currency"),
		TotalAmount: c.fen("totalAmount"), FinishTime: c.text("finishTime")}
	if o.MercOrderNo == "" || c.text("appId") != a.app {
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
