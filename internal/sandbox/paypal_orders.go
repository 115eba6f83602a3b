package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// paypalLapse is how long an order waits for its payer, and then for its capture.
const paypalLapse = 3 * time.Hour

// paypalMoney is an amount of the protocol. PayPal has no decimals for the yen, nor for two currencies that have them elsewhere.
type paypalMoney struct {
	Currency string `json:"currency_code"`
	Value    string `json:"value"`
}

func paypalAmount(minor int64, currency string) paypalMoney {
	text := money.New(minor, money.Currency(currency)).Decimal()
	if currency == "HUF" || currency == "TWD" {
		text, _, _ = strings.Cut(text, ".")
	}
	return paypalMoney{currency, text}
}

var paypalCurrency = regexp.MustCompile(`^(AUD|BRL|CAD|CHF|CZK|DKK|EUR|GBP|HKD|HUF|ILS|JPY|MXN|MYR|NOK|NZD|PHP|PLN|SEK|SGD|THB|TWD|USD)$`)

func (m paypalMoney) minor() (int64, bool) {
	sum, err := money.Parse(m.Value, money.Currency(m.Currency))
	decimals := strings.Contains(m.Value, ".") && (m.Currency == "HUF" || m.Currency == "TWD")
	return sum.Minor, err == nil && sum.Minor > 0 && !decimals && paypalCurrency.MatchString(m.Currency)
}

// paypalHome is the address at which the merchant calls.
func paypalHome(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host + PayPalPath
	}
	return "http://" + r.Host + PayPalPath
}

// paypalCreate makes an order of one unit, or finds the one that its PayPal-Request-Id has made.
func (s *Sandbox) paypalCreate(k *paypalKeys, r *http.Request, body []byte) (paypalAnswer, error) {
	var in struct {
		Intent string `json:"intent"`
		Units  []struct {
			Custom      string      `json:"custom_id"`
			Invoice     string      `json:"invoice_id"`
			Description string      `json:"description"`
			Amount      paypalMoney `json:"amount"`
		} `json:"purchase_units"`
		Source struct {
			PayPal struct {
				Context struct {
					ReturnURL string `json:"return_url"`
					CancelURL string `json:"cancel_url"`
				} `json:"experience_context"`
			} `json:"paypal"`
		} `json:"payment_source"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Intent != "CAPTURE" || len(in.Units) != 1 || in.Units[0].Custom == "" || len(in.Units[0].Custom) > 127 || len([]rune(in.Units[0].Description)) > 127 {
		return paypalInvalid("MISSING_REQUIRED_PARAMETER"), nil
	}
	unit, key := in.Units[0], r.Header.Get("PayPal-Request-Id")
	sum, ok := unit.Amount.minor()
	switch page := in.Source.PayPal.Context; {
	case key == "":
		return paypalInvalid("PAYPAL_REQUEST_ID_REQUIRED"), nil
	case !paypalCurrency.MatchString(unit.Amount.Currency):
		return paypalUnprocessable("CURRENCY_NOT_SUPPORTED"), nil
	case !ok:
		return paypalUnprocessable("DECIMAL_PRECISION"), nil
	case !webAddress(page.ReturnURL) || !webAddress(page.CancelURL):
		return paypalInvalid("INVALID_PARAMETER_SYNTAX"), nil
	}
	told, err := s.paypalReportsTo(r.Context())
	if err != nil {
		return paypalAnswer{}, err
	}
	end := s.clock.Now().Add(paypalLapse)
	t, err := s.register(r.Context(), trade{Channel: models.ChannelPayPal, Number: unit.Custom, Reference: paypalID("5"), Amount: sum, Currency: unit.Amount.Currency,
		Subject: unit.Description, Status: waiting, NotifyURL: told, ExpiresAt: &end, Detail: detail{ReturnURL: in.Source.PayPal.Context.ReturnURL, Request: key, Home: paypalHome(r)}})
	switch {
	case err != nil:
		return paypalAnswer{}, err
	case t.Detail.Request != key || t.Amount != sum || t.Currency != unit.Amount.Currency:
		return paypalUnprocessable("DUPLICATE_INVOICE_ID"), nil
	}
	return paypalAnswer{http.StatusOK, s.paypalOrderObject(r.Context(), k, t)}, nil
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// paypalFind reads the order of a request; false where there is none, or where it has lapsed.
func (s *Sandbox) paypalFind(ctx context.Context, id string) (trade, bool, error) {
	t, err := s.findByReference(ctx, models.ChannelPayPal, id)
	if errors.Is(err, errNoTrade) {
		return trade{}, false, nil
	}
	return t, err == nil && t.at(s.clock.Now()) != expired, err
}

func (s *Sandbox) paypalOrder(k *paypalKeys, r *http.Request, _ []byte) (paypalAnswer, error) {
	t, found, err := s.paypalFind(r.Context(), r.PathValue("id"))
	if err != nil || !found {
		return paypalUnknown(), err
	}
	out := s.paypalOrderObject(r.Context(), k, t)
	refunds, err := s.paypalRefundsOf(r.Context(), k, t)
	if len(refunds) > 0 {
		out["purchase_units"].([]any)[0].(map[string]any)["payments"].(map[string]any)["refunds"] = refunds
	}
	return paypalAnswer{http.StatusOK, out}, err
}

// paypalDeclined is the local part of an account whose bank refuses whatever it is asked for.
const paypalDeclined = "declined@"

// paypalCapture takes an approved order's money, once: the same PayPal-Request-Id again finds it taken.
func (s *Sandbox) paypalCapture(k *paypalKeys, r *http.Request, _ []byte) (paypalAnswer, error) {
	ctx, key := r.Context(), r.Header.Get("PayPal-Request-Id")
	t, found, err := s.paypalFind(ctx, r.PathValue("id"))
	if err != nil || !found {
		return paypalUnknown(), err
	}
	if t.Status == approved {
		if strings.HasPrefix(t.Detail.Payer, paypalDeclined) {
			return paypalUnprocessable("INSTRUMENT_DECLINED"), nil
		}
		t.Detail.Capture = key
		err = s.note(ctx, t)
		switch {
		case err == nil && strings.HasPrefix(t.Detail.Payer, paypalReview):
			err = s.paypalKeeps(ctx, t)
		case err == nil:
			_, err = s.pay(ctx, t, false)
		}
		if err == nil {
			t, err = s.find(ctx, t.Channel, t.Number)
		}
		if err != nil {
			return paypalAnswer{}, err
		}
	}
	switch {
	case paypalCaptured(t) && key != "" && t.Detail.Capture == key:
		return paypalAnswer{http.StatusCreated, s.paypalOrderObject(ctx, k, t)}, nil
	case paypalCaptured(t):
		return paypalUnprocessable("ORDER_ALREADY_CAPTURED"), nil
	case t.Status == declined || t.Status == closed:
		return paypalUnprocessable("TRANSACTION_REFUSED"), nil
	}
	return paypalUnprocessable("ORDER_NOT_APPROVED"), nil
}

func paypalOrderStatus(state status) string {
	switch state {
	case approved:
		return "APPROVED"
	case paid, reviewing, denied:
		return "COMPLETED"
	case declined, closed:
		return "VOIDED"
	}
	return "PAYER_ACTION_REQUIRED"
}

// paypalOrderObject is an order in an answer, as the channel behaves.
func (s *Sandbox) paypalOrderObject(ctx context.Context, k *paypalKeys, t trade) map[string]any {
	if behaviourIn(ctx).Call == wrongAmount {
		t.Amount++
	}
	out := paypalOrderOf(k, t)
	if t.Status == waiting {
		out["links"] = append(out["links"].([]any), map[string]string{"href": s.payerURL(t.Token), "rel": "payer-action", "method": "GET"})
	}
	return out
}

// paypalOrderOf is an order as answers and notifications have it.
func paypalOrderOf(k *paypalKeys, t trade) map[string]any {
	unit := map[string]any{"reference_id": "default", "custom_id": t.Number, "invoice_id": t.Number, "description": t.Subject, "amount": paypalAmount(t.Amount, t.Currency),
		"payee": map[string]string{"email_address": "merchant@sandbox.example", "merchant_id": k.MerchantID}}
	out := map[string]any{"id": t.Reference, "intent": "CAPTURE", "status": paypalOrderStatus(t.Status), "purchase_units": []any{unit}, "create_time": t.CreatedAt.Format(time.RFC3339),
		"payment_source": map[string]any{"paypal": map[string]any{}}, "links": []any{map[string]string{"href": t.Detail.Home + "/v2/checkout/orders/" + t.Reference, "rel": "self", "method": "GET"}}}
	if t.Detail.Payer != "" {
		payer := map[string]any{"email_address": t.Detail.Payer, "account_id": "PAYER" + t.Reference[9:], "address": map[string]string{"country_code": t.Detail.Country}}
		out["payer"], out["payment_source"] = payer, map[string]any{"paypal": payer}
	}
	if paypalCaptured(t) {
		unit["payments"] = map[string]any{"captures": []any{paypalCaptureOf(k, t)}}
	}
	return out
}

// paypalCaptureID is the capture's id of an order's, and the other way round: both are 3 or 5 and the same 16 characters.
func paypalCaptureID(order string) string { return "3" + order[1:] }

func paypalOrderID(capture string) string { return "5" + capture[min(1, len(capture)):] }

func paypalCaptureOf(k *paypalKeys, t trade) map[string]any {
	id, at := paypalCaptureID(t.Reference), t.CreatedAt
	if t.PaidAt != nil {
		at = *t.PaidAt
	}
	state, why := "COMPLETED", map[string]string{}
	switch {
	case t.Status == reviewing:
		state, why["reason"] = "PENDING", "PENDING_REVIEW"
	case t.Status == denied:
		state = "DECLINED"
	case t.Refunded == t.Amount:
		state = "REFUNDED"
	case t.Refunded > 0:
		state = "PARTIALLY_REFUNDED"
	}
	fee := paypalFee(t.Amount, t.Currency)
	link := func(rel, path string) map[string]string {
		return map[string]string{"rel": rel, "href": t.Detail.Home + path}
	}
	return map[string]any{"id": id, "status": state, "status_details": why, "amount": paypalAmount(t.Amount, t.Currency), "custom_id": t.Number, "invoice_id": t.Number, "final_capture": true,
		"seller_receivable_breakdown": map[string]any{"gross_amount": paypalAmount(t.Amount, t.Currency), "paypal_fee": paypalAmount(fee, t.Currency), "net_amount": paypalAmount(t.Amount-fee, t.Currency)},
		"payee":                       map[string]string{"email_address": "merchant@sandbox.example", "merchant_id": k.MerchantID}, "create_time": at.Format(time.RFC3339), "update_time": at.Format(time.RFC3339),
		"supplementary_data": map[string]any{"related_ids": map[string]string{"order_id": t.Reference}},
		"links":              []any{link("self", "/v2/payments/captures/"+id), link("refund", "/v2/payments/captures/"+id+"/refund"), link("up", "/v2/checkout/orders/"+t.Reference)}}
}

// paypalFee is what PayPal keeps of a payment: 3.49 % and 0.49, or 49 of a currency without decimals.
func paypalFee(minor int64, currency string) int64 {
	fee := (minor*349 + 5000) / 10000
	if fee += 49; currency == "HUF" || currency == "TWD" {
		fee += 50 - fee%100
		fee -= fee % 100
	}
	return min(fee, minor)
}
