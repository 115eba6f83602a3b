package e2e

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	whoConsole = "https://console.example"
	whoPublic  = "https://pay.example"
)

// TestBrowsers: what browsers may send us from where, and what we tell them (contract §2).
func TestBrowsers(t *testing.T) {
	s := start(t, nil, options{env: []string{"PAYDESK_ALLOWED_ORIGINS=" + whoConsole, "PAYDESK_PUBLIC_URL=" + whoPublic, "PAYDESK_METRICS_TOKEN=s3cret"}})
	t.Run("simple requests", func(t *testing.T) { simpleRequests(t, s) })
	t.Run("preflights", func(t *testing.T) { preflights(t, s) })
	t.Run("origins of sockets", func(t *testing.T) { originsOfSockets(t, s) })
	t.Run("headers", func(t *testing.T) { safeAnswers(t, s) })
	t.Run("development is for this machine", func(t *testing.T) {
		for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Host", "evil.example"}} {
			if res, text := s.send(t, http.MethodGet, "/dev/personas", "", headers...); res.StatusCode != http.StatusForbidden || strings.Contains(text, "token\"") {
				t.Errorf("%v: %s", headers, res.Status)
			}
		}
	})
	t.Run("metrics", func(t *testing.T) {
		if res, text := s.send(t, http.MethodGet, "/metrics", ""); res.StatusCode != http.StatusUnauthorized || strings.Contains(text, "paydesk_") {
			t.Errorf("%s %.100s", res.Status, text)
		}
		if res, text := s.send(t, http.MethodGet, "/metrics", "", "Authorization", "Bearer s3cret"); res.StatusCode != http.StatusOK || !strings.Contains(text, "paydesk_") {
			t.Errorf("%s %.100s", res.Status, text)
		}
	})
}

// simpleRequests: what a page of another site can make a browser send without asking first runs nothing.
func simpleRequests(t *testing.T, s *server) {
	token := s.signIn(t, "SERVICE", "").token
	const mutation = `{"query":"mutation { openAccount(input: {idempotencyKey: \"csrf\", number: \"CSRF\", name: \"x\", kind: INDIVIDUAL, region: \"CN\", country: \"CN\", signingEntity: \"MAINLAND\", currency: CNY}) { account { id } } }"}`
	form := "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + mutation + "\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--x--\r\n"
	get := "/graphql?query=" + url.QueryEscape("{ now }")
	for name, c := range map[string]struct{ method, path, body, kind string }{
		"text":                     {http.MethodPost, "/graphql", mutation, "text/plain"},
		"text as JSON":             {http.MethodPost, "/graphql", mutation, "text/plain; application/json"},
		"a form":                   {http.MethodPost, "/graphql", "query=" + url.QueryEscape("{ now }"), "application/x-www-form-urlencoded"},
		"multipart":                {http.MethodPost, "/graphql", form, "multipart/form-data; boundary=x"},
		"nothing said":             {http.MethodPost, "/graphql", mutation, ""},
		"nonsense said":            {http.MethodPost, "/graphql", mutation, "text/plain;;;"},
		"a GET":                    {http.MethodGet, get, "", ""},
		"a GET of events":          {http.MethodGet, "/graphql?query=" + url.QueryEscape("subscription { balanceChanged { version } }"), "", ""},
		"a GET with a simple type": {http.MethodGet, get, "", "text/plain"},
	} {
		for _, site := range []string{"", "cross-site", "same-site"} {
			res, text := s.send(t, c.method, c.path, c.body, "Content-Type", c.kind, "Origin", "https://evil.example", "Sec-Fetch-Site", site)
			if res.StatusCode != http.StatusForbidden || !strings.Contains(text, `"FORBIDDEN"`) || strings.Contains(text, `"data"`) || res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s, %q: %s %s", name, site, res.Status, text)
			}
		}
		// The same, when somebody means it.
		for _, header := range [][2]string{{"Apollo-Require-Preflight", "true"}, {"X-Paydesk-Client", "test"}, {"Authorization", "Bearer " + token}} {
			if res, text := s.send(t, c.method, c.path, c.body, "Content-Type", c.kind, header[0], header[1]); res.StatusCode == http.StatusForbidden {
				t.Errorf("%s with %s: %s %s", name, header[0], res.Status, text)
			}
		}
	}
	if res, text := s.send(t, http.MethodGet, get, "", "Sec-Fetch-Site", "same-origin"); res.StatusCode != http.StatusOK {
		t.Errorf("a GET of our own page: %s %s", res.Status, text)
	}
}

// preflights are answered for the listed origins alone, and never allow credentials.
func preflights(t *testing.T, s *server) {
	asks := []string{"content-type", "authorization", "accept-language", "apollo-require-preflight", "x-paydesk-client", "x-request-id", "traceparent", "tracestate",
		"baggage", "x-apollo-operation-name", "apollographql-client-name", "apollographql-client-version", "graphql-client-name"}
	preflight := func(origin, method, headers string) *http.Response {
		res, _ := s.send(t, http.MethodOptions, "/graphql", "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
		if res.Header.Get("Access-Control-Allow-Credentials") != "" || res.Header.Get("Access-Control-Allow-Origin") == "*" {
			t.Errorf("%s: %v", origin, res.Header)
		}
		return res
	}
	slices.Sort(asks)
	res := preflight(whoConsole, "POST", strings.Join(asks, ","))
	if res.Header.Get("Access-Control-Allow-Origin") != whoConsole || res.Header.Get("Access-Control-Allow-Headers") == "" || !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	for _, origin := range []string{"https://evil.example", "null", "http://console.example", "https://console.example:444", "https://console.example.evil.example", whoPublic, "https://consolexexample"} {
		if res := preflight(origin, "POST", "content-type"); res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may call: %v", origin, res.Header)
		}
	}
	if res := preflight(whoConsole, "DELETE", ""); res.Header.Get("Access-Control-Allow-Methods") != "" {
		t.Error("DELETE is allowed")
	}
	for origin, may := range map[string]bool{whoConsole: true, "https://evil.example": false, "null": false} {
		res, _ := s.send(t, http.MethodPost, "/graphql", `{"query":"{ __typename }"}`, "Content-Type", "application/json", "Origin", origin)
		if (res.Header.Get("Access-Control-Allow-Origin") == origin) != may || !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
			t.Errorf("the answer to %s: %v", origin, res.Header)
		}
	}
}

// originsOfSockets: browsers ask nobody before they open a WebSocket, so we look where it comes from.
func originsOfSockets(t *testing.T, s *server) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, c := range []struct {
		headers []string
		may     bool
	}{
		{nil, true}, {[]string{"Origin", s.URL}, true}, {[]string{"Origin", whoConsole}, true}, {[]string{"Origin", whoPublic}, true},
		{[]string{"Origin", whoPublic, "Host", "pay.example"}, true}, {[]string{"Origin", "http://inner.example", "Host", "inner.example"}, true},
		{[]string{"Origin", "https://evil.example"}, false}, {[]string{"Origin", "null"}, false}, {[]string{"Origin", "https://evil.example", "X-Forwarded-Host", "evil.example"}, false},
		{[]string{"Origin", strings.Replace(s.URL, "127.0.0.1", "localhost", 1)}, false}, {[]string{"Origin", "https://pay.example.evil.example"}, false},
	} {
		conn, res, err := tryDial(ctx, s.URL, c.headers...)
		if conn != nil {
			_ = conn.CloseNow()
		}
		switch {
		case c.may && err != nil:
			t.Errorf("%v: %v", c.headers, err)
		case !c.may && (err == nil || res == nil || res.StatusCode != http.StatusForbidden):
			t.Errorf("%v: let in, or not refused with 403: %v", c.headers, err)
		}
	}
}

// safeAnswers: what every answer says to a browser, and what a document says in its own policy.
func safeAnswers(t *testing.T, s *server) {
	token := s.signIn(t, "OPERATOR", "").token
	for name, c := range map[string]struct{ method, path, body, policy, cache string }{
		"the page":          {http.MethodGet, "/", "", "script-src 'self';", "no-cache"},
		"a script":          {http.MethodGet, "/main.js", "", "script-src 'self';", "no-cache"},
		"GraphiQL":          {http.MethodGet, "/graphiql/", "", "script-src 'self';", "no-store"},
		"GraphQL":           {http.MethodPost, "/graphql", `{"query":"{ now }"}`, "default-src 'none';", "no-store"},
		"a refusal":         {http.MethodPost, "/graphql", `{`, "default-src 'none';", "no-store"},
		"a stream":          {http.MethodPost, "/graphql", `{"query":"{ now }"}`, "default-src 'none';", "no-store"},
		"personas":          {http.MethodGet, "/dev/personas", "", "default-src 'none';", "no-store"},
		"the clock":         {http.MethodGet, "/dev/clock", "", "default-src 'none';", "no-store"},
		"nothing":           {http.MethodGet, "/nothing", "", "default-src 'none';", ""},
		"a forged link":     {http.MethodGet, "/qr/pay_x?until=1&signature=x", "", "default-src 'none'", ""},
		"a forged file":     {http.MethodGet, "/files/acc_x/fil_x?until=1&signature=x", "", "default-src 'none'", ""},
		"a refused webhook": {http.MethodPost, "/webhooks/ALIPAY", "x=1", "default-src 'none';", ""},
	} {
		headers := []string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}
		if name == "a stream" {
			headers = append(headers, "Accept", "text/event-stream")
		}
		res, _ := s.send(t, c.method, c.path, c.body, headers...)
		h := res.Header
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000"} {
			if h.Get(header) != want {
				t.Errorf("%s: %s: %q", name, header, h.Get(header))
			}
		}
		policy := h.Get("Content-Security-Policy")
		if len(h.Values("Content-Security-Policy")) != 1 || !strings.Contains(policy, c.policy) || !strings.Contains(policy, "default-src 'none'") ||
			strings.Contains(policy, "unsafe-eval") || strings.Contains(policy, "script-src 'self' '") || h.Get("Permissions-Policy") == "" || h.Get("Cross-Origin-Resource-Policy") == "" {
			t.Errorf("%s: %v", name, h)
		}
		if c.cache != "" && h.Get("Cache-Control") != c.cache {
			t.Errorf("%s: Cache-Control %q", name, h.Get("Cache-Control"))
		}
		if h.Get("Set-Cookie") != "" || h.Get("Server") != "" {
			t.Errorf("%s: %v", name, h)
		}
	}
}
