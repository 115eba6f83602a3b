package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"paydesk/models"
)

// The value behind a key in Redis: "run <hash> <token>" while a call runs, "done <hash> <kind> <id>" afterwards.
type value string

func (v value) fields() []string { return strings.Fields(string(v)) }

func (v value) sameInput(hash [sha256.Size]byte) bool {
	f := v.fields()
	return len(f) > 1 && f[1] == hashText(hash)
}

func (v value) outcome(hash [sha256.Size]byte) (Outcome, error) {
	if !v.sameInput(hash) {
		return Outcome{}, Reused
	}
	f := v.fields()
	var id models.ID
	if _, err := hex.Decode(id[:], []byte(f[3])); err != nil {
		return Outcome{}, err
	}
	return Outcome{Kind: f[2], Ref: id}, nil
}

func hashText(hash [sha256.Size]byte) string { return base64.RawURLEncoding.EncodeToString(hash[:]) }

type lockState int

const (
	lockUnknown lockState = iota // Redis does not answer
	lockTaken                    // by us
	lockHeld                     // by another call
	lockDone                     // there is an outcome
)

type lock struct {
	redis redis.UniversalClient
	key   string
	mine  string
}

func (s *Store) newLock(r Request) lock {
	return lock{s.redis, "idem:{" + r.Scope + "}:" + r.Mutation + ":" + r.Key, "run " + hashText(r.Hash) + " " + uuid.NewString()}
}

// redisTimeout bounds what a Redis that hangs may cost a payment.
const redisTimeout = 300 * time.Millisecond

func (l lock) take(ctx context.Context) (lockState, value) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	ok, err := l.redis.SetNX(ctx, l.key, l.mine, lockTTL).Result()
	if err != nil {
		return lockUnknown, ""
	}
	if ok {
		return lockTaken, ""
	}
	v, err := l.redis.Get(ctx, l.key).Result()
	switch {
	case err == redis.Nil: // released between the two
		return lockHeld, value(l.mine)
	case err != nil:
		return lockUnknown, ""
	case strings.HasPrefix(v, "done ") && len(strings.Fields(v)) == 4:
		return lockDone, value(v)
	}
	return lockHeld, value(v)
}

// finish keeps the outcome; if Redis is away, the row in the database answers later calls.
func (l lock) finish(ctx context.Context, hash [sha256.Size]byte, out Outcome) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTimeout)
	defer cancel()
	l.redis.Set(ctx, l.key, "done "+hashText(hash)+" "+out.Kind+" "+out.Ref.String(), outcomeTTL)
}

// renewIfMine prolongs our lock, and leaves another call's as it is.
var renewIfMine = redis.NewScript(`if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end return 0`)

// keep renews the lock until stop is called. A call that is quick, as nearly all are, never comes to it.
func (l lock) keep() (stop func()) {
	ended := make(chan struct{})
	var renew func()
	renew = func() {
		select {
		case <-ended:
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
		defer cancel()
		renewIfMine.Run(ctx, l.redis, []string{l.key}, l.mine, lockTTL.Milliseconds()) // if Redis is away, the row decides
		time.AfterFunc(lockTTL/3, renew)
	}
	first := time.AfterFunc(lockTTL/3, renew)
	return func() { close(ended); first.Stop() }
}

// releaseIfMine must not take away another call's lock, should ours have expired.
var releaseIfMine = redis.NewScript(`if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`)

func (l lock) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTimeout)
	defer cancel()
	releaseIfMine.Run(ctx, l.redis, []string{l.key}, l.mine)
}
