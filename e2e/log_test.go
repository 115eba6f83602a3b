package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"paydesk/internal/platform/testenv"
)

// TestLogHoldsNoSecrets: at the most talkative level, with everything that can go wrong going wrong, no line holds a token, a key, a
// card number, what was sent in a malformed body, a name or an address; and lines say which request, account and payment (contract §8).
func TestLogHoldsNoSecrets(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{env: []string{"PAYDESK_LOG_LEVEL=debug", "PAYDESK_LOG_FORMAT=json"}})
		lin := s.customer(t)
		key, card, body := unique("key-of-lin"), "4242424242424242", unique("malformed")
		secrets := []string{key, card, body, "forged.token.signature", "Li Na", "li.na@example.com", "13800138000"}
		secrets = append(secrets, tokenParts(lin.token)...)

		// The main job, declined and paid, and a repeat with other input.
		order := lin.orders(t, 1, "12.00")[0]
		r, err := lin.topUp(key, "WECHAT_PAY", "50.00")
		p := started(t, r, err)
		secrets = append(secrets, p.NextAction.Content)
		if err := payer(p.NextAction.Content, "succeed"); err != nil {
			t.Fatal(err)
		}
		lin.awaitStatus(t, p.ID, "SUCCEEDED")
		if r, err := lin.topUp(key, "WECHAT_PAY", "51.00"); err != nil || r.code() != "IDEMPOTENCY_KEY_REUSED" {
			t.Fatal(r, err)
		}
		if _, err := lin.pay(unique("pay"), order, balanceOf("12.00")); err != nil {
			t.Fatal(err)
		}
		// A payment that the log has something to say of: its channel forges, then says another amount.
		s.behave(t, "ALIPAY", map[string]string{"notify": "forge"})
		r, err = lin.topUp(unique("forged"), "ALIPAY", "5.00")
		forged := started(t, r, err)
		if err := payer(forged.NextAction.Content, "succeed"); err != nil {
			t.Fatal(err)
		}
		await(t, readyWithin, "the forged notification in the log", func() (bool, error) {
			return strings.Contains(s.log.tail(1<<20), "notification refused"), nil
		})
		// A payment whose channel fails: the line that says so names it.
		s.behave(t, "WECHAT_PAY", map[string]string{"call": "error500"})
		if r, err = lin.topUp(unique("unknown"), "WECHAT_PAY", "6.00"); err != nil || r.Payment == nil {
			t.Fatal(r, err)
		}
		unknown := r.Payment.ID
		s.behave(t, "WECHAT_PAY", map[string]string{"call": "normal"})

		// What people send by mistake or on purpose.
		lin.refusedAnyhow(t, `{"query":"{ `+body, "application/json")
		lin.refusedAnyhow(t, `{"query":"query { payment(id: \"`+body+`\") { id } nothing`+body+` }"}`, "application/json")
		lin.refusedAnyhow(t, `{"query":"mutation($input: TopUpInput!) { topUp(input: $input) { errors { code } } }","variables":{"input":{"idempotencyKey":"`+key+`","online":{"channel":"`+body+`","amount":{"amount":"`+card+`","currency":"CNY"}}}}}`, "application/json")
		lin.refusedAnyhow(t, body, "text/plain")
		lin.refusedAnyhow(t, "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n"+body+"\r\n--x--", "multipart/form-data; boundary=x")
		_ = lin.ask(`mutation($input: OpenAccountInput!) { openAccount(input: $input) { errors { code } } }`, map[string]any{"input": map[string]any{
			"idempotencyKey": key, "number": unique("X"), "name": card, "kind": "INDIVIDUAL", "region": "CN", "country": "CN", "signingEntity": "MAINLAND", "currency": "CNY"}}, &struct{}{})
		_ = s.signIn(t, "SERVICE", "").ask(`mutation($input: OpenAccountInput!) { openAccount(input: $input) { errors { code } } }`, map[string]any{"input": map[string]any{
			"idempotencyKey": unique("open"), "number": unique("X"), "name": card, "kind": "INDIVIDUAL", "region": "CN", "country": "CN", "signingEntity": "MAINLAND", "currency": "CNY"}}, &struct{}{})
		user{s.URL, "forged.token.signature"}.refusedAnyhow(t, `{"query":"{ viewer { name } }"}`, "application/json")
		sayNonsense(t, s, body, lin.token)

		s.stop(t)
		logged := s.log.tail(8 << 20)
		for _, secret := range secrets {
			if at := strings.Index(logged, secret); at >= 0 {
				t.Errorf("the log holds %q: …%s…", secret, logged[max(0, at-200):min(len(logged), at+100)])
			}
		}
		wantLines(t, logged, lin.AccountID)
		if !strings.Contains(logged, `"payment":"`+unknown+`"`) {
			t.Errorf("no line names the payment whose channel failed, %s", unknown)
		}
	})
}

// tokenParts are a token and its parts.
func tokenParts(token string) []string { return append(strings.Split(token, "."), token) }

// refusedAnyhow sends a body as it is; what is answered does not matter here, but that it repeats nothing does.
func (u user) refusedAnyhow(t testing.TB, body, contentType string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, u.base+"/graphql", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "Bearer "+u.token)
	res, err := web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
}

// sayNonsense drives a socket into its refusals.
func sayNonsense(t testing.TB, s *server, body, token string) {
	t.Helper()
	for _, frames := range [][]string{
		{`{"type":"` + body + `"}`}, {`{"type":"connection_init","payload":{"authorization":"Bearer ` + body + `"}}`},
		{`{"type":"connection_init","payload":{"authorization":"Bearer ` + token + `"}}`, `{"id":"` + body + `","type":"subscribe","payload":{"query":"{ ` + body + ` }"}}`, body},
	} {
		conn, res, err := websocket.Dial(t.Context(), s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			t.Fatal(err)
		}
		if res.Body != nil {
			res.Body.Close()
		}
		for _, frame := range frames {
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
				break
			}
		}
		for err == nil {
			_, _, err = conn.Read(t.Context()) // until the server has closed it
		}
	}
}

// wantLines checks that every line is JSON, that lines of requests name them, and an account's lines the account.
func wantLines(t testing.TB, logged, account string) {
	t.Helper()
	operations, ofAccount := 0, 0
	for line := range strings.Lines(logged) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("no JSON: %s", line)
			continue
		}
		if fields["msg"] == "operation" {
			operations++
			if fields["request"] == nil || fields["account"] == nil && fields["role"] == nil {
				t.Errorf("an operation's line without request or account: %s", line)
			}
		}
		if fields["account"] == account {
			ofAccount++
		}
		for name, prefix := range map[string]string{"account": "acc_", "payment": "pay_"} {
			if id, ok := fields[name]; ok && !strings.HasPrefix(fmt.Sprint(id), prefix) {
				t.Errorf("%s is no id of the API: %s", name, line)
			}
		}
	}
	if operations == 0 || ofAccount == 0 {
		t.Errorf("%d lines of operations, %d of the account", operations, ofAccount)
	}
}
