package httpapi

import (
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// metrics of the edge (contract §8). No label has values of the clients' making: names of operations are bounded, codes are ours.
type metrics struct {
	requests      *prometheus.CounterVec
	duration      map[ast.Operation]prometheus.Observer
	documents     map[string]prometheus.Counter
	deprecated    *prometheus.CounterVec
	refusals      *prometheus.CounterVec
	limits        map[string]prometheus.Counter
	inFlight      prometheus.Gauge
	sockets       prometheus.Gauge
	subscriptions prometheus.Gauge
	closes        *prometheus.CounterVec
	uploads       prometheus.Counter
	uploadBytes   prometheus.Counter
	names         names
}

// What the rate limits count.
const (
	limitOperations = "operations"
	limitMutations  = "mutations"
	limitSignIn     = "sign_in"
	limitGuesses    = "guesses"
)

// Where a document came from.
const (
	fromText       = "text"
	fromRegistered = "registered"
	fromAutomatic  = "automatic"
	fromNowhere    = "unknown"
)

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests:   vector(r, "paydesk_graphql_requests_total", "GraphQL operations by name and outcome: OK, the code of the first error, or CANCELED where the client hung up. operation is none for a document that was refused, other beyond 200 names.", "operation", "code"),
		deprecated: vector(r, "paydesk_graphql_deprecated_total", "Operations that used a deprecated element of the schema: Type.field, Type.field(argument:).", "element"),
		refusals:   vector(r, "paydesk_http_refusals_total", "HTTP requests that never became an operation, by status and code.", "status", "code"),
		closes:     vector(r, "paydesk_websocket_closes_total", "WebSockets that ended, by close code and by whom. 1006: cut without a close.", "code", "by"),
		limits:     map[string]prometheus.Counter{},
		documents:  map[string]prometheus.Counter{},
		duration:   map[ast.Operation]prometheus.Observer{},
		inFlight:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "paydesk_http_in_flight", Help: "HTTP requests being answered, open WebSockets and event streams among them."}),
		sockets:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "paydesk_websockets", Help: "Open WebSockets."}),
		subscriptions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "paydesk_subscriptions", Help: "Open subscriptions."}),
		uploads:     prometheus.NewCounter(prometheus.CounterOpts{Name: "paydesk_uploads_total", Help: "Files uploaded."}),
		uploadBytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "paydesk_upload_bytes_total", Help: "Bytes of the files uploaded."}),
		names:       names{known: map[string]*series{}},
	}
	m.refusals.WithLabelValues("401", codeUnauthenticated) // at zero, so that the first is seen as an increase
	m.closes.WithLabelValues("1006", "client")
	limits := vector(r, "paydesk_rate_limited_total", "Refusals by the rate limits: operations (of a user, an account, an address), mutations (of a user), sign_in (tokens of an address), guesses (wrong codes).", "limit")
	for _, by := range []string{limitOperations, limitMutations, limitSignIn, limitGuesses} {
		m.limits[by] = limits.WithLabelValues(by)
	}
	documents := vector(r, "paydesk_graphql_documents_total", "Documents by how they were named: text in full, registered, automatic (persisted by hash), unknown (a hash that nobody knows).", "source")
	for _, source := range []string{fromText, fromRegistered, fromAutomatic, fromNowhere} {
		m.documents[source] = documents.WithLabelValues(source)
	}
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "paydesk_graphql_duration_seconds", Help: "Time of queries and mutations, without reading the request and writing the answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
	}, []string{"type"})
	for _, kind := range []ast.Operation{ast.Query, ast.Mutation} {
		m.duration[kind] = duration.WithLabelValues(string(kind))
	}
	r.MustRegister(duration, m.inFlight, m.sockets, m.subscriptions, m.uploads, m.uploadBytes)
	return m
}

func vector(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

// expect prepares for a schema and the documents registered with it: what is deprecated is shown before it is used, and the
// names of our own operations are told apart however many others come first.
func (m *metrics) expect(schema *ast.Schema, registered map[string]*prepared) {
	for _, element := range deprecatedElements(schema) {
		m.deprecated.WithLabelValues(element)
	}
	for _, p := range registered {
		for _, op := range p.doc.Operations {
			m.names.known[nameOf(op)] = newSeries(m.requests, nameOf(op))
		}
	}
	m.names.most = len(m.names.known) + maxNames
}

// count records one operation; op is nil where it never became one.
func (m *metrics) count(op *ast.OperationDefinition, errs gqlerror.List, took time.Duration) {
	s := m.series(op)
	if len(errs) == 0 {
		s.ok.Inc()
	} else {
		m.requests.WithLabelValues(s.name, firstCode(errs)).Inc()
	}
	if took > 0 {
		m.duration[op.Operation].Observe(took.Seconds())
	}
}

// left counts an operation whose client hung up before it was answered.
func (m *metrics) left(op *ast.OperationDefinition) {
	m.requests.WithLabelValues(m.series(op).name, "CANCELED").Inc()
}

// firstCode is the code of the first error; empty without one.
func firstCode(errs gqlerror.List) string {
	if len(errs) == 0 {
		return ""
	}
	if code := codeOf(errs[0]); code != "" {
		return code
	}
	return "UNKNOWN"
}

// document records how a document was named, and what it uses of the schema's past; p is nil where it is none.
func (m *metrics) document(p *prepared, byHash bool) {
	switch {
	case p == nil && byHash:
		m.documents[fromNowhere].Inc()
		return
	case p == nil: // refused: counted with its code
		return
	case p.registered:
		m.documents[fromRegistered].Inc()
	case byHash:
		m.documents[fromAutomatic].Inc()
	default:
		m.documents[fromText].Inc()
	}
	for _, element := range p.deprecated {
		m.deprecated.WithLabelValues(element).Inc()
	}
}

// refused records a request that never became an operation.
func (m *metrics) refused(status int, code string) {
	m.refusals.WithLabelValues(strconv.Itoa(status), code).Inc()
}

// closed records the end of a WebSocket; err is what its last read gave, unless we ended it with a code of ours.
func (m *metrics) closed(ours websocket.StatusCode, err error) {
	by, code := "server", ours
	switch {
	case ours != 0:
	case errors.Is(err, websocket.ErrMessageTooBig):
		code = websocket.StatusMessageTooBig
	default:
		by, code = "client", websocket.CloseStatus(err)
	}
	text := "other" // clients may choose among thousands
	switch {
	case code == -1:
		text = "1006"
	case by == "server", code >= 1000 && code <= 1015:
		text = strconv.Itoa(int(code))
	}
	m.closes.WithLabelValues(text, by).Inc()
}

// uploaded records a file.
func (m *metrics) uploaded(bytes int64) {
	m.uploads.Inc()
	m.uploadBytes.Add(float64(bytes))
}

// maxNames bounds the operations that are told apart beside registered ones: their names are the clients' to choose.
const maxNames = 200

// names are the operations that are told apart.
type names struct {
	mu    sync.RWMutex
	known map[string]*series
	most  int
}

// series of an operation: that it went well, which is what nearly always happens, is at hand.
type series struct {
	name string
	ok   prometheus.Counter
}

func newSeries(v *prometheus.CounterVec, name string) *series {
	return &series{name, v.WithLabelValues(name, "OK")}
}

func (m *metrics) series(op *ast.OperationDefinition) *series {
	name := "none"
	if op != nil {
		name = nameOf(op)
	}
	n := &m.names
	n.mu.RLock()
	s := n.known[name]
	n.mu.RUnlock()
	if s != nil {
		return s
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s = n.known[name]; s != nil {
		return s
	}
	if len(n.known) >= max(n.most, maxNames) && name != "none" {
		name = "other"
		if s = n.known[name]; s != nil {
			return s
		}
	}
	s = newSeries(m.requests, name)
	n.known[name] = s
	return s
}
