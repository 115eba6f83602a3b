package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// wire is a server that says what the test wants to a statement; it knows on which connection a transaction is open.
type wire struct {
	mu     sync.Mutex
	answer map[string]error
	conns  []*wireConn
}

func (w *wire) Connect(context.Context) (driver.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &wireConn{on: w}
	w.conns = append(w.conns, c)
	return c, nil
}

func (w *wire) Driver() driver.Driver { return nil }

type wireConn struct {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.QueryerContext
	driver.Pinger
	on     *wire
	open   []string // statements of the open transaction
	closed bool
}

func (c *wireConn) ExecContext(_ context.Context, text string, _ []driver.NamedValue) (driver.Result, error) {
	if err := c.on.answer[text]; err != nil {
		return nil, err
	}
	switch {
	case text == "COMMIT", text == "ROLLBACK":
		c.open = nil
	case !strings.HasPrefix(text, "SET "):
		c.open = append(c.open, text)
	}
	return driver.RowsAffected(1), nil
}
func (c *wireConn) Close() error                        { c.closed = true; return nil }
func (c *wireConn) ResetSession(context.Context) error  { return nil }
func (c *wireConn) IsValid() bool                       { return true }
func (c *wireConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }

// A session without autocommit begins its next transaction wherever the last one ended: one whose end the server refused,
// whatever its reason, must not leave statements behind for the next to commit.
func TestRefusedEndLeavesNothingOpen(t *testing.T) {
	odd := &mysql.MySQLError{Number: 1180, Message: "Got error 28 during COMMIT"}
	deadlock := &mysql.MySQLError{Number: 1213, Message: "Deadlock"}
	for name, answer := range map[string]map[string]error{
		"COMMIT refused":              {"COMMIT": odd},
		"COMMIT and ROLLBACK refused": {"COMMIT": odd, "ROLLBACK": odd},
		"ROLLBACK refused":            {"INSERT second": odd, "ROLLBACK": odd},
		"deadlock, ROLLBACK refused":  {"INSERT second": deadlock, "ROLLBACK": odd},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: answer}
			d := &DB{dialect: MySQL, shared: newShared(Options{})}
			d.begin = sql.OpenDB(&connector{Connector: w, shared: d.shared, setup: []string{noAutocommit}})
			t.Cleanup(func() { _ = d.begin.Close() })
			d.begin.SetMaxOpenConns(1)
			insert := func(ctx context.Context, text string) error { _, err := d.Exec(ctx, text); return err }
			err := d.InTx(t.Context(), func(ctx context.Context) error {
				if err := insert(ctx, "INSERT first"); err != nil {
					return err
				}
				return insert(ctx, "INSERT second")
			})
			if err == nil {
				t.Fatal("no error")
			}
			w.answer = nil
			if err := d.InTx(t.Context(), func(ctx context.Context) error {
				if err := insert(ctx, "INSERT third"); err != nil {
					return err
				}
				for _, c := range w.conns {
					if !c.closed && !slices.Equal(c.open, []string{"INSERT third"}) {
						t.Errorf("would be committed as well: %v", c.open)
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
