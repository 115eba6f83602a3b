package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"modernc.org/sqlite"
)

// openSQLite opens one writing connection (IMMEDIATE transactions in turn: nothing is ever busy) and a pool that only
// reads, each reader seeing the last commit (WAL). Measured in engines.md 3.
func (d *DB) openSQLite(ctx context.Context, text string, o Options) (gorm.Dialector, error) {
	d.dialect, d.shared.dialect = SQLite, SQLite
	path := strings.TrimPrefix(text, "sqlite://")
	if path == "" || path == "/" {
		return nil, errors.New("the URL lacks the file: sqlite:///path")
	}
	base := "file:" + (&url.URL{Path: path}).EscapedPath() + fmt.Sprintf(
		"?_busy_timeout=%d&_journal_mode=WAL&_foreign_keys=1&_time_format=sqlite&_timezone=UTC", o.LockWait.Milliseconds())
	synchronous := "FULL"
	if o.Relaxed {
		synchronous = "NORMAL"
	}
	writer := base + "&_txlock=immediate&_synchronous=" + synchronous
	d.open = func() (*sql.DB, error) {
		c, err := sqlite.NewConnector(writer)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(c), nil
	}
	var err error
	if d.write, err = d.sqlitePool(writer, 1); err != nil {
		return nil, err
	}
	d.begin = d.write
	if err := d.write.PingContext(ctx); err != nil { // makes the file before a reader looks for it
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if d.read, err = d.sqlitePool(base+"&_query_only=1", o.Readers); err != nil {
		return nil, err
	}
	return gormsqlite.New(gormsqlite.Config{DriverName: "sqlite", Conn: d.read}), nil
}

func (d *DB) sqlitePool(dsn string, size int) (*sql.DB, error) {
	c, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(&connector{Connector: c, shared: d.shared})
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool, nil
}
