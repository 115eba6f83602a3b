// Command limit is what paydesk is measured against: a hand-written Go server for the operations of the benchmark and nothing
// else. net/http, database/sql with statements prepared once per connection, JSON written by hand; no GraphQL, no gorm, no
// Redis. It is honest in what counts: the same MariaDB with the same durability, the same checks before money moves, the
// same rows written in one transaction, the same bytes of data answered.
//
// It leaves out whatever only a product needs: three languages, faults for people, other funding, other databases, retries,
// metrics, limits on what is asked. Redis is not needed by one process: the unique row in the database decides what a key
// means, and who waits for a change would be woken inside the process.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on; it is printed")
	dsn := flag.String("dsn", "", "data source of the MySQL driver")
	sessions := flag.Int("sessions", 64, "connections to the database")
	gogc := flag.Int("gogc", 400, "GOGC, the same as paydesk's")
	flag.Parse()
	debug.SetGCPercent(*gogc)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *dsn, *sessions); err != nil {
		log.Fatal("limit: ", err)
	}
}

func run(ctx context.Context, listen, dsn string, sessions int) error {
	s, err := open(ctx, dsn, sessions)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	srv := &http.Server{Handler: s.routes()}
	go func() { <-ctx.Done(); _ = srv.Close() }()
	go s.tellAll(ctx)
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /home", s.with(s.home))
	mux.HandleFunc("POST /orders", s.with(s.orders))
	mux.HandleFunc("POST /pay", s.with(s.payGuardsFirst))
	mux.HandleFunc("POST /pay-hot-last", s.with(s.payHotLast))
	mux.HandleFunc("POST /merge-pay", s.with(s.mergePay))
	mux.HandleFunc("POST /hello", s.with(func(*request) error { return nil }))
	mux.HandleFunc("GET /mallocs", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintln(w, m.Mallocs, m.TotalAlloc)
	})
	return mux
}

// maxBody bounds what is read of a request.
const maxBody = 1 << 20

// request is one request on one session of the database.
type request struct {
	ctx  context.Context
	who  viewer
	body []byte
	db   *session
	out  []byte // the answer's JSON
}

// errRefused is an answer to the client, not a failure of ours.
type errRefused struct {
	status int
	code   string
}

func (e *errRefused) Error() string { return e.code }

func (s *server) with(handle func(*request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := s.tokens.verify(r.Header.Get("Authorization"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		q := &request{ctx: r.Context(), who: who, body: body, out: make([]byte, 0, 16<<10)}
		q.db = <-s.free
		err = handle(q)
		s.free <- q.db
		if refused, ok := errors.AsType[*errRefused](err); ok {
			http.Error(w, refused.code, refused.status)
			return
		}
		if err != nil {
			log.Print(err)
			http.Error(w, "internal", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h["Content-Type"] = contentType
		h["Content-Length"] = []string{strconv.Itoa(len(q.out))}
		_, _ = w.Write(q.out)
	}
}

var contentType = []string{"application/json; charset=utf-8"}
