// Package idempotency makes a mutation with the same key happen once (contract.md §4, lesson 10). The database's unique
// row, written in the transaction of the effect, is the truth; Redis is the fast path (lock and outcome) and may be emptied,
// restarted or gone at any moment: slower, never double.
package idempotency

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// Request is what makes two calls the same one.
type Request struct {
	Scope    string // the token's account, else its sub
	Mutation string // the schema field
	Key      string // 1 to 255 visible ASCII characters
	Hash     [sha256.Size]byte
}

// Outcome is what a call created: it is kept and found again by the same key.
type Outcome struct {
	Kind string // payment, account, orders
	Ref  models.ID
}

// Refusal is why a key was refused; its text is the UserErrorCode.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// Refusals.
const (
	Reused     Refusal = "IDEMPOTENCY_KEY_REUSED"
	InProgress Refusal = "IDEMPOTENCY_IN_PROGRESS"
)

// errTaken: the key's row is there already, so this transaction must not have an effect.
var errTaken = errors.New("idempotency: key taken")

const (
	patience   = 2 * time.Second // how long a second call waits for the first (contract.md §4)
	lookEvery  = 25 * time.Millisecond
	lockTTL    = 3 * time.Second // renewed while the call runs: a process that died is in nobody's way for long
	outcomeTTL = 24 * time.Hour
	keptFor    = 30 * 24 * time.Hour
)

type ctxKey struct{}

// With puts the request's key into the context.
func With(ctx context.Context, r Request) context.Context { return context.WithValue(ctx, ctxKey{}, r) }

// From finds the request's key; false where the caller has none (the product's own calls).
func From(ctx context.Context) (Request, bool) {
	r, ok := ctx.Value(ctxKey{}).(Request)
	return r, ok
}

// Store keeps outcomes. It is safe for concurrent use.
type Store struct {
	db    *database.DB
	redis redis.UniversalClient
	clock clock.Clock
}

// New makes a store.
func New(db *database.DB, r redis.UniversalClient, c clock.Clock) *Store { return &Store{db, r, c} }

// Do runs create once for the key in ctx. Create must call Claim in the transaction of its effect; an error from it means
// that nothing was created, and the key may be used again. Replayed says that the outcome is of an earlier call.
// Errors: Reused, InProgress, and create's own.
func (s *Store) Do(ctx context.Context, create func(context.Context) (Outcome, error)) (out Outcome, replayed bool, err error) {
	r, ok := From(ctx)
	if !ok {
		out, err = create(ctx)
		return out, false, err
	}
	lock, out, done, err := s.enter(ctx, r)
	if err != nil || done {
		return out, done, err
	}
	stop := lock.keep()
	out, err = create(ctx)
	stop()
	if err == nil {
		lock.finish(ctx, r.Hash, out)
		return out, false, nil
	}
	// The key may be taken although Redis did not know (emptied), or the commit's answer may have been lost: the row knows.
	kept, found, lookErr := s.lookup(ctx, r)
	switch {
	case lookErr != nil && (errors.Is(err, errTaken) || errors.Is(lookErr, Reused)):
		err = lookErr
	case lookErr == nil && found:
		lock.finish(ctx, r.Hash, kept)
		return kept, true, nil
	case errors.Is(err, errTaken): // the call that had it was rolled back meanwhile
		err = InProgress
	}
	lock.release(ctx)
	return Outcome{}, false, err
}

// enter takes the lock, or finds the outcome of the call that had it.
func (s *Store) enter(ctx context.Context, r Request) (_ lock, _ Outcome, done bool, err error) {
	ctx, span := trace.Child(ctx, trace.Internal, "idempotency lock")
	defer func() {
		span.Set("paydesk.idempotency", entered(done, err))
		span.End()
	}()
	l := s.newLock(r)
	deadline := time.Now().Add(patience)
	for {
		state, value := l.take(ctx)
		switch state {
		case lockTaken, lockUnknown: // unknown: Redis is away, the database alone decides
			return l, Outcome{}, false, nil
		case lockDone:
			out, err := value.outcome(r.Hash)
			return l, out, err == nil, err
		}
		if !value.sameInput(r.Hash) {
			return l, Outcome{}, false, Reused
		}
		// Whoever holds the lock may have died after its commit.
		if out, found, err := s.lookup(ctx, r); err != nil || found {
			return l, out, found, err
		}
		if time.Now().After(deadline) {
			return l, Outcome{}, false, InProgress
		}
		select {
		case <-ctx.Done():
			return l, Outcome{}, false, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// entered says for the trace how it went.
func entered(done bool, err error) string {
	var r Refusal
	switch {
	case errors.As(err, &r):
		return string(r)
	case err != nil:
		return "failed"
	case done:
		return "replayed"
	}
	return "first"
}

// Claim writes the key's row in the transaction of ctx, together with what the call creates. It must come first: a second
// call then waits here until the first has committed, and finds that it has.
func (s *Store) Claim(ctx context.Context, out Outcome) error {
	r, ok := From(ctx)
	if !ok {
		return nil
	}
	_, err := s.db.Exec(ctx, "INSERT INTO idempotency_keys (scope, mutation, idem_key, input_hash, kind, ref, created_at) VALUES (?,?,?,?,?,?,?)",
		r.Scope, r.Mutation, r.Key, r.Hash[:], out.Kind, out.Ref, s.clock.Now())
	if database.IsDuplicate(err) {
		return errTaken
	}
	return err
}

func (s *Store) lookup(ctx context.Context, r Request) (out Outcome, found bool, err error) {
	var hash []byte
	found, err = s.db.QueryRow(ctx, []any{&hash, &out.Kind, &out.Ref},
		"SELECT input_hash, kind, ref FROM idempotency_keys WHERE scope = ? AND mutation = ? AND idem_key = ?", r.Scope, r.Mutation, r.Key)
	if err != nil || !found {
		return Outcome{}, false, err
	}
	if subtle.ConstantTimeCompare(hash, r.Hash[:]) != 1 {
		return Outcome{}, false, Reused
	}
	return out, true, nil
}

// Sweep forgets keys older than 30 days, at most 1,000 a call. It returns how many.
func (s *Store) Sweep(ctx context.Context) (int64, error) {
	before := s.clock.Now().Add(-keptFor)
	return s.db.Exec(ctx, "DELETE FROM idempotency_keys WHERE created_at < ? AND (scope, mutation, idem_key) IN (SELECT scope, mutation, idem_key FROM (SELECT scope, mutation, idem_key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT 1000) x)", before, before)
}
