package tenpay

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// Bodies that are posted.
const (
	formType = "application/x-www-form-urlencoded; charset=utf-8"
	xmlType  = "text/xml; charset=utf-8"
)

// post sends a body and reads the whole answer, in the time that the client allows. Errors: ErrUnknown, ErrUnavailable.
func post(ctx context.Context, client *http.Client, base *url.URL, path, contentType, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath(path).String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", channel.ErrUnavailable, err)
	}
	r.Header.Set("Content-Type", contentType)
	res, err := client.Do(r)
	if err != nil {
		return nil, channel.TransportError(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("%w: HTTP %d", channel.ErrUnavailable, res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: HTTP %d", channel.ErrUnknown, res.StatusCode)
	case err != nil:
		return nil, channel.TransportError(err)
	}
	return answer, nil
}

// fen reads an amount in minor units, above zero.
func fen(text string) (money.Money, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || text != strconv.FormatInt(n, 10) {
		return money.Money{}, fmt.Errorf("%w: an amount that is none", channel.ErrUnknown)
	}
	return money.New(n, currency), nil
}

// when reads a time; zero where there is none.
func when(text string) time.Time {
	t, err := time.ParseInLocation(timeLayout, text, channel.Beijing)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// at writes a time; empty for none.
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(channel.Beijing).Format(timeLayout)
}

// until writes a trade's end: to the second, and never before it.
func until(t time.Time) string {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		t = whole.Add(time.Second)
	}
	return at(t)
}

// payable refuses what neither takes.
func payable(r channel.StartRequest) error {
	switch {
	case r.Amount.Currency != currency:
		return fmt.Errorf("%w: CNY only, not %s", channel.ErrDeclined, r.Amount.Currency)
	case r.Amount.Minor <= 0, r.Number == "", len(r.Number) > maxNumber:
		return fmt.Errorf("%w: an amount and a number of at most %d characters are wanted", channel.ErrDeclined, maxNumber)
	}
	return nil
}
