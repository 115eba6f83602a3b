package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	sdk "github.com/plutov/paypal/v4"
)

// call sends one request of the API and reads its answer into out. The SDK holds the token: one is asked for at a time, a minute before the
// old one ends. It does not notice that PayPal has withdrawn one (401): then the client is replaced and the request sent once more.
// requestID is the key of idempotency; empty for questions.
func (a *Adapter) call(ctx context.Context, method, path, requestID string, in, out any) error {
	client := a.client.Load()
	err := a.send(ctx, client, method, path, requestID, in, out)
	if status(err) == http.StatusUnauthorized {
		a.client.CompareAndSwap(client, a.renew()) // whoever is first; the others use his
		err = a.send(ctx, a.client.Load(), method, path, requestID, in, out)
	}
	return err
}

func (a *Adapter) send(ctx context.Context, client *sdk.Client, method, path, requestID string, in, out any) error {
	r, err := client.NewRequest(ctx, method, a.base+path, in)
	if err != nil {
		return err
	}
	r.Header.Set("Prefer", "return=representation")
	if requestID != "" {
		r.Header.Set("PayPal-Request-Id", requestID)
	}
	return client.SendWithAuth(r, out)
}

// read gives an answer as it came.
func (a *Adapter) read(ctx context.Context, path string) ([]byte, error) {
	var raw bytes.Buffer
	err := a.call(ctx, http.MethodGet, path, "", nil, &raw)
	return raw.Bytes(), err
}

// reportTo points our webhook at us, where it reports elsewhere. An order names no address for notifications: the webhook in the
// developer dashboard has it. It is looked at once in a process; what fails is tried with the next payment, and until then the sweep asks.
func (a *Adapter) reportTo(ctx context.Context, address string) {
	if known := a.reportsTo.Load(); address == "" || known != nil && *known == address {
		return
	}
	path := "/v1/notifications/webhooks/" + a.webhookID
	var now struct {
		URL string `json:"url"`
	}
	err := a.call(ctx, http.MethodGet, path, "", nil, &now)
	if err == nil && !strings.EqualFold(now.URL, address) {
		change := []map[string]string{{"op": "replace", "path": "/url", "value": address}}
		err = a.call(ctx, http.MethodPatch, path, "", change, new(json.RawMessage))
	}
	if err == nil {
		a.reportsTo.Store(&address)
	}
}
