// Package httpapi is the edge: one router for the GraphQL endpoint (POST, GET, SSE, WebSocket), notifications, pictures,
// health and metrics. It is handed its handlers and knows nothing of the business.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"paydesk/internal/platform/config"
	"paydesk/internal/platform/telemetry"
	"paydesk/models"
)

// Limits and Timeouts are the configuration's.
type (
	Limits   = config.Limits
	Timeouts = config.HTTP
)

// Options of New. Schema, Verifier, Log, Limits and Timeouts are needed; a handler that is nil answers 404.
type Options struct {
	Schema     graphql.ExecutableSchema
	Extensions []graphql.HandlerExtension
	Present    graphql.ErrorPresenterFunc
	Recover    graphql.RecoverFunc
	Verifier   Verifier
	Log        *slog.Logger
	Metrics    *prometheus.Registry // nil: a new one
	Slow       time.Duration        // a query or mutation that takes as long is logged; 0: one second
	Ready      []Check
	Dev        bool     // introspection, suggestions, /dev, /sandbox, /graphiql
	Origins    []string // pages that may call across sites
	Public     string   // scheme and host that people know us by; empty: they come as the Host header says
	Scrape     string   // token wanted at /metrics; empty: none
	Limits     Limits
	Timeouts   Timeouts
	Persisted  Persisted
	Documents  DocumentStore  // shared by all instances; nil: automatically persisted documents live in the process alone
	Limiter    Limiter        // nil: nobody is limited
	Proxies    []netip.Prefix // whose X-Forwarded-For is believed
	Scalars    Scalars        // nil: custom scalars are judged by their fields

	Webhook  func(w http.ResponseWriter, r *http.Request, channel models.PaymentChannel) // POST /webhooks/{channel}; GET too, which few channels use
	Return   http.Handler                                                                // /return/{number}: a payer comes back from a channel's page
	Files    http.Handler                                                                // /files/…
	Pictures http.Handler                                                                // /qr/…
	Page     http.Handler                                                                // / and what is not anybody else's
	Develop  http.Handler                                                                // /dev/…, only with Dev
	Sandbox  http.Handler                                                                // /sandbox/…, only with Dev
	GraphiQL http.Handler                                                                // /graphiql…, only with Dev
}

// Persisted are the documents that are registered by their SHA-256 (hexadecimal, lower case).
type Persisted struct {
	Only      bool              // nothing else runs
	Documents map[string]string // hash → text
	Cache     int               // automatically persisted documents kept in the process
	TTL       time.Duration     // how long the shared store keeps one: after half of it, one in use is saved again; 0 for never
}

// DocumentStore keeps automatically persisted documents for all instances. It is a cache: what it loses, clients send again, and
// when it cannot be reached it says so by finding nothing. The text that Load gives has that hash; whether it is valid is not the
// store's to say.
type DocumentStore interface {
	Load(ctx context.Context, hash string) (text string, found bool)
	Save(ctx context.Context, hash, text string)
}

// Scalars judge the text of custom scalars by the scalar's name, before anything is executed: nil for a good value.
type Scalars map[string]func(value any) error

// API is the edge. ServeHTTP is safe for concurrent use.
type API struct {
	o       Options
	exec    *executor.Executor
	docs    *documents
	origins origins
	safe    headers
	metrics *metrics
	spool   *spool
	seats   *seats
	handler http.Handler

	large     room   // for bodies and messages
	uploading *seats // who sends multipart requests, from reading one to its answer

	draining context.Context // ends when the drain begins
	drain    context.CancelFunc
	mu       sync.Mutex     // nobody enters while the drain begins
	sockets  sync.WaitGroup // sockets and event streams that are open
}

// New assembles the edge.
func New(o Options) (*API, error) {
	if o.Metrics == nil {
		o.Metrics = telemetry.NewRegistry()
	}
	if o.Slow <= 0 {
		o.Slow = time.Second
	}
	docs, err := newDocuments(o)
	if err != nil {
		return nil, err
	}
	a := &API{o: o, docs: docs, origins: newOrigins(o.Origins, o.Public), metrics: newMetrics(o.Metrics), spool: newSpool(o.Limits.Uploads), seats: newSeats(o.Limits.Sockets), uploading: newSeats(uploadsAtOnce(o.Limits))}
	if l, ok := o.Limiter.(interface{ OnRefusedGuess(fn func()) }); ok {
		l.OnRefusedGuess(a.metrics.limits[limitGuesses].Inc)
	}
	a.large.left.Store(largeBodies)
	a.draining, a.drain = context.WithCancel(context.Background())
	a.exec = a.executor()
	a.metrics.expect(docs.schema, docs.registered)
	a.safe = safeHeaders(o.Public)
	a.handler = a.edge(a.routes())
	return a, nil
}

// executor is gqlgen's, with its parsing replaced by documents.
func (a *API) executor() *executor.Executor {
	e := executor.New(a.o.Schema)
	e.SetQueryCache(a.docs)
	e.SetParserTokenLimit(a.o.Limits.Tokens)
	e.SetDisableSuggestion(!a.o.Dev)
	if a.o.Present != nil {
		e.SetErrorPresenter(a.o.Present)
	}
	if a.o.Recover != nil {
		e.SetRecoverFunc(a.o.Recover)
	}
	e.Use(&costLimit{limit: a.o.Limits.Complexity})
	for _, x := range a.o.Extensions {
		e.Use(x)
	}
	return e
}

// ServeHTTP answers every request of the process.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// routes lead each path to its handler. The endpoint, which nearly everybody asks for, is found without the router.
func (a *API) routes() http.Handler {
	endpoint, others := a.origins.cors(http.HandlerFunc(a.graphql)), a.otherRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/graphql" {
			endpoint.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

func (a *API) otherRoutes() http.Handler {
	r := chi.NewRouter()
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) { // also of methods that nobody has heard of
		refuseMethod(w, r, http.MethodGet, "this method is not served here")
	})
	r.Handle("/healthz", readOnly(http.HandlerFunc(healthz)))
	r.Handle("/readyz", readOnly(http.HandlerFunc(a.readyz)))
	r.Handle("/metrics", readOnly(withToken(a.o.Scrape, telemetry.MetricsHandler(a.o.Metrics))))
	if a.o.Webhook != nil {
		told := func(w http.ResponseWriter, r *http.Request) {
			a.o.Webhook(w, r, models.PaymentChannel(chi.URLParam(r, "channel")))
		}
		r.Post("/webhooks/{channel}", told)
		r.Get("/webhooks/{channel}", told)
	}
	if a.o.Return != nil {
		r.Handle("/return/{number}", a.o.Return)
	}
	if a.o.Files != nil {
		r.Handle("/files/*", readOnly(a.o.Files))
	}
	if a.o.Pictures != nil {
		r.Handle("/qr/*", readOnly(a.o.Pictures))
	}
	a.development(r)
	if a.o.Page != nil {
		r.Handle("/*", a.o.Page)
	}
	return r
}

// readOnly serves GET, and HEAD as some balancers probe; net/http leaves the body of that away.
func readOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refuseMethod(w, r, "GET, HEAD", "this can only be read")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// development mounts what a production start does not have: there, all of it is 404, whatever the page would say.
func (a *API) development(r chi.Router) {
	for _, m := range []struct {
		path    string
		handler http.Handler
	}{{"/dev", a.sameSite(a.o.Develop)}, {"/sandbox", a.o.Sandbox}, {"/graphiql", a.o.GraphiQL}} {
		h := m.handler
		if !a.o.Dev || h == nil {
			h = http.NotFoundHandler()
		}
		r.Handle(m.path, h)
		r.Handle(m.path+"/*", h)
	}
}

// sameSite keeps other sites' pages from moving the clock of somebody's development server, or signing in there.
func (a *API) sameSite(next http.Handler) http.Handler {
	if next == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.origins.allows(r) || !a.origins.local(r) {
			refuse(w, r, http.StatusForbidden, codeForbidden, "this origin may not")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Drain tells subscriptions to reconnect (sockets are closed with 1001) and waits for them to end, at most until ctx ends.
func (a *API) Drain(ctx context.Context) {
	a.mu.Lock()
	a.drain()
	a.mu.Unlock()
	done := make(chan struct{})
	go func() {
		a.sockets.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// enter counts a socket or an event stream in; false, and answered, once the drain has begun. The caller counts it out.
func (a *API) enter(w http.ResponseWriter, r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.isDraining() {
		w.Header().Set("Retry-After", "1")
		refuse(w, r, http.StatusServiceUnavailable, codeUnavailable, "the server restarts")
		return false
	}
	a.sockets.Add(1)
	return true
}

func (a *API) isDraining() bool { return a.draining.Err() != nil }

// now is the wall clock: tokens and timeouts live on it.
func now() time.Time { return time.Now() }
