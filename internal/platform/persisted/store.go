// Package persisted knows documents by their SHA-256: those that clients persist automatically, in Redis, and those that are
// registered in manifests.
package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// MaxBytes of a document that is shared; a longer one lives with whoever got it.
	MaxBytes = 32 << 10
	// patience is what a Redis that hangs may cost a request: a client that is told "not found" just sends the text.
	patience = 100 * time.Millisecond
	// recovery is how long a Redis that failed is not asked again.
	recovery = time.Second
	// reminder is how often the log says that it fails.
	reminder = time.Minute
	// slotDigits of a hash, hexadecimal, choose its place: 4,096 places of MaxBytes are 128 MiB, however many documents clients
	// think of. Two documents that want one place take turns; the loser is sent again.
	slotDigits = 3
	prefix     = "document:"
)

// Store shares automatically persisted documents between instances (httpapi.DocumentStore). Redis is a cache here, never the
// truth: what comes out of it is used only if it has the hash that was asked for, and whatever goes wrong is "not found".
type Store struct {
	redis redis.UniversalClient
	ttl   time.Duration
	log   *slog.Logger
	again atomic.Int64 // when Redis is asked again, Unix nanoseconds
	told  atomic.Int64 // when the log was last told that it fails
}

// NewStore keeps documents for ttl after their last use.
func NewStore(client redis.UniversalClient, ttl time.Duration, log *slog.Logger) *Store {
	return &Store{redis: client, ttl: ttl, log: log}
}

// Load finds the text that has the hash (SHA-256, lower-case hexadecimal) and prolongs its life.
func (s *Store) Load(ctx context.Context, hash string) (text string, found bool) {
	if len(hash) != 2*sha256.Size {
		return "", false
	}
	s.try(ctx, func(ctx context.Context) error {
		// No more than a document is read, whatever somebody has put there.
		pipe := s.redis.Pipeline()
		value := pipe.GetRange(ctx, place(hash), 0, MaxBytes)
		pipe.Expire(ctx, place(hash), s.ttl)
		_, err := pipe.Exec(ctx)
		text = value.Val()
		return err
	})
	sum := sha256.Sum256([]byte(text))
	if text == "" || len(text) > MaxBytes || hex.EncodeToString(sum[:]) != hash {
		return "", false
	}
	return text, true
}

// Save keeps a valid document. One that is too long, or that Redis does not take, is just not shared.
func (s *Store) Save(ctx context.Context, hash, text string) {
	if len(text) > MaxBytes || len(hash) != 2*sha256.Size {
		return
	}
	s.try(ctx, func(ctx context.Context) error { return s.redis.Set(ctx, place(hash), text, s.ttl).Err() })
}

func place(hash string) string { return prefix + hash[:slotDigits] }

// try asks Redis, unless it failed a moment ago.
func (s *Store) try(ctx context.Context, ask func(context.Context) error) {
	now := time.Now()
	if now.UnixNano() < s.again.Load() {
		return
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := ask(limited)
	if err == nil || ctx.Err() != nil { // a client that hung up says nothing about Redis
		return
	}
	var reply redis.Error
	if !errors.As(err, &reply) { // it did not answer; one that says no is quick
		s.again.Store(time.Now().Add(recovery).UnixNano())
	}
	if told := s.told.Load(); now.UnixNano()-told >= reminder.Nanoseconds() && s.told.CompareAndSwap(told, now.UnixNano()) {
		s.log.WarnContext(ctx, "Redis does not share persisted documents: clients send them again", "error", err)
	}
}
