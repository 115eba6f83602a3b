package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.uber.org/goleak"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/locale"
	"paydesk/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stub is an executable schema by hand: what the edge needs to be driven by.
type stub struct {
	schema  *ast.Schema
	touched atomic.Int64
	follows atomic.Int64 // subscriptions that run
	blocked chan struct{}
}

const stubSDL = `
	type Query { hello(name: String): String! who: String! locale: String! big(bytes: Int!): String! boom: String! block: String! node: Node fail: String }
	type Node { next: Node name: String! }
	type Mutation { touch: Int! slowTouch: Int! }
	type Subscription { count(to: Int!): Int! forever: Int! boom: Int! }
`

func newStub() *stub {
	return &stub{schema: gqlparser.MustLoadSchema(&ast.Source{Input: stubSDL}), blocked: make(chan struct{}, 16)}
}

func (s *stub) Schema() *ast.Schema { return s.schema }

func (s *stub) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *stub) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query", "Mutation", "Subscription"})
	if op.Operation.Operation == ast.Subscription {
		return s.follow(ctx, fields[0], op)
	}
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		var b bytes.Buffer
		b.WriteByte('{')
		for i, f := range fields {
			if i > 0 {
				b.WriteByte(',')
			}
			value, _ := json.Marshal(s.resolve(ctx, f, op))
			fmt.Fprintf(&b, "%q:%s", f.Alias, value)
		}
		b.WriteByte('}')
		return &graphql.Response{Data: b.Bytes()}
	}
}

func (s *stub) resolve(ctx context.Context, f graphql.CollectedField, op *graphql.OperationContext) any {
	args := f.ArgumentMap(op.Variables)
	switch f.Name {
	case "hello":
		return fmt.Sprint("hello ", args["name"])
	case "who":
		if v := auth.From(ctx); v != nil {
			return v.UserID
		}
		return "nobody"
	case "locale":
		return locale.From(ctx)
	case "big":
		n, _ := strconv.Atoi(fmt.Sprint(args["bytes"]))
		return strings.Repeat("x", n)
	case "boom":
		panic("secret of the inside")
	case "block", "slowTouch":
		s.blocked <- struct{}{}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
			s.touched.Add(1)
		}
		return 1
	case "touch":
		return s.touched.Add(1)
	case "fail":
		graphql.AddError(ctx, errors.New("failed"))
	case "__schema":
		return map[string]string{}
	}
	return nil
}

func (s *stub) follow(ctx context.Context, f graphql.CollectedField, op *graphql.OperationContext) graphql.ResponseHandler {
	if f.Name == "boom" {
		return func(context.Context) *graphql.Response { panic("secret of the inside") }
	}
	to := int64(1)
	if f.Name == "count" {
		to, _ = f.ArgumentMap(op.Variables)["to"].(int64)
	}
	n := int64(0)
	s.follows.Add(1)
	context.AfterFunc(ctx, func() { s.follows.Add(-1) })
	return func(ctx context.Context) *graphql.Response {
		if n == to {
			if f.Name == "forever" {
				<-ctx.Done()
			}
			return nil
		}
		n++
		return &graphql.Response{Data: fmt.Appendf(nil, `{%q:%d}`, f.Alias, n)}
	}
}

// tokens: the text is the user; "soon" ends after a while, "bad" is refused, "down" has no keys.
type tokens struct{}

func (tokens) Verify(_ context.Context, bearer string) (*auth.Viewer, error) {
	v := &auth.Viewer{UserID: bearer, Role: auth.Finance, Locale: locale.TraditionalChinese, Expires: time.Now().Add(time.Hour)}
	switch bearer {
	case "bad":
		return nil, fmt.Errorf("%w: it has expired", auth.ErrToken)
	case "down":
		return nil, auth.ErrKeys
	case "soon":
		v.Expires = time.Now().Add(300 * time.Millisecond)
	}
	return v, nil
}

func (tokens) Recall(string) (*auth.Viewer, bool) { return nil, false }

func limits() Limits {
	return Limits{Body: 20_000, Multipart: 60_000, File: 40_000, Files: 3, Uploads: 1 << 20, Tokens: 500, Depth: 15, Aliases: 10, Fragments: 30, Fields: 1000, Directives: 20,
		Complexity: 1000, Errors: 10, Refusal: 8 << 10, Operations: 3, Sockets: 1000, Connections: 2000, QueryCache: 100}
}

func timeouts() Timeouts {
	return Timeouts{HeaderTimeout: time.Second, BodyTimeout: time.Second, UploadTimeout: time.Minute, WriteTimeout: 2 * time.Second, IdleTimeout: time.Minute,
		OperationTimeout: 5 * time.Second, DrainTimeout: 5 * time.Second, PingInterval: time.Second, InitTimeout: 5 * time.Second}
}

type world struct {
	*stub
	api    *API
	server *httptest.Server
	log    *bytes.Buffer
}

func start(t testing.TB, change ...func(*Options)) world {
	t.Helper()
	w := world{stub: newStub(), log: &bytes.Buffer{}}
	o := Options{
		Schema: w.stub, Verifier: tokens{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Limits: limits(), Timeouts: timeouts(),
		Origins: []string{"https://console.example"}, Persisted: Persisted{Cache: 100},
		Present: func(ctx context.Context, err error) *gqlerror.Error {
			var g *gqlerror.Error
			if errors.As(err, &g) && g.Extensions["code"] != nil {
				return g
			}
			return &gqlerror.Error{Message: "masked", Extensions: map[string]any{"code": codeInternal}}
		},
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if w.api, err = New(o); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.api)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.api.Drain(ctx)
		w.server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

type answer struct {
	status int
	header http.Header
	body   string
	json   struct {
		Data   map[string]any
		Errors []struct {
			Message    string
			Extensions map[string]any
		}
	}
}

func (a answer) code() string {
	if len(a.json.Errors) == 0 {
		return ""
	}
	return fmt.Sprint(a.json.Errors[0].Extensions["code"])
}

func (a answer) hasData() bool { return strings.Contains(a.body, `"data"`) }

func (w world) send(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost && path == "/graphql" {
		r.Header.Set("Content-Type", mediaJSON)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &a.json); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return a
}

func (w world) query(t *testing.T, query string, headers ...string) answer {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"query": query})
	return w.send(t, "POST", "/graphql", string(body), headers...)
}

var _ = models.NewID
