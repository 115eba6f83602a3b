package httpapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// GraphQL, §5.2.4.1: what validation cannot see of a subscription's root fields is no fault of ours either.
func TestSubscriptionHasOneField(t *testing.T) {
	w := start(t)
	for _, payload := range []string{
		`{"query":"subscription { a: forever b: forever }"}`,
		`{"query":"subscription { ...F ...G } fragment F on Subscription { forever } fragment G on Subscription { b: forever }"}`,
		`{"query":"subscription { forever @skip(if: true) }"}`,
		`{"query":"subscription($x: Boolean!) { forever @include(if: $x) }","variables":{"x":false}}`,
	} {
		c := w.dial(t)
		say(t, c, hello, `{"id":"1","type":"subscribe","payload":`+payload+`}`)
		hear(t, c)
		if got := hear(t, c); !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, codeValidationFailed) {
			t.Errorf("%s: %s", payload, got)
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	}
}

// Depth has one code, however deep.
func TestDeeperThanTheParser(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.Tokens = 20_000 })
	for _, depth := range []int{20, 1500} {
		if a := w.query(t, strings.Repeat("{node", depth)+"{name}"+strings.Repeat("}", depth)); a.code() != codeTooComplex {
			t.Errorf("%d levels: %s", depth, a.body)
		}
	}
}

// A check that hangs says nothing of the others.
func TestReadinessNamesTheRightOne(t *testing.T) {
	w := start(t, func(o *Options) {
		o.Ready = []Check{
			{"database", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			{"redis", func(ctx context.Context) error { return ctx.Err() }},
		}
	})
	if a := w.send(t, "GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, `["database"]`) {
		t.Error(a.status, a.body)
	}
}

// Probes may be HEAD; what can only be read says so.
func TestProbes(t *testing.T) {
	w := start(t)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		res, err := http.Head(w.server.URL + path)
		if err != nil || res.StatusCode != 200 {
			t.Error("HEAD", path, res, err)
		}
		if a := w.send(t, "POST", path, ""); a.status != 405 || a.header.Get("Allow") != "GET, HEAD" {
			t.Error("POST", path, a.status, a.header)
		}
	}
}

// Clients that are no browsers write the names of headers as they like.
func TestPreflightByHand(t *testing.T) {
	w := start(t)
	r, _ := http.NewRequestWithContext(t.Context(), "OPTIONS", w.server.URL+"/graphql", nil)
	r.Header.Set("Origin", "https://console.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "Content-Type, authorization")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Access-Control-Allow-Origin") != "https://console.example" {
		t.Error(res.Status, res.Header)
	}
}

// A mutation wants POST also where events are wanted; contract §2.
func TestNoMutationByGetAsEvents(t *testing.T) {
	w := start(t)
	if a := w.send(t, "GET", "/graphql?query=mutation%7Btouch%7D", "", "Accept", mediaEvents, "X-Paydesk-Client", "t"); a.status != 405 || a.header.Get("Allow") != "POST" {
		t.Error(a.status, a.body)
	}
	if w.touched.Load() != 0 {
		t.Error("it ran")
	}
}

// Who hangs up is counted apart: a client's impatience is no failure of ours.
func TestClientThatHangsUp(t *testing.T) {
	w := start(t)
	ctx, hangUp := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "POST", w.server.URL+"/graphql", strings.NewReader(`{"query":"query Left { block fail }"}`))
	r.Header.Set("Content-Type", mediaJSON)
	go func() { <-w.blocked; hangUp() }()
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	eventually(t, "it is counted", func() bool {
		return strings.Contains(w.send(t, "GET", "/metrics", "").body, `operation="Left"`)
	})
	if a := w.send(t, "GET", "/metrics", ""); !strings.Contains(a.body, `{code="CANCELED",operation="Left"} 1`) {
		t.Error("counted as something else")
	}
}

// What has not ended by the drain timeout is cut, and the process has ended as it should (contract §1).
func TestDrainCutsHalfARequest(t *testing.T) {
	w := start(t, func(o *Options) {
		o.Timeouts.DrainTimeout, o.Timeouts.BodyTimeout = 300*time.Millisecond, 10*time.Second
	})
	address, stop := w.serve(t)
	c := asked(t, address, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	eventually(t, "it is being read", func() bool { // two: the half request and the one that asks
		return strings.Contains(metricsOf(w.api), "paydesk_http_in_flight 2")
	})
	stop() // fails the test where Serve gives an error
	if _, err := io.ReadAll(c); errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func metricsOf(a *API) string {
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}
