package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Fetch reads a file at an address that a provider has answered; guard.Follow has judged the address and client is guard.FileClient's.
// Errors (ErrUnknown, ErrUnavailable) do not tell the address.
func Fetch(ctx context.Context, client *http.Client, address *url.URL) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of a file is not readable", ErrUnknown)
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, TransportError(Unaddressed(err))
	}
	defer res.Body.Close()
	file, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, TransportError(Unaddressed(err))
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: a file, HTTP %d", ErrUnknown, res.StatusCode)
	}
	return file, nil
}

// Unaddressed takes the address out of an HTTP client's error: one that a provider has answered may carry a token.
func Unaddressed(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
