package paypal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/plutov/paypal/v4"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// What an order's and its captures' statuses mean; whatever PayPal may invent books nothing.
func TestOrderStatus(t *testing.T) {
	a := &Adapter{merchantID: "M1"}
	for _, c := range []struct {
		status, captures string
		want             channel.State
	}{
		{"CREATED", "", channel.StatePending},
		{"PAYER_ACTION_REQUIRED", "", channel.StatePending},
		{"SOMETHING_NEW", "", channel.StatePending},
		{"APPROVED", "", channel.StateApproved},
		{"VOIDED", "", channel.StateDeclined},
		{"COMPLETED", "", channel.StateInReview},
		{"COMPLETED", "PENDING", channel.StateInReview},
		{"COMPLETED", "DECLINED PENDING", channel.StateInReview},
		{"COMPLETED", "PENDING DECLINED", channel.StateInReview},
		{"COMPLETED", "PENDING COMPLETED", channel.StatePaid},
		{"COMPLETED", "SOMETHING_NEW", channel.StateInReview},
		{"COMPLETED", "DECLINED", channel.StateDeclined},
		{"COMPLETED", "FAILED", channel.StateDeclined},
		{"COMPLETED", "COMPLETED", channel.StatePaid},
		{"COMPLETED", "DECLINED COMPLETED", channel.StatePaid},
		{"COMPLETED", "PARTIALLY_REFUNDED", channel.StatePaid},
		{"COMPLETED", "REFUNDED", channel.StatePaid},
	} {
		var captures []string
		for _, s := range strings.Fields(c.captures) {
			captures = append(captures, fmt.Sprintf(`{"id":"3","status":%q,"amount":{"currency_code":"USD","value":"12.34"},"create_time":"2026-11-22T10:00:00Z"}`, s))
		}
		var o order
		text := fmt.Sprintf(`{"id":"5","status":%q,"purchase_units":[{"custom_id":"N","payee":{"merchant_id":"M1"},"payments":{"captures":[%s]}}]}`, c.status, strings.Join(captures, ","))
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		e, err := a.event(o, "N")
		if err != nil || e.State != c.want || e.Reference != "5" || c.want == channel.StatePaid && (e.Amount != money.New(1234, "USD") || e.PaidAt.IsZero()) {
			t.Errorf("%s %s: %+v %v", c.status, c.captures, e, err)
		}
		if _, err := a.event(o, "other"); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("another number: %v", err)
		}
		if _, err := (&Adapter{merchantID: "M2"}).event(o, "N"); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("another merchant: %v", err)
		}
	}
}

// Lesson 3: only a certain refusal ends a payment or a refund; at the door nothing happened; the rest is asked for later. No text of PayPal's
// stands in an error.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status                 int
		name, issue            string
		start, capture, refund error
	}{
		{401, "", "", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{403, "NOT_AUTHORIZED", "PERMISSION_DENIED", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{429, "RATE_LIMIT_REACHED", "", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER", channel.ErrDeclined, channel.ErrUnknown, channel.ErrUnknown},
		{422, "UNPROCESSABLE_ENTITY", "CURRENCY_NOT_SUPPORTED", channel.ErrDeclined, channel.ErrUnknown, channel.ErrDeclined},
		{422, "UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED", channel.ErrDeclined, channel.ErrDeclined, channel.ErrDeclined},
		{422, "UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REFUND", channel.ErrDeclined, channel.ErrUnknown, channel.ErrUnknown},
		{422, "UNPROCESSABLE_ENTITY", "REFUND_AMOUNT_EXCEEDED", channel.ErrDeclined, channel.ErrUnknown, channel.ErrUnknown},
		{422, "UNPROCESSABLE_ENTITY", "REFUND_TIME_LIMIT_EXCEEDED", channel.ErrDeclined, channel.ErrUnknown, channel.ErrDeclined},
		{422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{422, "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED", channel.ErrDeclined, channel.ErrUnknown, channel.ErrUnknown},
		{404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{409, "RESOURCE_CONFLICT", "", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{500, "INTERNAL_SERVER_ERROR", "", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{422, "<b>", "not a code\n", channel.ErrDeclined, channel.ErrUnknown, channel.ErrDeclined},
	} {
		e := &sdk.ErrorResponse{Response: &http.Response{StatusCode: c.status, Request: httptest.NewRequest("GET", "/secret", nil)}, Name: c.name, Message: "secret"}
		if c.issue != "" {
			e.Details = []sdk.ErrorResponseDetail{{Issue: c.issue, Description: "secret"}}
		}
		for what, is := range map[string][2]error{"start": {startError(e), c.start}, "capture": {captureError(e), c.capture}, "refund": {refundError(e), c.refund}} {
			if !errors.Is(is[0], is[1]) || strings.Contains(is[0].Error(), "secret") || strings.Contains(is[0].Error(), "\n") {
				t.Errorf("%s, %d %s: %v, not %v", what, c.status, c.issue, is[0], is[1])
			}
		}
	}
	if err := startError(errors.New("invalid character '<'")); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("an answer that is not PayPal's: %v", err)
	}
}

// Amounts are major units as text; some currencies have no decimals at PayPal.
func TestAmounts(t *testing.T) {
	for text, m := range map[string]money.Money{"12.34 USD": money.New(1234, "USD"), "0.05 EUR": money.New(5, "EUR"), "1500 JPY": money.New(1500, "JPY"), "300 HUF": money.New(30000, "HUF"), "7 TWD": money.New(700, "TWD")} {
		a, ok := amountOf(m)
		back, err := a.money()
		if !ok || a.Value+" "+a.Currency != text || err != nil || back != m {
			t.Errorf("%s: %+v %v, %v %v", m, a, ok, back, err)
		}
	}
	for _, m := range []money.Money{money.New(1, "CNY"), money.New(30050, "HUF"), money.New(1, "KWD"), money.New(1, "XXX")} {
		if a, ok := amountOf(m); ok {
			t.Errorf("%s: %+v", m, a)
		}
	}
}

// The configuration is checked, and no secret is told.
func TestNewRefuses(t *testing.T) {
	good := Config{BaseURL: "https://api-m.paypal.com", ClientID: "id", ClientSecret: "SECRET", WebhookID: "w", MerchantID: "m", Mode: guard.Production}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Config){
		"no id": func(c *Config) { c.ClientID = "" }, "no secret": func(c *Config) { c.ClientSecret = "" }, "no webhook": func(c *Config) { c.WebhookID = "" }, "no merchant": func(c *Config) { c.MerchantID = "" },
		"play money's address": func(c *Config) { c.BaseURL = "http://127.0.0.1:1" }, "play money": func(c *Config) { c.Mode = guard.Sandbox }, "bad roots": func(c *Config) { c.Roots = "SECRET" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
