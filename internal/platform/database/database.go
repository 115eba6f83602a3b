// Package database is the one door to SQL: it opens MySQL (or MariaDB, TiDB) and SQLite under the same rules, runs
// transactions with retries, and offers two ways to speak: gorm for reads that are composed, and Exec, Query and QueryRow
// for the hot paths. Both share one connection wrapper that prepares statements once per connection and counts round trips.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Dialects of SQL that a DB may speak.
const (
	MySQL  = "mysql"  // MySQL 8, MariaDB 10.11 and TiDB
	SQLite = "sqlite" // the embedded home
)

// Options of Open; the zero value is right for production.
type Options struct {
	// MaxOpen is the most connections of each of the two pools on MySQL, the one for transactions and the one for
	// everything else; 64 by default. The server must allow twice that for each instance (max_connections).
	MaxOpen  int
	MaxIdle  int           // MySQL: connections of each pool kept while idle, MaxOpen by default
	Readers  int           // SQLite: reading connections, 4 by default (there is always one writer)
	LockWait time.Duration // how long a statement waits for a lock, 5 s by default, whole seconds on MySQL
	// Relaxed gives up durability on a power cut (SQLite synchronous=NORMAL); for tests and demonstrations.
	Relaxed bool
	// Observe is called with the text of every statement before it runs; an error refuses the statement. Tests put the
	// grammar gate here.
	Observe func(text string) error
}

func (o Options) withDefaults() Options {
	if o.MaxOpen <= 0 {
		o.MaxOpen = 64
	}
	if o.MaxIdle <= 0 {
		o.MaxIdle = o.MaxOpen
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.LockWait <= 0 {
		o.LockWait = 5 * time.Second
	}
	return o
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect string
	read    *sql.DB // MySQL: statements that stand alone; SQLite: the reading pool, query_only
	write   *sql.DB // MySQL: the same pool; SQLite: the one writing connection
	begin   *sql.DB // MySQL: transactions, on sessions without autocommit; SQLite: the writing connection
	orm     *gorm.DB
	open    func() (*sql.DB, error) // a separate connection pool for migrations, without time limits
	shared  *shared
}

// Open connects to "sqlite:///path" or "mysql://user:password@host:port/name" (optional ?tls=true) and checks that the
// server answers. The error names the part of the URL that does not fit and never holds the password.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	o = o.withDefaults()
	d := &DB{shared: newShared(o)}
	var dialector gorm.Dialector
	var err error
	scheme, _, _ := strings.Cut(url, "://")
	switch scheme {
	case "mysql":
		dialector, err = d.openMySQL(ctx, url, o)
	case "sqlite":
		dialector, err = d.openSQLite(ctx, url, o)
	default:
		return nil, errors.New("database: the URL must begin with sqlite:// or mysql://")
	}
	if err == nil {
		d.orm, err = gorm.Open(dialector, gormConfig())
	}
	if err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return d, nil
}

// gormConfig: no PrepareStmt, because the connection wrapper prepares below gorm, for every caller; no TranslateError,
// because it hides the driver's error from IsDuplicate and the retries.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	}
}

// Close closes every connection; running transactions end as if the connection were lost.
func (d *DB) Close() error {
	var err error
	for _, pool := range d.pools() {
		err = errors.Join(err, pool.Close())
	}
	return err
}

// pools are the open pools, each once.
func (d *DB) pools() (out []*sql.DB) {
	for _, pool := range []*sql.DB{d.begin, d.write, d.read} { // SQLite: the writer first, so that a reader is the last to go
		if pool != nil && !slices.Contains(out, pool) {
			out = append(out, pool)
		}
	}
	return out
}

// Dialect says which SQL the database speaks: "mysql" or "sqlite".
func (d *DB) Dialect() string { return d.dialect }

// Gorm is for reads that are composed, and for writes inside InTx: it uses the transaction of ctx if there is one, else
// the reading pool, which on SQLite refuses to write.
func (d *DB) Gorm(ctx context.Context) *gorm.DB {
	g := d.orm.WithContext(ctx)
	if t := d.transaction(ctx); t != nil {
		g.Statement.ConnPool = t.sql
	}
	return g
}

// Ping asks both pools for an answer.
func (d *DB) Ping(ctx context.Context) error {
	for _, pool := range d.pools() {
		if err := pool.PingContext(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stats tells what the pools have done, for metrics.
type Stats struct {
	RoundTrips   int64 // statements, BEGIN, COMMIT and ROLLBACK
	Prepares     int64 // statements prepared on a connection: one more round trip each, once
	Retries      int64 // transactions run again after a conflict
	Reads        sql.DBStats
	Transactions sql.DBStats
}

// Stats tells what the pools have done since Open.
func (d *DB) Stats() Stats {
	return Stats{
		RoundTrips:   d.shared.trips.Load(),
		Prepares:     d.shared.prepares.Load(),
		Retries:      d.shared.retries.Load(),
		Reads:        d.read.Stats(),
		Transactions: d.begin.Stats(),
	}
}
