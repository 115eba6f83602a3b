package database

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"paydesk/internal/platform/telemetry/trace"
)

// maxTries is how often a transaction is run in all before its conflict is reported.
const maxTries = 5

// transaction is one try of an outermost InTx.
type transaction struct {
	db     *DB
	sql    *sql.Tx
	after  []func()
	failed error // of a joined InTx: then the whole must not be committed, even if the outer function forgets it
}

// txContext carries a transaction. It has no deadline and is never cancelled: a transaction is short and runs to its
// end once begun, because a cancelled statement costs the connection and leaves a COMMIT in doubt. What bounds it is
// the lock wait and the timeout on the wire.
type txContext struct {
	parent context.Context //nolint:containedctx // this type is a context
	tx     *transaction
}

func (txContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (txContext) Done() <-chan struct{}       { return nil }
func (txContext) Err() error                  { return nil }
func (c txContext) Value(key any) any {
	if key == any(c.tx.db) {
		return c.tx
	}
	return c.parent.Value(key)
}

// transaction is the one of ctx that belongs to this database, nil outside InTx. The key is the DB itself.
func (d *DB) transaction(ctx context.Context) *transaction {
	t, _ := ctx.Value(d).(*transaction)
	return t
}

// InTx runs fn in a transaction: READ COMMITTED on MySQL, one writer at a time on SQLite. An error or a panic of fn
// rolls back. On a deadlock, a lock wait, a write conflict or a connection lost before COMMIT the whole of fn runs again,
// at most five times in all with a random pause, so fn must do nothing but speak to the database through the context it
// is given. Inside another InTx it joins: what fn does is committed or undone with the whole, and its error dooms the
// whole. A connection lost during COMMIT gives ErrCommitUnknown.
func (d *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := d.transaction(ctx); t != nil {
		err := fn(ctx)
		if err != nil && t.failed == nil {
			t.failed = err
		}
		return err
	}
	ctx, span := trace.Child(ctx, trace.Internal, "transaction")
	defer span.End()
	for try := 1; ; try++ {
		err := d.try(ctx, fn)
		if err == nil {
			return nil
		}
		pause, again := retryPause(err, try)
		if !again || !sleep(ctx, pause) {
			span.Set("paydesk.outcome", "rolled back") // mostly a refusal; what failed is at its statement
			return err
		}
		d.shared.retries.Add(1)
		span.Count("paydesk.retries", try)
	}
}

// try runs fn and commits, once.
func (d *DB) try(ctx context.Context, fn func(ctx context.Context) error) error {
	conn, err := d.begin.Conn(ctx) // waiting for a connection may be cancelled
	if err != nil {
		return err
	}
	defer conn.Close()
	t := &transaction{db: d}
	inner := &txContext{parent: ctx, tx: t}
	if t.sql, err = conn.BeginTx(inner, nil); err != nil {
		return err
	}
	ended := false
	defer func() { // error, panic and runtime.Goexit alike
		if !ended {
			_ = t.sql.Rollback()
		}
	}()
	if err := fn(inner); err != nil {
		return err
	}
	if t.failed != nil {
		return fmt.Errorf("database: rolled back, an inner transaction had failed: %w", t.failed)
	}
	ended = true
	if err := t.sql.Commit(); err != nil {
		return commitError(err)
	}
	conn.Close() // before the hooks, which may want a connection of their own
	for _, f := range t.after {
		f()
	}
	return nil
}

// AfterCommit runs fn once the outermost transaction of ctx has been committed, in the order of the calls and in the
// goroutine of InTx; a try that is rolled back forgets its hooks. Without a transaction fn runs at once.
func (d *DB) AfterCommit(ctx context.Context, fn func()) {
	if t := d.transaction(ctx); t != nil {
		t.after = append(t.after, fn)
		return
	}
	fn()
}

// retryPause tells whether a try that ended in err is worth another and how long to wait before it: 5 to 200 ms for a
// conflict, up to half a second where the server was away.
func retryPause(err error, try int) (time.Duration, bool) {
	if try >= maxTries || IsCommitUnknown(err) {
		return 0, false
	}
	least, most := 5*time.Millisecond, min(10*time.Millisecond<<(2*(try-1)), 200*time.Millisecond)
	switch {
	case isRetryable(err):
	case isUnavailable(err):
		least, most = 50*time.Millisecond, 500*time.Millisecond
	default:
		return 0, false
	}
	return least + rand.N(most-least), true
}

// sleep waits, or tells that ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
