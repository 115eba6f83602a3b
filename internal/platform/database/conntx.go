package database

import (
	"context"
	"database/sql/driver"
)

// BeginTx starts a transaction; the connection itself is the driver.Tx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.broken = nil
	if c.implicit && opts == (driver.TxOptions{}) {
		c.tx, c.txCtx = implicitTx{c.driverConn}, ctx
		return c, nil
	}
	if err := c.enter(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	span := c.span(ctx, "BEGIN")
	tx, err := c.driverConn.BeginTx(ctx, opts)
	ended(span, err)
	if err != nil {
		return nil, err
	}
	c.tx, c.txCtx = tx, ctx
	return c, nil
}

// Commit makes the transaction permanent. One that was broken on the way is rolled back, and says why.
func (c *conn) Commit() error {
	if c.broken != nil {
		err := c.broken
		_ = c.Rollback()
		return &brokenError{err}
	}
	tx, ctx := c.end()
	if err := c.enter(ctx, "COMMIT"); err != nil {
		_ = c.undo(tx)
		return err
	}
	span := c.span(ctx, "COMMIT")
	err := tx.Commit()
	ended(span, err)
	if err != nil {
		// After a refused COMMIT the transaction may still be open (SQLite BUSY, TiDB conflicts).
		_ = c.undo(tx)
	}
	return err
}

// Rollback undoes the transaction.
func (c *conn) Rollback() error {
	tx, ctx := c.end()
	if tx == nil {
		return driver.ErrBadConn
	}
	c.shared.trips.Add(1)
	count(ctx, "ROLLBACK")
	span := c.span(ctx, "ROLLBACK")
	err := c.undo(tx)
	ended(span, err)
	return err
}

// undo rolls back. Where that fails the connection is given up: it may still be in the transaction, and without autocommit
// the next one to use it would commit the leftovers as its own.
func (c *conn) undo(tx driver.Tx) error {
	err := tx.Rollback()
	if err != nil {
		c.lost = true
	}
	return err
}

// IsValid keeps a connection that was given up from coming back to the pool.
func (c *conn) IsValid() bool { return !c.lost && c.driverConn.IsValid() }

func (c *conn) end() (driver.Tx, context.Context) {
	tx, ctx := c.tx, c.txCtx
	c.tx, c.txCtx, c.broken = nil, nil, nil
	return tx, ctx
}

// implicitTx is a transaction that its first statement began.
type implicitTx struct{ on driver.ExecerContext }

func (t implicitTx) Commit() error   { return t.say("COMMIT") }
func (t implicitTx) Rollback() error { return t.say("ROLLBACK") }

func (t implicitTx) say(text string) error {
	_, err := t.on.ExecContext(context.Background(), text, nil)
	return err
}
