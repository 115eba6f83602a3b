package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/telemetry"
)

const codeRateLimited = "RATE_LIMITED"

// Limiter bounds how often somebody may ask. A wait above zero refuses, and says when there is room again.
type Limiter interface {
	// Operation counts one operation, before anything of it is read; v is nil and address counts where nobody is signed in. It fails
	// open: a store that is away refuses nobody who keeps to the rates.
	Operation(ctx context.Context, v *auth.Viewer, address string) (wait time.Duration)
	// Mutation counts the root fields of a mutation besides.
	Mutation(ctx context.Context, v *auth.Viewer, fields int) (wait time.Duration)
	// SignIn says whether a token from this address that was never seen is looked at; Refused counts one that was wrong.
	SignIn(ctx context.Context, address string) (wait time.Duration)
	Refused(ctx context.Context, address string)
}

// withAddress lets the request's context tell the client's address.
func (a *API) withAddress(r *http.Request) context.Context {
	return auth.WithAddress(r.Context(), func() netip.Addr { return a.address(r) })
}

// limitOperation counts an operation against its user and account, or its address.
func (a *API) limitOperation(ctx context.Context) gqlerror.List {
	if a.o.Limiter == nil {
		return nil
	}
	v, address := auth.From(ctx), ""
	if v == nil {
		address = neighbours(auth.Address(ctx))
	}
	return a.limited(limitOperations, a.o.Limiter.Operation(ctx, v, address))
}

// limitMutation counts the root fields that a mutation is going to run: an alias is not a way around the limit.
func (a *API) limitMutation(ctx context.Context, op *graphql.OperationContext) gqlerror.List {
	if a.o.Limiter == nil || op.Operation.Operation != ast.Mutation {
		return nil
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{a.o.Schema.Schema().Mutation.Name})
	return a.limited(limitMutations, a.o.Limiter.Mutation(ctx, auth.From(ctx), len(fields)))
}

// limited is the refusal, with how many seconds to wait; nil without a wait.
func (a *API) limited(by string, wait time.Duration) gqlerror.List {
	if wait <= 0 {
		return nil
	}
	a.metrics.limits[by].Inc()
	seconds := int((wait + time.Second - 1) / time.Second)
	return rateLimited(fmt.Sprintf("too many requests: try again in %d s", seconds), seconds)
}

// rateLimited is RATE_LIMITED with its retryAfter, in seconds (contract §2).
func rateLimited(message string, seconds int) gqlerror.List {
	e := failure(codeRateLimited, message)
	e.Extensions["retryAfter"] = seconds
	return gqlerror.List{e}
}

// unprepared is a context for the errors of what was refused before it became an operation.
func unprepared(ctx context.Context) context.Context {
	return graphql.WithOperationContext(graphql.StartOperationTrace(ctx), &graphql.OperationContext{})
}

// refuseLimited answers 429 (RFC 6585 §4) before a request has become an operation, with a JSON body also to who wants events.
func (a *API) refuseLimited(w http.ResponseWriter, r *http.Request, errs gqlerror.List) {
	media := negotiate(accepted(r))
	if media != mediaResponse {
		media = mediaJSON
	}
	telemetry.RequestOf(r.Context()).Code = codeRateLimited
	respond(w, r, media, http.StatusTooManyRequests, a.fail(unprepared(r.Context()), errs))
}

// retryAfter repeats retryAfter of a refusal as the header that proxies and HTTP clients know (RFC 9110 §10.2.3).
func retryAfter(h http.Header, errs gqlerror.List) {
	for _, e := range errs {
		if seconds, ok := e.Extensions["retryAfter"].(int); ok {
			h.Set("Retry-After", strconv.Itoa(seconds))
		}
	}
}

// tooOften: so many tokens from this address were wrong that another is not looked at.
type tooOften struct{ refusal gqlerror.List }

func (e *tooOften) Error() string { return e.refusal.Error() }

// verify asks for the viewer of a token. One that was good before always passes: whoever shares an address with an attacker, behind a
// NAT, stays signed in.
func (a *API) verify(ctx context.Context, token string) (*auth.Viewer, error) {
	v, known := a.o.Verifier.Recall(token)
	if v != nil {
		return v, nil
	}
	if known || a.o.Limiter == nil {
		return a.o.Verifier.Verify(ctx, token)
	}
	address := neighbours(auth.Address(ctx))
	if refusal := a.limited(limitSignIn, a.o.Limiter.SignIn(ctx, address)); refusal != nil {
		return nil, &tooOften{refusal}
	}
	v, err := a.o.Verifier.Verify(ctx, token)
	if isWrong(err) {
		a.o.Limiter.Refused(ctx, address)
	}
	return v, err
}
