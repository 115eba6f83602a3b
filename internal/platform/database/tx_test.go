package database_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
)

var errBoom = errors.New("boom")

func TestInTxCommitsOrRollsBack(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		write := func(name string, result error) func(context.Context) error {
			return func(ctx context.Context) error { put(t, ctx, db, name, "1"); return result }
		}
		if err := db.InTx(ctx, write("good", nil)); err != nil {
			t.Fatal(err)
		}
		if err := db.InTx(ctx, write("bad", errBoom)); !errors.Is(err, errBoom) {
			t.Fatal(err)
		}
		if get(t, ctx, db, "good") != "1" || get(t, ctx, db, "bad") != "absent" {
			t.Fatal("wrong rows")
		}
	})
}

func TestInTxReadsItsOwnWritesAndOthersDoNot(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		outside, db := context.Background(), home.DB
		err := db.InTx(outside, func(ctx context.Context) error {
			put(t, ctx, db, "a", "1")
			var row struct{ Value string }
			if err := db.Gorm(ctx).Table("settings").Where("name = ?", "a").Take(&row).Error; err != nil || row.Value != "1" {
				t.Error(row, err)
			}
			if get(t, ctx, db, "a") != "1" || get(t, outside, db, "a") != "absent" {
				t.Error("seen from the wrong side")
			}
			return nil
		})
		if err != nil || get(t, outside, db, "a") != "1" {
			t.Fatal(err)
		}
	})
}

func TestPanicRollsBack(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		func() {
			defer func() {
				if recover() != "ouch" {
					t.Error("the panic was swallowed")
				}
			}()
			_ = db.InTx(ctx, func(ctx context.Context) error { put(t, ctx, db, "a", "1"); panic("ouch") })
		}()
		if get(t, ctx, db, "a") != "absent" {
			t.Fatal("the write stands")
		}
		put(t, ctx, db, "a", "2") // and nothing is locked
	})
}

func TestNestedJoins(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, counter := database.WithCounter(context.Background())
		db := home.DB
		err := db.InTx(ctx, func(ctx context.Context) error {
			put(t, ctx, db, "outer", "1")
			return db.InTx(ctx, func(ctx context.Context) error { put(t, ctx, db, "inner", "1"); return nil })
		})
		if ends := strings.Count(strings.Join(counter.Statements(), ""), "COMMIT"); err != nil || ends != 1 {
			t.Fatal(err, counter.Statements())
		}
		// An inner failure dooms the whole, even where the outer function forgets it.
		err = db.InTx(ctx, func(ctx context.Context) error {
			put(t, ctx, db, "outer2", "1")
			_ = db.InTx(ctx, func(ctx context.Context) error { return errBoom })
			return nil
		})
		if !errors.Is(err, errBoom) || get(t, ctx, db, "outer2") != "absent" {
			t.Fatal(err)
		}
	})
}

func TestAfterCommit(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		var ran []string
		hook := func(ctx context.Context, name string) {
			db.AfterCommit(ctx, func() { ran = append(ran, name+get(t, context.Background(), db, "a")) })
		}
		hook(ctx, "outside ")
		_ = db.InTx(ctx, func(ctx context.Context) error { hook(ctx, "never "); return errBoom })
		err := db.InTx(ctx, func(ctx context.Context) error {
			hook(ctx, "first ")
			err := db.InTx(ctx, func(ctx context.Context) error { hook(ctx, "second "); return nil })
			if len(ran) != 1 {
				t.Error("ran before the commit")
			}
			put(t, ctx, db, "a", "1")
			return err
		})
		if err != nil || !slices.Equal(ran, []string{"outside absent", "first 1", "second 1"}) {
			t.Fatal(ran, err)
		}
	})
}

// Once begun, a transaction runs to its end although its caller has gone; one not yet begun does not begin.
func TestCancelledCaller(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		db := home.DB
		ctx, cancel := context.WithCancel(context.Background())
		err := db.InTx(ctx, func(ctx context.Context) error { cancel(); put(t, ctx, db, "a", "1"); return nil })
		if err != nil || get(t, context.Background(), db, "a") != "1" {
			t.Fatal(err)
		}
		if err := db.InTx(ctx, func(context.Context) error { t.Error("begun"); return nil }); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

// Two transactions take two rows in opposite order: one is the victim of a real deadlock, runs again as a whole, and its
// hooks of the lost try are forgotten. On SQLite the second waits its turn.
func TestDeadlockIsRetried(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		put(t, ctx, db, "a", "0")
		put(t, ctx, db, "b", "0")
		var tries, hooks sync.Map // name → count, each written by one goroutine
		var both, wait sync.WaitGroup
		both.Add(2)
		add := func(m *sync.Map, name string) int {
			n, _ := m.LoadOrStore(name, 0)
			m.Store(name, n.(int)+1)
			return n.(int) + 1
		}
		run := func(name, first, second string) {
			err := db.InTx(ctx, func(ctx context.Context) error {
				try := add(&tries, name)
				db.AfterCommit(ctx, func() { add(&hooks, name) })
				if _, err := db.Exec(ctx, update, name, first); err != nil {
					return err
				}
				if try == 1 && db.Dialect() == database.MySQL {
					both.Done()
					both.Wait() // both hold their first row now
				}
				_, err := db.Exec(ctx, update, name, second)
				return err
			})
			if err != nil {
				t.Error(name, err)
			}
		}
		wait.Go(func() { run("x", "a", "b") })
		wait.Go(func() { run("y", "b", "a") })
		wait.Wait()
		a, b := get(t, ctx, db, "a"), get(t, ctx, db, "b")
		if a != b || a == "0" {
			t.Fatal("not one after the other:", a, b)
		}
		sum := func(m *sync.Map) (n int) { m.Range(func(_, v any) bool { n += v.(int); return true }); return n }
		want := map[string]int{database.MySQL: 3, database.SQLite: 2}[db.Dialect()]
		if sum(&tries) != want || sum(&hooks) != 2 || db.Stats().Retries != int64(want-2) {
			t.Fatal("tries", sum(&tries), "hooks", sum(&hooks), "retries", db.Stats().Retries)
		}
	})
}

// A function that swallows the deadlock must not go on outside a transaction: the server has rolled back, and what
// follows would stay on its own.
func TestSwallowedDeadlock(t *testing.T) {
	home := testenv.MySQL(t)
	ctx, db := context.Background(), home.DB
	put(t, ctx, db, "a", "0")
	put(t, ctx, db, "b", "0")
	locked, release := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		_ = db.InTx(ctx, func(ctx context.Context) error {
			for i := range 50 { // heavier than the other, so that the other is the victim
				_, _ = db.Exec(ctx, insert, string(rune('A'+i))+"heavy", "1", at)
			}
			_, _ = db.Exec(ctx, update, "heavy", "b")
			close(locked)
			<-release
			_, err := db.Exec(ctx, update, "heavy", "a")
			return err
		})
	})
	tries := 0
	err := db.InTx(ctx, func(ctx context.Context) error {
		tries++
		if tries > 1 {
			return nil
		}
		_, _ = db.Exec(ctx, update, "light", "a")
		<-locked
		close(release)
		_, err := db.Exec(ctx, update, "light", "b") // the deadlock, swallowed
		if !database.IsRetryable(err) {
			t.Error("no deadlock", err)
		}
		if _, err := db.Exec(ctx, insert, "stray", "1", at); err == nil {
			t.Error("a statement ran after the transaction was gone")
		}
		return nil
	})
	wait.Wait()
	if err != nil || tries != 2 || get(t, ctx, db, "stray") != "absent" {
		t.Fatal(err, tries)
	}
}

// A transaction session has no autocommit; what stands alone, before and after one, still takes effect at once.
func TestStandaloneStatementsTakeEffect(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db, other := context.Background(), home.DB, home.Open(t)
		_ = db.InTx(ctx, func(ctx context.Context) error { put(t, ctx, db, "undone", "1"); return errBoom })
		put(t, ctx, db, "alone", "1")
		if err := db.InTx(ctx, func(ctx context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if get(t, ctx, other, "alone") != "1" || get(t, ctx, other, "undone") != "absent" {
			t.Fatal("another instance sees something else")
		}
	})
}
