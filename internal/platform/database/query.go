package database

import (
	"context"
	"database/sql"
)

// executor is a pool or a transaction.
type executor interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// Exec runs one statement and tells how many rows it changed (on MySQL a row that already had the new values does not
// count). It uses the transaction of ctx if there is one, else it stands alone. This is the cheap path: no gorm.
func (d *DB) Exec(ctx context.Context, text string, args ...any) (rowsAffected int64, err error) {
	var on executor = d.write
	if t := d.transaction(ctx); t != nil {
		on = t.sql
	}
	result, err := on.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query calls scan for every row, in order, and stops at its first error, which it returns. It uses the transaction of
// ctx if there is one, else the reading pool. Inside a transaction scan must not query: the connection is busy.
func (d *DB) Query(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := d.reader(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// QueryRow scans the first row into dest and tells whether there was one. It reads where Query reads.
func (d *DB) QueryRow(ctx context.Context, dest []any, text string, args ...any) (found bool, err error) {
	rows, err := d.reader(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return true, err
	}
	return true, rows.Close()
}

func (d *DB) reader(ctx context.Context) executor {
	if t := d.transaction(ctx); t != nil {
		return t.sql
	}
	return d.read
}
