package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"paydesk/internal/channel"
)

// ParseNotification verifies the raw form as it came: the signature over all of it, then the application and the
// seller. Anything that does not fit is ErrForged.
func (a *Adapter) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	form, err := url.ParseQuery(string(n.Body))
	if err != nil {
		return channel.Event{}, forged("not a form")
	}
	if err := unequivocal(form); err != nil {
		return channel.Event{}, forged(err.Error())
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

var plainName = regexp.MustCompile(`^[a-z0-9_]+$`)

// decisive finds, within a value, what would be a field that decides.
var decisive = regexp.MustCompile(`(?i)&\s*(app_id|auth_app_id|seller_id|out_trade_no|trade_no|notify_id|trade_status|total_amount|gmt_payment)=`)

// unequivocal refuses a letter that could be another merchant's, cut elsewhere: one key of Alipay may sign for many, and k=v&k=v has no
// quotes. A subject may have & in it, so not all of them can be refused; but whoever names us with another's text has to hide that one's
// app_id and seller_id in a value, behind an &. An honest letter that is refused so is found by asking.
func unequivocal(form url.Values) error {
	for name, values := range form {
		if !plainName.MatchString(name) || len(values) != 1 {
			return fmt.Errorf("the name %.40q is strange, or there twice", name)
		}
		if decisive.MatchString(values[0]) {
			return errors.New("a field hidden in another")
		}
	}
	return nil
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
