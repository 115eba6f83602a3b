package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// strictMode makes every server refuse what it would otherwise bend: too long, out of range, zero dates.
const strictMode = "'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

// statementTimeout bounds a read or write on the wire, in place of a context inside transactions. It is far above any
// lock wait.
const statementTimeout = 30 * time.Second

func (d *DB) openMySQL(ctx context.Context, text string, o Options) (gorm.Dialector, error) {
	d.dialect, d.shared.dialect = MySQL, MySQL
	cfg, err := mysqlConfig(text, o)
	if err != nil {
		return nil, err
	}
	d.open = func() (*sql.DB, error) { // migrations: a DDL statement on a large table takes its time
		slow := cfg.Clone()
		slow.ReadTimeout, slow.WriteTimeout = 0, 0
		c, err := mysql.NewConnector(slow)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(c), nil
	}
	base, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	open := func(setup ...string) *sql.DB {
		pool := sql.OpenDB(&connector{Connector: base, shared: d.shared, setup: append(setup, readCommitted)})
		pool.SetMaxOpenConns(o.MaxOpen)
		pool.SetMaxIdleConns(o.MaxIdle)
		pool.SetConnMaxLifetime(30 * time.Minute) // so that a proxy or a new master gets its share
		return pool
	}
	d.read, d.begin = open(), open(noAutocommit)
	d.write = d.read
	if err := d.Ping(ctx); err != nil {
		return nil, err
	}
	// RETURNING is unknown to MySQL and TiDB, and on MariaDB it makes DoNothing report a row (engines.md 1.6).
	return gormmysql.New(gormmysql.Config{Conn: d.read, DisableWithReturning: true, DSNConfig: cfg}), nil
}

// Spoken once per new connection, in words that MySQL 8, MariaDB and TiDB all understand.
const (
	readCommitted = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
	// noAutocommit makes the first statement begin the transaction: a round trip less than BEGIN.
	noAutocommit = "SET SESSION autocommit = 0"
)

func mysqlConfig(text string, o Options) (*mysql.Config, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the URL cannot be read: mysql://user:password@host:port/name, special characters percent-encoded")
	}
	name := strings.TrimPrefix(u.Path, "/")
	if u.Hostname() == "" || name == "" || u.User == nil {
		return nil, errors.New("the URL lacks user, host or name: mysql://user:password@host:port/name")
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", net.JoinHostPort(u.Hostname(), port), name
	cfg.Collation = "utf8mb4_bin"
	cfg.Logger = &mysql.NopLogger{} // a broken connection is told by the error
	cfg.ParseTime, cfg.Loc = true, time.UTC
	cfg.InterpolateParams = true // the first uses of a statement; later ones are prepared (conn.go)
	cfg.ClientFoundRows = false  // affected rows = changed rows
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = 10*time.Second, statementTimeout, statementTimeout
	cfg.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 strictMode,
		"innodb_lock_wait_timeout": fmt.Sprint(max(1, int(o.LockWait.Seconds()))),
	}
	for key, values := range u.Query() {
		if key != "tls" {
			return nil, fmt.Errorf("the URL has an unknown parameter %q (only tls is known)", key)
		}
		cfg.TLSConfig = values[0]
	}
	return cfg, nil
}
