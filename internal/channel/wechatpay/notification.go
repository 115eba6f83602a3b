package wechatpay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"

	"paydesk/internal/channel"
)

// nonceLength is what AES-GCM takes; another length makes Go's implementation panic.
const nonceLength = 12

// ParseNotification verifies the signature over the raw body and that it is not older or newer than five minutes on the
// wall clock, opens the sealed transaction and checks whom it is for. Anything that does not fit is ErrForged.
func (a *Adapter) ParseNotification(ctx context.Context, n channel.Notification) (channel.Event, error) {
	var envelope struct {
		Resource *struct {
			Nonce string `json:"nonce"`
		} `json:"resource"`
	}
	if err := json.Unmarshal(n.Body, &envelope); err != nil || envelope.Resource == nil {
		return channel.Event{}, forged("not a notification")
	}
	if len(envelope.Resource.Nonce) != nonceLength {
		return channel.Event{}, forged("nonce of a wrong length")
	}
	r := &http.Request{Method: http.MethodPost, Header: n.Header, Body: io.NopCloser(bytes.NewReader(n.Body))}
	var content json.RawMessage
	// The SDK's error holds the whole request: it goes no further.
	note, err := a.notify.ParseNotifyRequest(ctx, r, &content)
	if err != nil && !opened(note) {
		return channel.Event{}, forged("wrong signature, too old, or not sealed with our key")
	}
	if note.ID == "" {
		return channel.Event{}, forged("without an id")
	}
	e, err := a.read(note.EventType, content)
	if err != nil {
		return channel.Event{}, err
	}
	e.ID = note.ID
	return e, nil
}

// opened: the signature was right and our key opened it. What is in it may be no JSON.
func opened(note *notify.Request) bool { return note != nil && note.Resource.Plaintext != "" }

// read reads the opened content of a verified notification. What tells neither of a payment nor of a refund (WeChat Pay's own test of
// signatures, SECURITY_ECHO.SUCCESS, for one) was sealed for us, and that is all there is to it: it is heard.
func (a *Adapter) read(eventType string, content json.RawMessage) (channel.Event, error) {
	switch {
	case strings.HasPrefix(eventType, "REFUND."):
		return a.refundEvent(content)
	case !strings.HasPrefix(eventType, "TRANSACTION."):
		return channel.Event{State: channel.StatePending, Detail: eventType}, nil
	}
	var t payments.Transaction
	if err := json.Unmarshal(content, &t); err != nil {
		return channel.Event{}, forged("no transaction in it")
	}
	if text(t.Mchid) != a.mchID || (t.Appid != nil && *t.Appid != a.appID) {
		return channel.Event{}, forged("for another merchant")
	}
	if text(t.OutTradeNo) == "" {
		return channel.Event{}, forged("names no trade")
	}
	if t.Appid == nil {
		return channel.Event{}, forged("for no application")
	}
	e, err := event(&t)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	return e, nil
}

func forged(why string) error { return fmt.Errorf("%w: wechatpay: %s", channel.ErrForged, why) }

// Acknowledge is success without a body.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusNoContent}
}

// Refuse answers a forged notification in WeChat Pay's form.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusUnauthorized, ContentType: "application/json; charset=utf-8",
		Body: `{"code":"FAIL","message":"signature refused"}`}
}
