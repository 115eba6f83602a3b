package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"paydesk/internal/billing/ledger"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// frozen is the rule of freezing beside model: what was code money comes back as code money, the rest as money that comes in.
type frozen struct{ amount, code int64 }

func (m *model) freeze(a int64) (frozen, bool) {
	f := frozen{a, min(m.code, a)}
	return f, m.spend(a)
}

func (m *model) unfreeze(f frozen) {
	m.code += f.code
	m.receive(f.amount - f.code)
}

// HW-33, contract §5: any history of freezing, releasing, charging and other movements gives the balance that the rule gives;
// nothing is ended twice.
func TestFreezesFollowTheRule(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l := ledger.New(db)
		rapid.Check(t, func(rt *rapid.T) {
			limit := rapid.Int64Range(0, 300).Draw(rt, "limit")
			account := newAccount(ctx, t, db, limit)
			code := rapid.Int64Range(0, 300).Draw(rt, "code")
			if code > 0 { // as a top-up code brings it
				give(ctx, t, home, l, account, code)
			}
			m, open, total := model{code: code, limit: limit}, map[string]frozen{}, int64(0)
			for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
				a, name := rapid.Int64Range(1, 300).Draw(rt, "amount"), fmt.Sprint("step", i)
				in := func(fn func(context.Context) error) error { return db.InTx(ctx, fn) }
				switch what := rapid.SampledFrom([]string{"in", "out", "freeze", "several", "release", "charge"}).Draw(rt, "what"); what {
				case "in":
					m.receive(a)
					must(rt, in(func(ctx context.Context) error {
						return l.Receive(ctx, movement(account, a, models.KindAdjustment, name, "clearing:ALIPAY"))
					}))
				case "out", "freeze":
					err := in(func(ctx context.Context) error {
						if what == "freeze" {
							return l.Freeze(ctx, movement(account, a, "", name, ""))
						}
						return l.Spend(ctx, movement(account, a, models.KindAdjustment, name, "revenue"))
					})
					f, ok := m.freeze(a)
					var short *ledger.InsufficientError
					if ok != (err == nil) || err != nil && !errors.As(err, &short) {
						rt.Fatalf("%s %d: %v, rule %v %+v", what, a, err, ok, m)
					}
					if ok && what == "freeze" {
						open[name], total = f, total+a
					}
				case "several":
					amounts := rapid.SliceOfN(rapid.Int64Range(1, 120), 1, 5).Draw(rt, "amounts")
					several(rt, db, l, account, name, amounts, &m, open)
					total = frozenIn(open)
				default:
					reference := rapid.SampledFrom([]string{"none", "step0", "step1", "step2", "step3"}).Draw(rt, "which")
					f, there := open[reference]
					charge := min(a, f.amount)
					err := in(func(ctx context.Context) error {
						n, err := l.Unfreeze(ctx, movement(account, 0, "", reference, ""))
						if err == nil && n != f.amount {
							rt.Fatalf("%d came back of %d", n, f.amount)
						}
						if err != nil || what == "release" {
							return err
						}
						return l.Charge(ctx, movement(account, charge, models.KindAdjustment, name, "revenue"))
					})
					if !there {
						if !errors.Is(err, ledger.ErrNotFrozen) {
							rt.Fatal("ended what is not frozen:", err)
						}
						continue
					}
					must(rt, err)
					delete(open, reference)
					m.unfreeze(f)
					total -= f.amount
					if what == "charge" && !m.spend(charge) {
						rt.Fatal("the rule refuses a charge")
					}
				}
				b, err := l.Balance(ctx, account)
				if err != nil || b.Cash != m.cash || b.CodeMoney != m.code || b.CreditUsed != m.used || b.Frozen != total {
					rt.Fatalf("balance %+v (%v), rule %+v frozen %d", b, err, m, total)
				}
			}
			for reference := range open { // an audit wants a cause for what stays frozen
				must(rt, db.InTx(ctx, func(ctx context.Context) error {
					_, err := l.Unfreeze(ctx, movement(account, 0, "", reference, ""))
					return err
				}))
			}
		})
		clean(ctx, t, db)
	})
}

// several freezes amounts at once: all of them, each as if it were alone and after the one before, or none.
func several(t *rapid.T, db *database.DB, l *ledger.Ledger, account models.ID, name string, amounts []int64, m *model, open map[string]frozen) {
	ctx, after, sum := context.Background(), *m, int64(0)
	var ms []ledger.Movement
	fs, ok := map[string]frozen{}, true
	for i, a := range amounts {
		reference := name
		if i > 0 {
			reference = fmt.Sprint(name, ".", i)
		}
		ms = append(ms, movement(account, a, "", reference, ""))
		f, enough := after.freeze(a)
		fs[reference], ok, sum = f, ok && enough, sum+a
	}
	statements := 0
	err := db.InTx(ctx, func(ctx context.Context) error {
		ctx, counter := database.WithCounter(ctx)
		err := l.FreezeMany(ctx, ms)
		statements = counter.N()
		return err
	})
	var short *ledger.InsufficientError
	if have := m.cash + m.code + m.limit - m.used; errors.As(err, &short) && (short.Spendable.Minor != have || short.Required.Minor != sum) {
		t.Fatalf("%d of %d: %+v", have, sum, short)
	}
	if ok != (err == nil) || err != nil && short == nil || err == nil && statements != 6 {
		t.Fatalf("%v: %v after %d statements, rule %v", amounts, err, statements, ok)
	}
	if ok {
		*m = after
		maps.Copy(open, fs)
	}
}

func frozenIn(open map[string]frozen) (sum int64) {
	for _, f := range open {
		sum += f.amount
	}
	return sum
}

// What is frozen together is frozen once: one reference that is there already, or twice in it, and nothing is.
func TestSeveralFreezeOnce(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l, account, other := ledger.New(db), newAccount(ctx, t, db, 1000), newAccount(ctx, t, db, 1000)
		freeze := func(ms ...ledger.Movement) error {
			return db.InTx(ctx, func(ctx context.Context) error { return l.FreezeMany(ctx, ms) })
		}
		one := func(name string) ledger.Movement { return movement(account, 10, "", name, "") }
		if err := errors.Join(freeze(), freeze(one("a"), one("b"))); err != nil {
			t.Fatal(err)
		}
		for _, ms := range [][]ledger.Movement{{one("c"), one("b")}, {one("d"), one("d")}} {
			if err := freeze(ms...); !errors.Is(err, ledger.ErrAlreadyPosted) {
				t.Error(err)
			}
		}
		if err := freeze(one("e"), movement(other, 10, "", "e", "")); err == nil {
			t.Error("two accounts at once")
		}
		if b, err := l.Balance(ctx, account); err != nil || b.Frozen != 20 {
			t.Errorf("%+v %v", b, err)
		}
		if err := db.InTx(ctx, func(ctx context.Context) error {
			for _, name := range []string{"a", "b"} {
				if _, err := l.Unfreeze(ctx, one(name)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		clean(ctx, t, db)
	})
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// give brings code money: received as cash and turned, for codes come with another issue.
func give(ctx context.Context, t *testing.T, home testenv.Home, l *ledger.Ledger, account models.ID, amount int64) {
	t.Helper()
	if err := home.DB.InTx(ctx, func(ctx context.Context) error {
		if err := l.Receive(ctx, movement(account, amount, models.KindTopUpCode, "code", "codes")); err != nil {
			return err
		}
		if _, err := home.DB.Exec(ctx, "UPDATE postings SET cash_after = 0, code_money_after = ? WHERE account_id = ? AND seq IS NOT NULL", amount, account); err != nil {
			return err
		}
		_, err := home.DB.Exec(ctx, "UPDATE balances SET cash = 0, code_money = ? WHERE account_id = ?", amount, account)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// Lesson 13: a hold ends once, however many ends come at the same time; one of them charges or releases all of it.
func TestAFreezeEndsOnce(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l, account := ledger.New(db), newAccount(ctx, t, db, 0)
		if err := db.InTx(ctx, func(ctx context.Context) error {
			if err := l.Receive(ctx, movement(account, 500, models.KindAdjustment, "in", "clearing:ALIPAY")); err != nil {
				return err
			}
			return l.Freeze(ctx, movement(account, 400, "", "pay:1", ""))
		}); err != nil {
			t.Fatal(err)
		}
		var charged, released, refused atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				err := db.InTx(ctx, func(ctx context.Context) error {
					if _, err := l.Unfreeze(ctx, movement(account, 0, "", "pay:1", "")); err != nil || i%2 == 0 {
						return err
					}
					return l.Charge(ctx, movement(account, 400, models.KindAdjustment, "pay:1", "revenue"))
				})
				switch {
				case errors.Is(err, ledger.ErrNotFrozen):
					refused.Add(1)
				case err != nil:
					t.Error(err)
				case i%2 == 0:
					released.Add(1)
				default:
					charged.Add(1)
				}
			})
		}
		wg.Wait()
		b, _ := l.Balance(ctx, account)
		if want := 500 - 400*charged.Load(); refused.Load() != 19 || charged.Load()+released.Load() != 1 || b.Available() != want || b.Frozen != 0 {
			t.Fatalf("%d charged, %d released, %d refused: %+v", charged.Load(), released.Load(), refused.Load(), b)
		}
		clean(ctx, t, db)
	})
}

// A charge of what was frozen never fails, even where the credit line it came from is gone: that is arrears.
func TestAChargeNeverRefuses(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l, account := ledger.New(db), newAccount(ctx, t, db, 300)
		if err := db.InTx(ctx, func(ctx context.Context) error { return l.Freeze(ctx, movement(account, 250, "", "pay:1", "")) }); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, "UPDATE balances SET credit_limit = 100 WHERE account_id = ?", account); err != nil {
			t.Fatal(err)
		}
		if err := db.InTx(ctx, func(ctx context.Context) error {
			if _, err := l.Unfreeze(ctx, movement(account, 0, "", "pay:1", "")); err != nil {
				return err
			}
			return l.Charge(ctx, movement(account, 250, models.KindAdjustment, "pay:1", "revenue"))
		}); err != nil {
			t.Fatal(err)
		}
		if b, err := l.Balance(ctx, account); err != nil || b.CreditUsed != 100 || b.Cash != -150 || b.Frozen != 0 {
			t.Fatalf("%+v %v", b, err)
		}
		clean(ctx, t, db)
	})
}
