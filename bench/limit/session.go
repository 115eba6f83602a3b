package main

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver
)

type server struct {
	db     *sql.DB
	tokens tokens
	free   chan *session
	told   chan told
}

// session is one connection with every statement prepared on it: database/sql finds a statement's connection at once.
type session struct {
	conn *sql.Conn
	stmt map[*string]*sql.Stmt
}

// statements are prepared on every connection.
var statements = []*string{&sqlAccount, &sqlHomeOrders, &sqlMates[1], &sqlMates[2], &sqlMates[3], &sqlMates[4], &sqlFirstPage, &sqlNextPage, &sqlPayable,
	&sqlKey, &sqlTake, &sqlSpend, &sqlPayment, &sqlEvent, &sqlShare, &sqlOutbox, &sqlLeg, &sqlOwnLeg,
	&sqlPayableMany, &sqlMergeKey, &sqlTakeMany, &sqlShares}

func open(ctx context.Context, dsn string, n int) (*server, error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n + 2)
	db.SetMaxIdleConns(n + 2)
	s := &server{db: db, free: make(chan *session, n), told: make(chan told, 1<<16)}
	var key string
	if err := db.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = 'auth.development_key'").Scan(&key); err != nil {
		return nil, fmt.Errorf("the development key: %w", err)
	}
	if s.tokens.key, err = base64.StdEncoding.DecodeString(key); err != nil {
		return nil, err
	}
	for range n {
		one, err := newSession(ctx, db)
		if err != nil {
			return nil, err
		}
		s.free <- one
	}
	return s, nil
}

func newSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"); err != nil {
		return nil, err
	}
	one := &session{conn: conn, stmt: make(map[*string]*sql.Stmt, len(statements))}
	for _, text := range statements {
		if one.stmt[text], err = conn.PrepareContext(ctx, *text); err != nil {
			return nil, fmt.Errorf("%s: %w", *text, err)
		}
	}
	return one, nil
}

// exec runs a prepared statement and tells how many rows it changed.
func (q *request) exec(text *string, args ...any) (int64, error) {
	r, err := q.db.stmt[text].ExecContext(q.ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", strings.Fields(*text)[:3], err)
	}
	return r.RowsAffected()
}

// inTx runs fn between BEGIN and COMMIT on the request's session.
func (q *request) inTx(fn func() error) error {
	q.ctx = context.WithoutCancel(q.ctx) // a transaction runs to its end
	if _, err := q.db.conn.ExecContext(q.ctx, "START TRANSACTION"); err != nil {
		return err
	}
	if err := fn(); err != nil {
		_, _ = q.db.conn.ExecContext(q.ctx, "ROLLBACK")
		return err
	}
	_, err := q.db.conn.ExecContext(q.ctx, "COMMIT")
	return err
}
