package resolvers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/page"
)

func deep(err error) error {
	return gqlerror.WrapPath(nil, fmt.Errorf("reading: %w", errors.Join(errors.New("also"), fmt.Errorf("row: %w", err))))
}

// Contract §2: every error has a code; wrapping does not lose it, and nothing else leaks.
func TestPresentedErrors(t *testing.T) {
	coded := func(code string) error {
		return &gqlerror.Error{Message: "as told", Extensions: map[string]any{"code": code, "retryAfter": 3}}
	}
	tests := []struct {
		err        error
		code, text string
	}{
		{fault.ErrUnauthenticated, "UNAUTHENTICATED", "Sign in"},
		{fault.ErrForbidden, "FORBIDDEN", "role"},
		{fault.ErrNotFound, "NOT_FOUND", "not found"},
		{fault.BadInput("first is odd"), "BAD_USER_INPUT", "first is odd"},
		{page.Invalid("last is odd"), "BAD_USER_INPUT", "last is odd"},
		{fault.ErrUnavailable, "UNAVAILABLE", "try again"},
		{mysql.ErrInvalidConn, "UNAVAILABLE", "try again"},
		{&mysql.MySQLError{Number: 1213, Message: "deadlock"}, "UNAVAILABLE", "try again"},
		{context.DeadlineExceeded, "UNAVAILABLE", "try again"},
		{coded("COMPLEXITY_LIMIT_EXCEEDED"), "COMPLEXITY_LIMIT_EXCEEDED", "as told"},
		{coded("GRAPHQL_PARSE_FAILED"), "GRAPHQL_VALIDATION_FAILED", "as told"},
		{coded("PERSISTED_QUERY_NOT_FOUND"), "PERSISTED_QUERY_NOT_FOUND", "as told"},
	}
	for _, c := range tests {
		var log bytes.Buffer
		r := &Resolver{s: Services{Log: slog.New(slog.NewJSONHandler(&log, nil))}}
		for _, err := range []error{c.err, deep(c.err)} {
			if _, own := errors.AsType[*gqlerror.Error](c.err); own && err != c.err {
				continue // codes of gqlgen come as they are
			}
			got := r.Present(t.Context(), err)
			if got.Extensions["code"] != c.code || !strings.Contains(got.Message, c.text) {
				t.Errorf("%v became %v %q", err, got.Extensions, got.Message)
			}
		}
		if logged := log.Len() > 0; logged != (c.code == "UNAVAILABLE") { // a store that is down is for the operator to know
			t.Errorf("%v in the log: %s", c.err, log.String())
		}
	}
	limited := coded("RATE_LIMITED")
	if got := (&Resolver{}).Present(t.Context(), limited); got.Extensions["retryAfter"] != 3 || !strings.Contains(got.Message, "in 3 s") {
		t.Error("retryAfter is lost:", got)
	}
	chinese := locale.With(t.Context(), locale.SimplifiedChinese)
	if got := (&Resolver{}).Present(chinese, limited); got.Message != "请求过于频繁，请在 3 秒后重试。" {
		t.Error("not in the customer's language:", got.Message)
	}
}

// What has no code of the contract is masked, and found again in the log by the request's id.
func TestUnknownErrorsAreMasked(t *testing.T) {
	secret := &mysql.MySQLError{Number: 1146, Message: "Table 'paydesk.orders' doesn't exist"}
	for _, err := range []error{secret, deep(secret), (&Resolver{}).Recover(t.Context(), "index out of range")} {
		var log bytes.Buffer
		r := &Resolver{s: Services{Log: slog.New(slog.NewJSONHandler(&log, nil)), RequestID: func(context.Context) string { return "req-7" }}}
		got := r.Present(t.Context(), err)
		if got.Message != "Something went wrong on our side." || got.Extensions["code"] != "INTERNAL" || got.Extensions["requestId"] != "req-7" || len(got.Extensions) != 2 {
			t.Errorf("%+v", got)
		}
		if got.Err != nil || got.Unwrap() != nil {
			t.Error("the cause goes out with the error")
		}
		if cause := strings.Split(err.Error(), "\n")[0]; !strings.Contains(log.String(), "req-7") || !strings.Contains(log.String(), cause[:8]) {
			t.Errorf("the log does not have it: %s", log.String())
		}
	}
	r := &Resolver{s: Services{Log: slog.New(slog.DiscardHandler)}}
	if a, b := r.Present(t.Context(), secret), r.Present(t.Context(), secret); a.Extensions["requestId"] == b.Extensions["requestId"] {
		t.Error("two requests share an id")
	}
}

// Every mutation has a payload to put its refusals in.
func TestEveryMutationHasItsPayload(t *testing.T) {
	r := New(Services{})
	for _, f := range r.Schema().Schema().Mutation.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		make, ok := payloads[f.Name]
		if !ok {
			t.Errorf("payloads has no %s", f.Name)
			continue
		}
		if got, want := strings.ToLower(fmt.Sprintf("%T", make(nil))), "*model."+strings.ToLower(f.Name)+"payload"; got != want {
			t.Errorf("%s: %s, not %s", f.Name, got, want)
		}
	}
}
