// Package sandbox is the providers' side of every payment protocol, for development and tests: their gateways with
// their real wire protocols and signatures, the payer's page, and notifications that misbehave on request (contract,
// chapter 6). It shares nothing with the adapters but the network: the canonical strings and checks are its own.
//
// Its books and keys lie in the product's database (tables sandbox_*, table settings), so restarts and other instances
// see them. A trade's validity runs on the product's clock; protocol timestamps and deliveries on the wall clock.
package sandbox

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/settings"
)

// Prefix is where everything of the sandbox lies.
const Prefix = "/sandbox/"

// maxBody is the longest request the sandbox reads, in bytes.
const maxBody = 1 << 20

// DB is what it needs of the database (database.DB).
type DB interface {
	settings.Store
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	Query(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error
}

// Config is what the sandbox stands on.
type Config struct {
	DB         DB
	Clock      clock.Clock   // the product's: validity of trades
	PublicURL  func() string // where people reach this process; asked each time, for the port may be chosen late
	Log        *slog.Logger
	HTTPClient *http.Client // delivers notifications; nil: an own one
}

// Sandbox is a http.Handler for everything below /sandbox/ that belongs to channels. Safe for concurrent use.
type Sandbox struct {
	db        DB
	clock     clock.Clock
	publicURL func() string
	log       *slog.Logger
	client    *http.Client
	mux       *http.ServeMux
	wake      chan struct{} // something to deliver, buffered 1
	stopped   chan struct{} // closed when Run ends: nothing hangs any longer
	stopOnce  sync.Once

	protocols []protocol

	mu    sync.Mutex
	rings map[string]any // keys by family
}

var _ http.Handler = (*Sandbox)(nil)

// New makes the sandbox; it reads and writes nothing before the first request.
func New(c Config) *Sandbox {
	s := &Sandbox{
		db: c.DB, clock: c.Clock, publicURL: c.PublicURL, log: c.Log, client: deliveryClient(c.HTTPClient),
		mux: http.NewServeMux(), rings: map[string]any{}, protocols: protocols(), wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	for _, p := range s.protocols {
		p.mount(s, s.mux)
	}
	s.mux.HandleFunc("GET /sandbox/pay/{token}", s.showPayer)
	s.mux.HandleFunc("POST /sandbox/pay/{token}", s.playPayer)
	s.mux.HandleFunc("POST /sandbox/behaviour", s.setBehaviour)
	return s
}

// ServeHTTP answers for all providers and payers.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

// Run delivers notifications until ctx ends.
func (s *Sandbox) Run(ctx context.Context) {
	defer s.stopOnce.Do(func() { close(s.stopped) })
	s.deliverForever(ctx)
}

// PublicURL is where a payer's browser reaches the sandbox.
func (s *Sandbox) PublicURL() string { return strings.TrimSuffix(s.publicURL(), "/") }

// payerURL is the content of a trade's QR code.
func (s *Sandbox) payerURL(token string) string {
	return strings.TrimSuffix(s.publicURL(), "/") + "/sandbox/pay/" + token
}

// wall is the protocols' time.
func wall() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// failed answers for a fault of the sandbox itself; what it was stands in the log.
func (s *Sandbox) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.log.ErrorContext(r.Context(), "sandbox failed", "path", r.URL.Path, "error", err)
	http.Error(w, "the sandbox has failed; see the log", http.StatusInternalServerError)
}
