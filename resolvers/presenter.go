package resolvers

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/page"
	"paydesk/internal/platform/ratelimit"
	"paydesk/models"
)

// Codes of top-level errors (contract §2).
const (
	codeUnauthenticated  = "UNAUTHENTICATED"
	codeForbidden        = "FORBIDDEN"
	codeNotFound         = "NOT_FOUND"
	codeBadUserInput     = "BAD_USER_INPUT"
	codeValidationFailed = errcode.ValidationFailed
	codeUnavailable      = "UNAVAILABLE"
	codeInternal         = "INTERNAL"
)

// Present is the executor's error presenter: what a client may know of an error. Whatever has no code of the contract is masked as
// INTERNAL with the request's id, and logged with its cause.
func (r *Resolver) Present(ctx context.Context, err error) *gqlerror.Error {
	out := graphql.DefaultErrorPresenter(ctx, err)
	code, text := r.classify(err)
	if key := "error." + code; messages.Has(key) {
		text = messages.Text(locale.From(ctx), key, map[string]any{"seconds": out.Extensions["retryAfter"]})
	}
	presented := &gqlerror.Error{Message: text, Path: out.Path, Locations: out.Locations, Extensions: map[string]any{"code": code}}
	for key, value := range out.Extensions { // of a gqlgen or transport error with a code of its own, such as retryAfter
		if key != "code" {
			presented.Extensions[key] = value
		}
	}
	switch code {
	case codeUnavailable:
		if errors.Is(context.Cause(ctx), context.Canceled) { // whoever asked has hung up: nothing for the operator
			break
		}
		r.s.Log.WarnContext(ctx, "request could not be served now", "err", err, "path", out.Path.String(), "requestId", r.requestID(ctx))
	case codeInternal:
		id := r.requestID(ctx)
		presented.Extensions = map[string]any{"code": code, "requestId": id}
		r.s.Log.ErrorContext(ctx, "request failed", "err", err, "path", out.Path.String(), "requestId", id)
	}
	return presented
}

// classify gives an error's code, and the text a client may read where the catalogue has none for the code. Wrapping, however deep, does not hide what it is.
func (r *Resolver) classify(err error) (code, text string) {
	var (
		coded *gqlerror.Error
		bad   fault.BadInput
		page  page.Invalid
	)
	switch {
	case errors.Is(err, fault.ErrUnauthenticated):
		return codeUnauthenticated, ""
	case errors.Is(err, fault.ErrForbidden):
		return codeForbidden, ""
	case errors.Is(err, fault.ErrNotFound):
		return codeNotFound, ""
	case errors.As(err, &bad):
		return codeBadUserInput, bad.Error()
	case errors.As(err, &page):
		return codeBadUserInput, page.Error()
	case errors.Is(err, fault.ErrUnavailable), errors.Is(err, ratelimit.ErrAway), database.IsUnavailable(err), database.IsRetryable(err), database.IsCommitUnknown(err),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return codeUnavailable, ""
	case errors.As(err, &coded) && coded.Extensions["code"] != nil:
		return known(fmt.Sprint(coded.Extensions["code"])), coded.Message
	}
	return codeInternal, ""
}

// known maps gqlgen's codes to the contract's; others, such as COMPLEXITY_LIMIT_EXCEEDED, are the contract's already.
func known(code string) string {
	if code == errcode.ParseFailed {
		return codeValidationFailed
	}
	return code
}

func (r *Resolver) requestID(ctx context.Context) string {
	if r.s.RequestID != nil {
		if id := r.s.RequestID(ctx); id != "" {
			return id
		}
	}
	return models.NewID().String()
}

// Recover is the executor's answer to a panic: an error that the presenter masks, its stack in the log.
func (r *Resolver) Recover(ctx context.Context, p any) error {
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}
