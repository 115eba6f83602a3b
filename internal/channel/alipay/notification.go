package alipay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"paydesk/internal/channel"
)

// ParseNotification verifies the raw form as it came: the signature over all of it, then the application and the
// seller. Anything that does not fit is ErrForged.
func (a *Adapter) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	form, err := url.ParseQuery(string(n.Body))
	if err != nil {
		return channel.Event{}, forged("not a form")
	}
	if form.Get("sign_type") != "RSA2" {
		return channel.Event{}, forged("not signed with RSA2")
	}
	// With a configured public key no certificate belongs here; the SDK would leave the field out of the signature.
	if form.Has("alipay_cert_sn") {
		return channel.Event{}, forged("signed with a certificate, a public key is configured")
	}
	t, err := a.client.DecodeNotification(form)
	if err != nil {
		return channel.Event{}, forged("wrong signature")
	}
	if t.AppId != a.appID || (t.AuthAppId != "" && t.AuthAppId != a.appID) {
		return channel.Event{}, forged("for another application")
	}
	if t.SellerId != a.sellerID {
		return channel.Event{}, forged("for another seller")
	}
	if t.OutTradeNo == "" || t.NotifyId == "" {
		return channel.Event{}, forged("names no trade")
	}
	e := channel.Event{ID: t.NotifyId, Number: t.OutTradeNo, Reference: t.TradeNo, Detail: string(t.TradeStatus)}
	e, err = complete(e, t.TradeStatus, t.TotalAmount, t.GmtPayment)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	return e, nil
}

func forged(why string) error { return fmt.Errorf("%w: alipay: %s", channel.ErrForged, why) }

// Acknowledge is the word Alipay waits for; anything else makes it come again.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: "success"}
}

// Refuse answers a forged notification.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest, ContentType: "text/plain; charset=utf-8", Body: "failure"}
}
