package httpapi

import (
	"context"
	"net/http"
	"sync"

	"paydesk/internal/platform/auth"
)

// seats bound the sockets and event streams that one user holds open at once, or one address while nobody has signed in.
type seats struct {
	most int

	mu   sync.Mutex
	held map[string]int // by who holds them
}

func newSeats(most int) *seats { return &seats{most: most, held: map[string]int{}} }

func (p *seats) take(who string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[who] >= p.most {
		return false
	}
	p.held[who]++
	return true
}

func (p *seats) leave(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[who]--; p.held[who] <= 0 {
		delete(p.held, who)
	}
}

// seat is one of them, its holder's until leave. It is used by one goroutine.
type seat struct {
	of  *seats
	who string
}

// become gives the seat to who has turned out to hold it; false where that one has no room, and the seat stays as it is.
func (s *seat) become(who string) bool {
	if who == s.who {
		return true
	}
	if !s.of.take(who) {
		return false
	}
	s.of.leave(s.who)
	s.who = who
	return true
}

func (s *seat) leave() { s.of.leave(s.who) }

// holder is who a seat is counted for: the user, else the address.
func holder(ctx context.Context, address string) string {
	if v := auth.From(ctx); v != nil {
		return "user " + v.UserID
	}
	return "address " + address
}

// retrySeconds is when a seat may have become free: clients that are told so do not come back at once.
const retrySeconds = 10

// admitLong finds a socket or an event stream its seat. nil: the request has been answered with 429 (RFC 6585 §4), before any
// upgrade, so that clients see why.
func (a *API) admitLong(ctx context.Context, w http.ResponseWriter, r *http.Request) *seat {
	s := &seat{a.seats, holder(ctx, a.clientAddress(r))}
	if a.seats.take(s.who) {
		return s
	}
	a.refuseLimited(w, r.WithContext(ctx), rateLimited("too many sockets and event streams are open", retrySeconds))
	return nil
}
