package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestReturn: UnionPay's page posts its front return from its own site, as a form without any preflight. It is let in, proves nothing by what
// it says, and makes us ask: a payment whose notification was lost has succeeded before the payer sees our page. That a card was refused
// before, while we asked, ended nothing: UnionPay's page takes another card.
func TestReturn(t *testing.T) {
	s := start(t, nil, options{})
	c := s.customer(t)
	s.behave(t, "UNIONPAY_PERSONAL", map[string]string{"notify": "drop"})
	var out struct {
		TopUp struct {
			Payment struct {
				ID, Number string
				NextAction struct {
					URL, Method string
					Fields      []struct{ Name, Value string }
				}
			}
		}
	}
	c.must(t, `mutation($input: TopUpInput!) { topUp(input: $input) { payment { id number nextAction { ... on Redirect { url method fields { name value } } } } errors { code } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": unique("bank"), "online": map[string]any{"channel": "UNIONPAY_PERSONAL", "amount": money("12.00"), "bankCode": "ICBC"}}}, &out)
	p, form := out.TopUp.Payment, url.Values{}
	for _, f := range p.NextAction.Fields {
		form.Set(f.Name, f.Value)
	}
	page, err := http.PostForm(p.NextAction.URL, form)
	if err != nil || p.NextAction.Method != http.MethodPost || page.StatusCode != http.StatusOK {
		t.Fatal(page, err)
	}
	page.Body.Close()
	play := func(outcome url.Values) {
		t.Helper()
		res, err := http.PostForm(page.Request.URL.String(), outcome)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		res.Body.Close()
	}
	became := func(what, want string) {
		t.Helper()
		var now struct{ Payment struct{ Status string } }
		c.must(t, `query($id: ID!) { payment(id: $id) { status } }`, map[string]any{"id": p.ID}, &now)
		if now.Payment.Status != want {
			t.Errorf("%s: %s", what, now.Payment.Status)
		}
	}
	play(url.Values{"outcome": {"decline"}, "code": {"64"}})
	s.advance(t, "20s") // the sweep asks
	became("a card refused", "REQUIRES_ACTION")
	play(url.Values{"outcome": {"succeed"}})
	back := func(method, number string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/return/"+number, strings.NewReader("respCode=01&orderId="+number))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://gateway.95516.com", "Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "navigate", "Accept-Language": "zh-CN"} {
			r.Header.Set(name, value)
		}
		return answerTo(t, r)
	}
	if res, text := back(http.MethodPost, p.Number); res.StatusCode != http.StatusOK || !strings.Contains(text, `lang="zh-Hans"`) || !strings.Contains(text, "您可以关闭此窗口") {
		t.Errorf("back from the bank: HTTP %d %s", res.StatusCode, text)
	}
	became("after the return", "SUCCEEDED")
	if res, _ := back(http.MethodPost, "20261122000000UNKNOWN0"); res.StatusCode != http.StatusNotFound {
		t.Errorf("nobody's number: HTTP %d", res.StatusCode)
	}
	if res, _ := back(http.MethodDelete, p.Number); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: HTTP %d", res.StatusCode)
	}
}
