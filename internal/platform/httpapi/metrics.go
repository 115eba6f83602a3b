package httpapi

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

type metrics struct {
	requests      *prometheus.CounterVec
	duration      *prometheus.HistogramVec
	sockets       prometheus.Gauge
	subscriptions prometheus.Gauge
	names         names
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paydesk_graphql_requests_total", Help: "GraphQL operations by name and outcome (OK, or the code of the first error).",
		}, []string{"operation", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paydesk_graphql_duration_seconds", Help: "Time of queries and mutations.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}, []string{"type"}),
		sockets:       prometheus.NewGauge(prometheus.GaugeOpts{Name: "paydesk_websockets", Help: "Open WebSockets."}),
		subscriptions: prometheus.NewGauge(prometheus.GaugeOpts{Name: "paydesk_subscriptions", Help: "Open subscriptions."}),
		names:         names{known: map[string]struct{}{}},
	}
	r.MustRegister(m.requests, m.duration, m.sockets, m.subscriptions)
	return m
}

// count records one operation; op is nil where it never became one.
func (m *metrics) count(op *ast.OperationDefinition, errs gqlerror.List, took time.Duration) {
	code, name := "OK", "none"
	if len(errs) > 0 {
		code = "UNKNOWN"
		if c := errs[0].Extensions["code"]; c != nil {
			code = fmt.Sprint(c)
		}
	}
	if op != nil {
		name = m.names.bounded(nameOf(op))
	}
	m.requests.WithLabelValues(name, code).Inc()
	if took > 0 {
		m.duration.WithLabelValues(string(op.Operation)).Observe(took.Seconds())
	}
}

// maxNames bounds the operations that are told apart: their names are the clients' to choose.
const maxNames = 200

type names struct {
	mu    sync.RWMutex
	known map[string]struct{}
}

func (n *names) bounded(name string) string {
	n.mu.RLock()
	_, ok := n.known[name]
	full := len(n.known) >= maxNames
	n.mu.RUnlock()
	switch {
	case ok:
		return name
	case full:
		return "other"
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[name] = struct{}{}
	return name
}
