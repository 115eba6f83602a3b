package wechatpay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

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
	var t payments.Transaction
	// The SDK's error holds the whole request: it goes no further.
	note, err := a.notify.ParseNotifyRequest(ctx, r, &t)
	if err != nil {
		return channel.Event{}, forged("wrong signature, too old, or not sealed with our key")
	}
	// A refund's notification names no application.
	if text(t.Mchid) != a.mchID || (t.Appid != nil && *t.Appid != a.appID) {
		return channel.Event{}, forged("for another merchant")
	}
	if note.ID == "" || text(t.OutTradeNo) == "" {
		return channel.Event{}, forged("names no trade")
	}
	if !strings.HasPrefix(note.EventType, "TRANSACTION.") {
		// Refunds and whatever else: heard, nothing of a payment in it.
		return channel.Event{ID: note.ID, Number: text(t.OutTradeNo), State: channel.StatePending, Detail: note.EventType}, nil
	}
	if t.Appid == nil {
		return channel.Event{}, forged("for no application")
	}
	e, err := event(&t)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	e.ID = note.ID
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
