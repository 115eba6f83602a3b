package account_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/verification"
	"paydesk/models"
)

// codes stand in for verification.Service, whose own tests turn protection off with a real code: what is asked of it is seen here.
type codes struct {
	mu     sync.Mutex
	right  string
	checks []verification.Use
	spent  int
	spend  error
	told   int    // of protection that was turned off
	before func() // what happens between the look at the code and the change
}

func (c *codes) WantedFor(a models.Account, scene models.VerificationScene) bool {
	return a.OperationProtection && scene == models.SceneSettings
}

func (c *codes) Check(_ context.Context, u verification.Use) (verification.Proof, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks = append(c.checks, u)
	if u.Code != c.right {
		return verification.Proof{}, fault.New("VERIFICATION_REQUIRED", "input", "verificationCode")
	}
	if c.before != nil {
		c.before()
	}
	return verification.Proof{}, nil
}

func (c *codes) Spend(context.Context, verification.Proof) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spent++
	return c.spend
}

func (c *codes) ProtectionOff(context.Context, models.Account) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told++
	return nil
}

// D2, HW-R20: turning protection off needs a code, everything else does not; null keeps; all or nothing.
func TestUpdateSettings(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o := opening()
		o.Kind = models.AccountEnterprise
		firm, c := e.open(o), &codes{right: "123456"}
		turn := func(automatic, protection *bool, code string) (models.Account, error) {
			return e.UpdateSettings(e.ctx, account.Turning{AccountID: firm.ID, UserID: "wang", Code: code,
				Settings: account.Settings{AutomaticSettlement: automatic, OperationProtection: protection}}, c)
		}
		want := func(what string, a models.Account, err error, automatic, protection bool) {
			t.Helper()
			kept, _, failed := e.ByID(e.ctx, firm.ID)
			if err != nil || failed != nil || a.AutomaticSettlement != automatic || a.OperationProtection != protection || kept != a {
				t.Fatalf("%s: %+v, kept %+v (%v, %v)", what, a, kept, err, failed)
			}
		}
		a, err := turn(nil, nil, "")
		want("nothing", a, err, true, true)
		a, err = turn(ptr(false), ptr(true), "")
		want("settlement off, protection as it is", a, err, false, true)
		if len(c.checks) > 0 {
			t.Error("a code was asked for:", c.checks)
		}
		if _, err = turn(ptr(true), ptr(false), ""); !fault.Is(err, "VERIFICATION_REQUIRED") {
			t.Error("off without a code:", err)
		}
		a, _, err = e.ByID(e.ctx, firm.ID)
		want("nothing of it", a, err, false, true)
		if u := c.checks[0]; u.AccountID != firm.ID || u.UserID != "wang" || u.Scene != models.SceneSettings || u.Code != "" || u.OrderIDs != nil {
			t.Errorf("%+v", u)
		}
		c.spend = fault.New("VERIFICATION_FAILED", "input", "verificationCode")
		if _, err = turn(nil, ptr(false), "123456"); !fault.Is(err, "VERIFICATION_FAILED") {
			t.Error("a code that somebody else used:", err)
		}
		a, _, err = e.ByID(e.ctx, firm.ID)
		want("rolled back", a, err, false, true)
		if c.told > 0 {
			t.Error("the account is told of what did not happen")
		}
		c.spend = nil
		a, err = turn(ptr(true), ptr(false), "123456")
		want("off with its code", a, err, true, false)
		n := len(c.checks)
		a, err = turn(nil, ptr(false), "")
		want("off already", a, err, true, false)
		a, err = turn(nil, ptr(true), "")
		want("on again", a, err, true, true)
		if len(c.checks) != n {
			t.Error("a code was asked for to turn it on")
		}
		if c.told != 1 {
			t.Errorf("the account is told %d times that it was turned off", c.told)
		}
	})
}

// A closing account still turns its switches, a closed one only reads (contract.md §7).
func TestUpdateSettingsOfAClosedAccount(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		a := e.open(opening())
		_, err := e.Update(e.ctx, a.ID, account.Update{Status: ptr(models.AccountClosing)})
		e.must(err)
		_, err = e.UpdateSettings(e.ctx, account.Turning{AccountID: a.ID, Settings: account.Settings{AutomaticSettlement: ptr(false)}}, &codes{})
		e.must(err)
		_, err = e.Update(e.ctx, a.ID, account.Update{Status: ptr(models.AccountClosed)})
		e.must(err)
		for id, code := range map[models.ID]string{a.ID: "ACCOUNT_NOT_ACTIVE", models.NewID(): "ACCOUNT_NOT_FOUND"} {
			_, err = e.UpdateSettings(e.ctx, account.Turning{AccountID: id, Settings: account.Settings{AutomaticSettlement: ptr(true)}}, &codes{})
			if !fault.Is(err, code) {
				t.Errorf("%v, want %s", err, code)
			}
		}
	})
}

// What changes between the look and the change is looked at anew.
func TestSettingsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		o := opening()
		o.Kind = models.AccountEnterprise
		firm := e.open(o)
		// Somebody closes the account while the code is looked at: then nothing is turned.
		c := &codes{right: "1", before: func() {
			_, err := e.Update(e.ctx, firm.ID, account.Update{Status: ptr(models.AccountClosed)})
			e.must(err)
		}}
		_, err := e.UpdateSettings(e.ctx, account.Turning{AccountID: firm.ID, Code: "1", Settings: account.Settings{OperationProtection: ptr(false)}}, c)
		if !fault.Is(err, "ACCOUNT_NOT_ACTIVE") || c.spent != 0 {
			t.Error(err, c.spent)
		}

		// Off and on by turns, by many at once: every way off had its code, and nothing is lost.
		firm = e.open(func() account.Opening { o := opening(); o.Kind = models.AccountEnterprise; return o }())
		c = &codes{right: "1"}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				_, err := e.UpdateSettings(e.ctx, account.Turning{AccountID: firm.ID, Settings: account.Settings{OperationProtection: ptr(i%2 == 0)}}, c)
				if err != nil && !errors.Is(err, fault.ErrUnavailable) && !fault.Is(err, "VERIFICATION_REQUIRED") {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if a, _, err := e.ByID(e.ctx, firm.ID); err != nil || !a.OperationProtection {
			t.Errorf("turned off without a code: %+v (%v)", a, err)
		}
	})
}
