package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Headers of the SMS webhook.
const (
	HeaderIdempotency = "Idempotency-Key"
	HeaderTimestamp   = "X-Paydesk-Timestamp"
	HeaderSignature   = "X-Paydesk-Signature"
)

// HookConfig says who takes SMS: an HTTP endpoint that knows the operator's SMS gateway.
type HookConfig struct {
	URL, Secret string
	Timeout     time.Duration
}

// Hook posts SMS to a webhook as JSON {"id","to","text","at"}. Idempotency-Key is the id; X-Paydesk-Timestamp is Unix seconds of the
// wall clock; X-Paydesk-Signature is Sign of the two with the secret. Any 2xx takes the message. Safe for concurrent use.
type Hook struct {
	c      HookConfig
	client *http.Client
}

// NewHook makes a sender; it asks nobody.
func NewHook(c HookConfig) *Hook {
	return &Hook{c: c, client: &http.Client{Timeout: c.Timeout,
		// The secret signs for one address alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Sign is "sha256=" and the hexadecimal HMAC-SHA-256 of timestamp, a full stop and the body.
func Sign(secret, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp + "."))
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

// Send hands an SMS to the endpoint. 4xx is final, but for 408, 425 and 429, and for 401, 403 and 404, which are a configuration that
// somebody may put right; all else is worth another try.
func (h *Hook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(map[string]string{"id": m.ID, "to": m.To, "text": m.Body, "at": m.At.UTC().Format(time.RFC3339)})
	if err != nil {
		return &Failure{Reason: "the SMS cannot be written", Final: true}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.c.URL, bytes.NewReader(body))
	if err != nil {
		return &Failure{Reason: "the SMS webhook's address does not fit"}
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "paydesk")
	request.Header.Set(HeaderIdempotency, m.ID)
	request.Header.Set(HeaderTimestamp, timestamp)
	request.Header.Set(HeaderSignature, Sign(h.c.Secret, timestamp, body))
	response, err := h.client.Do(request)
	if err != nil { // its text has the address, which may have a secret
		var network net.Error
		if errors.As(err, &network) && network.Timeout() {
			return &Failure{Reason: "the SMS webhook did not answer in time"}
		}
		return &Failure{Reason: "the SMS webhook is not there"}
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	if response.StatusCode/100 == 2 {
		return nil
	}
	return &Failure{Reason: fmt.Sprintf("the SMS webhook answered %d", response.StatusCode), Final: finally(response.StatusCode)}
}

func finally(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}
