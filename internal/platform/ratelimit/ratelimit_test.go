package ratelimit

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

const plenty = 1_000_000

// rates that refuse nobody, but where a test says so.
func rates(change func(*config.Rates)) config.Rates {
	r := config.Rates{User: plenty, Account: plenty, Money: plenty, SignIn: plenty, Guesses: 10}
	change(&r)
	return r
}

func limiter(client redis.UniversalClient, change func(*config.Rates)) *Limiter {
	l := New(client, rates(change), false, slog.New(slog.DiscardHandler))
	l.patience = time.Minute // a busy machine is no Redis that is away
	return l
}

func customer() *auth.Viewer {
	return &auth.Viewer{UserID: models.NewID().String(), Role: auth.Finance, AccountID: models.NewID()}
}

// Whatever two instances pass together is the budget, what came back meanwhile, and an unfinished lease each.
func TestInstancesShareABudget(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		const budget, lease, instances = 1200, 20, 2
		v, began := customer(), time.Now()
		var passed atomic.Int64
		var all sync.WaitGroup
		for range instances {
			l := limiter(home.Redis, func(r *config.Rates) { r.User = budget })
			for range 4 {
				all.Go(func() {
					for range budget / 2 {
						if l.Operation(t.Context(), v, "") == 0 {
							passed.Add(1)
						}
					}
				})
			}
		}
		all.Wait()
		most := budget + int(time.Since(began)*budget/time.Minute) + 1 + instances*(lease-1)
		if n := int(passed.Load()); n < budget || n > most {
			t.Fatalf("%d passed, want %d to %d", n, budget, most)
		}
	})
}

func TestSmallBudgetsAreExact(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		few := func(r *config.Rates) { r.Account, r.User, r.SignIn = 7, 5, 4 }
		one, two := limiter(home.Redis, few), limiter(home.Redis, few)
		first, second := customer(), customer()
		second.AccountID = first.AccountID
		count := func(v *auth.Viewer, address string) (passed int) {
			for range 6 {
				for _, l := range []*Limiter{one, two} {
					if l.Operation(t.Context(), v, address) == 0 {
						passed++
					}
				}
			}
			return passed
		}
		if n := count(first, ""); n != 5 {
			t.Errorf("%d of the first user's passed, want 5", n)
		}
		if n := count(second, ""); n != 2 {
			t.Errorf("%d of the second user's passed, want what the first has left of the account: 2", n)
		}
		if n := count(customer(), ""); n != 5 {
			t.Errorf("%d of another account's passed, want 5", n)
		}
		if a, b := count(nil, "192.0.2.1"), count(nil, "192.0.2.2"); a != 5 || b != 5 {
			t.Errorf("%d and %d of two addresses passed, want 5 each", a, b)
		}
	})
}

func TestAliasesCount(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		l, v := limiter(home.Redis, func(r *config.Rates) { r.Money = 40 }), customer()
		if w := l.Mutation(t.Context(), v, 30); w != 0 {
			t.Fatal("30 of 40 are refused", w)
		}
		if w := l.Mutation(t.Context(), v, 30); w < 25*time.Second || w > 31*time.Second {
			t.Fatalf("wait %v, want the time in which 20 come back: 30 s", w)
		}
		passed := 0
		for range 20 {
			if l.Mutation(t.Context(), v, 1) == 0 {
				passed++
			}
		}
		if passed != 10 {
			t.Fatalf("%d passed, want the 10 that were left", passed)
		}
		if w := l.Mutation(t.Context(), customer(), 41); w < 55*time.Second {
			t.Fatalf("more than the budget: wait %v", w)
		}
	})
}

// A wait that is told is true: it is not too short, and a refusal does not make it longer.
func TestTheWaitIsTrue(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		l := limiter(home.Redis, func(r *config.Rates) { r.Money, r.User = 600, 3000 })
		for name, ask := range map[string]func(v *auth.Viewer) time.Duration{
			"money": func(v *auth.Viewer) time.Duration { return l.Mutation(t.Context(), v, 4) },
			"user":  func(v *auth.Viewer) time.Duration { return l.Operation(t.Context(), v, "") },
		} {
			v := customer()
			wait := time.Duration(0)
			for n := 0; wait == 0; n++ {
				if wait = ask(v); n > 4000 {
					t.Fatal(name, ": never refused")
				}
			}
			for range 100 {
				if again := ask(v); again > wait {
					t.Fatalf("%s: %v, then %v", name, wait, again)
				}
			}
			if wait > 2*time.Second {
				t.Fatal(name, wait)
			}
			time.Sleep(wait) // the wait itself is what is tested
			if w := ask(v); w > 0 {
				t.Errorf("%s: after %v another %v", name, wait, w)
			}
		}
	})
}

// What one budget has passed of an operation that another refused is not lost.
func TestRefusedOperationsCostNothing(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		l := limiter(home.Redis, func(r *config.Rates) { r.Money, r.Account = 30, 50 })
		v := customer()
		colleague := &auth.Viewer{UserID: "colleague", Role: auth.Finance, AccountID: v.AccountID}
		for range 30 {
			l.Operation(t.Context(), colleague, "")
		}
		if w := l.Mutation(t.Context(), v, 30); w == 0 {
			t.Fatal("29 more operations of the account passed, of 20")
		}
		for n := range 30 {
			if w := l.Mutation(t.Context(), v, 1); w != 0 {
				t.Fatalf("mutation %d of 30 has to wait %v", n+1, w)
			}
		}
		if l.Mutation(t.Context(), v, 1) == 0 {
			t.Fatal("31 of 30 passed")
		}
	})
}

func TestRoundTrips(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		if err := home.Redis.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		count := &trips{}
		home.Redis.AddHook(count)
		l, v := limiter(home.Redis, func(r *config.Rates) { r.User, r.Account, r.Money = 3000, 12000, 120 }), customer()
		if l.Mutation(t.Context(), v, 3) != 0 || count.n.Load() != 2 {
			t.Fatalf("%d trips, want 2: Redis did not know the script", count.n.Load())
		}
		for range 20 {
			before := count.n.Load()
			if w := l.Mutation(t.Context(), v, 2); w != 0 || count.n.Load() != before+1 {
				t.Fatalf("a mutation has to wait %v, with %d trips", w, count.n.Load()-before)
			}
		}
		before := count.n.Load()
		for range 500 {
			l.Operation(t.Context(), v, "")
		}
		if n := count.n.Load() - before; n < 10 || n > 14 {
			t.Errorf("%d trips for 500 operations, want one for each 50 of the user, and for each 200 of the account", n)
		}
		for l.Mutation(t.Context(), v, 20) == 0 {
		}
		before = count.n.Load()
		for range 100 {
			l.Mutation(t.Context(), v, 20)
		}
		if n := count.n.Load() - before; n != 0 {
			t.Errorf("who was refused is refused again with %d trips", n)
		}
	})
}

func TestServicesAndDevelopment(t *testing.T) {
	home := testenv.Embedded(t)
	few := rates(func(r *config.Rates) { r.User, r.Money = 3, 3 })
	count := func(l *Limiter, v *auth.Viewer) (passed int) {
		for l.Mutation(t.Context(), v, 1) == 0 {
			passed++
		}
		return passed
	}
	log := slog.New(slog.DiscardHandler)
	if n := count(New(home.Redis, few, false, log), &auth.Viewer{UserID: "desk", Role: auth.Operator}); n != 3 {
		t.Errorf("an operator: %d", n)
	}
	if n := count(New(home.Redis, few, false, log), &auth.Viewer{UserID: "shop", Role: auth.Service}); n < 300 || n > 310 {
		t.Errorf("a service: %d", n)
	}
	if n := count(New(home.Redis, few, true, log), customer()); n < 300 || n > 310 {
		t.Errorf("in development: %d", n)
	}
}

func TestWrongTokens(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		few := func(r *config.Rates) { r.SignIn = 4 }
		one, two := limiter(home.Redis, few), limiter(home.Redis, few)
		for n := range 4 {
			if w := two.SignIn(t.Context(), "192.0.2.1"); w != 0 {
				t.Fatalf("after %d wrong ones: wait %v", n, w)
			}
			one.Refused(t.Context(), "192.0.2.1")
		}
		for range 3 { // looking costs nothing
			if w := two.SignIn(t.Context(), "192.0.2.1"); w < 10*time.Second || w > 16*time.Second {
				t.Fatalf("after 4 wrong ones: wait %v, want 15 s", w)
			}
		}
		if w := one.SignIn(t.Context(), "192.0.2.2"); w != 0 {
			t.Fatalf("another address waits %v", w)
		}
	})
}

func TestTheTableIsBounded(t *testing.T) {
	table := newTable()
	for i := range kept * 2 {
		table.bucket(key{kind: kindAddress, subject: fmt.Sprint(i)})
	}
	n := 0
	for _, part := range table.parts {
		n += part.Len()
	}
	if n > kept {
		t.Fatalf("%d buckets are kept, want at most %d", n, kept)
	}
	first := table.bucket(key{kind: kindUser, subject: "x"})
	if table.bucket(key{kind: kindUser, subject: "x"}) != first {
		t.Fatal("the same key has two buckets")
	}
}

func TestGuesses(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		log := slog.New(slog.DiscardHandler)
		same := func(*config.Rates) {}
		one, two := limiter(home.Redis, same), New(home.Redis, rates(same), true, log) // as narrow in development
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				l := one
				if i%2 == 0 {
					l = two
				}
				wait, err := l.Guess(t.Context(), "topup", "acct_1")
				if err != nil {
					t.Error(err)
				} else if wait == 0 {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if passed.Load() != 10 {
			t.Fatalf("%d guesses at once passed, want 10", passed.Load())
		}
		if wait, err := two.Guess(t.Context(), "topup", "acct_1"); err != nil || wait < 59*time.Minute || wait > time.Hour {
			t.Fatal(wait, err)
		}
		for _, other := range []struct{ kind, subject string }{{"topup", "acct_2"}, {"verification", "acct_1"}} {
			if wait, err := one.Guess(t.Context(), other.kind, other.subject); wait != 0 || err != nil {
				t.Fatal(other, wait, err)
			}
		}
		for range 30 { // right ones are not counted
			if wait, err := one.Guess(t.Context(), "topup", "acct_3"); wait != 0 || err != nil {
				t.Fatal(wait, err)
			}
			two.Right(t.Context(), "topup", "acct_3")
		}
	})
}

// An hour slides: a guess is forgotten when it is an hour old, and not before.
func TestGuessesSlide(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		const span = 400 * time.Millisecond
		try := func() time.Duration {
			micros, err := guess.Run(t.Context(), home.Redis, []string{"slide"}, 3, span.Microseconds()).Int64()
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(micros) * time.Microsecond
		}
		var asked []time.Time // of guesses that passed
		for told := false; len(asked) < 8; {
			before := time.Now()
			wait := try()
			if wait > 0 {
				if told || wait > span {
					t.Fatalf("after the wait, if there was one (%v), another of %v", told, wait)
				}
				time.Sleep(wait + time.Millisecond) // the wait itself is what is tested
				told = true
				continue
			}
			told, asked = false, append(asked, before)
			if n := len(asked); n > 3 && time.Since(asked[n-4]) < span {
				t.Fatalf("four within %v", time.Since(asked[n-4]))
			}
		}
	})
}

func TestRedisAway(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		for how, shut := range map[string]func(*testenv.Link){"cut": (*testenv.Link).Cut, "hangs": (*testenv.Link).Hang} {
			client, gate := behind(t, home.RedisURL)
			l := limiter(client, func(r *config.Rates) { r.User, r.Money = 50, 20 })
			l.patience = patience
			v := customer()
			v.UserID += how
			if l.Operation(t.Context(), v, "") != 0 || l.Mutation(t.Context(), v, 1) != 0 {
				t.Fatal("refused from the start")
			}
			shut(gate)
			began, asked, passed, paid := time.Now(), 0, 0, 0
			for ; asked < 200; asked++ {
				if l.Operation(t.Context(), v, "") == 0 {
					passed++
				}
				if l.Mutation(t.Context(), v, 1) == 0 {
					paid++
				}
			}
			if passed < 50 || passed > 53 || paid < 20 || paid > 23 {
				t.Errorf("%v: %d operations and %d mutations passed, want about 50 and 20", how, passed, paid)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("%v: 400 requests took %v", how, took)
			}
			if wait, err := l.Guess(t.Context(), "topup", v.UserID); !errors.Is(err, ErrAway) || wait != 0 {
				t.Errorf("%v: a guess: %v, %v", how, wait, err)
			}
			gate.Pass()
			if wait, err := l.Guess(t.Context(), "topup", v.UserID); err != nil || wait != 0 {
				t.Errorf("%v: Redis is back: a guess: %v, %v", how, wait, err)
			}
			// Redis has passed one of 50, so ten in a row do; of what this process has passed there is one each 1.2 s.
			for until, row := time.Now().Add(10*time.Second), 0; row < 10; row++ {
				if l.Operation(t.Context(), v, "") > 0 {
					row = -1
				}
				if time.Now().After(until) {
					t.Fatalf("%v: Redis is back, and is not asked", how)
				}
			}
		}
	})
}

// Redis emptied at any moment: nobody is refused for it, and counting goes on.
func TestRedisEmptied(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		l, v := limiter(home.Redis, func(r *config.Rates) { r.Money = 10 }), customer()
		for range 3 {
			passed := 0
			for range 9 {
				if l.Mutation(t.Context(), v, 1) == 0 {
					passed++
				}
			}
			if passed != 9 {
				t.Fatalf("%d of 9 passed", passed)
			}
			if err := home.Redis.FlushDB(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			if err := home.Redis.ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Tries that were not looked at are told of, for metrics; without anybody to tell nothing happens.
func TestRefusedGuessesAreTold(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		l := limiter(home.Redis, func(r *config.Rates) { r.Guesses = 2 })
		l.RefusedGuess()
		told := 0
		l.OnRefusedGuess(func() { told++ })
		for range 5 {
			if _, err := l.Guess(t.Context(), "verification", "somebody"); err != nil {
				t.Fatal(err)
			}
		}
		l.RefusedGuess() // by a caller who counts tries in a row of its own
		if told != 4 {
			t.Errorf("told of %d, want three that Guess refused and one of a caller's", told)
		}
	})
}
