package data

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"strconv"
	"time"

	"paydesk/models"
)

// flushAt is how many bytes of rows go into one statement; it stays below any server's max_allowed_packet.
const flushAt = 1 << 20

// writer collects rows for each table and sends them as multi-row INSERTs, one transaction for each flush.
type writer struct {
	conn   *sql.Conn
	tables []*table
	by     map[string]*table
	size   int
}

type table struct {
	head string
	rows []byte
}

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// The data are consistent by construction and new: no need to look for duplicates row by row, nor, where the user may
	// decide that, to write a log of it.
	_, _ = conn.ExecContext(ctx, "SET sql_log_bin = 0")
	for _, text := range []string{"SET unique_checks = 0", "SET time_zone = '+00:00'"} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return &writer{conn: conn, by: map[string]*table{}}, nil
}

// close gives the connection up instead of back: its session is not for others.
func (w *writer) close() {
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = w.conn.Close()
}

// row adds a row; columns is the list behind INSERT INTO, the same text for every row of a table.
func (w *writer) row(ctx context.Context, columns string, values ...any) error {
	t := w.by[columns]
	if t == nil {
		t = &table{head: "INSERT INTO " + columns + " VALUES "}
		w.by[columns] = t
		w.tables = append(w.tables, t)
	}
	before := len(t.rows)
	if before > 0 {
		t.rows = append(t.rows, ',')
	}
	t.rows = append(t.rows, '(')
	for i, v := range values {
		if i > 0 {
			t.rows = append(t.rows, ',')
		}
		t.rows = literal(t.rows, v)
	}
	t.rows = append(t.rows, ')')
	if w.size += len(t.rows) - before; w.size < flushAt {
		return nil
	}
	return w.flush(ctx)
}

func (w *writer) flush(ctx context.Context) error {
	tx, err := w.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, t := range w.tables {
		if len(t.rows) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, t.head+string(t.rows)); err != nil {
			_ = tx.Rollback()
			return err
		}
		t.rows = t.rows[:0]
	}
	w.size = 0
	return tx.Commit()
}

// literal writes a value as SQL; texts are our own.
func literal(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...)
	case models.ID:
		if v.IsZero() {
			return append(b, "NULL"...)
		}
		b = append(b, "x'"...)
		return append(hex.AppendEncode(b, v[:]), '\'')
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case time.Time:
		b = append(b, '\'')
		return append(v.UTC().AppendFormat(b, "2006-01-02 15:04:05.000000"), '\'')
	case string:
		b = append(b, '\'')
		for i := range len(v) {
			if v[i] == '\'' || v[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, v[i])
		}
		return append(b, '\'')
	}
	panic("data: no literal for this type")
}
