package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// newAccount makes an account with an empty balance and a credit line.
func newAccount(ctx context.Context, t testing.TB, db *database.DB, credit int64) models.ID {
	t.Helper()
	id := models.NewID()
	if err := db.InTx(ctx, func(ctx context.Context) error {
		a := models.Account{ID: id, Number: id.String(), Name: "test", Kind: models.AccountIndividual, Status: models.AccountActive, Region: "CN", Country: "CN", SigningEntity: "MAINLAND",
			Currency: "CNY", Identity: models.IdentityVerified, CreatedAt: now, UpdatedAt: now}
		if err := db.Gorm(ctx).Create(&a).Error; err != nil {
			return err
		}
		return db.Gorm(ctx).Create(&models.Balance{AccountID: id, Currency: "CNY", CreditLimit: credit, UpdatedAt: now}).Error
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

func movement(account models.ID, amount int64, kind models.TransactionKind, reference, book string) ledger.Movement {
	return ledger.Movement{AccountID: account, Amount: money.New(amount, "CNY"), Kind: kind, Reference: reference, Book: book, At: now}
}

func clean(ctx context.Context, t testing.TB, db *database.DB) {
	t.Helper()
	r, err := audit.Run(ctx, db, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Errorf("audit: %+v", f)
	}
}

// model is the rule in words of Go (contract.md §7): code money, then cash, then credit; what comes in repays credit first.
type model struct{ cash, code, limit, used int64 }

func (m *model) spend(a int64) bool {
	available := m.cash + m.code
	if available+m.limit-m.used < a {
		return false
	}
	fromCode := min(m.code, a)
	fromCash := min(max(m.cash, 0), a-fromCode)
	m.code -= fromCode
	m.cash -= fromCash
	m.used += a - fromCode - fromCash
	return true
}

func (m *model) receive(a int64) {
	repaid := min(m.used, a)
	m.used -= repaid
	m.cash += a - repaid
}

// HW-23, HW-24, HW-R5, PA-13: any history of money in and out gives the balance that the rule gives, and the books agree.
func TestLedgerFollowsTheRule(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l := ledger.New(db)
		rapid.Check(t, func(rt *rapid.T) {
			limit := rapid.Int64Range(0, 500).Draw(rt, "limit")
			account := newAccount(ctx, t, db, limit)
			m := model{limit: limit}
			for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
				a := rapid.Int64Range(1, 400).Draw(rt, "amount")
				in := rapid.Bool().Draw(rt, "in")
				err := db.InTx(ctx, func(ctx context.Context) error {
					if in {
						return l.Receive(ctx, movement(account, a, models.KindAdjustment, fmt.Sprint("in", i), "clearing:ALIPAY"))
					}
					return l.Spend(ctx, movement(account, a, models.KindAdjustment, fmt.Sprint("out", i), "revenue"))
				})
				var short *ledger.InsufficientError
				switch {
				case in:
					m.receive(a)
				case errors.As(err, &short):
					if have := m.cash + m.code + m.limit - m.used; short.Spendable.Minor != have || m.spend(a) {
						rt.Fatalf("refused %d although there is %d; told %d", a, have, short.Spendable.Minor)
					}
					err = nil
				default:
					if !m.spend(a) {
						rt.Fatalf("%d was spent of %+v", a, m)
					}
				}
				if err != nil {
					rt.Fatal(err)
				}
			}
			b, err := l.Balance(ctx, account)
			if err != nil || b.Cash != m.cash || b.CodeMoney != m.code || b.CreditUsed != m.used {
				rt.Fatalf("balance %+v (%v), rule %+v", b, err, m)
			}
		})
		clean(ctx, t, db)
	})
}

// Lesson 13: 50 parallel spendings of 3.00 on 100.00: 33 succeed, 1.00 is left.
func TestNoOverdraft(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l, account := ledger.New(db), newAccount(ctx, t, db, 0)
		if err := db.InTx(ctx, func(ctx context.Context) error {
			return l.Receive(ctx, movement(account, 10000, models.KindAdjustment, "in", "clearing:ALIPAY"))
		}); err != nil {
			t.Fatal(err)
		}
		var paid, short atomic.Int64
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				err := db.InTx(ctx, func(ctx context.Context) error {
					return l.Spend(ctx, movement(account, 300, models.KindAdjustment, fmt.Sprint("out", i), "revenue"))
				})
				var e *ledger.InsufficientError
				switch {
				case err == nil:
					paid.Add(1)
				case errors.As(err, &e):
					short.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if b, _ := l.Balance(ctx, account); paid.Load() != 33 || short.Load() != 17 || b.Available() != 100 {
			t.Fatalf("%d paid, %d short, %d left", paid.Load(), short.Load(), b.Available())
		}
		clean(ctx, t, db)
	})
}

// Lesson 12, HW-24: money that comes in between the refusal and the look at what there is must not give an insufficient
// balance of enough. On SQLite nobody comes in between.
func TestMoneyComesWhileItIsFoundMissing(t *testing.T) {
	ctx, home := context.Background(), testenv.MySQL(t)
	account, arrived := newAccount(ctx, t, home.DB, 0), 0
	db, err := database.Open(ctx, home.DatabaseURL, database.Options{Observe: func(text string) error {
		if !strings.HasPrefix(text, "SELECT currency, cash") || arrived > 0 {
			return nil
		}
		arrived++
		return home.DB.InTx(ctx, func(ctx context.Context) error {
			return ledger.New(home.DB).Receive(ctx, movement(account, 500, models.KindAdjustment, "in", "clearing:ALIPAY"))
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l := ledger.New(db)
	if err := db.InTx(ctx, func(ctx context.Context) error {
		return l.Spend(ctx, movement(account, 300, models.KindAdjustment, "out", "revenue"))
	}); err != nil || arrived != 1 {
		t.Fatal(err, arrived)
	}
	if b, err := l.Balance(ctx, account); err != nil || b.Available() != 200 {
		t.Fatal(b, err)
	}
	clean(ctx, t, db)
}

// Lesson 11: an event posts once, however often it is told.
func TestAnEventPostsOnce(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l, account := ledger.New(db), newAccount(ctx, t, db, 0)
		var posted, refused atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := db.InTx(ctx, func(ctx context.Context) error {
					return l.Receive(ctx, movement(account, 500, models.KindAdjustment, "once", "clearing:ALIPAY"))
				})
				switch {
				case err == nil:
					posted.Add(1)
				case errors.Is(err, ledger.ErrAlreadyPosted):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if b, _ := l.Balance(ctx, account); posted.Load() != 1 || refused.Load() != 19 || b.Cash != 500 {
			t.Fatalf("posted %d, refused %d, cash %d", posted.Load(), refused.Load(), b.Cash)
		}
		clean(ctx, t, db)
	})
}

// The audit must see what it is there for: each breach, made by hand, is found.
func TestAuditSeesBreaches(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, db := context.Background(), home.DB
		l, account := ledger.New(db), newAccount(ctx, t, db, 0)
		if err := db.InTx(ctx, func(ctx context.Context) error {
			return l.Receive(ctx, movement(account, 500, models.KindAdjustment, "in", "clearing:ALIPAY"))
		}); err != nil {
			t.Fatal(err)
		}
		clean(ctx, t, db)
		for breach, mend := range map[string]string{
			"UPDATE balances SET cash = cash + 1 WHERE account_id = ?":                    "UPDATE balances SET cash = cash - 1 WHERE account_id = ?",
			"UPDATE postings SET amount = amount + 1 WHERE account_id = ? AND leg = 0":    "UPDATE postings SET amount = amount - 1 WHERE account_id = ? AND leg = 0",
			"UPDATE postings SET cash_after = 7 WHERE account_id = ? AND seq IS NOT NULL": "UPDATE postings SET cash_after = 500 WHERE account_id = ? AND seq IS NOT NULL",
			"UPDATE balances SET frozen = 5 WHERE account_id = ?":                         "UPDATE balances SET frozen = 0 WHERE account_id = ?",
			"UPDATE balances SET currency = 'USD' WHERE account_id = ?":                   "UPDATE balances SET currency = 'CNY' WHERE account_id = ?",
		} {
			if _, err := db.Exec(ctx, breach, account); err != nil {
				t.Fatal(err)
			}
			if r, err := audit.Run(ctx, db, now); err != nil || r.Clean() {
				t.Errorf("not seen: %s (%v)", breach, err)
			}
			if _, err := db.Exec(ctx, mend, account); err != nil {
				t.Fatal(err)
			}
		}
		clean(ctx, t, db)
	})
}
