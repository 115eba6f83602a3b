package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"paydesk/internal/channel"
	"paydesk/internal/sandbox"
)

func (w *world) typeCard(body string) (int, http.Header, string) {
	w.t.Helper()
	r, _ := http.NewRequest("POST", w.url+sandbox.CardsPath, strings.NewReader(body))
	r.Header.Set("Origin", "https://console.example")
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, string(answer)
}

// Contract, chapter 6, TX-11: the field's call checks a card, is allowed from any page, never repeats what was typed and keeps no number.
func cardField(t *testing.T, w *world, a channel.Adapter) {
	for body, field := range map[string]string{
		`{"number":"4242424242424241","expiryMonth":12,"expiryYear":2040,"cvc":"987"}`: "number",
		`{"number":"4242","expiryMonth":12,"expiryYear":2040,"cvc":"987"}`:             "number",
		`{"number":"4012888888881881","expiryMonth":12,"expiryYear":2040,"cvc":"987"}`: "number",
		`{"number":"4242424242424242","expiryMonth":13,"expiryYear":2040,"cvc":"987"}`: "expiryMonth",
		`{"number":"4242424242424242","expiryMonth":1,"expiryYear":2020,"cvc":"987"}`:  "expiryYear",
		`{"number":"4242424242424242","expiryMonth":1,"cvc":"987"}`:                    "expiryYear",
		`{"number":"4242424242424242","expiryMonth":1,"expiryYear":2040,"cvc":"9876"}`: "cvc",
		`{"number":"378282246310005","expiryMonth":1,"expiryYear":2040,"cvc":"987"}`:   "cvc",
		`{"number":4242424242424242,"expiryMonth":[9876],"expiryYear":2040}`:           "",
		`4242424242424242`: "",
	} {
		code, h, answer := w.typeCard(body)
		if code != http.StatusBadRequest || h.Get("Access-Control-Allow-Origin") != "*" || field != "" && !strings.Contains(answer, `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", body, code, answer)
		}
		for _, secret := range []string{"4242", "4012", "987"} {
			if strings.Contains(answer, secret) {
				t.Errorf("%s is repeated: %s", body, answer)
			}
		}
	}
	card := func(number string) channel.Card {
		t.Helper()
		code, _, answer := w.typeCard(`{"number":"` + number + `","expiryMonth":"12","expiryYear":"40","cvc":` + map[bool]string{true: `"1234"`, false: `123`}[len(number) == 15] + `,"holderName":"Li Lei"}`)
		var out struct{ Token string }
		if json.Unmarshal([]byte(answer), &out); code != http.StatusOK || out.Token == "" {
			t.Fatal(number, code, answer)
		}
		c, err := a.(channel.CardReader).Inspect(t.Context(), out.Token)
		if err != nil || c.ExpiryYear != 2040 || c.ExpiryMonth != 12 || c.HolderName != "Li Lei" || c.Last4 != number[len(number)-4:] {
			t.Fatalf("%s: %+v %v", number, c, err)
		}
		return c
	}
	for number, want := range map[string]string{
		"4242424242424242": "VISA US credit", "2223003122003222": "MASTERCARD US credit", "378282246310005": "AMERICAN_EXPRESS US credit", "3530111333300000": "JCB JP credit",
		"5105105105105100": "MASTERCARD US prepaid", "6200000000000005": "UNIONPAY CN credit", "6011111111111117": "DISCOVER US credit", "4000001560000002": "VISA CN credit", "4000004580000002": "VISA MY credit",
	} {
		if c := card(number); c.Brand+" "+c.Country+" "+c.Funding != want {
			t.Errorf("%s: %+v", number, c)
		}
	}
	// The same first eight and last four: a card like it, and one of its own.
	one, same, other := card("4242424242424242"), card(visa), card("4242424200184242")
	if one.Fingerprint != same.Fingerprint || one.Fingerprint == other.Fingerprint || one.Fingerprint == "" {
		t.Errorf("%s %s %s", one.Fingerprint, same.Fingerprint, other.Fingerprint)
	}
	for _, token := range []string{"pm_none", "4242424242424242", "../refunds", ""} {
		if _, err := a.(channel.CardReader).Inspect(t.Context(), token); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if n := w.count("SELECT COUNT(*) FROM sandbox_cards WHERE CONCAT(token, fingerprint, holder, last4) LIKE '%4242424242%'"); n != 0 {
		t.Error("a number is in the books")
	}
}

// Browsers at Stripe's own call, and the page for a frame.
func cardFieldForBrowsers(t *testing.T, w *world, _ channel.Adapter) {
	c, err := w.sandbox.Stripe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, key string, form url.Values) int {
		r, _ := http.NewRequest(method, w.url+sandbox.StripePath+path, strings.NewReader(form.Encode()))
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	card := url.Values{"type": {"card"}, "card[number]": {visa}, "card[exp_month]": {"12"}, "card[exp_year]": {"2040"}, "card[cvc]": {"123"}, "billing_details[name]": {"Li Lei"}}
	if code := call("POST", "/v1/payment_methods", c.PublishableKey, card); code != http.StatusOK {
		t.Errorf("HTTP %d", code)
	}
	card.Set("card[number]", "4242424242424241")
	if code := call("POST", "/v1/payment_methods", c.PublishableKey, card); code != http.StatusPaymentRequired {
		t.Errorf("a wrong number: HTTP %d", code)
	}
	for _, path := range []string{"/v1/payment_intents", "/v1/refunds"} {
		if code := call("POST", path, c.PublishableKey, card); code != http.StatusUnauthorized {
			t.Errorf("%s with the publishable key: HTTP %d", path, code)
		}
	}
	r, _ := http.NewRequest("OPTIONS", w.url+sandbox.CardsPath, nil)
	r.Header.Set("Origin", "https://console.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Headers") == "" {
		t.Fatalf("preflight: %v %v", res, err)
	}
	res, err = http.Get(w.url + sandbox.CardsPath + "?origin=" + url.QueryEscape(`https://console.example/"x`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors *") || !strings.Contains(policy, "form-action 'none'") || !strings.Contains(string(body), `target = "https://console.example"`) {
		t.Errorf("%s %s", policy, body)
	}
	framed := httptest.NewRecorder()
	framed.Header().Set("X-Frame-Options", "DENY") // as the product says on every answer
	if w.sandbox.ServeHTTP(framed, httptest.NewRequest("GET", sandbox.CardsPath, nil)); framed.Code != http.StatusOK || framed.Header().Get("X-Frame-Options") != "" {
		t.Errorf("not to be framed: %v", framed.Header())
	}
}
