package httpapi

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/platform/auth"
)

// events answers an operation as server-sent events, "distinct connections mode" of the GraphQL over SSE protocol: next
// for every response, complete at the end. When the process drains the stream just ends, and clients connect anew.
func (a *API) events(ctx context.Context, w http.ResponseWriter, r *http.Request, p *graphql.RawParams) {
	seat := a.admitLong(ctx, w, r)
	if seat == nil {
		return
	}
	defer seat.leave()
	if !a.enter(w, r) {
		return
	}
	defer a.sockets.Done()
	ctx, cancel := untilTokenEnds(ctx)
	defer cancel()
	defer context.AfterFunc(a.draining, cancel)()

	s := &stream{w: w, rc: http.NewResponseController(w), timeout: a.o.Timeouts.WriteTimeout, cancel: cancel}
	_ = s.rc.SetReadDeadline(time.Time{}) // the request has been read; its deadline would end the stream
	h := w.Header()
	h.Set("Content-Type", mediaEvents+utf8)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	s.send(":\n\n") // headers leave at once
	defer s.end(time.AfterFunc(a.o.Timeouts.PingInterval, func() { s.beat(a.o.Timeouts.PingInterval) }))
	a.stream(ctx, s, r.Method, p)
}

func (a *API) stream(ctx context.Context, s *stream, method string, p *graphql.RawParams) {
	defer func() {
		if p := recover(); p != nil {
			a.o.Log.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
			s.next(a.fail(ctx, gqlerror.List{failure(codeInternal, "something went wrong on our side")}))
			s.complete()
		}
	}()
	ctx, op, errs := a.begin(ctx, p)
	if len(errs) == 0 && method == http.MethodGet && op.Operation.Operation == ast.Mutation {
		errs = gqlerror.List{failure(codeBadInput, "a mutation wants POST")}
	}
	if len(errs) > 0 {
		s.next(a.fail(ctx, errs))
		s.complete()
		return
	}
	if op.Operation.Operation != ast.Subscription {
		s.next(a.execute(ctx, op))
		s.complete()
		return
	}
	defer a.follows(ctx, op.Operation)()
	responses, ctx := a.exec.DispatchOperation(ctx, op)
	for resp := responses(ctx); resp != nil; resp = responses(ctx) {
		resp.Errors = told(a.o.Limits, resp.Errors)
		s.next(resp)
	}
	if ctx.Err() != nil && !expired(ctx) {
		return // the client left, or we drain
	}
	if expired(ctx) {
		s.next(&graphql.Response{Errors: gqlerror.List{failure(codeUnauthenticated, "the token has expired")}})
	}
	s.complete()
}

// untilTokenEnds is a context that ends with the viewer's token (contract §3).
func untilTokenEnds(ctx context.Context) (context.Context, context.CancelFunc) {
	if v := auth.From(ctx); v != nil && !v.Expires.IsZero() {
		return context.WithDeadline(ctx, v.Expires)
	}
	return context.WithCancel(ctx)
}

// expired reports whether the viewer's token has ended, and with it every subscription.
func expired(ctx context.Context) bool {
	v := auth.From(ctx)
	return v != nil && !v.Expires.IsZero() && !now().Before(v.Expires)
}

// stream writes events. Every write has a deadline: a client that stops reading loses its stream.
type stream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
	cancel  context.CancelFunc

	mu    sync.Mutex
	ended bool // nothing may be written once the handler has returned
	timer *time.Timer
}

// beat sends a comment now and then, so that proxies keep the connection and a dead one is noticed.
func (s *stream) beat(every time.Duration) {
	s.send(":\n\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.timer = time.AfterFunc(every, func() { s.beat(every) })
	}
}

func (s *stream) end(first *time.Timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	first.Stop()
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *stream) next(resp *graphql.Response) {
	b := getBuffer()
	defer putBuffer(b)
	b.WriteString("event: next\ndata: ")
	write(b, resp)
	b.WriteString("\n\n")
	s.send(b.String())
}

// complete has a data line: browsers drop an event without one.
func (s *stream) complete() { s.send("event: complete\ndata: \n\n") }

func (s *stream) send(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	_ = s.rc.SetWriteDeadline(now().Add(s.timeout))
	_, err := s.w.Write([]byte(text))
	if err == nil {
		err = s.rc.Flush()
	}
	if err != nil {
		s.cancel()
	}
}
