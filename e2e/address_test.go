package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"paydesk/internal/platform/testenv"
)

// Tenpay wants to know where the payer is: behind a proxy of ours it is told the payer's address and not the proxy's, and the same one
// again when the request is repeated from elsewhere, for one payment has one address.
func TestChannelsKnowWherePayersAre(t *testing.T) {
	t.Parallel()
	s := start(t, homeEnv(testenv.Embedded(t)), options{env: []string{"PAYDESK_POLICY=tencent", "PAYDESK_TRUSTED_PROXIES=127.0.0.0/8"}})
	c := s.customerOf(t, "MAINLAND", "CN", "CNY")
	from := func(address, key string) string {
		body := `{"query":"mutation($key: ID!) { topUp(input: {idempotencyKey: $key, online: {channel: TENPAY, bankCode: \"ICBC\", amount: {amount: \"7\", currency: \"CNY\"}}}) { payment { nextAction { ... on Redirect { url } } } errors { code message } } }","variables":{"key":"` + key + `"}}`
		r, err := http.NewRequest(http.MethodPost, s.URL+"/graphql", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("X-Forwarded-For", address)
		_, text := answerTo(t, r)
		var answer struct {
			Data struct {
				TopUp struct {
					Payment struct{ NextAction struct{ URL string } }
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(answer.Data.TopUp.Payment.NextAction.URL)
		if err != nil || u.Path == "" {
			t.Fatalf("%s %v", text, err)
		}
		return u.Query().Get("spbill_create_ip")
	}
	for _, call := range []struct{ from, key, want string }{
		{"198.51.100.7", "a", "198.51.100.7"},
		{"203.0.113.9", "a", "198.51.100.7"},
		{"192.0.2.1, 203.0.113.9", "b", "203.0.113.9"}, // what stands left of it anybody may have written
		{"2001:db8::7", "c", "127.0.0.1"},
	} {
		if got := from(call.from, call.key); got != call.want {
			t.Errorf("%s, key %s: %s", call.from, call.key, got)
		}
	}
}
