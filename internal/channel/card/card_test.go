package card

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// Lesson 3: only a card's refusal, or a request that Stripe does not take, ends a payment; whatever leaves its outcome open is asked for later.
func TestStartErrors(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	for _, c := range []struct {
		err  error
		want error
		code string
	}{
		{&stripe.Error{HTTPStatusCode: 402, Type: stripe.ErrorTypeCard, Code: stripe.ErrorCodeCardDeclined, DeclineCode: "lost_card"}, channel.ErrDeclined, "PAYMENT_DECLINED"},
		{&stripe.Error{HTTPStatusCode: 402, Type: stripe.ErrorTypeCard, Code: stripe.ErrorCodePaymentIntentAuthenticationFailure}, channel.ErrDeclined, "AUTHENTICATION_FAILED"},
		{&stripe.Error{HTTPStatusCode: 402, Type: stripe.ErrorTypeCard, Code: stripe.ErrorCodeAuthenticationRequired}, channel.ErrDeclined, "AUTHENTICATION_FAILED"},
		{&stripe.Error{HTTPStatusCode: 400, Type: stripe.ErrorTypeInvalidRequest, Code: stripe.ErrorCodeAmountTooSmall}, channel.ErrDeclined, ""},
		{&stripe.Error{HTTPStatusCode: 404, Type: stripe.ErrorTypeInvalidRequest, Code: stripe.ErrorCodeResourceMissing}, channel.ErrDeclined, ""},
		{&stripe.Error{HTTPStatusCode: 404, Type: stripe.ErrorTypeInvalidRequest, Code: stripe.ErrorCodeResourceMissing, Param: "payment_method"}, channel.ErrDeclined, "METHOD_NOT_FOUND"},
		{&stripe.Error{HTTPStatusCode: 400, Type: stripe.ErrorTypeInvalidRequest, Msg: "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again."}, channel.ErrDeclined, "METHOD_NOT_FOUND"},
		{&stripe.Error{HTTPStatusCode: 401, Type: stripe.ErrorTypeInvalidRequest}, channel.ErrUnavailable, ""},
		{&stripe.Error{HTTPStatusCode: 403, Type: stripe.ErrorTypeInvalidRequest}, channel.ErrUnavailable, ""},
		{&stripe.Error{HTTPStatusCode: 429, Type: stripe.ErrorTypeInvalidRequest, Code: stripe.ErrorCodeRateLimit}, channel.ErrUnavailable, ""},
		{&stripe.Error{HTTPStatusCode: 429, Type: stripe.ErrorTypeInvalidRequest, Code: stripe.ErrorCodeLockTimeout}, channel.ErrUnknown, ""},
		{&stripe.Error{HTTPStatusCode: 409, Type: stripe.ErrorTypeInvalidRequest, Code: stripe.ErrorCodeIdempotencyKeyInUse}, channel.ErrUnknown, ""},
		{&stripe.Error{HTTPStatusCode: 400, Type: stripe.ErrorTypeIdempotency}, channel.ErrUnknown, ""},
		{&stripe.Error{HTTPStatusCode: 500, Type: stripe.ErrorTypeAPI}, channel.ErrUnknown, ""},
		{&stripe.Error{HTTPStatusCode: 502, Type: stripe.ErrorTypeCard}, channel.ErrUnknown, ""},
		{errors.New("body sample: 'secret'"), channel.ErrUnknown, ""},
		{&url.Error{Op: "Get", URL: "http://x/v1/payment_methods/pm_secret", Err: refused}, channel.ErrUnavailable, ""},
		{&url.Error{Op: "Get", URL: "http://x/v1/payment_methods/pm_secret", Err: errors.New("broken")}, channel.ErrUnknown, ""},
	} {
		if e, ok := c.err.(*stripe.Error); ok {
			e.Msg += "secret"
			e.PaymentIntent, e.PaymentMethod = &stripe.PaymentIntent{ClientSecret: "secret"}, &stripe.PaymentMethod{ID: "pm_secret"}
		}
		err := startError(c.err)
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, not %v", err, c.want)
		}
		var d *channel.Declined
		if errors.As(err, &d) != (c.code != "") || d != nil && d.Code != c.code {
			t.Errorf("%v: the payer is told %+v", err, d)
		}
		if err := askError(c.err); errors.Is(err, channel.ErrDeclined) || strings.Contains(err.Error(), "secret") {
			t.Errorf("asking: %v", err)
		}
	}
}

// Production moves real money with live keys only, and play money never gets there.
func TestNewRefusesWithoutTellingKeys(t *testing.T) {
	good := Config{BaseURL: "https://api.stripe.com", SecretKey: "rk_live_SECRET", WebhookSecret: "whsec_SECRET", Mode: guard.Production}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.SecretKey = "sk_test_SECRET" },
		func(c *Config) { c.SecretKey = "pk_SECRET" },
		func(c *Config) { c.SecretKey = "" },
		func(c *Config) { c.WebhookSecret = "" },
		func(c *Config) { c.BaseURL = "http://127.0.0.1" },
		func(c *Config) { c.Mode = guard.Sandbox },
		func(c *Config) { c.Mode, c.BaseURL = guard.Sandbox, "http://127.0.0.1" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s %s: %v", c.Mode, c.BaseURL, err)
		}
	}
}

// signed is an event as Stripe would send it.
func signed(at time.Time, live bool, version, kind string, object any) channel.Notification {
	body, _ := json.Marshal(map[string]any{"id": "evt_1", "object": "event", "api_version": version, "created": at.Unix(), "livemode": live, "type": kind, "data": map[string]any{"object": object}})
	s := stripe.GenerateTestSignedPayload(&stripe.UnsignedPayload{Payload: body, Secret: "whsec_1", Timestamp: at})
	return channel.Notification{Header: http.Header{"Stripe-Signature": {s.Header}}, Body: body}
}

// Lessons 4 and 25: an event counts when it is signed, of today, of our mode and version; what is not about a payment of ours is heard and
// changes nothing.
func TestEvents(t *testing.T) {
	a, err := New(Config{BaseURL: "http://127.0.0.1", SecretKey: "sk_test_1", WebhookSecret: "whsec_1", Mode: guard.Sandbox})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	intent := map[string]any{"id": "pi_1", "status": "succeeded", "amount": 99, "amount_received": 1234, "currency": "usd", "payment_method": "pm_1", "metadata": map[string]string{"number": "P1", "method": "pm_1"}}
	for why, n := range map[string]channel.Notification{
		"old":             signed(now.Add(-6*time.Minute), false, stripe.APIVersion, "payment_intent.succeeded", intent),
		"from the future": signed(now.Add(6*time.Minute), false, stripe.APIVersion, "payment_intent.succeeded", intent),
		"of live mode":    signed(now, true, stripe.APIVersion, "payment_intent.succeeded", intent),
		"another version": signed(now, false, "2024-06-20", "payment_intent.succeeded", intent),
		"unreadable":      signed(now, false, stripe.APIVersion, "payment_intent.succeeded", []int{1}),
		"not signed":      {Header: http.Header{}, Body: []byte(`{"object":"event"}`)},
		"changed": {Header: signed(now, false, stripe.APIVersion, "payment_intent.succeeded", intent).Header,
			Body: []byte(strings.Replace(string(signed(now, false, stripe.APIVersion, "payment_intent.succeeded", intent).Body), "1234", "1235", 1))},
	} {
		if e, err := a.ParseNotification(t.Context(), n); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %+v %v", why, e, err)
		}
	}
	with := func(changes ...any) map[string]any {
		o := map[string]any{"id": "pi_1", "currency": "usd", "amount": 1234, "metadata": map[string]string{"number": "P1"}}
		for i := 0; i < len(changes); i += 2 {
			o[changes[i].(string)] = changes[i+1]
		}
		return o
	}
	usd := money.New(1234, "USD")
	for _, c := range []struct {
		kind   string
		object any
		want   channel.Event
	}{
		{"payment_intent.succeeded", intent, channel.Event{Number: "P1", Reference: "pi_1", State: channel.StatePaid, Amount: usd, PaidAt: time.Unix(now.Unix(), 0).UTC(), Detail: "succeeded"}},
		{"payment_intent.succeeded", with("status", "succeeded", "amount_received", 1234, "metadata", nil), channel.Event{Reference: "pi_1", State: channel.StatePaid, Amount: usd, PaidAt: time.Unix(now.Unix(), 0).UTC(), Detail: "succeeded"}},
		{"payment_intent.succeeded", with("status", "succeeded", "amount_received", 1234, "payment_method", "pm_1"), // made by a version that did not note the method
			channel.Event{Number: "P1", Reference: "pi_1", State: channel.StatePaid, Amount: usd, PaidAt: time.Unix(now.Unix(), 0).UTC(), Detail: "succeeded"}},
		{"payment_intent.succeeded", with("status", "succeeded", "amount_received", 1234, "metadata", map[string]string{"number": "P1", "method": "pm_1"}),
			channel.Event{Number: "P1", Reference: "pi_1", State: channel.StateDisputed, Amount: usd, Detail: "paid with another payment method than the one given"}},
		{"payment_intent.succeeded", with("status", "succeeded", "amount_received", 1234, "payment_method", "pm_2", "metadata", map[string]string{"number": "P1", "method": "pm_1"}),
			channel.Event{Number: "P1", Reference: "pi_1", State: channel.StateDisputed, Amount: usd, Detail: "paid with another payment method than the one given"}},
		{"payment_intent.created", with("status", "requires_confirmation", "payment_method", "pm_1", "metadata", map[string]string{"number": "P1", "method": "pm_1"}), channel.Event{Number: "P1", Reference: "pi_1", State: channel.StateApproved, Detail: "requires_confirmation"}},
		{"payment_intent.created", with("status", "requires_confirmation", "payment_method", "pm_2", "metadata", map[string]string{"number": "P1", "method": "pm_1"}), channel.Event{Number: "P1", Reference: "pi_1", State: channel.StatePending, Detail: "requires_confirmation"}},
		{"payment_intent.payment_failed", with("status", "requires_payment_method", "last_payment_error", map[string]string{"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}),
			channel.Event{Number: "P1", Reference: "pi_1", State: channel.StateDeclined, Failure: "PAYMENT_DECLINED", Detail: "insufficient_funds"}},
		{"payment_intent.payment_failed", with("status", "requires_payment_method", "last_payment_error", map[string]string{"code": "payment_intent_authentication_failure"}),
			channel.Event{Number: "P1", Reference: "pi_1", State: channel.StateDeclined, Failure: "AUTHENTICATION_FAILED", Detail: "payment_intent_authentication_failure"}},
		{"payment_intent.canceled", with("status", "canceled", "cancellation_reason", "abandoned"), channel.Event{Number: "P1", Reference: "pi_1", State: channel.StatePending, Detail: "canceled"}},
		{"payment_intent.canceled", with("status", "canceled", "cancellation_reason", "fraudulent"), channel.Event{Number: "P1", Reference: "pi_1", State: channel.StateClosed, Detail: "canceled"}},
		{"payment_intent.created", with("status", "requires_payment_method"), channel.Event{Number: "P1", Reference: "pi_1", State: channel.StatePending, Detail: "requires_payment_method"}},
		{"payment_intent.requires_action", with("status", "requires_action"), channel.Event{Number: "P1", Reference: "pi_1", State: channel.StatePending, Detail: "requires_action"}},
		{"charge.refunded", with("id", "ch_1"), channel.Event{Number: "P1", Reference: "ch_1", State: channel.StatePending, Detail: "charge.refunded"}},
		{"charge.dispute.created", with("id", "dp_1", "metadata", map[string]string{}, "status", "needs_response", "reason", "fraudulent"),
			channel.Event{Reference: "dp_1", State: channel.StateDisputed, Amount: usd, Detail: "charge.dispute.created needs_response fraudulent"}},
		{"payout.paid", with("id", "po_1", "metadata", nil), channel.Event{Reference: "po_1", State: channel.StatePending, Detail: "payout.paid"}},
		{"refund.created", with("id", "re_1", "status", "pending", "metadata", map[string]string{"number": "R1", "payment": "P1"}), channel.Event{Number: "P1", RefundNumber: "R1", Reference: "re_1", State: channel.StatePending, Detail: "pending"}},
		{"refund.updated", with("id", "re_1", "status", "succeeded", "created", now.Unix(), "metadata", map[string]string{"number": "R1", "payment": "P1"}),
			channel.Event{Number: "P1", RefundNumber: "R1", Reference: "re_1", State: channel.StateRefunded, Amount: usd, PaidAt: time.Unix(now.Unix(), 0).UTC(), Detail: "succeeded"}},
		{"refund.failed", with("id", "re_1", "status", "failed", "failure_reason", "lost_or_stolen_card", "metadata", map[string]string{"number": "R1", "payment": "P1"}),
			channel.Event{Number: "P1", RefundNumber: "R1", Reference: "re_1", State: channel.StateRefundFailed, Detail: "failed lost_or_stolen_card"}},
		{"refund.updated", with("id", "re_1", "status", "succeeded", "metadata", map[string]string{}), channel.Event{Reference: "re_1", State: channel.StatePending, Detail: "refund.updated"}},
	} {
		c.want.ID = "evt_1"
		if e, err := a.ParseNotification(t.Context(), signed(now, false, stripe.APIVersion, c.kind, c.object)); err != nil || e != c.want {
			t.Errorf("%s:\n%+v %v\nwanted\n%+v", c.kind, e, err, c.want)
		}
	}
}

// Lesson 20: a movement's amount is the charge's own, not the one that Stripe pays out in another currency.
func TestLines(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":"txn_1","type":"charge","amount":1150,"fee":63,"currency":"eur","created":1,"source":{"id":"ch_1","object":"charge","amount":1234,"amount_captured":1234,"currency":"usd","payment_intent":"pi_1","metadata":{"number":"P1"}}}`: "PAID P1  pi_1 1234 USD 63 EUR",
		`{"id":"txn_2","type":"refund","amount":-200,"fee":0,"currency":"usd","created":1,"source":{"id":"re_1","object":"refund","amount":200,"currency":"usd","payment_intent":"pi_1","metadata":{"number":"R1","payment":"P1"}}}`:           "REFUNDED P1 R1 re_1 200 USD 0 USD",
		`{"id":"txn_3","type":"refund_failure","amount":200,"fee":0,"currency":"usd","created":1,"source":{"id":"re_1","object":"refund","amount":200,"currency":"usd","payment_intent":"pi_1","metadata":{"number":"R1","payment":"P1"}}}`:    "REFUND_FAILED P1 R1 re_1 200 USD 0 USD",
		`{"id":"txn_4","type":"payout","amount":-200,"fee":0,"currency":"usd","created":1,"source":"po_1"}`:                                                                                                                                    "none",
		`{"id":"txn_6","type":"adjustment","amount":-1234,"fee":1500,"currency":"usd","created":1,"source":{"id":"dp_1","object":"dispute","amount":1234,"currency":"usd","charge":{"id":"ch_1","metadata":{"number":"P1"}}}}`:                 "REFUNDED P1 txn_6 dp_1 1234 USD 1500 USD",
		`{"id":"txn_7","type":"adjustment","amount":1234,"fee":0,"currency":"usd","created":1,"source":{"id":"dp_1","object":"dispute","amount":1234,"currency":"usd","charge":"ch_1"}}`:                                                       "PAID  txn_7 dp_1 1234 USD 0 USD",
		`{"id":"txn_8","type":"adjustment","amount":200,"fee":0,"currency":"usd","created":1,"source":{"id":"re_1","object":"refund","amount":200,"currency":"usd","metadata":{"number":"R1","payment":"P1"}}}`:                                "REFUND_FAILED P1 R1 re_1 200 USD 0 USD",
		`{"id":"txn_9","type":"refund","amount":-200,"fee":0,"currency":"usd","created":1,"source":{"id":"re_1","object":"refund","amount":200,"currency":"usd","metadata":{},"charge":{"id":"ch_1","metadata":{"number":"P1"}}}}`:             "REFUNDED P1 re_1 re_1 200 USD 0 USD",
		`{"id":"txn_10","type":"adjustment","amount":-7,"fee":0,"currency":"usd","created":1,"source":null}`:                                                                                                                                   "REFUNDED  txn_10 txn_10 7 USD 0 USD",
		`{"id":"txn_11","type":"payment_reversal","amount":-7,"fee":0,"currency":"usd","created":1,"source":"py_1"}`:                                                                                                                           "REFUNDED  txn_11 txn_11 7 USD 0 USD",
		`{"id":"txn_12","type":"not_thought_of","amount":7,"fee":0,"currency":"usd","created":1,"source":"x_1"}`:                                                                                                                               "PAID  txn_12 txn_12 7 USD 0 USD",
		`{"id":"txn_5","type":"charge","amount":1234,"fee":0,"currency":"usd","created":1,"source":{"id":"ch_1","object":"charge","amount":1234,"amount_captured":1234,"currency":"usd","billing_details":{"name":"Li Lei"},"metadata":{}}}`:   "PAID   ch_1 1234 USD 0 USD",
	} {
		var m stripe.BalanceTransaction
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		m.LastResponse = &stripe.APIResponse{RawJSON: []byte(text)}
		l, ok, err := line(&m)
		got := fmt.Sprintf("%s %s %s %s %d %s %d %s", l.State, l.Number, l.RefundNumber, l.Reference, l.Amount.Minor, l.Amount.Currency, l.Fee.Minor, l.Fee.Currency)
		if !ok {
			got = "none"
		}
		if err != nil || got != want || strings.Contains(l.Raw, "Li Lei") {
			t.Errorf("%s: %s %v", got, l.Raw, err)
		}
	}
	for _, text := range []string{`{"id":"txn_1","type":"charge","source":"ch_1"}`, `{"id":"txn_1","type":"refund","source":"re_1"}`} {
		var m stripe.BalanceTransaction
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		m.LastResponse = &stripe.APIResponse{RawJSON: []byte(text)}
		if _, _, err := line(&m); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
