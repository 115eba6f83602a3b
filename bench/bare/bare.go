// Package bare is the endpoint without its edge: what little stands between a socket and the executor when nobody means
// harm. The bench builds paydesk with it (build tag bare) to tell what the edge costs; nothing else may.
package bare

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/httpapi"
	"paydesk/internal/platform/telemetry"
)

// documents is how many parsed documents are kept; even the barest server keeps them.
const documents = 1000

// Edge answers POST /graphql: it knows who asks, and nothing else. No limits, no rates, no other protocol, no metrics.
type Edge struct {
	o    httpapi.Options
	exec *executor.Executor
}

// New takes the options of the real edge and uses the few it needs.
func New(o httpapi.Options) (*Edge, error) {
	cache, err := lru.New[string, *ast.QueryDocument](documents)
	if err != nil {
		return nil, err
	}
	e := executor.New(o.Schema)
	e.SetQueryCache(kept{cache})
	e.SetErrorPresenter(o.Present)
	e.SetRecoverFunc(o.Recover)
	for _, x := range o.Extensions {
		e.Use(x)
	}
	return &Edge{o: o, exec: e}, nil
}

// kept is the executor's cache of documents.
type kept struct {
	*lru.Cache[string, *ast.QueryDocument]
}

func (k kept) Get(_ context.Context, text string) (*ast.QueryDocument, bool) {
	return k.Cache.Get(text)
}
func (k kept) Add(_ context.Context, text string, d *ast.QueryDocument) { k.Cache.Add(text, d) }

// Serve answers until ctx ends.
func (e *Edge) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", e.graphql)
	mux.Handle("GET /metrics", telemetry.MetricsHandler(e.o.Metrics)) // the bench reads the heap there
	s := &http.Server{Handler: mux}                                   //nolint:gosec // no timeouts: that is the point
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (e *Edge) graphql(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		v, err := e.o.Verifier.Verify(ctx, token)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		ctx = auth.With(ctx, v)
	}
	p := &graphql.RawParams{}
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	if err := d.Decode(p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	ctx = graphql.StartOperationTrace(ctx)
	op, errs := e.exec.CreateOperationContext(ctx, p)
	resp := &graphql.Response{Errors: errs}
	if len(errs) == 0 {
		responses, inner := e.exec.DispatchOperation(ctx, op)
		resp = responses(inner)
	}
	write(w, resp)
}

// write puts what was resolved on the wire as it is: encoding/json would check and copy it once more.
func write(w http.ResponseWriter, resp *graphql.Response) {
	if len(resp.Errors) > 0 {
		_ = json.NewEncoder(w).Encode(resp)
		return
	}
	b := make([]byte, 0, len(resp.Data)+len(`{"data":}`))
	b = append(append(append(b, `{"data":`...), resp.Data...), '}')
	_, _ = w.Write(b)
}
