package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"paydesk/internal/platform/config"
	"paydesk/internal/platform/telemetry/trace"
)

// complainEvery bounds how often the log says that a collector does not take spans.
const complainEvery = time.Minute

// StartTracing sends spans to the collector that the configuration names; where it names none, nothing is made or sent. stop
// sends what is left, as long as its context allows, and switches tracing off. Spans wait in a bounded queue (OTEL_BSP_*): what
// a collector does not take in time is lost, and nobody waits for it.
func StartTracing(ctx context.Context, c config.Trace, version string, r prometheus.Registerer, log *slog.Logger) (stop func(context.Context) error, err error) {
	sent := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "paydesk_trace_spans_total", Help: "Spans handed to the collector, by result: sent, or failed and lost.",
	}, []string{"result"})
	sent.WithLabelValues("sent")
	sent.WithLabelValues("failed")
	r.MustRegister(sent)
	if !c.On() {
		return func(context.Context) error { return nil }, nil
	}
	otel.SetErrorHandler(&complaints{log: log}) // the SDK's own words for what is not fatal
	out, err := otlptracehttp.New(ctx)          // endpoint, headers, timeout, certificates: the exporter reads OTEL_EXPORTER_OTLP_*
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_*: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "paydesk"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithResource(about), // the sampler is OTEL_TRACES_SAMPLER's
		sdk.WithBatcher(&collector{SpanExporter: out, sent: sent, complaints: complaints{log: log}}))
	trace.Use(provider, propagator(c.Propagators))
	return func(ctx context.Context) error {
		trace.Use(nil, nil)
		return provider.Shutdown(ctx)
	}, nil
}

// propagator reads traces out of headers. Nothing is ever put into headers: payment providers learn nothing of ours.
func propagator(names []string) propagation.TextMapPropagator {
	var all []propagation.TextMapPropagator
	for _, name := range names {
		switch name {
		case "tracecontext":
			all = append(all, propagation.TraceContext{})
		case "baggage":
			all = append(all, propagation.Baggage{})
		}
	}
	return propagation.NewCompositeTextMapPropagator(all...)
}

// collector counts what is sent. A failure is told now and then, and is nobody else's.
type collector struct {
	sdk.SpanExporter
	sent       *prometheus.CounterVec
	complaints complaints
}

// ExportSpans sends a batch.
func (c *collector) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	result := "sent"
	if err := c.SpanExporter.ExportSpans(ctx, spans); err != nil {
		result = "failed"
		c.complaints.Handle(err)
	}
	c.sent.WithLabelValues(result).Add(float64(len(spans)))
	return nil
}

// complaints are logged once a while.
type complaints struct {
	log  *slog.Logger
	next atomic.Int64 // Unix nanoseconds
}

const maxComplaint = 300

// Handle logs an error of the SDK.
func (c *complaints) Handle(err error) {
	at, now := c.next.Load(), time.Now()
	if now.UnixNano() < at || !c.next.CompareAndSwap(at, now.Add(complainEvery).UnixNano()) {
		return
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxComplaint {
		text = strings.ToValidUTF8(text[:maxComplaint], "") + "…"
	}
	c.log.Warn("traces are not delivered", "error", text)
}
