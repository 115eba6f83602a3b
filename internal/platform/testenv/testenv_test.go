package testenv

import (
	"context"
	"testing"
	"time"

	"paydesk/internal/platform/database"
)

func TestHomesAreFreshAndMigrated(t *testing.T) {
	ctx := context.Background()
	for range 2 {
		Each(t, func(t *testing.T, home Home) {
			done, err := database.Migrated(ctx, home.DB)
			if err != nil || !done {
				t.Fatal("not migrated", err)
			}
			if n, err := home.Redis.DBSize(ctx).Result(); err != nil || n != 0 {
				t.Fatal("redis is not empty", n, err)
			}
			if _, err := home.DB.Exec(ctx, "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)", "a", "b", time.Now()); err != nil {
				t.Fatal("the database is not fresh", err)
			}
			var value string
			if found, err := home.Open(t).QueryRow(ctx, []any{&value}, "SELECT value FROM settings WHERE name = ?", "a"); !found || err != nil {
				t.Fatal("another instance does not see it", err)
			}
			if err := home.Redis.Set(ctx, "k", 1, 300*time.Millisecond).Err(); err != nil {
				t.Fatal(err)
			}
			for home.Redis.Exists(ctx, "k").Val() == 1 { // ends when the key does: the home's time passes
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

func BenchmarkMySQL(b *testing.B) {
	for b.Loop() {
		MySQL(b)
	}
}
