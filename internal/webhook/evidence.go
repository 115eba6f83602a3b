package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// proofs are the headers that providers' signatures stand in, with what type the body is of: what a notification can be judged by again.
// Cookies and authorizations are nobody's evidence. Channels that are not named sign within the body.
var proofs = []string{
	"Content-Type",
	"Wechatpay-Signature", "Wechatpay-Signature-Type", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial",
	"Stripe-Signature",
	"Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Transmission-Sig", "Paypal-Cert-Url", "Paypal-Auth-Algo",
}

// A stranger can have something stored, and must not be able to fill the database: refused notifications are cut, and so many are kept.
// Sixty an hour show what is going on; a real provider whose key was changed tells of that with its first.
const (
	maxHeader      = 2 << 10 // bytes of one header; PayPal's signature has 350
	maxRefusedBody = 16 << 10
	maxRefused     = 60 // of a channel within refusedSpan; as many more as come at the same moment
	refusedSpan    = time.Hour
)

// evidence keeps the headers that prove.
func evidence(h http.Header) string {
	kept := map[string]string{}
	for _, name := range proofs {
		if v := h.Get(name); v != "" {
			kept[strings.ToLower(name)] = strings.ToValidUTF8(v[:min(len(v), maxHeader)], "?")
		}
	}
	text, _ := json.Marshal(kept)
	return string(text)
}

// dedupKey: providers repeat a notification under its own id, with a new signature.
func dedupKey(ev channel.Event, body []byte) string {
	if ev.ID != "" && len(ev.ID) <= 100 {
		return ev.ID + ":" + string(ev.State)
	}
	return hash(body)
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// keepRefused stores what was refused, once for the same body; more than its share is dropped. Nothing of it is believed: it names no
// payment and is never applied, and its key is none that a verified one could have.
func (i *Inbox) keepRefused(ctx context.Context, name models.PaymentChannel, h http.Header, body []byte) error {
	var n int64
	now := i.Clock.Now()
	if _, err := i.DB.QueryRow(ctx, []any{&n}, "SELECT COUNT(*) FROM inbox WHERE verdict = ? AND received_at > ? AND channel = ?", string(refused), now.Add(-refusedSpan), string(name)); err != nil || n >= maxRefused {
		return err
	}
	_, err := i.DB.Exec(ctx, insert, models.NewID(), string(name), "refused:"+hash(body), evidence(h), body[:min(len(body), maxRefusedBody)], "{}", string(refused), "", 0, nil, now)
	if database.IsDuplicate(err) {
		return nil
	}
	return err
}
