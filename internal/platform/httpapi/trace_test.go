package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"paydesk/internal/platform/telemetry/trace"
)

const callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

func recordSpans(t *testing.T) func(name string) []tracetest.SpanStub {
	t.Helper()
	out := tracetest.NewInMemoryExporter()
	trace.Use(sdk.NewTracerProvider(sdk.WithSyncer(out)), propagation.TraceContext{})
	t.Cleanup(func() { trace.Use(nil, nil) })
	return func(name string) []tracetest.SpanStub {
		return slices.DeleteFunc(out.GetSpans(), func(s tracetest.SpanStub) bool { return s.Name != name })
	}
}

// awaitSpan waits for one span of a name: they are recorded when they end, a moment after the answer.
func awaitSpan(t *testing.T, named func(string) []tracetest.SpanStub, name string) tracetest.SpanStub {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if spans := named(name); len(spans) > 0 {
			return spans[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no span %q", name)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

func has(s tracetest.SpanStub, key, value string) bool {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.String() == value
		}
	}
	return false
}

// A request is one span, named as its operation, in its caller's trace; a refusal keeps its code, and only what is ours is an error.
func TestSpansOfRequests(t *testing.T) {
	named := recordSpans(t)
	w := start(t)
	parent := []string{"Traceparent", "00-" + callersTrace + "-00f067aa0ba902b7-01"}
	w.query(t, "query Home { hello }", parent...)
	s := awaitSpan(t, named, "query Home")
	if s.SpanContext.TraceID().String() != callersTrace || !has(s, "graphql.operation.name", "Home") || !has(s, "http.response.status_code", "200") || !has(s, "http.route", "/graphql") {
		t.Errorf("%+v", s)
	}
	w.query(t, "mutation { touch }", parent...)
	awaitSpan(t, named, "mutation touch")
	w.query(t, "query Wrong { nothing }", parent...)
	if s = awaitSpan(t, named, "POST /graphql"); !has(s, "paydesk.code", codeValidationFailed) || s.Status.Code == codes.Error {
		t.Errorf("%+v", s)
	}
	w.query(t, "query Boom { boom }", parent...)
	if s = awaitSpan(t, named, "query Boom"); !has(s, "error.type", codeInternal) || s.Status.Code != codes.Error || len(s.Events) > 0 {
		t.Errorf("%+v", s)
	}
	w.send(t, "GET", "/healthz", "")
	w.send(t, "GET", "/metrics", "")
	w.send(t, "PATCH", "/graphql", "", "X-Paydesk-Client", "test")
	if s = awaitSpan(t, named, "PATCH /graphql"); !has(s, "http.response.status_code", "405") {
		t.Errorf("%+v", s)
	}
	for _, name := range []string{"GET /healthz", "GET /metrics"} {
		if len(named(name)) > 0 {
			t.Error(name, "is traced")
		}
	}
}

// On a socket each operation is a span of its own, in the trace that the socket's request named. A subscription's ends when it has
// begun, however long it stays open; on an event stream, too.
func TestSpansOfSocketsAndStreams(t *testing.T) {
	named := recordSpans(t)
	w := start(t)
	header := http.Header{"Traceparent": {"00-" + callersTrace + "-00f067aa0ba902b7-01"}}
	conn, resp, err := websocket.Dial(t.Context(), w.server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		resp.Body.Close()
	}
	defer conn.CloseNow() //nolint:errcheck // the test is over
	for i, text := range []string{`{"type":"connection_init"}`, "query OverSocket { hello }", "subscription Open { forever }"} {
		if i > 0 {
			text = fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":%q}}`, i, text)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"query OverSocket", "subscription Open"} {
		if s := awaitSpan(t, named, name); s.SpanContext.TraceID().String() != callersTrace || s.Parent.SpanID().String() != "00f067aa0ba902b7" {
			t.Errorf("%+v", s)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/graphql", strings.NewReader(`{"query":"subscription Stream { forever }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaJSON)
	r.Header.Set("Accept", mediaEvents)
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	awaitSpan(t, named, "subscription Stream") // it has ended, and the stream is open
	if w.follows.Load() == 0 {
		t.Error("the subscriptions are over")
	}
}
