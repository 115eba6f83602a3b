package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/telemetry"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// routes that are traced, by the beginning of their path. Health, metrics and the page are not: they would drown the rest. Paths
// themselves go into no span, for those of pictures and files are signed.
var tracedRoutes = []struct{ prefix, route string }{
	{"/graphql", "/graphql"}, {"/webhooks/", "/webhooks/{channel}"}, {"/qr/", "/qr/*"}, {"/files/", "/files/*"}, {"/sandbox/", "/sandbox/*"},
}

// incoming begins the span of a request. A WebSocket has none: its operations have.
func incoming(ctx context.Context, r *http.Request) (context.Context, trace.Span) {
	if r.Header.Get("Upgrade") != "" {
		return ctx, trace.Span{}
	}
	for _, t := range tracedRoutes {
		if strings.HasPrefix(r.URL.Path, t.prefix) {
			method := knownMethod(r.Method)
			ctx, span := trace.Request(ctx, r.Header, method+" "+t.route)
			span.Set("http.request.method", method)
			span.Set("http.route", t.route)
			return ctx, span
		}
	}
	return ctx, trace.Span{}
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch:
		return method
	}
	return "_OTHER"
}

// left ends a request: its span, and the count of those that were refused.
func (a *API) left(seen *telemetry.Request, span trace.Span) {
	a.metrics.inFlight.Dec()
	if seen.Code != "" {
		a.metrics.refused(seen.Status, seen.Code)
	}
	if !span.Recording() {
		return
	}
	if seen.Status != 0 {
		span.Count("http.response.status_code", seen.Status)
	}
	failed(span, seen.Code)
	span.End()
}

// failed puts a code into a span. A refusal is the client's affair; what is ours is an error.
func failed(span trace.Span, code string) {
	switch code {
	case codeInternal, codeUnavailable:
		span.Fail(code)
	default:
		span.Set("paydesk.code", code)
	}
}

// traceMessage begins the span of an operation on a socket, within the trace that the socket's own request named.
func traceMessage(ctx context.Context, header http.Header) (context.Context, trace.Span) {
	return trace.Request(ctx, header, "WebSocket /graphql")
}

// traceOperation gives the request's span the operation's name and kind (semantic conventions for GraphQL servers), never its
// document, whose literals are the client's, nor its variables.
func (a *API) traceOperation(ctx context.Context, op *graphql.OperationContext) {
	span := trace.Current(ctx)
	if !span.Recording() {
		return
	}
	kind, name := string(op.Operation.Operation), nameOf(op.Operation)
	span.Rename(kind + " " + a.metrics.series(op.Operation).name) // backends group by a span's name: as bounded as a metric's
	span.Set("graphql.operation.type", kind)
	span.Set("graphql.operation.name", name)
	if v := auth.From(ctx); v != nil {
		span.Set("paydesk.role", string(v.Role))
		if !v.AccountID.IsZero() {
			span.Set("paydesk.account.id", v.AccountID.Encode(models.PrefixAccount))
		}
	}
}

// traceOutcome puts the code of an operation's first error into its span.
func traceOutcome(ctx context.Context, errs gqlerror.List) {
	if len(errs) > 0 {
		failed(trace.Current(ctx), firstCode(errs))
	}
}

// follows counts a subscription that begins; call what it returns at its end. Its span ends here: it may stay open for days, and
// what it reads then is no part of a request.
func (a *API) follows(ctx context.Context, op *ast.OperationDefinition) (ended func()) {
	a.metrics.subscriptions.Inc()
	a.metrics.count(op, nil, 0)
	trace.Current(ctx).End()
	return a.metrics.subscriptions.Dec
}
