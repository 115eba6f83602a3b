package httpapi

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkPost is what the edge itself costs a request, without a network and with next to no execution.
func BenchmarkPost(b *testing.B) {
	api, err := New(Options{Schema: newStub(), Verifier: tokens{}, Log: slog.New(slog.DiscardHandler), Limits: limits(), Timeouts: timeouts()})
	if err != nil {
		b.Fatal(err)
	}
	body := `{"operationName":"Home","query":"query Home($n: String) { hello(name: $n) who locale }","variables":{"n":"x"}}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/graphql", strings.NewReader(body))
		r.Header["Content-Type"] = []string{"application/json"}
		r.Header["Authorization"] = []string{"Bearer me"}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
