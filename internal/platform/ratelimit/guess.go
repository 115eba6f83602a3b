package ratelimit

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	guessesIn = time.Hour
	// guessPatience is longer than patience: a guess does not go on without Redis, and nobody makes many.
	guessPatience = time.Second
)

// guess notes a guess, where there were not too many in the last span. It answers the microseconds until there is room, or 0. The
// list holds the time of each guess, the oldest first. It lives some seconds longer than its newest one, because its times decide and
// not its end: the embedded Redis takes seconds off at once, and would forget too early.
var guess = redis.NewScript(`
local most, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local last = redis.call("LINDEX", KEYS[1], -most)
if last and last + span > now then return math.ceil(last + span - now) end
redis.call("LTRIM", KEYS[1], -most, -1)
redis.call("RPUSH", KEYS[1], string.format("%.0f", now))
redis.call("PEXPIRE", KEYS[1], math.ceil(span / 1000) + 5000)
return 0
`)

// Guess counts a try at a code before the code is looked at, so that tries at the same time do not slip through together: at most
// PAYDESK_RATE_GUESSES wrong ones within any hour for one kind of code and one subject (an account's id), in all instances and in
// development as well. A wait above zero: the code must not be looked at; say so with the code that the contract has for it and
// retryAfter. ErrAway: Redis does not answer, and neither must the code be looked at; return the error, clients see UNAVAILABLE.
//
//	wait, err := guard.Guess(ctx, "topup", account)
//	if err != nil { return err }
//	if wait > 0 { return … TOO_MANY_ATTEMPTS … }
//	if !right { return … INVALID … }  // it stays counted
//	guard.Right(ctx, "topup", account)
//
// A Redis that was emptied has forgotten the tries. Where a code has few possibilities (six digits), count the wrong tries in its own
// row too.
func (l *Limiter) Guess(ctx context.Context, kind, subject string) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, guessPatience)
	defer cancel()
	micros, err := guess.Run(ctx, l.redis, []string{guessKey(kind, subject)}, l.guesses, guessesIn.Microseconds()).Int64()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrAway, err)
	}
	if micros > 0 {
		l.RefusedGuess()
	}
	return time.Duration(micros) * time.Microsecond, nil
}

// RefusedGuess counts a try that was not looked at: Guess does it itself, callers who count tries in their own row do it for those.
func (l *Limiter) RefusedGuess() {
	if refused := l.refusedGuess.Load(); refused != nil {
		(*refused)()
	}
}

// OnRefusedGuess has fn told of each try that was not looked at, for metrics.
func (l *Limiter) OnRefusedGuess(fn func()) { l.refusedGuess.Store(&fn) }

// Right takes the last guess back: it was right. Should Redis be away, the guess stays counted for its hour.
func (l *Limiter) Right(ctx context.Context, kind, subject string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), guessPatience)
	defer cancel()
	l.redis.RPop(ctx, guessKey(kind, subject))
}

func guessKey(kind, subject string) string { return "rate:guess:" + kind + ":" + subject }
