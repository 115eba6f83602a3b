package account_test

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/policy"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// ticking is a clock that moves by a microsecond with every look, so that no two changes have one time.
type ticking struct {
	mu  sync.Mutex
	now time.Time
}

func (c *ticking) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

type env struct {
	*account.Service
	t   testing.TB
	db  *database.DB
	ctx context.Context
}

func each(t *testing.T, test func(t *testing.T, e *env)) {
	rules, err := policy.Load("default")
	if err != nil {
		t.Fatal(err)
	}
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		c := &ticking{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
		test(t, &env{account.New(home.DB, c, idempotency.New(home.DB, home.Redis, c), rules), t, home.DB, context.Background()})
	})
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func opening() account.Opening {
	return account.Opening{Number: "A" + models.NewID().String(), Name: "Lin Xiaomei", Kind: models.AccountIndividual, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", Email: "lin@example.com", Phone: "+86 138 0013 8000"}
}

func (e *env) open(o account.Opening) models.Account {
	e.t.Helper()
	a, err := e.Open(e.ctx, o)
	e.must(err)
	return a
}

func yuan(text string) *input.Amount { return &input.Amount{Decimal: text, Currency: "CNY"} }

func ptr[T any](v T) *T { return &v }

func TestOpen(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		plain := e.open(opening())
		a, b, found, err := e.WithBalance(e.ctx, plain.ID)
		if err != nil || !found || a != plain {
			t.Fatalf("opened %+v, kept %+v (%v)", plain, a, err)
		}
		if a.Status != models.AccountActive || a.Identity != models.IdentityUnverified || !a.AutomaticSettlement || a.OperationProtection {
			t.Errorf("defaults: %+v", a)
		}
		if b.AccountID != a.ID || b.Currency != "CNY" || b.Spendable() != 0 || b.Version != 0 {
			t.Errorf("balance: %+v", b)
		}
		// D2: protection is on by default for enterprises. A real name verifies (contract.md §3).
		o := opening()
		o.Kind, o.RealName, o.CreditLimit, o.PartnerID = models.AccountEnterprise, "北京云图科技有限公司", yuan("5000"), plain.ID
		firm := e.open(o)
		if firm.Identity != models.IdentityVerified || !firm.OperationProtection || firm.PartnerID != plain.ID {
			t.Errorf("enterprise: %+v", firm)
		}
		if b, _, err := e.Balance(e.ctx, firm.ID); err != nil || b.CreditLimit != 500000 || b.Available() != 0 {
			t.Errorf("credit line: %+v (%v)", b, err)
		}
		if got, found, err := e.ByNumber(e.ctx, firm.Number); err != nil || !found || got != firm {
			t.Errorf("by number: %+v (%v)", got, err)
		}
		if got, err := e.ByIDs(e.ctx, []models.ID{plain.ID, firm.ID, models.NewID()}); err != nil || len(got) != 2 {
			t.Errorf("by ids: %+v (%v)", got, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		taken := e.open(opening())
		tests := []struct {
			name   string
			change func(*account.Opening)
			code   string
			field  string
		}{
			{"no number", func(o *account.Opening) { o.Number = "" }, "INVALID_INPUT", "number"},
			{"number that is taken", func(o *account.Opening) { o.Number = taken.Number }, "INVALID_INPUT", "number"},
			{"no name", func(o *account.Opening) { o.Name = " " }, "INVALID_INPUT", "name"},
			{"name too long", func(o *account.Opening) { o.Name = strings.Repeat("林", 201) }, "INVALID_INPUT", "name"},
			{"card number in the name", func(o *account.Opening) { o.Name = "4242-4242-4242-4242" }, "CARD_DATA_NOT_ACCEPTED", "name"},
			{"card number in the real name", func(o *account.Opening) { o.RealName = "Lin 378282246310005" }, "CARD_DATA_NOT_ACCEPTED", "realName"},
			{"unknown kind", func(o *account.Opening) { o.Kind = "" }, "INVALID_INPUT", "kind"},
			{"unknown region", func(o *account.Opening) { o.Region = "MARS" }, "INVALID_INPUT", "region"},
			{"unknown country", func(o *account.Opening) { o.Country = "ZZ" }, "INVALID_INPUT", "country"},
			{"country in small letters", func(o *account.Opening) { o.Country = "cn" }, "INVALID_INPUT", "country"},
			{"unknown entity", func(o *account.Opening) { o.SigningEntity = "X" }, "INVALID_INPUT", "signingEntity"},
			{"unknown currency", func(o *account.Opening) { o.Currency = "XXX" }, "INVALID_INPUT", "currency"},
			{"email", func(o *account.Opening) { o.Email = "not an address" }, "INVALID_INPUT", "email"},
			{"phone", func(o *account.Opening) { o.Phone = "call me" }, "INVALID_INPUT", "phone"},
			{"negative credit", func(o *account.Opening) { o.CreditLimit = yuan("-1") }, "AMOUNT_INVALID", "creditLimit"},
			{"credit finer than the currency", func(o *account.Opening) { o.CreditLimit = yuan("1.001") }, "AMOUNT_INVALID", "creditLimit"},
			{"credit in another currency", func(o *account.Opening) { o.CreditLimit = &input.Amount{Decimal: "1", Currency: "USD"} }, "CURRENCY_MISMATCH", "creditLimit"},
			{"partner that is not there", func(o *account.Opening) { o.PartnerID = models.NewID() }, "ACCOUNT_NOT_FOUND", "partnerId"},
		}
		for _, c := range tests {
			o := opening()
			c.change(&o)
			_, err := e.Open(e.ctx, o)
			if f, ok := fault.As(err); !ok || f.Code != c.code || !slices.Equal(f.Field, []string{"input", c.field}) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

// Lesson 10: the same key opens one account; the same number with another key is refused.
func TestOpenOnceForAKey(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o := opening()
		ctx := idempotency.With(e.ctx, idempotency.Request{Scope: "service", Mutation: "openAccount", Key: models.NewID().String(), Hash: sha256.Sum256([]byte(o.Number))})
		ids := make([]models.ID, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				a, err := e.Open(ctx, o)
				if err != nil {
					t.Error(err)
				}
				ids[i] = a.ID
			})
		}
		wg.Wait()
		if ids[0].IsZero() || len(slices.Compact(ids)) != 1 {
			t.Errorf("accounts %v", ids)
		}
		if _, err := e.Open(e.ctx, o); !fault.Is(err, "INVALID_INPUT") {
			t.Errorf("the number again: %v", err)
		}
	})
}

func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		a, partner := e.open(opening()), e.open(opening())
		got, err := e.Update(e.ctx, a.ID, account.Update{Identity: ptr(models.IdentityRequired), Region: ptr("OTHER"), SigningEntity: ptr("MAINLAND_OTHER"),
			CreditLimit: yuan("10"), PartnerID: &partner.ID, DedicatedAccountNumber: ptr("6217-0001"), RunningResources: ptr(int64(3))})
		if err != nil || got.Identity != models.IdentityRequired || got.Region != "OTHER" || got.SigningEntity != "MAINLAND_OTHER" ||
			got.PartnerID != partner.ID || got.DedicatedAccountNumber != "6217-0001" || got.RunningResources != 3 || got.Name != a.Name {
			t.Fatalf("%+v (%v)", got, err)
		}
		if b, _, err := e.Balance(e.ctx, a.ID); err != nil || b.CreditLimit != 1000 || b.Version != 0 {
			t.Errorf("%+v (%v)", b, err)
		}
		again, err := e.Update(e.ctx, a.ID, account.Update{CreditLimit: yuan("10.00")})
		if err != nil || again.Region != "OTHER" {
			t.Errorf("the same limit once more: %+v (%v)", again, err)
		}
		tests := []struct {
			name   string
			update account.Update
			want   string
		}{
			{"unknown region", account.Update{Region: ptr("MARS")}, "INVALID_INPUT at input.region"},
			{"unknown entity", account.Update{SigningEntity: ptr("X")}, "INVALID_INPUT at input.signingEntity"},
			{"unknown identity", account.Update{Identity: ptr(models.IdentityStatus("X"))}, "INVALID_INPUT at input.identity"},
			{"partner that is not there", account.Update{PartnerID: ptr(models.NewID())}, "ACCOUNT_NOT_FOUND at input.partnerId"},
			{"its own partner", account.Update{PartnerID: &a.ID}, "ACCOUNT_NOT_FOUND at input.partnerId"},
			{"negative resources", account.Update{RunningResources: ptr(int64(-1))}, "INVALID_INPUT at input.runningResources"},
			{"negative credit", account.Update{CreditLimit: yuan("-1")}, "AMOUNT_INVALID at input.creditLimit"},
			{"credit in another currency", account.Update{CreditLimit: &input.Amount{Decimal: "1", Currency: "USD"}}, "CURRENCY_MISMATCH at input.creditLimit"},
			{"half of it wrong", account.Update{CreditLimit: yuan("99"), Region: ptr("MARS")}, "INVALID_INPUT at input.region"},
		}
		for _, c := range tests {
			if _, err := e.Update(e.ctx, a.ID, c.update); err == nil || err.Error() != c.want {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if _, err := e.Update(e.ctx, partner.ID, account.Update{DedicatedAccountNumber: ptr("6217-0001")}); !fault.Is(err, "INVALID_INPUT") {
			t.Errorf("another account's dedicated number: %v", err)
		}
		if _, err := e.Update(e.ctx, models.NewID(), account.Update{}); !fault.Is(err, "ACCOUNT_NOT_FOUND") {
			t.Error(err)
		}
		if b, _, err := e.Balance(e.ctx, a.ID); err != nil || b.CreditLimit != 1000 {
			t.Errorf("a refused update changed the line: %+v (%v)", b, err)
		}
	})
}

// A credit line never goes below what is used of it.
func TestUpdateKeepsUsedCreditCovered(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o := opening()
		o.CreditLimit = yuan("10")
		a := e.open(o)
		_, err := e.db.Exec(e.ctx, "UPDATE balances SET credit_used = 400 WHERE account_id = ?", a.ID)
		e.must(err)
		if _, err := e.Update(e.ctx, a.ID, account.Update{CreditLimit: yuan("3.99")}); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") {
			t.Error(err)
		}
		_, err = e.Update(e.ctx, a.ID, account.Update{CreditLimit: yuan("4.00")})
		e.must(err)
	})
}

// ACTIVE → CLOSING → CLOSED, back from CLOSING alone; a closed account only reads (contract.md §7).
func TestUpdateStatus(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		a := e.open(opening())
		for _, s := range []models.AccountStatus{models.AccountClosing, models.AccountClosing, models.AccountActive, models.AccountClosing, models.AccountClosed} {
			if got, err := e.Update(e.ctx, a.ID, account.Update{Status: &s}); err != nil || got.Status != s {
				t.Fatalf("to %s: %s (%v)", s, got.Status, err)
			}
		}
		for _, u := range []account.Update{{Status: ptr(models.AccountActive)}, {Region: ptr("CN")}, {}} {
			if _, err := e.Update(e.ctx, a.ID, u); !fault.Is(err, "ACCOUNT_NOT_ACTIVE") {
				t.Errorf("%+v: %v", u, err)
			}
		}
		if _, err := e.Update(e.ctx, e.open(opening()).ID, account.Update{Status: ptr(models.AccountStatus("ASLEEP"))}); !fault.Is(err, "INVALID_INPUT") {
			t.Error(err)
		}
	})
}
