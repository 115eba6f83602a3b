package paypal

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// A refund that was done and whose answer was lost never becomes a failure: what PayPal refuses a repeat for, and a refund of the order that
// bears no number, leave it open, unless the order's refunds are all certainly others: by their numbers, amounts or times.
func TestRefundsThatWereDoneAlready(t *testing.T) {
	for _, c := range []struct {
		what, refusal, refunds, whole, capture string
		later                                  time.Duration // ours was made, than the others
		refund, query                          error
		state                                  channel.State
	}{
		{what: "ours", refusal: "DUPLICATE_INVOICE_ID", refunds: refunded("1A", "N.R", "R", "1.00"), state: channel.StateRefunded},
		{what: "ours, by its invoice", refusal: "CAPTURE_FULLY_REFUNDED", refunds: refunded("1A", "", "R", "1.00"), state: channel.StateRefunded},
		{what: "ours, by itself", refusal: "DUPLICATE_REFUND", refunds: refunded("1A", "", "", "1.00"), whole: refunded("1A", "N.R", "R", "1.00"), state: channel.StateRefunded},
		{what: "nameless", refusal: "CAPTURE_FULLY_REFUNDED", refunds: refunded("1A", "", "", "1.00"), whole: refunded("1A", "", "", "1.00"), refund: channel.ErrUnknown, query: channel.ErrUnknown},
		{what: "nameless, by clocks that differ", refusal: "CAPTURE_FULLY_REFUNDED", refunds: refunded("1A", "", "", "1.00"), whole: refunded("1A", "", "", "1.00"), later: apart, refund: channel.ErrUnknown, query: channel.ErrUnknown},
		{what: "nameless, before ours", refusal: "CAPTURE_FULLY_REFUNDED", refunds: refunded("1A", "", "", "1.00"), whole: refunded("1A", "", "", "1.00"), later: apart + time.Second, refund: channel.ErrDeclined, state: channel.StateNotFound},
		{what: "nameless, before ours, and yet used", refusal: "DUPLICATE_INVOICE_ID", refunds: refunded("1A", "", "", "1.00"), whole: refunded("1A", "", "", "1.00"), later: time.Hour, refund: channel.ErrUnknown, state: channel.StateNotFound},
		{what: "nameless, at no time", refusal: "CAPTURE_FULLY_REFUNDED", refunds: `{"id":"1A"}`, whole: `{"id":"1A","status":"COMPLETED","amount":{"currency_code":"USD","value":"1.00"}}`, later: time.Hour, refund: channel.ErrUnknown, query: channel.ErrUnknown},
		{what: "nameless, another amount", refusal: "CAPTURE_FULLY_REFUNDED", refunds: refunded("1A", "", "", "2.00"), whole: refunded("1A", "", "", "2.00"), refund: channel.ErrDeclined, state: channel.StateNotFound},
		{what: "nameless, and cannot be asked for", refusal: "CAPTURE_FULLY_REFUNDED", refunds: refunded("1A", "", "", "2.00"), refund: channel.ErrUnknown, query: channel.ErrUnknown},
		{what: "not shown", refusal: "REFUND_AMOUNT_EXCEEDED", capture: "PARTIALLY_REFUNDED", refund: channel.ErrUnknown, query: channel.ErrUnknown},
		{what: "others", refusal: "REFUND_AMOUNT_EXCEEDED", refunds: refunded("1A", "N.S", "S", "1.00"), capture: "PARTIALLY_REFUNDED", refund: channel.ErrDeclined, state: channel.StateNotFound},
		{what: "others, and yet used", refusal: "DUPLICATE_REFUND", refunds: refunded("1A", "N.S", "S", "1.00"), refund: channel.ErrUnknown, state: channel.StateNotFound},
		{what: "none, and yet used", refusal: "DUPLICATE_INVOICE_ID", refund: channel.ErrUnknown, state: channel.StateNotFound},
		{what: "refused for itself", refusal: "REFUND_TIME_LIMIT_EXCEEDED", refunds: refunded("1A", "", "", "1.00"), whole: refunded("1A", "", "", "1.00"), refund: channel.ErrDeclined, query: channel.ErrUnknown},
	} {
		if c.capture == "" {
			c.capture = "COMPLETED"
		}
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/token"):
				fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
			case strings.HasSuffix(r.URL.Path, "/refund"):
				w.WriteHeader(http.StatusUnprocessableEntity)
				fmt.Fprintf(w, `{"name":"UNPROCESSABLE_ENTITY","details":[{"issue":%q}]}`, c.refusal)
			case strings.HasSuffix(r.URL.Path, "/refunds/1A") && c.whole != "":
				fmt.Fprint(w, c.whole)
			case strings.HasSuffix(r.URL.Path, "/orders/5A"):
				fmt.Fprintf(w, `{"id":"5A","status":"COMPLETED","purchase_units":[{"custom_id":"N","payments":{"captures":[{"id":"3A","status":%q,"amount":{"currency_code":"USD","value":"3.00"}}],"refunds":[%s]}}]}`, c.capture, c.refunds)
			default:
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		a, r := adapterAt(t, api.URL, "m"), channel.RefundRequest{Payment: channel.Ref{Number: "N", Reference: "5A"}, Refund: channel.Ref{Number: "R", Amount: money.New(100, "USD"), MadeAt: refundedAt.Add(c.later)}}
		e, err := a.Refund(t.Context(), r)
		if !errors.Is(err, c.refund) || c.refund == nil && (err != nil || e.State != c.state) {
			t.Errorf("%s, refunded again: %+v %v", c.what, e, err)
		}
		e, err = a.QueryRefund(t.Context(), r.Payment, r.Refund)
		if !errors.Is(err, c.query) || e.State != c.state || c.query == nil && err != nil {
			t.Errorf("%s, asked: %+v %v", c.what, e, err)
		}
		api.Close()
	}
}

var refundedAt = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func refunded(id, custom, invoice, value string) string {
	return fmt.Sprintf(`{"id":%q,"status":"COMPLETED","custom_id":%q,"invoice_id":%q,"amount":{"currency_code":"USD","value":%q},"create_time":%q}`, id, custom, invoice, value, refundedAt.Format(time.RFC3339))
}
