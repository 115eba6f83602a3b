package database

import (
	"context"
	"database/sql/driver"
	"slices"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// statementsPerConn bounds what a connection keeps prepared: 64 connections of some instances must stay under the
	// server's max_prepared_stmt_count (16382 by default).
	statementsPerConn = 60
	// prepareAfter uses of a text anywhere in the process it is worth a round trip to prepare it. Texts of changing
	// shape (long IN lists) seldom come twice and stay interpolated.
	prepareAfter = 2
)

// shared is what all connections of a DB have in common.
type shared struct {
	dialect                  string
	observe                  func(string) error
	seen                     *lru.Cache[string, int] // text → uses while unprepared; two racing uses may count as one
	trips, prepares, retries atomic.Int64
}

func newShared(o Options) *shared {
	seen, err := lru.New[string, int](4096)
	if err != nil { // only for a size below 1
		panic(err)
	}
	return &shared{observe: o.Observe, seen: seen}
}

// connector hands wrapped connections to database/sql.
type connector struct {
	driver.Connector
	shared *shared
	setup  []string // statements for each new connection
}

// driverConn is what both drivers' connections can do.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// driverStmt is what both drivers' statements can do.
type driverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// Connect opens one connection and sets its session up.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	w := &conn{driverConn: raw.(driverConn), shared: c.shared, implicit: slices.Contains(c.setup, noAutocommit)}
	for _, text := range c.setup {
		if _, err := w.driverConn.ExecContext(ctx, text, nil); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	w.checker, _ = raw.(driver.NamedValueChecker)
	w.stmts, err = simplelru.NewLRU(statementsPerConn, func(_ string, s driverStmt) { _ = s.Close() })
	return w, err
}

// conn wraps a driver's connection: it keeps hot statements prepared, counts, observes, and refuses to go on in a
// transaction that the server has already thrown away. database/sql uses it from one goroutine at a time.
type conn struct {
	driverConn
	shared  *shared
	checker driver.NamedValueChecker
	stmts   *simplelru.LRU[string, driverStmt]

	implicit bool // the session has no autocommit: a transaction needs no BEGIN

	tx    driver.Tx       // the open transaction, nil outside
	txCtx context.Context //nolint:containedctx // Commit and Rollback are counted on the context of BEGIN
	// broken is the first error after which the transaction cannot be continued. After a deadlock the server has rolled
	// back, and a further statement would run, and stay, on its own.
	broken error
	lost   bool // given up: a transaction could not be ended on it
}

// CheckNamedValue brings times to UTC and whole microseconds, the same on every engine; the rest is the driver's.
func (c *conn) CheckNamedValue(v *driver.NamedValue) (err error) {
	if c.checker != nil {
		err = c.checker.CheckNamedValue(v)
	} else {
		v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value)
	}
	if t, ok := v.Value.(time.Time); ok {
		v.Value = t.UTC().Truncate(time.Microsecond)
	}
	return err
}

// ExecContext runs a statement that returns no rows.
func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (r driver.Result, err error) {
	if err := c.enter(ctx, text); err != nil {
		return nil, err
	}
	span := c.span(ctx, text)
	if s := c.prepared(ctx, text, args); s != nil {
		r, err = s.ExecContext(ctx, args)
		if isStaleStatement(err) {
			c.stmts.Remove(text)
			r, err = c.driverConn.ExecContext(ctx, text, args)
		}
	} else {
		r, err = c.driverConn.ExecContext(ctx, text, args)
	}
	ended(span, err)
	return r, c.leave(err)
}

// QueryContext runs a statement that returns rows.
func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (r driver.Rows, err error) {
	if err := c.enter(ctx, text); err != nil {
		return nil, err
	}
	span := c.span(ctx, text)
	if s := c.prepared(ctx, text, args); s != nil {
		r, err = s.QueryContext(ctx, args)
		if isStaleStatement(err) {
			c.stmts.Remove(text)
			r, err = c.driverConn.QueryContext(ctx, text, args)
		}
	} else {
		r, err = c.driverConn.QueryContext(ctx, text, args)
	}
	ended(span, err)
	return r, c.leave(err)
}

// prepared is the statement kept for the text, nil where it has none (yet). A statement that cannot be prepared, because
// the server has no room or it is wrong, goes the plain way, which tells what is wrong.
func (c *conn) prepared(ctx context.Context, text string, args []driver.NamedValue) driverStmt {
	if len(args) == 0 {
		return nil
	}
	if s, ok := c.stmts.Get(text); ok {
		return s
	}
	uses, _ := c.shared.seen.Get(text)
	if uses < prepareAfter {
		c.shared.seen.Add(text, uses+1)
		return nil
	}
	c.shared.prepares.Add(1)
	raw, err := c.driverConn.PrepareContext(ctx, text)
	if err != nil {
		return nil
	}
	s := raw.(driverStmt)
	c.stmts.Add(text, s)
	return s
}

// enter counts and observes a round trip, and refuses it in a broken transaction.
func (c *conn) enter(ctx context.Context, text string) error {
	if c.broken != nil {
		return c.broken
	}
	c.shared.trips.Add(1)
	count(ctx, text)
	if c.shared.observe != nil {
		return c.shared.observe(text)
	}
	return nil
}

// leave remembers an error that has ended the transaction.
func (c *conn) leave(err error) error {
	if err != nil && c.tx != nil && (isRetryable(err) || isUnavailable(err)) {
		c.broken = err
	}
	return err
}

// PrepareContext is for callers that prepare by hand; their statements are neither cached nor observed here.
func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if err := c.enter(ctx, text); err != nil {
		return nil, err
	}
	return c.driverConn.PrepareContext(ctx, text)
}

// Close gives prepared statements back first: SQLite keeps a file open for each that is left.
func (c *conn) Close() error {
	c.stmts.Purge()
	return c.driverConn.Close()
}
