package ratelimit

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// patience bounds what a Redis that hangs may cost a request; an answer takes well below a millisecond.
	patience = 100 * time.Millisecond
	// pause is how long Redis is left alone after it did not answer: then one request tries again.
	pause = time.Second
	// grain covers what a wait loses on its way through two clocks.
	grain = time.Millisecond
)

// ErrAway: Redis does not answer, so nothing can be counted. To a client it is UNAVAILABLE.
var ErrAway = errors.New("rate limits cannot be counted now")

// gcra takes units of a budget; a script of our own, for calls of redis_rate cannot share a round trip. The key holds when the budget
// will be whole again, in microseconds, and lives some seconds longer, for the same reason as guesses do. It answers the microseconds to wait for the units, where nothing was taken; or nothing and
// less, where they were.
var gcra = redis.NewScript(`
local units, burst, each = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call("TIME")
local now = time[1] * 1000000 + time[2]
local whole = math.max(tonumber(redis.call("GET", KEYS[1]) or now), now) + units * each
local wait = math.ceil(whole - burst * each - now)
if wait <= 0 and ARGV[4] == "take" then
	redis.call("SET", KEYS[1], string.format("%.0f", whole), "PX", math.ceil((whole - now) / 1000) + 5000)
end
return wait
`)

// ask asks Redis for all charges that are due, in one round trip; a second one where it has lost the script. ErrAway: nothing is
// known, though something may have been taken.
func (l *Limiter) ask(ctx context.Context, charges []charge) error {
	return l.reach(ctx, func(ctx context.Context) (err error) {
		for _, run := range []func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd{gcra.EvalSha, gcra.Eval} {
			pipe := l.redis.Pipeline()
			for i := range charges {
				if c := &charges[i]; c.asks > 0 && (c.cmd == nil || redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT")) {
					verb := "take"
					if c.look {
						verb = "look"
					}
					c.cmd = run(ctx, pipe, []string{c.key.String()}, c.asks, c.budget.burst, c.budget.each/float64(time.Microsecond), verb)
				}
			}
			if _, err = pipe.Exec(ctx); err == nil || !redis.HasErrorPrefix(err, "NOSCRIPT") {
				break
			}
		}
		return err
	})
}

// waits is what Redis said.
func (c *charge) waits() time.Duration {
	micros, err := c.cmd.Int64()
	if err != nil || micros <= 0 { // the pipeline had no error
		return 0
	}
	return time.Duration(micros)*time.Microsecond + grain
}

// reach runs something that asks Redis. ErrAway: it failed, or failed a moment ago.
func (l *Limiter) reach(ctx context.Context, run func(context.Context) error) error {
	now, until := time.Now(), l.away.Load()
	if until != 0 && (now.UnixNano() < until || !l.away.CompareAndSwap(until, now.Add(pause).UnixNano())) {
		return ErrAway
	}
	// A client that hangs up says nothing about Redis.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.patience)
	defer cancel()
	err := run(ctx)
	if err == nil {
		if until != 0 && l.away.Swap(0) != 0 {
			l.log.InfoContext(ctx, "rate limits are counted in Redis again")
		}
		return nil
	}
	if l.away.Swap(time.Now().Add(pause).UnixNano()) == 0 {
		l.log.WarnContext(ctx, "Redis does not answer: each instance counts rate limits by itself", "error", err)
	}
	return ErrAway
}
