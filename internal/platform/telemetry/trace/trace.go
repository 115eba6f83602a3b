// Package trace makes OpenTelemetry spans, or nothing: until Use is called no span exists and each call here costs one atomic
// load. Spans never hold what a caller sent (documents, variables, keys, tokens, names, amounts) nor the text of an error:
// attributes are names of our own making and the ids of accounts and payments, errors are codes.
package trace

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	otel "go.opentelemetry.io/otel/trace"
)

// Kinds of spans, as OpenTelemetry has them.
const (
	Internal = otel.SpanKindInternal
	Server   = otel.SpanKindServer
	Client   = otel.SpanKindClient
)

// source is where spans come from.
type source struct {
	tracer     otel.Tracer
	propagator propagation.TextMapPropagator
}

var active atomic.Pointer[source] // nil: off

// Use switches tracing on for the process. A nil provider switches it off.
func Use(p otel.TracerProvider, incoming propagation.TextMapPropagator) {
	if p == nil {
		active.Store(nil)
		return
	}
	active.Store(&source{p.Tracer("paydesk"), incoming})
}

// On reports whether spans are made at all.
func On() bool { return active.Load() != nil }

// Span is a span, or nothing: all methods of the zero Span do nothing.
type Span struct{ span otel.Span }

// Request begins the span of an incoming request or message, as a child of the trace that its headers name (W3C Trace Context).
func Request(ctx context.Context, header http.Header, name string) (context.Context, Span) {
	s := active.Load()
	if s == nil {
		return ctx, Span{}
	}
	ctx = s.propagator.Extract(ctx, propagation.HeaderCarrier(header))
	return begin(s, ctx, name, otel.WithSpanKind(Server))
}

// Work begins the span of work that nobody asked for (a sweep): a trace of its own.
func Work(ctx context.Context, name string) (context.Context, Span) {
	s := active.Load()
	if s == nil {
		return ctx, Span{}
	}
	return begin(s, ctx, name, otel.WithNewRoot())
}

// Did is Work that is over already: what turned out to be worth a span.
func Did(ctx context.Context, name string, since time.Time) Span {
	s := active.Load()
	if s == nil {
		return Span{}
	}
	_, span := begin(s, ctx, name, otel.WithNewRoot(), otel.WithTimestamp(since))
	return span
}

// Child begins a span beneath the one of ctx. Without one that is being recorded (tracing is off, the trace is not sampled, the
// request's span has ended) there is none.
func Child(ctx context.Context, kind otel.SpanKind, name string) (context.Context, Span) {
	s := active.Load()
	if s == nil || !live(ctx) {
		return ctx, Span{}
	}
	return begin(s, ctx, name, otel.WithSpanKind(kind))
}

func begin(s *source, ctx context.Context, name string, o ...otel.SpanStartOption) (context.Context, Span) {
	ctx, span := s.tracer.Start(ctx, name, o...)
	if !span.IsRecording() {
		return ctx, Span{} // the context keeps the trace's id, for the log
	}
	return ctx, Span{span}
}

func live(ctx context.Context) bool {
	return ctx != nil && otel.SpanFromContext(ctx).IsRecording()
}

// Current is the span of ctx.
func Current(ctx context.Context) Span {
	if active.Load() == nil || !live(ctx) {
		return Span{}
	}
	return Span{otel.SpanFromContext(ctx)}
}

// Recording reports whether anybody will see the span: else what goes into it need not be worked out.
func (s Span) Recording() bool { return s.span != nil }

// Rename gives the span the name that was not known when it began.
func (s Span) Rename(name string) {
	if s.span != nil {
		s.span.SetName(name)
	}
}

// Set adds an attribute; an empty text is none.
func (s Span) Set(key, value string) {
	if s.span != nil && value != "" {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Count adds a number.
func (s Span) Count(key string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, n))
	}
}

// Fail says with a code how it went wrong; empty: it went well.
func (s Span) Fail(code string) {
	if s.span != nil && code != "" {
		s.span.SetAttributes(attribute.String("error.type", code))
		s.span.SetStatus(codes.Error, code)
	}
}

// End ends the span; a second time does nothing. What is begun beneath it afterwards is not recorded.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// IDs are the trace and the span of ctx for the log, empty outside of one.
func IDs(ctx context.Context) (trace, span string) {
	if active.Load() == nil {
		return "", ""
	}
	c := otel.SpanContextFromContext(ctx)
	if !c.IsValid() {
		return "", ""
	}
	return c.TraceID().String(), c.SpanID().String()
}

// Link remembers where something was asked for that is done later, by somebody else. The zero Link is nowhere.
type Link struct{ at otel.SpanContext }

// Here is a link to the span of ctx.
func Here(ctx context.Context) Link {
	if active.Load() == nil || !live(ctx) {
		return Link{}
	}
	return Link{otel.SpanContextFromContext(ctx)}
}

// After begins the span of what was asked for at the links: beneath the first of them, linked with the others. Without any there
// is none.
func After(ctx context.Context, name string, links ...Link) (context.Context, Span) {
	s := active.Load()
	if s == nil {
		return ctx, Span{}
	}
	var o []otel.SpanStartOption
	parent := otel.SpanContext{}
	for _, l := range links {
		switch {
		case !l.at.IsValid() || l.at.Equal(parent):
		case !parent.IsValid():
			parent = l.at
		default:
			o = append(o, otel.WithLinks(otel.Link{SpanContext: l.at}))
		}
	}
	if !parent.IsValid() {
		return ctx, Span{}
	}
	return begin(s, otel.ContextWithSpanContext(ctx, parent), name, o...)
}
