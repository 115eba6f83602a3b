package database_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
)

const (
	insert = "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)"
	update = "UPDATE settings SET value = ? WHERE name = ?"
	choose = "SELECT value FROM settings WHERE name = ?"
)

var at = time.Date(2026, 11, 22, 1, 2, 3, 456789123, time.FixedZone("east", 8*3600))

func put(t testing.TB, ctx context.Context, db *database.DB, name, value string) {
	t.Helper()
	if n, err := db.Exec(ctx, insert, name, value, at); err != nil || n != 1 {
		t.Fatal(n, err)
	}
}

func get(t testing.TB, ctx context.Context, db *database.DB, name string) string {
	t.Helper()
	value := ""
	found, err := db.QueryRow(ctx, []any{&value}, choose, name)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return "absent"
	}
	return value
}

func TestDuplicateIsToldAndTheTransactionGoesOn(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		put(t, ctx, db, "a", "1")
		err := db.InTx(ctx, func(ctx context.Context) error {
			_, err := db.Exec(ctx, insert, "a", "2", at)
			if !database.IsDuplicate(err) {
				t.Error("not a duplicate:", err)
			}
			if err := db.Gorm(ctx).Exec(insert, "a", "2", at).Error; !database.IsDuplicate(err) {
				t.Error("not a duplicate through gorm:", err)
			}
			put(t, ctx, db, "b", "3")
			return nil
		})
		if err != nil || get(t, ctx, db, "b") != "3" || get(t, ctx, db, "a") != "1" {
			t.Fatal(err)
		}
		if database.IsDuplicate(nil) || database.IsDuplicate(errors.New("duplicate")) {
			t.Fatal("not a driver's error")
		}
	})
}

func TestChangedRowsAreCounted(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		put(t, ctx, db, "a", "1")
		for _, c := range []struct {
			value, where string
			rows         int64
		}{{"2", "a", 1}, {"3", "b", 0}} {
			if n, err := db.Exec(ctx, update, c.value, c.where); n != c.rows || err != nil {
				t.Error(c, n, err)
			}
		}
	})
}

// Times are UTC with microseconds on both engines, whatever was bound, through gorm or not.
func TestTimesRoundTrip(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		put(t, ctx, db, "a", "1")
		want := at.UTC().Truncate(time.Microsecond)
		for range 4 { // plain at first, then prepared: the two protocols of MySQL
			var got time.Time
			if _, err := db.QueryRow(ctx, []any{&got}, "SELECT updated_at FROM settings WHERE name = ?", "a"); err != nil || got != want {
				t.Fatalf("%v %v, not %v", err, got, want)
			}
			var n int
			_, err := db.QueryRow(ctx, []any{&n}, "SELECT COUNT(*) FROM settings WHERE updated_at = ? AND updated_at < ?", at, at.Add(time.Microsecond))
			if err != nil || n != 1 {
				t.Fatal("does not compare", n, err)
			}
		}
		var row struct{ UpdatedAt time.Time }
		if err := db.Gorm(ctx).Table("settings").Take(&row).Error; err != nil || row.UpdatedAt != want {
			t.Fatal(row, err)
		}
	})
}

// Keyset pages in the form that every engine answers from the index (engines.md 2b).
func TestKeysetForm(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		var want []string
		for i, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			when := at.Add(time.Duration(i/3) * time.Second) // equal times: the id decides
			if _, err := db.Exec(ctx, insert, name, "", when); err != nil {
				t.Fatal(err)
			}
			want = append(want, name)
		}
		slices.Reverse(want)
		var got []string
		last, lastAt := "zz", at.Add(time.Hour)
		for {
			n := 0
			err := db.Query(ctx, func(rows *sql.Rows) error {
				n++
				defer func() { got = append(got, last) }()
				return rows.Scan(&last, &lastAt)
			}, "SELECT name, updated_at FROM settings WHERE updated_at <= ? AND (updated_at < ? OR name < ?) ORDER BY updated_at DESC, name DESC LIMIT 2",
				lastAt, lastAt, last)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatal(got)
		}
	})
}

func TestCounterCountsEveryRoundTrip(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		db := home.DB
		for range 4 { // the same before and after statements are prepared
			ctx, counter := database.WithCounter(context.Background())
			boom := errors.New("boom")
			err := db.InTx(ctx, func(ctx context.Context) error {
				put(t, ctx, db, "a", "1")
				var names []string
				if err := db.Gorm(ctx).Table("settings").Where("name <> ?", "z").Pluck("name", &names).Error; err != nil {
					t.Error(err)
				}
				return boom
			})
			if !errors.Is(err, boom) {
				t.Fatal(err)
			}
			get(t, ctx, db, "a")
			_ = db.InTx(ctx, func(context.Context) error { return nil })
			var first []string
			for _, s := range counter.Statements() {
				word, _, _ := strings.Cut(s, " ")
				first = append(first, word)
			}
			want := []string{"BEGIN", "INSERT", "SELECT", "ROLLBACK", "SELECT", "BEGIN", "COMMIT"}
			if db.Dialect() == database.MySQL { // whose transactions begin with their first statement
				want = slices.DeleteFunc(want, func(s string) bool { return s == "BEGIN" })
			}
			if !slices.Equal(first, want) || counter.N() != len(want) {
				t.Fatal(counter.Statements())
			}
		}
		if db.Stats().RoundTrips < 20 || db.Stats().Prepares == 0 {
			t.Fatal(db.Stats())
		}
	})
}

func TestQueryStopsAtTheFirstError(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		put(t, ctx, db, "a", "1")
		put(t, ctx, db, "b", "1")
		boom, n := errors.New("boom"), 0
		err := db.Query(ctx, func(*sql.Rows) error { n++; return boom }, "SELECT name FROM settings")
		if !errors.Is(err, boom) || n != 1 {
			t.Fatal(n, err)
		}
		if _, err := db.QueryRow(ctx, []any{&n}, "SELECT nothing FROM settings WHERE name = ?", "a"); err == nil {
			t.Fatal("a wrong statement was run")
		}
	})
}

// More texts than a connection keeps prepared, while a transaction is open.
func TestManyStatements(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		err := home.DB.InTx(context.Background(), func(ctx context.Context) error {
			for range 4 {
				for n := range 150 {
					var got int
					if _, err := home.DB.QueryRow(ctx, []any{&got}, "SELECT ? + "+strings.Repeat("1 + ", n)+"0", 7); err != nil || got != 7+n {
						t.Fatal(got, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestConcurrentMigrations(t *testing.T) {
	ctx := context.Background()
	urls := map[string]string{
		"embedded": "sqlite://" + filepath.Join(t.TempDir(), "new folder?#%.db"),
		"mysql":    testenv.EmptyMySQL(t),
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			var wait sync.WaitGroup
			for range 3 {
				wait.Go(func() {
					db, err := database.Open(ctx, url, database.Options{})
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					if err := database.Migrate(ctx, db); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			db, err := database.Open(ctx, url, database.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if done, err := database.Migrated(ctx, db); !done || err != nil {
				t.Fatal(done, err)
			}
			put(t, ctx, db, "a", "1")
			if err := database.MigrateDown(ctx, db); err != nil {
				t.Fatal(err)
			}
			if done, _ := database.Migrated(ctx, db); done {
				t.Fatal("nothing was taken back")
			}
			if err := database.Migrate(ctx, db); err != nil { // every step can be done again
				t.Fatal(err)
			}
			if get(t, ctx, db, "a") != "absent" {
				t.Fatal("the table survived")
			}
		})
	}
}

func TestOpenTellsWhatDoesNotFit(t *testing.T) {
	for _, url := range []string{"", "postgres://x", "sqlite://", "mysql://host/name", "mysql://u:secret@/name", "mysql://u:secret@127.0.0.1:1", "mysql://u:secret@127.0.0.1:1/n?charset=latin1", "mysql://u:sec%ret@127.0.0.1/n"} {
		db, err := database.Open(context.Background(), url, database.Options{})
		if err == nil {
			_ = db.Close()
			t.Error("opened", url)
		} else if strings.Contains(err.Error(), "sec") {
			t.Error("tells the password:", err)
		}
	}
	_, err := database.Open(context.Background(), "mysql://u:p@127.0.0.1:1/n", database.Options{})
	if !database.IsUnavailable(err) {
		t.Error("nobody listens there:", err)
	}
}
