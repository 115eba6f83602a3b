package paypal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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
		{"COMPLETED", "", channel.StatePending},
		{"COMPLETED", "PENDING", channel.StatePending},
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
		{422, "UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID", channel.ErrUnknown, channel.ErrUnknown, channel.ErrDeclined},
		{422, "UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{422, "UNPROCESSABLE_ENTITY", "CAPTURE_FULLY_REFUNDED", channel.ErrDeclined, channel.ErrUnknown, channel.ErrDeclined},
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

// A capture tells its order by related ids, or by its link; one that names neither is left to whoever asks. What is no payment of ours has no
// number.
func TestTold(t *testing.T) {
	a := &Adapter{merchantID: "M1"}
	capture := `"status":"COMPLETED","custom_id":"N","amount":{"currency_code":"USD","value":"1.00"}`
	for _, c := range []struct {
		kind, resource string
		want           channel.Event
		bad            bool
	}{
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"supplementary_data":{"related_ids":{"order_id":"5A"}}}`, want: channel.Event{Number: "N", Reference: "5A", State: channel.StatePaid}},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"links":[{"rel":"up","href":"https://api.paypal.com/v2/checkout/orders/5B"}]}`, want: channel.Event{Number: "N", Reference: "5B", State: channel.StatePaid}},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"links":[{"rel":"up","href":"https://api.paypal.com/v2/payments/authorizations/7"}]}`, bad: true},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"payee":{"merchant_id":"M2"},"supplementary_data":{"related_ids":{"order_id":"5A"}}}`, bad: true},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `[]`, bad: true},
		{kind: "PAYMENT.CAPTURE.PENDING", resource: `{"status":"PENDING","custom_id":"N","supplementary_data":{"related_ids":{"order_id":"5A"}}}`, want: channel.Event{Number: "N", Reference: "5A", State: channel.StatePending}},
		{kind: "PAYMENT.CAPTURE.DENIED", resource: `{"status":"DECLINED","custom_id":"N","supplementary_data":{"related_ids":{"order_id":"5A"}}}`, want: channel.Event{Number: "N", Reference: "5A", State: channel.StateDeclined}},
		{kind: "PAYMENT.CAPTURE.REFUNDED", resource: `{"id":"1","status":"COMPLETED","custom_id":"R","invoice_id":"N","amount":{"currency_code":"USD","value":"1.00"}}`, want: channel.Event{Number: "N", Reference: "1", State: channel.StateRefunded}},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: `{"dispute_id":"PP-1"}`, want: channel.Event{State: channel.StatePending}},
		{kind: "CHECKOUT.ORDER.APPROVED", resource: `{"id":"5","status":"APPROVED","purchase_units":[]}`, want: channel.Event{Reference: "5", State: channel.StatePending}},
	} {
		e, err := a.told([]byte(`{"id":"WH-1","event_type":"` + c.kind + `","resource":` + c.resource + `}`))
		if (err != nil) != c.bad || !c.bad && (e.ID != "WH-1" || e.Number != c.want.Number || e.Reference != c.want.Reference || e.State != c.want.State || e.Detail == "") {
			t.Errorf("%s %s: %+v %v", c.kind, c.resource, e, err)
		}
	}
	for _, body := range []string{"", "{}", `"x"`, `{"id":"","event_type":"x"}`} {
		if e, err := a.told([]byte(body)); err == nil {
			t.Errorf("%q: %+v", body, e)
		}
	}
}

// A day with more transactions than PayPal tells at once is read in parts, each transaction once; what is no payment is left out; a day that
// PayPal has not counted to its end is not there yet.
func TestStatementOfABusyDay(t *testing.T) {
	day := channel.Day("2026-11-21")
	from, to := day.In(time.UTC)
	const most, all = 40, 200
	refreshed, pages, late := to, 1, false // late: it is page 2 that has too many
	report := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
			return
		}
		first, err := time.Parse(time.RFC3339, r.URL.Query().Get("start_date"))
		last, err2 := time.Parse(time.RFC3339, r.URL.Query().Get("end_date"))
		if err != nil || err2 != nil {
			t.Error(r.URL)
		}
		var found []string
		for i := range all {
			at := from.Add(time.Duration(i) * 24 * time.Hour / all)
			if at.Before(first) || at.After(last) {
				continue
			}
			code, status := "T0006", "S"
			switch i % 10 {
			case 7:
				code = "T0400" // a withdrawal
			case 8:
				status = "P"
			case 9:
				code = "T1107"
			}
			sign := map[bool]string{true: "-"}[code == "T1107"]
			found = append(found, fmt.Sprintf(`{"transaction_info":{"transaction_id":"3%d","transaction_event_code":%q,"transaction_status":%q,"transaction_initiation_date":%q,`+
				`"transaction_amount":{"currency_code":"USD","value":"%s1.00"},"fee_amount":{"currency_code":"USD","value":"-0.10"},"invoice_id":"N%d","custom_field":"C%d"}}`, i, code, status, at.Format("2006-01-02T15:04:05-0700"), sign, i, i))
		}
		if len(found) > most || late && r.URL.Query().Get("page") == "2" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"name":"RESULTSET_TOO_LARGE","debug_id":"1"}`)
			return
		}
		fmt.Fprintf(w, `{"transaction_details":[%s],"total_pages":%d,"last_refreshed_datetime":%q}`, strings.Join(found, ","), pages, refreshed.Format("2006-01-02T15:04:05-0700"))
	}))
	defer report.Close()
	a, err := New(Config{BaseURL: report.URL, ClientID: "i", ClientSecret: "s", WebhookID: "w", MerchantID: "m", Mode: guard.Sandbox})
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Statement(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	seen, refunds := map[string]bool{}, 0
	for _, l := range s.Lines {
		if seen[l.Reference] || l.Amount != money.New(100, "USD") || l.Fee != money.New(10, "USD") || l.Number != "N"+l.Reference[1:] || (l.State == channel.StateRefunded) != (l.RefundNumber != "") {
			t.Errorf("%+v", l)
		}
		seen[l.Reference] = true
		if l.RefundNumber != "" {
			refunds++
		}
	}
	if len(s.Lines) != all*8/10 || refunds != all/10 {
		t.Errorf("%d lines, %d of refunds", len(s.Lines), refunds)
	}
	pages, late = 2, true
	if s, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("too many, on page 2, what page 1 gave would come twice: %d lines, %v", len(s.Lines), err)
	}
	pages = 1 << 30
	if _, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("pages without end: %v", err)
	}
	pages, late = 1, false
	refreshed = to.Add(-time.Minute)
	if _, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrNoStatement) {
		t.Errorf("not counted to its end: %v", err)
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
