// Package settings reads and writes the small values that all instances share (table settings): the development clock's
// offset, keys that are made once.
package settings

import (
	"context"
	"time"
)

// Store is what it needs of the database (database.DB).
type Store interface {
	Exec(ctx context.Context, query string, args ...any) (rowsAffected int64, err error)
	QueryRow(ctx context.Context, dest []any, query string, args ...any) (found bool, err error)
}

// Get reads a value; found is false where nobody wrote one.
func Get(ctx context.Context, s Store, name string) (value string, found bool, err error) {
	found, err = s.QueryRow(ctx, []any{&value}, "SELECT value FROM settings WHERE name = ?", name)
	return value, found, err
}

// GetOrCreate reads a value, or writes the one that make gives. Of several instances that start at once one writes and
// all read the same.
func GetOrCreate(ctx context.Context, s Store, name string, make func() string) (string, error) {
	value, found, err := Get(ctx, s, name)
	if err != nil || found {
		return value, err
	}
	fresh := make()
	created, err := Create(ctx, s, name, fresh)
	if err != nil {
		return "", err
	}
	if created {
		return fresh, nil
	}
	value, _, err = Get(ctx, s, name)
	return value, err
}

// Create writes a value that is not there yet; false means that another was faster.
func Create(ctx context.Context, s Store, name, value string) (bool, error) {
	_, err := s.Exec(ctx, "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)", name, value, now())
	if err == nil {
		return true, nil
	}
	// Whatever the engine calls a duplicate: if the row is there now, another instance was faster.
	if _, found, again := Get(ctx, s, name); again == nil && found {
		return false, nil
	}
	return false, err
}

// Replace changes a value if it still is old (compare-and-set); false means that another changed it first.
func Replace(ctx context.Context, s Store, name, old, value string) (bool, error) {
	if old == value {
		return true, nil
	}
	n, err := s.Exec(ctx, "UPDATE settings SET value = ?, updated_at = ? WHERE name = ? AND value = ?", value, now(), name, old)
	return n > 0, err
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
