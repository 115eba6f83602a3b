// Package ratelimit bounds how often somebody may ask, all instances together, with counts in Redis.
//
// Operations are counted for their user and for the account (one address where nobody is signed in), a mutation's root fields
// besides in the user's own, tighter budget. Each is a GCRA: a budget of a minute's worth that fills steadily. Root fields are told to
// Redis before they run, so their count is exact. Operations are told a lease at a time, about a second's worth (a sixtieth of the
// budget, at least one), so that hardly any of them waits for Redis; N instances together can therefore pass N·(lease − 1) operations
// more than the budget, and a budget below 120 a minute is exact.
//
// While Redis is away operations and payments go on within the same budgets, each instance for itself: N times as much in all.
// Guessing codes does not go on; see Guess.
package ratelimit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/config"
)

const (
	// inDevelopment is how much wider everything but guesses is there (contract §6).
	inDevelopment = 100
	// forServices: a SERVICE places orders for everybody.
	forServices = 100
)

// Limiter counts. Safe for concurrent use.
type Limiter struct {
	redis   redis.UniversalClient
	log     *slog.Logger
	buckets table

	user, money budget // of one user, and of one address
	service     struct{ user, money budget }
	account     budget
	signIn      budget
	guesses     int

	refusedGuess atomic.Pointer[func()]

	patience time.Duration
	away     atomic.Int64 // unix nanoseconds until which Redis is not asked; 0: it answers
}

// New counts in Redis by the rates of the configuration.
func New(client redis.UniversalClient, rates config.Rates, development bool, log *slog.Logger) *Limiter {
	wider := 1
	if development {
		wider = inDevelopment
	}
	l := &Limiter{redis: client, log: log, buckets: newTable(), guesses: rates.Guesses, patience: patience}
	l.user, l.money = perMinute(wider*rates.User), perMinute(wider*rates.Money)
	l.service.user, l.service.money = perMinute(forServices*wider*rates.User), perMinute(forServices*wider*rates.Money)
	l.account, l.signIn = perMinute(wider*rates.Account), perMinute(wider*rates.SignIn)
	return l
}

// Operation counts one operation of a viewer, or of an address where nobody is signed in (v is nil). A wait above zero refuses it:
// so much later there is room. It usually asks nobody, and at most Redis, once.
func (l *Limiter) Operation(ctx context.Context, v *auth.Viewer, address string) (wait time.Duration) {
	if v == nil {
		return l.take(ctx, charge{key: key{kind: kindAddress, subject: address}, budget: &l.user, cost: 1})
	}
	of := l.ofUser(v, 1)
	if v.AccountID.IsZero() {
		return l.take(ctx, of)
	}
	return l.take(ctx, of, l.ofAccount(v, 1))
}

// Mutation counts the root fields of a mutation, exactly, after the operation itself has been counted; it asks Redis once. A document
// with more fields than the whole budget never passes.
func (l *Limiter) Mutation(ctx context.Context, v *auth.Viewer, fields int) (wait time.Duration) {
	if v == nil {
		return 0 // every field of it is going to be UNAUTHENTICATED
	}
	of := charge{key: key{kind: kindMoney, subject: v.UserID}, budget: &l.money, cost: fields, exact: true}
	if v.Role == auth.Service {
		of.key.kind, of.budget = kindServiceMoney, &l.service.money
	}
	if fields <= 1 {
		return l.take(ctx, of)
	}
	// Aliases are operations too; the first has been counted.
	if v.AccountID.IsZero() {
		return l.take(ctx, of, l.ofUser(v, fields-1))
	}
	return l.take(ctx, of, l.ofUser(v, fields-1), l.ofAccount(v, fields-1))
}

func (l *Limiter) ofUser(v *auth.Viewer, cost int) charge {
	if v.Role == auth.Service {
		return charge{key: key{kind: kindService, subject: v.UserID}, budget: &l.service.user, cost: cost}
	}
	return charge{key: key{kind: kindUser, subject: v.UserID}, budget: &l.user, cost: cost}
}

func (l *Limiter) ofAccount(v *auth.Viewer, cost int) charge {
	return charge{key: key{kind: kindAccount, account: v.AccountID}, budget: &l.account, cost: cost}
}

// SignIn says whether a token that was never seen before is looked at: a wait above zero refuses it, for too many from this address
// were wrong. It counts nothing, and asks Redis once.
func (l *Limiter) SignIn(ctx context.Context, address string) (wait time.Duration) {
	return l.take(ctx, charge{key: key{kind: kindSignIn, subject: address}, budget: &l.signIn, cost: 1, exact: true, look: true})
}

// Refused counts a token from this address that was wrong.
func (l *Limiter) Refused(ctx context.Context, address string) {
	l.take(ctx, charge{key: key{kind: kindSignIn, subject: address}, budget: &l.signIn, cost: 1, exact: true})
}
