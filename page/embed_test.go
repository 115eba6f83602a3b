package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler("https://pay.example", "http://127.0.0.1:8080", "https://gateway.95516.com/x", "https://evil.example; script-src *").ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	for path, kind := range map[string]string{"/": "text/html", "/style.css": "text/css", "/main.js": "text/javascript"} {
		res := get(t, path)
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s, want 200 %s", path, res.StatusCode, res.Header.Get("Content-Type"), kind)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("%s: policy %q lets in other scripts", path, csp)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' data: https://pay.example;") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://pay.example http://127.0.0.1:8080 https://gateway.95516.com https://*.95516.com;") ||
			!strings.Contains(csp, "frame-src 'self' https://pay.example;") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if again := get(t, path, "If-None-Match", res.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: asked again with its tag: %d, want 304", path, again.StatusCode)
		}
	}
	w := httptest.NewRecorder()
	if Handler("").ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", w.Code)
	}
	for _, path := range []string{"/nothing", "/../embed.go", "/static"} {
		if res := get(t, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, res.StatusCode)
		}
	}
}
