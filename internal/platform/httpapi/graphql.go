package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// graphql is /graphql: it chooses the transport by method and headers.
func (a *API) graphql(w http.ResponseWriter, r *http.Request) {
	switch {
	case wantsSocket(r):
		a.socket(w, r)
	case r.Method == http.MethodPost:
		a.post(w, r)
	case r.Method == http.MethodGet:
		a.get(w, r)
	default:
		refuseMethod(w, r, "GET, POST", "POST an operation, or GET a query")
	}
}

// admit settles what both methods share: who asks, not across sites, not too often, and for which media type. ok is false where the
// request has been answered.
func (a *API) admit(w http.ResponseWriter, r *http.Request) (ctx context.Context, media string, ok bool) {
	if crossSite(r) {
		refuse(w, r, http.StatusForbidden, codeForbidden,
			"this request could come from another site: send Apollo-Require-Preflight, X-Paydesk-Client or a bearer token")
		return nil, "", false
	}
	if media = negotiate(accepted(r)); media == "" {
		refuse(w, r, http.StatusNotAcceptable, codeBadInput, "answers are "+mediaResponse+", "+mediaJSON+" or "+mediaEvents)
		return nil, "", false
	}
	ctx, err := a.identify(a.withAddress(r), r.Header.Get("Authorization"), r.Header.Get("Accept-Language"))
	if err != nil {
		a.refuseToken(w, r, err)
		return nil, "", false
	}
	if errs := a.limitOperation(ctx); errs != nil {
		a.refuseLimited(w, r.WithContext(ctx), errs)
		return nil, "", false
	}
	return ctx, media, true
}

// begin prepares an operation. On errors the context is good for fail.
func (a *API) begin(ctx context.Context, p *graphql.RawParams) (context.Context, *graphql.OperationContext, gqlerror.List) {
	ctx = graphql.StartOperationTrace(ctx)
	byHash := p.Query == ""
	ctx, errs := a.docs.prepare(ctx, p)
	a.metrics.document(preparedFrom(ctx), byHash)
	if len(errs) > 0 {
		return graphql.WithOperationContext(ctx, &graphql.OperationContext{}), nil, errs
	}
	if e := a.docs.coercion.operation(ctx, p); e != nil {
		return graphql.WithOperationContext(ctx, &graphql.OperationContext{}), nil, gqlerror.List{e}
	}
	op, errs := a.exec.CreateOperationContext(ctx, p)
	if len(errs) > 0 {
		return graphql.WithOperationContext(ctx, op), nil, errs
	}
	if e := a.oneStream(op); e != nil {
		return graphql.WithOperationContext(ctx, op), nil, gqlerror.List{e}
	}
	if errs := a.limitMutation(ctx, op); errs != nil {
		return graphql.WithOperationContext(ctx, op), nil, errs
	}
	op.DisableIntrospection = !a.o.Dev
	a.traceOperation(ctx, op)
	return ctx, op, nil
}

// oneStream refuses a subscription that comes to none or to several root fields (GraphQL, §5.2.4.1), which aliases, fragments and
// @skip can bring about where validation, which knows no variables, saw one.
func (a *API) oneStream(op *graphql.OperationContext) *gqlerror.Error {
	if op.Operation.Operation != ast.Subscription {
		return nil
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{a.o.Schema.Schema().Subscription.Name})
	if len(fields) == 1 {
		return nil
	}
	return failure(codeValidationFailed, "a subscription has exactly one root field")
}

// fail presents the errors of a request that was not executed.
func (a *API) fail(ctx context.Context, errs gqlerror.List) *graphql.Response {
	resp := a.exec.DispatchError(ctx, errs)
	a.metrics.count(nil, resp.Errors, 0)
	traceOutcome(ctx, resp.Errors)
	resp.Errors = told(a.o.Limits, resp.Errors)
	return resp
}

// execute runs a query or mutation to its one response.
func (a *API) execute(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	start := now()
	if op.Operation.Operation == ast.Mutation {
		// A client that hangs up does not stop money halfway.
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.o.Timeouts.OperationTimeout, errTooSlow)
	defer cancel()
	responses, inner := a.exec.DispatchOperation(ctx, op)
	resp := responses(inner)
	if resp == nil { // the context ended before anything came
		resp = a.exec.DispatchError(ctx, gqlerror.List{failure(codeUnavailable, "the operation took too long")})
	}
	if errors.Is(context.Cause(ctx), context.Canceled) && len(resp.Errors) > 0 {
		a.metrics.left(op.Operation) // whoever asked has hung up: no failure of ours
		return resp
	}
	a.observe(ctx, op, resp.Errors, time.Since(start))
	resp.Errors = told(a.o.Limits, resp.Errors)
	return resp
}

var errTooSlow = errors.New("httpapi: operation timeout")

// observe tells of an operation that was executed: a slow one by name, never with its variables.
func (a *API) observe(ctx context.Context, op *graphql.OperationContext, errs gqlerror.List, took time.Duration) {
	a.metrics.count(op.Operation, errs, took)
	traceOutcome(ctx, errs)
	if took >= a.o.Slow {
		a.o.Log.WarnContext(ctx, "slow operation", "operation", nameOf(op.Operation), "type", op.Operation.Operation, "ms", took.Milliseconds(), "code", firstCode(errs))
	} else if a.o.Log.Enabled(ctx, slog.LevelDebug) {
		a.o.Log.DebugContext(ctx, "operation", "operation", nameOf(op.Operation), "us", took.Microseconds(), "errors", len(errs))
	}
}

// nameOf is an operation's own name, else its first root field.
func nameOf(op *ast.OperationDefinition) string {
	if op.Name != "" {
		return shortName(op.Name)
	}
	if len(op.SelectionSet) > 0 {
		if f, ok := op.SelectionSet[0].(*ast.Field); ok {
			return f.Name
		}
	}
	return "anonymous"
}

const maxName = 64

// shortName is a client's name for an operation as logs and traces have it: bounded, and no card's number.
func shortName(name string) string { return unnumbered(name[:min(len(name), maxName)]) }

// statusOf is the HTTP status of a request that was not executed (GraphQL over HTTP, §6.4): a request that is no request
// is 400; a document or a value that is refused is 400 too, but 200 for clients of the older media type. Too many are 429 for both.
func statusOf(media string, errs gqlerror.List) int {
	if len(errs) > 0 && errs[0].Extensions["code"] == codeRateLimited {
		return http.StatusTooManyRequests
	}
	if media == mediaJSON {
		for _, e := range errs {
			if e.Extensions["code"] == codeBadInput && e.Rule != ruleCoercion {
				return http.StatusBadRequest
			}
		}
		return http.StatusOK
	}
	for _, e := range errs {
		switch e.Extensions["code"] {
		case codeUnavailable:
			return http.StatusServiceUnavailable
		case codeInternal:
			return http.StatusInternalServerError
		}
	}
	return http.StatusBadRequest
}
