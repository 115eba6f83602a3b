package payment

import (
	"context"
	"sync"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/channel"
	"paydesk/models"
)

// returnWithin bounds what a payer's browser waits for the channel's word; the sweep asks on, and the channel is not blamed for our hurry.
const returnWithin = 5 * time.Second

// Returned is told that a payer has come back from a channel's page. That proves nothing: the channel is asked at once (contract §5), but
// whoever comes back again and again does not make us ask it each time. It gives where the browser goes next, empty where the client named no address; fault.ErrNotFound for a number that is not ours.
func (s *Service) Returned(ctx context.Context, number string) (to string, err error) {
	p, err := s.byNumberAnywhere(ctx, number)
	if err != nil {
		return "", err
	}
	if !p.Status.Terminal() && s.returns.first(p.ID, time.Now()) {
		ctx, cancel := context.WithTimeoutCause(ctx, returnWithin, channel.ErrHurried)
		defer cancel()
		if _, err := s.ask(ctx, p); err != nil {
			s.Log.WarnContext(ctx, "payer is back, channel does not answer", "payment", p.ID, "channel", p.Channel, "error", err)
		}
	}
	return p.ReturnURL, nil
}

func (s *Service) byNumberAnywhere(ctx context.Context, number string) (models.Payment, error) {
	var p models.Payment
	var account, id models.ID
	found, err := s.DB.QueryRow(ctx, []any{&account, &id}, "SELECT account_id, id FROM payments WHERE number = ?", number)
	if err == nil && !found {
		err = fault.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p, err = s.ByID(ctx, account, id)
	if err == nil && p.Channel == "" {
		err = fault.ErrNotFound
	}
	return p, err
}

// A payment's return asks its channel once in this time, on each instance: the address is known to the payer's browser and to whoever
// it was sent on to, and the provider must not feel how often they call it.
const (
	returnEvery = 2 * time.Second
	returnsKept = 10_000 // payments that are remembered at a time; beyond, all are forgotten
)

// recently remembers, for returnEvery of the wall clock, who was there. The zero value is empty.
type recently struct {
	mu    sync.Mutex
	seen  map[models.ID]time.Time
	swept time.Time
}

// first reports whether a payment was not there within returnEvery, and notes that it is now.
func (r *recently) first(id models.ID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.swept) >= returnEvery || len(r.seen) >= returnsKept {
		r.sweep(now)
	}
	if at, ok := r.seen[id]; ok && now.Sub(at) < returnEvery {
		return false
	}
	r.seen[id] = now
	return true
}

// sweep forgets who was there longer ago, or everybody where there are too many.
func (r *recently) sweep(now time.Time) {
	r.swept = now
	if r.seen == nil || len(r.seen) >= returnsKept {
		r.seen = map[models.ID]time.Time{}
	}
	for id, at := range r.seen {
		if now.Sub(at) >= returnEvery {
			delete(r.seen, id)
		}
	}
}
