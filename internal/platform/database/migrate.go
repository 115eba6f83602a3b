package database

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"paydesk/migrations"
)

// migrating lets one goroutine of this process migrate at a time: SQLite has no lock of its own for it.
var migrating sync.Mutex

// Migrate brings the schema to the newest version. On MySQL one instance does it and the others wait (a lease in table
// goose_lock, 30 s, renewed while it works); a SQLite file belongs to one process.
func Migrate(ctx context.Context, d *DB) error {
	return d.withMigrations(ctx, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// MigrateDown takes back every migration, newest first: for tests and for emergencies, it drops all data.
func MigrateDown(ctx context.Context, d *DB) error {
	return d.withMigrations(ctx, func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, 0)
		return err
	})
}

// Migrated reports whether the schema is at the newest version this binary knows. It costs one statement.
func Migrated(ctx context.Context, d *DB) (bool, error) {
	newest, err := newestMigration(d.dialect)
	if err != nil {
		return false, err
	}
	var at sql.NullInt64
	if _, err := d.QueryRow(ctx, []any{&at}, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied"); err != nil {
		return false, err
	}
	return at.Int64 >= newest, nil
}

func newestMigration(dialect string) (int64, error) {
	names, err := fs.Glob(migrations.Files, dialect+"/*.sql")
	if err != nil || len(names) == 0 {
		return 0, err
	}
	return goose.NumericComponent(names[len(names)-1]) // Glob sorts, and the numbers have leading zeros
}

func (d *DB) withMigrations(ctx context.Context, fn func(*goose.Provider) error) (err error) {
	migrating.Lock()
	defer migrating.Unlock()
	pool, err := d.open()
	if err != nil {
		return fmt.Errorf("database: migrate: %w", err)
	}
	defer pool.Close()
	files, err := fs.Sub(migrations.Files, d.dialect)
	if err != nil {
		return fmt.Errorf("database: migrate: %w", err)
	}
	options := []goose.ProviderOption{goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true)}
	dialect := goose.DialectSQLite3
	if d.dialect == MySQL {
		dialect = goose.DialectMySQL
		locker, err := lock.NewMySQLTableLocker(
			lock.WithTableLockTimeout(100*time.Millisecond, 3000), // five minutes: another instance may have much to do
			lock.WithTableLeaseDuration(30*time.Second),
			lock.WithTableHeartbeatInterval(5*time.Second),
			lock.WithTableLogger(slog.New(slog.DiscardHandler)),
		)
		if err != nil {
			return fmt.Errorf("database: migrate: %w", err)
		}
		options = append(options, goose.WithLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return fmt.Errorf("database: migrate: %w", err)
	}
	if err := fn(provider); err != nil {
		return fmt.Errorf("database: migrate: %w", err)
	}
	return nil
}
