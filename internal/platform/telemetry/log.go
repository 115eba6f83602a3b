// Package telemetry is what is seen from outside: logs that carry the request and the account, and the metrics registry.
package telemetry

import (
	"context"
	"io"
	"log/slog"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

type requestKey struct{}

// Request is what is known of an HTTP request while it is answered. Its own goroutine alone writes to it.
type Request struct {
	ID     string
	Status int    // of the answer, once there is one
	Code   string // why it was refused, if it was
}

// WithRequest puts a request into the context.
func WithRequest(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// WithRequestID puts the id of a request into the context.
func WithRequestID(ctx context.Context, id string) context.Context {
	return WithRequest(ctx, &Request{ID: id})
}

// RequestOf is the request of ctx; outside of one what is written to it is lost.
func RequestOf(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return &Request{}
}

// RequestID is the id of the request, empty outside of one.
func RequestID(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r.ID
	}
	return ""
}

// NewLogger writes lines of JSON, or of text for people, that name the request and the account of their context.
// level is debug, info, warn or error; format is json or text.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: l, ReplaceAttr: readable}
	if format == "text" {
		return slog.New(contextual{slog.NewTextHandler(w, options)})
	}
	return slog.New(contextual{slog.NewJSONHandler(w, options)})
}

// prefixes of ids, by the name under which they are logged: a line names things as the API does.
var prefixes = map[string]string{"account": "acc", "payment": "pay", "order": "ord", "refund": "rfd", "difference": "dif"}

// readable writes an id as the API does, and others in hexadecimal.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	if id, ok := a.Value.Any().(models.ID); ok {
		text := id.String()
		if prefix := prefixes[a.Key]; prefix != "" {
			text = id.Encode(prefix)
		}
		a.Value = slog.StringValue(text)
	}
	return a
}

// contextual adds what the context knows.
type contextual struct{ slog.Handler }

func (h contextual) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	if t, s := trace.IDs(ctx); t != "" {
		r.AddAttrs(slog.String("trace", t), slog.String("span", s))
	}
	if v := auth.From(ctx); v != nil && !names(r, "account") {
		if v.AccountID.IsZero() {
			r.AddAttrs(slog.String("role", string(v.Role)))
		} else {
			r.AddAttrs(slog.String("account", v.AccountID.Encode("acc")))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// names reports whether the line says it by itself.
func names(r slog.Record, key string) (found bool) {
	r.Attrs(func(a slog.Attr) bool {
		found = found || a.Key == key
		return !found
	})
	return found
}

func (h contextual) WithAttrs(attrs []slog.Attr) slog.Handler {
	return contextual{h.Handler.WithAttrs(attrs)}
}

func (h contextual) WithGroup(name string) slog.Handler { return contextual{h.Handler.WithGroup(name)} }
