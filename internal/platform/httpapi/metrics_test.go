package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// shows fails for each line that /metrics does not have.
func (w world) shows(t *testing.T, lines ...string) {
	t.Helper()
	metrics := w.send(t, "GET", "/metrics", "").body
	for _, want := range lines {
		if !strings.Contains(metrics, want+"\n") {
			name, _, _ := strings.Cut(want, "{")
			var have []string
			for line := range strings.Lines(metrics) {
				if strings.HasPrefix(line, name) {
					have = append(have, line)
				}
			}
			t.Errorf("no %s, but\n%s", want, strings.Join(have, ""))
		}
	}
}

// Clients choose the names of their operations: neither the metrics nor their memory grows with them. Registered ones are told
// apart all the same.
func TestOperationNamesAreBounded(t *testing.T) {
	text := "query Registered { hello }"
	w := start(t, func(o *Options) { o.Persisted.Documents = map[string]string{hashOf(text): text} })
	for i := range maxNames + 50 {
		w.api.metrics.count(&ast.OperationDefinition{Operation: ast.Query, Name: fmt.Sprint("q", i)}, nil, time.Millisecond)
	}
	w.query(t, text)
	w.query(t, "query OneMore { hello }")
	w.shows(t, `paydesk_graphql_requests_total{code="OK",operation="q1"} 1`, `paydesk_graphql_requests_total{code="OK",operation="Registered"} 1`)
	metrics := w.send(t, "GET", "/metrics", "").body
	if n := strings.Count(metrics, "paydesk_graphql_requests_total{"); n > maxNames+5 || !strings.Contains(metrics, `operation="other"`) || strings.Contains(metrics, "OneMore") {
		t.Errorf("%d names", n)
	}
}

// What is deprecated stands at zero before anybody uses it, so that nobody using it can be seen.
func TestUseOfTheDeprecatedIsCounted(t *testing.T) {
	old := newStub()
	old.schema = gqlparser.MustLoadSchema(&ast.Source{Input: `type Query {
		hello(name: String, nick: String @deprecated(reason: "name")): String!
		who: String! @deprecated(reason: "hello")
		locale: String! @deprecated(reason: "hello")
	}`})
	w := start(t, func(o *Options) { o.Schema = old })
	for range 2 {
		w.query(t, `{ hello(nick: "x") who a: who }`)
	}
	w.query(t, `{ hello(name: "x") }`)
	w.shows(t, `paydesk_graphql_deprecated_total{element="Query.who"} 2`, `paydesk_graphql_deprecated_total{element="Query.hello(nick:)"} 2`,
		`paydesk_graphql_deprecated_total{element="Query.locale"} 0`)
}

// Each way to name a document, refused requests, and how sockets end.
func TestEdgeCounts(t *testing.T) {
	registered := "{ who }"
	w := start(t, func(o *Options) { o.Persisted.Documents = map[string]string{hashOf(registered): registered} })
	automatic := func(query, text string) string {
		return fmt.Sprintf(`{"query":%q,"extensions":{"persistedQuery":{"version":1,"sha256Hash":%q}}}`, query, hashOf(text))
	}
	w.query(t, registered)
	w.query(t, "{ hello }")
	w.send(t, "POST", "/graphql", automatic("", "{ locale }"))
	w.send(t, "POST", "/graphql", automatic("{ locale }", "{ locale }"))
	w.send(t, "POST", "/graphql", automatic("", "{ locale }"))
	w.send(t, "POST", "/graphql", "{}", "Content-Type", "text/plain", "X-Paydesk-Client", "test")
	w.send(t, "PUT", "/graphql", "{}", "X-Paydesk-Client", "test")
	w.send(t, "POST", "/graphql", "{", "Authorization", "Bearer bad")
	w.query(t, "{ nothing }")
	w.shows(t,
		`paydesk_graphql_documents_total{source="registered"} 1`, `paydesk_graphql_documents_total{source="text"} 2`,
		`paydesk_graphql_documents_total{source="automatic"} 1`, `paydesk_graphql_documents_total{source="unknown"} 1`,
		`paydesk_http_refusals_total{code="BAD_USER_INPUT",status="415"} 1`, `paydesk_http_refusals_total{code="BAD_USER_INPUT",status="405"} 1`,
		`paydesk_http_refusals_total{code="UNAUTHENTICATED",status="401"} 1`,
		`paydesk_graphql_requests_total{code="GRAPHQL_VALIDATION_FAILED",operation="none"} 1`,
		`paydesk_graphql_requests_total{code="PERSISTED_QUERY_NOT_FOUND",operation="none"} 1`, `paydesk_http_in_flight 1`)
}

func TestEndsOfSocketsAreCounted(t *testing.T) {
	w := start(t)
	open := func() *websocket.Conn {
		conn, resp, err := websocket.Dial(t.Context(), w.server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: http.Header{}})
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != nil {
			resp.Body.Close()
		}
		return conn
	}
	ours, theirs, odd, cut := open(), open(), open(), open()
	if err := ours.Write(t.Context(), websocket.MessageText, []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	_, _, _ = ours.Read(t.Context())
	_ = theirs.Close(websocket.StatusNormalClosure, "")
	_ = odd.Close(4999, "a code of the client's own")
	_ = cut.CloseNow()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !strings.Contains(w.send(t, "GET", "/metrics", "").body, "paydesk_websockets 0\n") {
		if ctx.Err() != nil {
			t.Fatal("sockets are left")
		}
	}
	w.shows(t, `paydesk_websocket_closes_total{by="server",code="4400"} 1`, `paydesk_websocket_closes_total{by="client",code="1000"} 1`,
		`paydesk_websocket_closes_total{by="client",code="other"} 1`, `paydesk_websocket_closes_total{by="client",code="1006"} 1`)
}

// A slow operation is told by its name, how long it took and how it ended, never by what was sent.
func TestSlowOperationsAreLogged(t *testing.T) {
	var log lines
	w := start(t, func(o *Options) { o.Slow, o.Log = 100*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)) })
	w.send(t, "POST", "/graphql", `{"query":"query Quick($n: String) { hello(name: $n) }","variables":{"n":"sent-by-somebody"}}`)
	w.send(t, "POST", "/graphql", `{"query":"query Slow($n: String) { hello(name: $n) block }","variables":{"n":"sent-by-somebody"}}`)
	text := log.String()
	if !strings.Contains(text, `msg="slow operation" operation=Slow type=query ms=`) || strings.Contains(text, "Quick") || strings.Contains(text, "sent-by-somebody") {
		t.Error(text)
	}
}

// lines is a log that is read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
