package trace_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"paydesk/internal/platform/telemetry/trace"
)

// recorded switches tracing on for a test.
func recorded(t *testing.T, sampler sdk.Sampler) *tracetest.InMemoryExporter {
	t.Helper()
	out := tracetest.NewInMemoryExporter()
	trace.Use(sdk.NewTracerProvider(sdk.WithSyncer(out), sdk.WithSampler(sampler)), propagation.TraceContext{})
	t.Cleanup(func() { trace.Use(nil, nil) })
	return out
}

func caller(sampled string) http.Header {
	return http.Header{"Traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-" + sampled}}
}

// Off, nothing is made: what stands on the way of every request and statement allocates nothing.
func TestOffCostsNothing(t *testing.T) {
	ctx, header := t.Context(), caller("01")
	if n := testing.AllocsPerRun(100, func() {
		inner, span := trace.Request(ctx, header, "query")
		_, child := trace.Child(inner, trace.Client, "SELECT")
		child.Set("key", "value")
		child.Fail("code")
		child.End()
		_ = trace.Here(inner)
		_, told := trace.After(inner, "told")
		told.End()
		trace.Current(inner).Rename("x")
		span.End()
		if inner != ctx || span.Recording() {
			t.Fatal("a span without tracing")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTree(t *testing.T) {
	out := recorded(t, sdk.ParentBased(sdk.AlwaysSample()))
	ctx, request := trace.Request(t.Context(), caller("01"), "query")
	inner, child := trace.Child(ctx, trace.Client, "SELECT")
	if id, span := trace.IDs(inner); id != "4bf92f3577b34da6a3ce929d0e0e4736" || span == "" {
		t.Error(id, span)
	}
	link := trace.Here(inner)
	child.Fail("1213")
	child.End()
	request.End()
	request.End() // harmless
	if _, late := trace.Child(ctx, trace.Client, "after the end"); late.Recording() {
		t.Error("a span beneath one that has ended")
	}
	_, told := trace.After(context.Background(), "told", trace.Link{}, link, link)
	told.End()
	trace.Did(ctx, "did", time.Now().Add(-time.Second)).End()
	if _, nothing := trace.After(context.Background(), "nothing", trace.Link{}); nothing.Recording() {
		t.Error("a span for nobody's change")
	}
	spans := map[string]tracetest.SpanStub{}
	for _, s := range out.GetSpans() {
		spans[s.Name] = s
	}
	if len(spans) != 4 || spans["SELECT"].Parent.SpanID() != spans["query"].SpanContext.SpanID() || spans["told"].Parent.SpanID() != spans["SELECT"].SpanContext.SpanID() {
		t.Errorf("%+v", spans)
	}
	if s := spans["SELECT"]; s.Status.Description != "1213" || len(s.Events) > 0 {
		t.Errorf("%+v", s.Status)
	}
	if s := spans["did"]; s.Parent.IsValid() || s.EndTime.Sub(s.StartTime) < time.Second {
		t.Errorf("%+v", s)
	}
}

// A caller who is not sampled has no spans, but an id for the log.
func TestUnsampled(t *testing.T) {
	out := recorded(t, sdk.ParentBased(sdk.AlwaysSample()))
	ctx, request := trace.Request(t.Context(), caller("00"), "query")
	_, child := trace.Child(ctx, trace.Client, "SELECT")
	child.End()
	request.End()
	if _, told := trace.After(t.Context(), "told", trace.Here(ctx)); told.Recording() {
		t.Error("what follows is sampled")
	}
	if id, _ := trace.IDs(ctx); id != "4bf92f3577b34da6a3ce929d0e0e4736" || len(out.GetSpans()) > 0 {
		t.Error(id, out.GetSpans())
	}
}

// A panic on its way through a span is nobody's event: its text may be anything.
func TestPanicIsNotRecorded(t *testing.T) {
	out := recorded(t, sdk.AlwaysSample())
	func() {
		defer func() { _ = recover() }()
		_, span := trace.Work(t.Context(), "work")
		defer span.End()
		panic(errors.New("secret of the inside"))
	}()
	if spans := out.GetSpans(); len(spans) != 1 || len(spans[0].Events) > 0 {
		t.Errorf("%+v", spans)
	}
}
