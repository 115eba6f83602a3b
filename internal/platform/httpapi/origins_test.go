package httpapi

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// as sends a request under a Host of its own.
func (w world) as(t *testing.T, host, method, path string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(`{"query":"{ hello }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func developed(o *Options) {
	o.Dev, o.Public, o.Develop = true, "https://pay.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
}

// The same origin is that of the Host header or of the public address; what a client says of forwarding is not believed.
func TestSameOrigin(t *testing.T) {
	w := start(t, developed)
	here := strings.TrimPrefix(w.server.URL, "http://")
	for _, c := range []struct {
		host, origin, forwarded string
		want                    int
	}{
		{here, "", "", 200}, {here, "http://" + here, "", 200}, {here, "https://pay.example", "", 200}, {here, "HTTPS://Pay.Example", "", 200},
		{"pay.example", "https://pay.example", "", 200}, {here, "https://console.example", "", 200}, // the listed one
		{here, "https://evil.example", "", 403}, {here, "https://evil.example", "evil.example", 403}, {here, "null", "", 403},
		{here, "https://pay.example.evil.example", "", 403}, {here, "https://pay.example:8443", "", 403}, {here, "http://", "", 403}, {here, "%", "", 403},
	} {
		if res := w.as(t, c.host, "GET", "/dev/clock", "Origin", c.origin, "X-Forwarded-Host", c.forwarded); res.StatusCode != c.want {
			t.Errorf("%+v: %d", c, res.StatusCode)
		}
	}
}

// A name of somebody else's that points to this machine (DNS rebinding) opens nothing of a development server.
func TestRebinding(t *testing.T) {
	w := start(t, developed)
	_, port, _ := strings.Cut(strings.TrimPrefix(w.server.URL, "http://"), ":")
	for host, want := range map[string]int{
		"127.0.0.1:" + port: 200, "localhost:" + port: 200, "localhost": 200, "[::1]:" + port: 200, "paydesk.localhost": 200, "192.0.2.7:80": 200, "pay.example": 200,
		"evil.example:" + port: 403, "evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example:" + port: 403,
	} {
		if res := w.as(t, host, "GET", "/dev/personas"); res.StatusCode != want {
			t.Errorf("%s: %d", host, res.StatusCode)
		}
	}
}

// Preflights of what real clients send; the answer never allows credentials and varies with what it was asked.
func TestPreflightHeaders(t *testing.T) {
	w := start(t)
	for _, name := range allowedHeaders {
		a := w.send(t, "OPTIONS", "/graphql", "", "Origin", "https://console.example", "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", strings.ToLower(name))
		if got := a.header.Get("Access-Control-Allow-Headers"); !strings.EqualFold(got, name) {
			t.Errorf("%s: %q", name, got)
		}
		if vary := strings.Join(a.header.Values("Vary"), ", "); !strings.Contains(vary, "Origin") || !strings.Contains(vary, "Access-Control-Request-Headers") {
			t.Errorf("%s: Vary %q", name, vary)
		}
	}
	for _, ask := range [][2]string{{"POST", "cookie"}, {"DELETE", ""}} {
		a := w.send(t, "OPTIONS", "/graphql", "", "Origin", "https://console.example", "Access-Control-Request-Method", ask[0], "Access-Control-Request-Headers", ask[1])
		if a.header.Get("Access-Control-Allow-Methods") != "" || a.header.Get("Access-Control-Allow-Headers") != "" {
			t.Errorf("%v is allowed: %v", ask, a.header)
		}
	}
}

// Every answer says the same to browsers, whatever it is; by https it stays there.
func TestSafeHeaders(t *testing.T) {
	for public, secure := range map[string]bool{"": false, "http://pay.example": false, "https://pay.example": true} {
		w := start(t, func(o *Options) { o.Public = public })
		answers := map[string]answer{
			"data": w.query(t, "{ hello }"), "wrong": w.query(t, "{"), "method": w.send(t, "PUT", "/graphql", ""), "nothing": w.send(t, "GET", "/nothing", ""),
			"token": w.query(t, "{ hello }", "Authorization", "Bearer bad"), "health": w.send(t, "GET", "/healthz", ""), "metrics": w.send(t, "GET", "/metrics", ""),
			"preflight": w.send(t, "OPTIONS", "/graphql", "", "Origin", "https://console.example", "Access-Control-Request-Method", "POST"),
		}
		for name, a := range answers {
			for header, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			} {
				if got := a.header.Get(header); got != want {
					t.Errorf("%s: %s: %q", name, header, got)
				}
			}
			if got := a.header.Get("Strict-Transport-Security") != ""; got != secure {
				t.Errorf("%q: %s: Strict-Transport-Security %v", public, name, got)
			}
			if a.header.Get("Permissions-Policy") == "" || a.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: %v", name, a.header)
			}
		}
	}
}

func TestMetricsToken(t *testing.T) {
	w := start(t, func(o *Options) { o.Scrape = "s3cret" })
	for given, want := range map[string]int{"Bearer s3cret": 200, "": 401, "Bearer s3cre": 401, "Bearer s3cretx": 401, "Basic s3cret": 401, "Bearer me": 401} {
		if a := w.send(t, "GET", "/metrics", "", "Authorization", given); a.status != want || want == 401 && a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %d", given, a.status)
		}
	}
}
