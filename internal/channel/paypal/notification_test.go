package paypal

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"testing"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// A capture tells its order by related ids, or by its link; one that names neither is left to whoever asks. What is no payment of ours has no
// number.
func TestTold(t *testing.T) {
	asked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch id := path.Base(r.URL.Path); id {
		case "token":
			fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
		case "3C":
			fmt.Fprint(w, `{"id":"3C","status":"REFUNDED","custom_id":"N","payee":{"merchant_id":"M1"}}`)
		case "3F":
			fmt.Fprint(w, `{"id":"3F","status":"REFUNDED","custom_id":"F","payee":{"merchant_id":"M2"}}`)
		case "400", "401", "403", "422", "429":
			code, _ := strconv.Atoi(id)
			w.WriteHeader(code)
			fmt.Fprint(w, `{"name":"NOT_AUTHORIZED","details":[{"issue":"PERMISSION_DENIED"}]}`)
		case "3L":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"name":"RESOURCE_NOT_FOUND"}`)
		}
	}))
	defer asked.Close()
	a := adapterAt(t, asked.URL, "M1")
	capture := `"status":"COMPLETED","custom_id":"N","amount":{"currency_code":"USD","value":"1.00"}`
	for _, c := range []struct {
		kind, resource string
		want           channel.Event
		bad, later     bool
	}{
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"supplementary_data":{"related_ids":{"order_id":"5A"}}}`, want: channel.Event{Number: "N", Reference: "5A", State: channel.StatePaid}},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"links":[{"rel":"up","href":"https://api.paypal.com/v2/checkout/orders/5B"}]}`, want: channel.Event{Number: "N", Reference: "5B", State: channel.StatePaid}},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"links":[{"rel":"up","href":"https://api.paypal.com/v2/payments/authorizations/7"}]}`, bad: true},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `{` + capture + `,"payee":{"merchant_id":"M2"},"supplementary_data":{"related_ids":{"order_id":"5A"}}}`, bad: true},
		{kind: "PAYMENT.CAPTURE.COMPLETED", resource: `[]`, bad: true},
		{kind: "PAYMENT.CAPTURE.PENDING", resource: `{"status":"PENDING","custom_id":"N","supplementary_data":{"related_ids":{"order_id":"5A"}}}`, want: channel.Event{Number: "N", Reference: "5A", State: channel.StateInReview}},
		{kind: "PAYMENT.CAPTURE.DENIED", resource: `{"status":"DECLINED","custom_id":"N","supplementary_data":{"related_ids":{"order_id":"5A"}}}`, want: channel.Event{Number: "N", Reference: "5A", State: channel.StateDeclined}},
		{kind: "PAYMENT.CAPTURE.REFUNDED", resource: `{"id":"1","status":"COMPLETED","custom_id":"N.R","invoice_id":"R","amount":{"currency_code":"USD","value":"1.00"}}`, want: channel.Event{Number: "N", RefundNumber: "R", Reference: "1", State: channel.StateRefunded}},
		{kind: "PAYMENT.CAPTURE.REFUNDED", resource: `{"id":"1","status":"COMPLETED","invoice_id":"R","amount":{"currency_code":"USD","value":"1.00"},` + up("3C") + `}`, want: channel.Event{Number: "N", RefundNumber: "R", Reference: "1", State: channel.StateRefunded}},
		{kind: "PAYMENT.CAPTURE.REFUNDED", resource: `{"id":"1","status":"COMPLETED","invoice_id":"R","amount":{"currency_code":"USD","value":"1.00"},` + up("3L") + `}`, later: true},
		{kind: "PAYMENT.CAPTURE.REFUNDED", resource: `{"id":"1","status":"COMPLETED","custom_id":"N","invoice_id":"N","amount":{"currency_code":"USD","value":"1.00"},` + up("3C") + `}`, want: channel.Event{Reference: "1", State: channel.StatePending}},
		{kind: "PAYMENT.REFUND.FAILED", resource: `{"id":"1","status":"FAILED","custom_id":"N.R"}`, want: channel.Event{Number: "N", RefundNumber: "R", Reference: "1", State: channel.StateRefundFailed}},
		{kind: "PAYMENT.CAPTURE.REVERSED", resource: `{"id":"09","status":"COMPLETED","amount":{"currency_code":"USD","value":"2.51"},` + up("3C") + `}`, want: channel.Event{Number: "N", Reference: "09", State: channel.StateDisputed, Amount: money.New(251, "USD")}},
		{kind: "PAYMENT.CAPTURE.REVERSED", resource: `{"id":"09","status":"COMPLETED","amount":{"currency_code":"USD","value":"2.51"},` + up("3L") + `}`, later: true},
		{kind: "PAYMENT.CAPTURE.REVERSED", resource: `{"id":"09","amount":{"currency_code":"USD","value":"2.51"}}`, want: channel.Event{Reference: "09", State: channel.StateDisputed, Amount: money.New(251, "USD")}},
		{kind: "PAYMENT.CAPTURE.REVERSED", resource: `{"id":"3C","custom_id":"N","payee":{"merchant_id":"M2"}}`, bad: true},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: `{"dispute_id":"PP-1","status":"OPEN","dispute_amount":{"currency_code":"USD","value":"1.00"},"disputed_transactions":[{"seller_transaction_id":"3C","seller":{"merchant_id":"M1"}}]}`, want: channel.Event{Number: "N", Reference: "PP-1", State: channel.StateDisputed, Amount: money.New(100, "USD")}},
		{kind: "CUSTOMER.DISPUTE.RESOLVED", resource: `{"dispute_id":"PP-1","disputed_transactions":[{"seller_transaction_id":"3C","custom":"M"}]}`, want: channel.Event{Number: "M", Reference: "PP-1", State: channel.StateDisputed}},
		{kind: "CUSTOMER.DISPUTE.UPDATED", resource: `{"dispute_id":"PP-1","disputed_transactions":[{"seller_transaction_id":"3F"}]}`, want: channel.Event{Reference: "PP-1", State: channel.StateDisputed}},
		{kind: "CUSTOMER.DISPUTE.UPDATED", resource: `{"dispute_id":"PP-1","disputed_transactions":[{"seller_transaction_id":"3X"}]}`, want: channel.Event{Reference: "PP-1", State: channel.StateDisputed}},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: `{"dispute_id":"PP-1","disputed_transactions":[{"seller_transaction_id":"3C","seller":{"merchant_id":"M2"}}]}`, bad: true},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: disputeOf("403"), want: channel.Event{Reference: "PP-1", State: channel.StateDisputed}},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: disputeOf("400"), want: channel.Event{Reference: "PP-1", State: channel.StateDisputed}},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: disputeOf("401"), later: true},
		{kind: "CUSTOMER.DISPUTE.CREATED", resource: disputeOf("429"), later: true},
		{kind: "PAYMENT.CAPTURE.REVERSED", resource: `{"id":"09",` + up("422") + `}`, want: channel.Event{Reference: "09", State: channel.StateDisputed}},
		{kind: "PAYMENT.CAPTURE.REFUNDED", resource: `{"id":"1","status":"COMPLETED","invoice_id":"R",` + up("403") + `}`, want: channel.Event{Reference: "1", State: channel.StatePending}},
		{kind: "BILLING.PLAN.CREATED", resource: `{"id":"P"}`, want: channel.Event{State: channel.StatePending}},
		{kind: "CHECKOUT.ORDER.APPROVED", resource: `{"id":"5","status":"APPROVED","purchase_units":[]}`, want: channel.Event{Reference: "5", State: channel.StatePending}},
	} {
		e, err := a.told(t.Context(), []byte(`{"id":"WH-1","event_type":"`+c.kind+`","resource":`+c.resource+`}`))
		if c.later {
			if !errors.Is(err, channel.ErrUnavailable) { // PayPal cannot be asked now: it tells again
				t.Errorf("%s %s: %+v %v", c.kind, c.resource, e, err)
			}
			continue
		}
		if e.State != channel.StatePaid && e.State != channel.StateRefunded && e.Amount != c.want.Amount || e.RefundNumber != c.want.RefundNumber ||
			(err != nil) != c.bad || !c.bad && (e.ID != "WH-1" || e.Number != c.want.Number || e.Reference != c.want.Reference || e.State != c.want.State || e.Detail == "") {
			t.Errorf("%s %s: %+v %v", c.kind, c.resource, e, err)
		}
	}
	for _, body := range []string{"", "{}", `"x"`, `{"id":"","event_type":"x"}`} {
		if e, err := a.told(t.Context(), []byte(body)); err == nil {
			t.Errorf("%q: %+v", body, e)
		}
	}
}

// up is the link that names the capture of a refund.
func up(capture string) string {
	return `"links":[{"rel":"up","href":"https://api.paypal.com/v2/payments/captures/` + capture + `"}]`
}

// disputeOf is a dispute of a capture.
func disputeOf(capture string) string {
	return `{"dispute_id":"PP-1","disputed_transactions":[{"seller_transaction_id":"` + capture + `"}]}`
}

func adapterAt(t *testing.T, url, merchant string) *Adapter {
	t.Helper()
	a, err := New(Config{BaseURL: url, ClientID: "i", ClientSecret: "s", WebhookID: "w", MerchantID: merchant, Mode: guard.Sandbox})
	if err != nil {
		t.Fatal(err)
	}
	return a
}
