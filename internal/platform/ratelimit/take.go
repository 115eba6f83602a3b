package ratelimit

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// charge is what one operation takes of one budget.
type charge struct {
	key    key
	budget *budget
	cost   int
	exact  bool // Redis is told before the operation runs, not a lease later
	look   bool // nothing is taken: is there room?

	bucket *bucket
	asks   int // what Redis is asked for: this, and what was passed since it was asked last; 0: nothing
	cmd    *redis.Cmd
}

// units are what Redis would have to pass. A debt above the whole budget could never be paid, so the rest of it is forgiven.
func (c *charge) units() int { return min(c.bucket.spent+c.cost, c.budget.burst) }

func (c *charge) due() bool {
	return c.exact && c.units() > 0 || c.units() >= c.budget.lease
}

// take takes all charges or none. Callers name them in the order of Mutation: money, user, account; so nobody waits in a circle.
func (l *Limiter) take(ctx context.Context, charges ...charge) (wait time.Duration) {
	for i := range charges {
		c := &charges[i]
		if c.cost > c.budget.burst {
			return c.budget.worth(c.budget.burst)
		}
		c.bucket = l.buckets.bucket(c.key)
	}
	for i := range charges {
		charges[i].bucket.Lock()
	}
	defer unlock(charges)
	now, due := time.Now(), false
	for i := range charges {
		c := &charges[i]
		wait = max(wait, c.bucket.opens(c.budget, c.units(), now))
		if c.due() {
			c.asks, due = c.units(), true
		}
	}
	if wait > 0 { // it has been refused before: Redis need not repeat it
		return wait
	}
	if due && l.ask(ctx, charges) != nil {
		return alone(charges, now)
	}
	return settle(charges, now)
}

func unlock(charges []charge) {
	for i := range charges {
		charges[i].bucket.Unlock()
	}
}

// settle reads what Redis said, and books the charges.
func settle(charges []charge, now time.Time) (wait time.Duration) {
	for i := range charges {
		c := &charges[i]
		if c.asks == 0 {
			continue
		}
		if w := c.waits(); w > 0 {
			c.bucket.refused(c.budget, c.asks, now, w)
			wait = max(wait, w)
		}
	}
	for i := range charges {
		c := &charges[i]
		switch {
		case c.look || c.asks > 0 && c.waits() > 0:
		case c.asks > 0 && wait > 0: // passed here and refused elsewhere: it has been paid for the next one
			c.bucket.spent = -c.cost
		case c.asks > 0:
			c.bucket.spent = 0
		case wait == 0:
			c.bucket.spent += c.cost
		}
	}
	return wait
}

// alone judges without Redis.
func alone(charges []charge, now time.Time) (wait time.Duration) {
	for i := range charges {
		c := &charges[i]
		wait = max(wait, c.bucket.alone(c.budget, c.cost, now))
	}
	for i := range charges {
		if c := &charges[i]; wait <= 0 && !c.look {
			c.bucket.local = c.bucket.after(c.budget, c.cost, now)
		}
	}
	return max(wait, 0)
}
