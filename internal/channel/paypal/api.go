package paypal

import (
	"bytes"
	"context"
	"net/http"

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
