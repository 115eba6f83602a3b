package paypal

import (
	"bytes"
	"context"
	"net/http"
	"sync/atomic"

	sdk "github.com/plutov/paypal/v4"
)

// caller calls the API with a token of its own, which the SDK holds: one is asked for at a time, a minute before the old one ends, and
// whoever needs it waits. So what takes long, the reports, is read by a caller of its own.
type caller struct {
	client atomic.Pointer[sdk.Client] // with a token; replaced when PayPal no longer takes that
	renew  func() *sdk.Client
	base   string
}

func newCaller(c Config, base string, httpClient *http.Client) *caller {
	out := &caller{base: base, renew: func() *sdk.Client {
		client, _ := sdk.NewClient(c.ClientID, c.ClientSecret, base) // errs where one of them is empty alone
		client.SetHTTPClient(httpClient)
		return client
	}}
	out.client.Store(out.renew())
	return out
}

// call sends one request of the API and reads its answer into out. The SDK does not notice that PayPal has withdrawn a token (401): then the
// client is replaced and the request sent once more. requestID is the key of idempotency; empty for questions.
func (c *caller) call(ctx context.Context, method, path, requestID string, in, out any) error {
	client := c.client.Load()
	err := c.send(ctx, client, method, path, requestID, in, out)
	if status(err) == http.StatusUnauthorized {
		c.client.CompareAndSwap(client, c.renew()) // whoever is first; the others use his
		err = c.send(ctx, c.client.Load(), method, path, requestID, in, out)
	}
	return err
}

func (c *caller) send(ctx context.Context, client *sdk.Client, method, path, requestID string, in, out any) error {
	r, err := client.NewRequest(ctx, method, c.base+path, in)
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
func (c *caller) read(ctx context.Context, path string) ([]byte, error) {
	var raw bytes.Buffer
	err := c.call(ctx, http.MethodGet, path, "", nil, &raw)
	return raw.Bytes(), err
}
