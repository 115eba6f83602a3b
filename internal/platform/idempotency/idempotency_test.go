package idempotency_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func keyed(input string) context.Context {
	return idempotency.With(context.Background(), idempotency.Request{Scope: "account", Mutation: "pay", Key: "key", Hash: sha256.Sum256([]byte(input))})
}

type desk struct {
	home  testenv.Home
	store *idempotency.Store
	made  atomic.Int64
}

// create has an effect of its own: a row in settings.
func (d *desk) create(ctx context.Context) (idempotency.Outcome, error) {
	out := idempotency.Outcome{Kind: "payment", Ref: models.NewID()}
	return out, d.home.DB.InTx(ctx, func(ctx context.Context) error {
		if err := d.store.Claim(ctx, out); err != nil {
			return err
		}
		_, err := d.home.DB.Exec(ctx, "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)", "effect."+out.Ref.String(), "", time.Now())
		d.made.Add(1)
		return err
	})
}

func (d *desk) effects(t *testing.T) (n int64) {
	t.Helper()
	if _, err := d.home.DB.QueryRow(context.Background(), []any{&n}, "SELECT COUNT(*) FROM settings WHERE name LIKE 'effect.%'"); err != nil {
		t.Fatal(err)
	}
	return n
}

func each(t *testing.T, fn func(t *testing.T, d *desk)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		fn(t, &desk{home: home, store: idempotency.New(home.DB, home.Redis, clock.System{})})
	})
}

// Lesson 10: same key, same input: one effect, the same outcome; other input: refused. Redis emptied between: the same.
func TestAKeyHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		first, replayed, err := d.store.Do(keyed("a"), d.create)
		if err != nil || replayed {
			t.Fatal(replayed, err)
		}
		for _, emptied := range []bool{false, true, true} {
			if emptied {
				d.home.Redis.FlushDB(context.Background())
			}
			again, replayed, err := d.store.Do(keyed("a"), d.create)
			if err != nil || !replayed || again != first {
				t.Errorf("emptied %v: %v %v %v", emptied, again, replayed, err)
			}
			if emptied {
				d.home.Redis.FlushDB(context.Background())
			}
			if _, _, err := d.store.Do(keyed("b"), d.create); !errors.Is(err, idempotency.Reused) {
				t.Errorf("emptied %v, other input: %v", emptied, err)
			}
		}
		if n := d.effects(t); n != 1 {
			t.Fatalf("%d effects", n)
		}
	})
}

// 20 parallel calls with one key, Redis emptied during them: one effect, everybody gets its outcome.
func TestParallelCallsWithOneKey(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		var wg sync.WaitGroup
		outcomes := sync.Map{}
		for i := range 20 {
			wg.Go(func() {
				if i%5 == 4 {
					d.home.Redis.FlushDB(context.Background())
				}
				out, _, err := d.store.Do(keyed("a"), d.create)
				if err != nil {
					t.Error(err)
				}
				outcomes.Store(out, true)
			})
		}
		wg.Wait()
		different := 0
		outcomes.Range(func(any, any) bool { different++; return true })
		if n := d.effects(t); n != 1 || different != 1 {
			t.Fatalf("%d effects, %d outcomes", n, different)
		}
	})
}

// A call that changed nothing is not kept: the key may be used again with corrected input (contract.md §4).
func TestNothingCreatedNothingKept(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		broke := errors.New("not enough balance")
		if _, _, err := d.store.Do(keyed("a"), func(context.Context) (idempotency.Outcome, error) { return idempotency.Outcome{}, broke }); !errors.Is(err, broke) {
			t.Fatal(err)
		}
		if _, replayed, err := d.store.Do(keyed("b"), d.create); err != nil || replayed {
			t.Fatal(replayed, err)
		}
	})
}

// While the first still runs, a second waits up to 2 s, then IDEMPOTENCY_IN_PROGRESS; with other input it is refused at once.
func TestWhileTheFirstRuns(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		running, finish := make(chan struct{}), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			_, _, err := d.store.Do(keyed("a"), func(ctx context.Context) (idempotency.Outcome, error) {
				close(running)
				<-finish
				return d.create(ctx)
			})
			done <- err
		}()
		<-running
		if _, _, err := d.store.Do(keyed("b"), d.create); !errors.Is(err, idempotency.Reused) {
			t.Error(err)
		}
		begin := time.Now()
		if _, _, err := d.store.Do(keyed("a"), d.create); !errors.Is(err, idempotency.InProgress) || time.Since(begin) < 1900*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		waiting := make(chan error, 1)
		go func() {
			_, replayed, err := d.store.Do(keyed("a"), d.create)
			if err == nil && !replayed {
				err = errors.New("happened twice")
			}
			waiting <- err
		}()
		close(finish)
		if err := errors.Join(<-done, <-waiting); err != nil {
			t.Error(err)
		}
		if n := d.effects(t); n != 1 {
			t.Fatalf("%d effects", n)
		}
	})
}

// Redis gone at any moment: slower, never double.
func TestWithoutRedis(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		gone := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
		t.Cleanup(func() { _ = gone.Close() })
		d.store = idempotency.New(d.home.DB, gone, clock.System{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, _, err := d.store.Do(keyed("a"), d.create); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := d.effects(t); n != 1 {
			t.Fatalf("%d effects", n)
		}
	})
}

// A call that takes long keeps its lock: who comes meanwhile is told so each time (contract.md §4), also after the lock of a
// dead process would have run out.
func TestALongCallKeepsItsLock(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		entered, release := make(chan struct{}), make(chan struct{})
		var first sync.WaitGroup
		first.Go(func() {
			_, _, err := d.store.Do(keyed("a"), func(ctx context.Context) (idempotency.Outcome, error) {
				close(entered)
				<-release
				return d.create(ctx)
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-entered
		for range 2 { // each waits two seconds
			if _, _, err := d.store.Do(keyed("a"), d.create); !errors.Is(err, idempotency.InProgress) {
				t.Errorf("%v, want %v", err, idempotency.InProgress)
			}
		}
		close(release)
		first.Wait()
		if n := d.effects(t); n != 1 {
			t.Errorf("%d effects", n)
		}
	})
}
