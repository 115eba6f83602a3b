package main

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// metrics are what the whole process counts beside the requests (contract.md §8); what is read at a scrape is in watch.go.
type metrics struct {
	payments *prometheus.CounterVec
	heard    *prometheus.CounterVec
	calls    *prometheus.HistogramVec
	swept    *prometheus.CounterVec
	failed   *prometheus.CounterVec
	took     *prometheus.GaugeVec
	ran      *prometheus.GaugeVec
	redis    *prometheus.HistogramVec
	redisBad *prometheus.CounterVec
	messages *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		r.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
		r.MustRegister(v)
		return v
	}
	return &metrics{
		payments: counter("paydesk_payments_total", "Transitions of payments by channel (BALANCE without one) and the status they reached.", "channel", "status"),
		heard: counter("paydesk_notifications_total", "Notifications of channels by what became of them: APPLIED, NOTHING (said before), LATE, SUSPENSE, DISPUTED, UNKNOWN_REFERENCE, REPEATED, "+
			"REFUSED (wrong signature or merchant), LATER (stored, tried again), FAILED (not stored).", "channel", "outcome"),
		calls: histogram("paydesk_channel_call_duration_seconds", "Calls to channels by what came of them: ok, declined, paid (a close that came too late), unavailable, unknown.",
			[]float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}, "channel", "call", "outcome"),
		swept:  counter("paydesk_sweep_done_total", "Pieces of due work done, by job.", "sweep"),
		failed: counter("paydesk_sweep_failures_total", "Runs of a job that failed; what it left is tried again.", "sweep"),
		took:   gauge("paydesk_sweep_last_duration_seconds", "How long a job's last run took.", "sweep"),
		ran:    gauge("paydesk_sweep_last_run_timestamp_seconds", "When a job's last run ended, Unix time of the wall clock.", "sweep"),
		redis: histogram("paydesk_redis_duration_seconds", "Round trips to Redis by command; pipeline for several at once.",
			[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}, "command"),
		redisBad: counter("paydesk_redis_errors_total", "Round trips to Redis that failed, by command.", "command"),
		messages: counter("paydesk_messages_total", "Tries to deliver a message by what became of them: SENT, LATER (tried again), FAILED (given up), USELESS (its time had passed).", "kind", "outcome"),
	}
}

// balance stands for a payment without a channel.
const balance models.PaymentChannel = "BALANCE"

func (m *metrics) moved(channel models.PaymentChannel, to models.PaymentStatus) {
	if channel == "" {
		channel = balance
	}
	m.payments.WithLabelValues(string(channel), string(to)).Inc()
}

// open shows a channel at zero, so that its first payment, and its first trouble, is seen as an increase.
func (m *metrics) open(c models.PaymentChannel) {
	if c != balance {
		for _, outcome := range []string{"REFUSED", "FAILED", "LATER", string(payment.Applied), string(payment.Suspense), string(payment.Disputed), string(payment.UnknownReference)} {
			m.heard.WithLabelValues(string(c), outcome)
		}
		for _, call := range []string{"start", "query", "complete", "close", "refund", "query_refund", "statement", "inspect"} {
			m.calls.WithLabelValues(string(c), call, "ok")
		}
	}
	for _, status := range []models.PaymentStatus{models.PaymentProcessing, models.PaymentRequiresAction, models.PaymentSucceeded,
		models.PaymentFailed, models.PaymentCanceled, models.PaymentExpired} {
		m.payments.WithLabelValues(string(c), string(status))
	}
}

func (m *metrics) notified(channel models.PaymentChannel, outcome string) {
	m.heard.WithLabelValues(string(channel), outcome).Inc()
}

func (m *metrics) sweep(job string, took time.Duration, done int, err error) {
	m.took.WithLabelValues(job).Set(took.Seconds())
	m.ran.WithLabelValues(job).SetToCurrentTime()
	m.swept.WithLabelValues(job).Add(float64(done))
	failures := m.failed.WithLabelValues(job)
	if err != nil {
		failures.Inc()
	}
}

func (m *metrics) asked(command string, took time.Duration, err error) {
	m.redis.WithLabelValues(command).Observe(took.Seconds())
	failures := m.redisBad.WithLabelValues(command)
	if err != nil {
		failures.Inc()
	}
}

// around times a call to a channel and gives it a span. Nothing of ours goes into the provider's request: it learns no trace.
func (m *metrics) around(ctx context.Context, c models.PaymentChannel, call string) (context.Context, func(error)) {
	start := time.Now()
	ctx, span := trace.Child(ctx, trace.Client, string(c)+" "+call)
	span.Set("paydesk.channel", string(c))
	span.Set("paydesk.channel.call", call)
	return ctx, func(err error) {
		outcome := outcomeOf(err)
		m.calls.WithLabelValues(string(c), call, outcome).Observe(time.Since(start).Seconds())
		span.Set("paydesk.channel.outcome", outcome)
		if outcome == "unknown" || outcome == "unavailable" {
			span.Fail(outcome)
		}
		span.End()
	}
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, channel.ErrDeclined):
		return "declined"
	case errors.Is(err, channel.ErrAlreadyPaid):
		return "paid"
	case errors.Is(err, channel.ErrUnavailable):
		return "unavailable"
	}
	return "unknown"
}
