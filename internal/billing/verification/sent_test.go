package verification_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/verification"
	"paydesk/internal/money"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/ratelimit"
	"paydesk/models"
)

const scene = models.SceneCombinedPayment

// HW-34, D2: without a code it is said how one can come, and to whom, masked.
func TestRequired(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		f := w.refused("no code", w.try(w.use(scene, " ")), "VERIFICATION_REQUIRED")
		if !slices.Equal(f.Field, []string{"input", "verificationCode"}) {
			t.Error(f.Field)
		}
		want := []fault.VerificationDelivery{{Kind: models.CodeBySMS, Target: "138****8001"}, {Kind: models.CodeByEmail, Target: "f***@yuntu.example.com"}}
		if d, ok := f.Detail.(*fault.VerificationRequired); !ok || d.Scene != scene || !slices.Equal(d.Deliveries, want) {
			t.Errorf("%+v", f.Detail)
		}
		w.firm = w.open("", "a@example.com")
		f = w.refused("no telephone", w.try(w.use(scene, "")), "VERIFICATION_REQUIRED")
		if d := f.Detail.(*fault.VerificationRequired); len(d.Deliveries) != 1 || d.Deliveries[0].Kind != models.CodeByEmail {
			t.Errorf("%+v", d)
		}
		_, err := w.ask(scene, nil, nil)
		if f := w.refused("SMS without a telephone", err, "INVALID_INPUT"); !slices.Equal(f.Field, []string{"input", "kind"}) {
			t.Error(f.Field)
		}
		_, err = w.Send(w.ctx, verification.Sending{AccountID: w.firm.ID, UserID: w.user, Scene: scene, Kind: models.CodeByTOTP})
		w.refused("TOTP without an app", err, "INVALID_INPUT")
	})
}

// D2: protection is the account's switch, and the policy says for what.
func TestWanted(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		if !w.Wanted(w.firm) || w.Wanted(models.Account{}) {
			t.Error("an enterprise is protected, who is not is not")
		}
		changed := *w.Policy
		changed.Protection.Scenes = []models.VerificationScene{models.SceneSettings}
		w.Policy = &changed
		if w.Wanted(w.firm) || !w.WantedFor(w.firm, models.SceneSettings) {
			t.Error("the policy's scenes do not count")
		}
		if s := new(verification.Service); !s.Wanted(w.firm) {
			t.Error("the zero service does not know")
		}
	})
}

// D2: six digits, ten minutes, one use; what lies in the database and the log does not show them.
func TestACodeIsSentAndUsedOnce(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		sent, err := w.ask(scene, nil, nil)
		w.must(err)
		now := w.clock.Now()
		if sent.To != "138****8001" || !sent.ResendAt.Equal(now.Add(time.Minute)) || !sent.ExpiresAt.Equal(now.Add(10*time.Minute)) {
			t.Errorf("%+v", sent)
		}
		m := w.letter()
		if m.Kind != notify.SMS || m.To != w.firm.Phone || !regexp.MustCompile(`^\d{6}$`).MatchString(m.Code) || !strings.Contains(m.Body, m.Code+" is your code") {
			t.Errorf("%+v", m)
		}
		if all, _ := w.messages.Of(w.ctx, w.firm.ID); len(all) != 1 {
			t.Errorf("%d messages, want the one kind that was asked for", len(all))
		}
		w.hidden(m.Code)
		w.must(w.try(w.use(scene, " "+m.Code+" ")))
		w.refused("once more", w.try(w.use(scene, m.Code)), "VERIFICATION_FAILED")

		code := w.code(scene) // at once: the last one was used
		w.clock.advance(10*time.Minute - time.Microsecond)
		_, err = w.Check(w.ctx, w.use(scene, code))
		w.must(err)
		w.clock.advance(time.Microsecond)
		_, err = w.Check(w.ctx, w.use(scene, code))
		w.refused("ten minutes later", err, "VERIFICATION_FAILED")
		w.hidden(code)
	})
}

// hidden looks for a code in all that was written of codes and messages, and in the log.
func (w *world) hidden(code string) {
	w.Helper()
	for _, query := range []string{"SELECT CONCAT(subject, body, COALESCE(code, ''), recipient) FROM messages WHERE account_id = ?",
		"SELECT hash FROM verification_codes WHERE account_id = ?", "SELECT topics FROM outbox WHERE account_id = ?"} {
		if w.DB.Dialect() == "sqlite" {
			query = strings.ReplaceAll(query, "CONCAT(subject, body, COALESCE(code, ''), recipient)", "subject || body || hex(COALESCE(code, '')) || recipient")
		}
		w.must(w.DB.Query(w.ctx, func(rows *sql.Rows) error {
			var text []byte
			err := rows.Scan(&text)
			if strings.Contains(string(text), code) {
				w.Errorf("%s shows the code: %q", query, text)
			}
			return err
		}, query, w.firm.ID))
	}
	if strings.Contains(w.log.String(), code) || strings.Contains(w.log.String(), "138 0013") {
		w.Errorf("the log shows it: %s", w.log)
	}
}

// The message names scene and amount in the reader's language.
func TestTheMessage(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		ids := w.place(w.firm, false, "80.00", "70.00")
		for _, c := range []struct {
			locale, kind string
			scene        models.VerificationScene
			bound        bool
			want         []string
		}{
			{"en", notify.SMS, scene, true, []string{"payment of", "150.00", "100.00 from the balance", "50.00 online", "orders: 2", "10 minutes"}},
			{"zh-Hans", notify.Email, scene, true, []string{"用于支付", "150.00", "余额", "10 分钟"}},
			{"zh-Hant", notify.SMS, scene, true, []string{"用於支付", "150.00", "餘額", "10 分鐘"}},
			{"en", notify.SMS, scene, false, []string{"payment from balance and online together"}},
			{"zh-Hans", notify.SMS, models.SceneWithdrawal, false, []string{"用于提现"}},
			{"zh-Hant", notify.Email, models.SceneSettings, false, []string{"變更安全設定"}},
		} {
			in := verification.Sending{AccountID: w.firm.ID, UserID: w.user, Locale: c.locale, Scene: c.scene, Kind: models.VerificationKind(c.kind)}
			if c.bound {
				in.OrderIDs, in.Funding = ids, funding("100.00", "50.00")
			}
			w.clock.advance(time.Minute)
			_, err := w.Send(w.ctx, in)
			w.must(err)
			m := w.letter()
			for _, want := range append(c.want, m.Code) {
				if !strings.Contains(m.Body, want) || m.Code == "" || m.Kind != c.kind || (m.Kind == notify.Email) != (m.Subject != "") {
					t.Errorf("%s %s: %+v, want %q", c.locale, c.scene, m, want)
				}
			}
			if strings.Contains(m.Subject, m.Code) {
				t.Errorf("the subject shows the code: %s", m.Subject)
			}
		}
	})
}

// D2: bound to the person and the scene, and to orders and amounts where they were named; linked orders come along as they do in a payment.
func TestBound(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		loose, linked := w.place(w.firm, false, "100.00", "100.00"), w.place(w.firm, true, "50.00", "50.00")
		all := []models.ID{linked[1], loose[0], linked[0]} // in another order than it was asked for
		bound := verification.Use{AccountID: w.firm.ID, UserID: w.user, Scene: scene, OrderIDs: all, Balance: yuan("120.00"), Online: yuan("80.00")}
		with := func(change func(*verification.Use)) verification.Use { u := bound; change(&u); return u }
		stranger := w.open("", "x@example.com")
		wrong := map[string]verification.Use{
			"another person":       with(func(u *verification.Use) { u.UserID = "chen@example.com" }),
			"another account":      with(func(u *verification.Use) { u.AccountID = stranger.ID }),
			"another scene":        with(func(u *verification.Use) { u.Scene = models.SceneWithdrawal }),
			"another order":        with(func(u *verification.Use) { u.OrderIDs = []models.ID{linked[0], linked[1], loose[1]} }),
			"one order more":       with(func(u *verification.Use) { u.OrderIDs = append(slices.Clone(all), loose[1]) }),
			"without the linked":   with(func(u *verification.Use) { u.OrderIDs = []models.ID{linked[0], loose[0]} }),
			"other parts":          with(func(u *verification.Use) { u.Balance, u.Online = yuan("80.00"), yuan("120.00") }),
			"another amount":       with(func(u *verification.Use) { u.Online = yuan("80.01") }),
			"another currency":     with(func(u *verification.Use) { u.Balance.Currency, u.Online.Currency = "USD", "USD" }),
			"no orders, no amount": with(func(u *verification.Use) { u.OrderIDs, u.Balance, u.Online = nil, money.Money{}, money.Money{} }),
		}
		for name, u := range wrong {
			w.clock.advance(time.Minute)
			_, err := w.ask(scene, []models.ID{loose[0], linked[0]}, funding("120.00", "80.00"))
			w.must(err)
			u.Code = w.letter().Code
			w.refused(name, w.try(u), "VERIFICATION_FAILED")
			u = bound
			u.Code = w.letter().Code
			if err := w.try(u); err != nil {
				t.Errorf("after %s the right one: %v", name, err)
			}
		}
		// With orders alone any amounts, with neither any payment.
		for _, ids := range [][]models.ID{{loose[0], linked[1]}, nil} {
			w.clock.advance(time.Minute)
			_, err := w.ask(scene, ids, nil)
			w.must(err)
			w.must(w.try(with(func(u *verification.Use) { u.Code, u.Balance = w.letter().Code, yuan("1.00") })))
		}
		w.clock.advance(time.Minute)
		_, err := w.ask(scene, []models.ID{loose[0]}, nil)
		w.must(err)
		w.refused("orders alone are bound, too", w.try(with(func(u *verification.Use) { u.Code = w.letter().Code })), "VERIFICATION_FAILED")
		// With amounts alone any orders, and the letter says the amounts.
		w.clock.advance(time.Minute)
		_, err = w.ask(scene, nil, funding("120.00", "80.00"))
		w.must(err)
		letter := w.letter()
		if !strings.Contains(letter.Body, "200.00") || strings.Contains(letter.Body, "orders") {
			t.Error(letter.Body)
		}
		w.refused("amounts alone are bound, too", w.try(with(func(u *verification.Use) { u.Code, u.Online = letter.Code, yuan("80.01") })), "VERIFICATION_FAILED")
		w.must(w.try(with(func(u *verification.Use) { u.Code, u.OrderIDs = letter.Code, []models.ID{loose[1]} })))
	})
}

// What cannot be meant is refused before anything is sent.
func TestSendRefuses(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		ids, foreign := w.place(w.firm, false, "100.00"), w.place(w.open("1", ""), false, "100.00")
		dollars := funding("1", "1")
		dollars.Online = &input.Amount{Decimal: "1", Currency: "USD"}
		for _, c := range []struct {
			name  string
			scene models.VerificationScene
			ids   []models.ID
			f     *verification.Funding
			code  string
			field string
		}{
			{"somebody else's order", scene, append(slices.Clone(ids), foreign...), nil, "ORDER_NOT_FOUND", "input.orderIds.1"},
			{"no orders", scene, []models.ID{}, nil, "INVALID_INPUT", "input.orderIds"},
			{"too many", scene, make([]models.ID, 31), nil, "INVALID_INPUT", "input.orderIds"},
			{"orders of settings", models.SceneSettings, ids, nil, "INVALID_INPUT", "input.orderIds"},
			{"amounts of settings", models.SceneSettings, nil, funding("1", "1"), "INVALID_INPUT", "input.funding"},
			{"no balance", scene, ids, &verification.Funding{Online: &input.Amount{Decimal: "1", Currency: "CNY"}}, "INVALID_INPUT", "input.funding"},
			{"a balance of zero", scene, ids, funding("0.00", "1"), "AMOUNT_INVALID", "input.funding.balance"},
			{"nothing online", scene, ids, funding("1", "0"), "AMOUNT_INVALID", "input.funding.online.amount"},
			{"less than nothing", scene, ids, funding("1", "-1"), "AMOUNT_INVALID", "input.funding.online.amount"},
			{"another currency", scene, ids, dollars, "CURRENCY_MISMATCH", "input.funding.online.amount"},
			{"more than they cost", scene, ids, funding("50.01", "50.00"), "INVALID_INPUT", "input.funding"},
			{"more than can be", scene, ids, funding("92233720368547758.07", "1"), "INVALID_INPUT", "input.funding"},
			{"by a partner", scene, ids, &verification.Funding{Partner: true}, "INVALID_INPUT", "input.funding"},
		} {
			_, err := w.ask(c.scene, c.ids, c.f)
			if f := w.refused(c.name, err, c.code); strings.Join(f.Field, ".") != c.field {
				t.Errorf("%s: at %v", c.name, f.Field)
			}
		}
		if all, err := w.messages.Of(w.ctx, w.firm.ID); err != nil || len(all) > 0 {
			t.Error(all, err)
		}
	})
}

// D2: after 60 s another one, which replaces the first; so many a day for one account.
func TestResend(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		first := w.code(scene)
		w.clock.advance(59 * time.Second)
		_, err := w.ask(scene, nil, nil)
		f := w.refused("59 s later", err, "VERIFICATION_TOO_SOON")
		if d, ok := f.Detail.(*verification.TooSoon); !ok || !d.ResendAt.Equal(w.clock.Now().Add(time.Second)) || f.Args["seconds"] != 1 {
			t.Errorf("%+v %v", f.Detail, f.Args)
		}
		_, err = w.ask(models.SceneSettings, nil, nil) // another scene is no resend
		w.must(err)
		w.clock.advance(time.Second)
		second := w.code(scene)
		if first != second { // one time in a million they are the same
			w.refused("the older one", w.try(w.use(scene, first)), "VERIFICATION_FAILED")
		}
		w.must(w.try(w.use(scene, second)))
		for range 17 {
			w.clock.advance(time.Minute)
			w.code(scene)
		}
		w.clock.advance(time.Minute)
		_, err = w.ask(scene, nil, nil)
		w.told(w.refused("the 21st of a day", err, "TOO_MANY_ATTEMPTS"), "Too many codes were sent within 24 hours.")
		w.clock.advance(24 * time.Hour)
		w.code(scene)
	})
}

// Of those that ask at once one gets a code; a code that is over is forgotten in time.
func TestSendsAtOnce(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			all.Go(func() { _, errs[i] = w.ask(scene, nil, nil) })
		}
		all.Wait()
		fine := 0
		for _, err := range errs {
			if err == nil {
				fine++
			} else {
				w.refused("at once", err, "VERIFICATION_TOO_SOON")
			}
		}
		if fine != 1 {
			t.Errorf("%d codes were sent, want 1", fine)
		}
		w.clock.advance(31 * 24 * time.Hour)
		w.code(scene)
		var n int
		_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM verification_codes WHERE account_id = ?", w.firm.ID)
		if err != nil || n != 1 {
			t.Errorf("%d codes are kept, want the new one (%v)", n, err)
		}
	})
}

// D2: five wrong tries, counted though what they were for is rolled back; then not even the right one is looked at, until there is a new code.
func TestWrongTries(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		code := w.code(scene)
		for i := range 5 {
			w.refused(fmt.Sprint("wrong ", i), w.try(w.use(scene, other(code))), "VERIFICATION_FAILED")
			if i < 4 { // a right one counts nothing, and one that is rolled back is not used
				p, err := w.Check(w.ctx, w.use(scene, code))
				w.must(err)
				back := errors.New("rolled back")
				if err := w.DB.InTx(w.ctx, func(ctx context.Context) error { return errors.Join(w.Spend(ctx, p), back) }); !errors.Is(err, back) || is(err, "VERIFICATION_FAILED") {
					t.Fatal(err)
				}
			}
		}
		w.told(w.refused("the right one", w.try(w.use(scene, code)), "TOO_MANY_ATTEMPTS"), "Have a new one sent.")
		w.clock.advance(time.Minute)
		w.must(w.try(w.use(scene, w.code(scene))))
	})
}

// A hundred guesses at once: five are looked at, whatever Redis counts.
func TestGuessesAtOnce(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		code := w.code(scene)
		var mu sync.Mutex
		outcomes := map[string]int{}
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				_, err := w.Check(w.ctx, w.use(scene, other(code)))
				f, _ := fault.As(err)
				if f == nil {
					t.Error(err)
					return
				}
				mu.Lock()
				outcomes[f.Code]++
				mu.Unlock()
			})
		}
		all.Wait()
		if outcomes["VERIFICATION_FAILED"] != 5 || outcomes["TOO_MANY_ATTEMPTS"] != 95 {
			t.Error(outcomes)
		}
		w.refused("the right one", w.try(w.use(scene, code)), "TOO_MANY_ATTEMPTS")
	})
}

// One code at once by many: one uses it.
func TestSpentAtOnce(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		u := w.use(scene, w.code(scene))
		proofs := make([]verification.Proof, 10)
		for i := range proofs {
			var err error
			proofs[i], err = w.Check(w.ctx, u)
			w.must(err)
		}
		var all sync.WaitGroup
		errs := make([]error, len(proofs))
		for i := range proofs {
			all.Go(func() {
				errs[i] = w.DB.InTx(w.ctx, func(ctx context.Context) error { return w.Spend(ctx, proofs[i]) })
			})
		}
		all.Wait()
		fine := 0
		for _, err := range errs {
			if err == nil {
				fine++
			} else if !is(err, "VERIFICATION_FAILED") {
				t.Error(err)
			}
		}
		if fine != 1 {
			t.Errorf("%d used it, want 1", fine)
		}
		w.must(w.Spend(w.ctx, verification.Proof{})) // none was wanted
	})
}

// New codes give no more tries than the hour has; without Redis nothing is looked at, and the code is good for later.
func TestGuessesAnHour(t *testing.T) {
	each(t, 7, func(t *testing.T, w *world) {
		code := w.code(scene)
		for range 5 {
			w.refused("wrong", w.try(w.use(scene, other(code))), "VERIFICATION_FAILED")
		}
		w.clock.advance(time.Minute)
		code = w.code(scene)
		for range 2 {
			w.refused("wrong", w.try(w.use(scene, other(code))), "VERIFICATION_FAILED")
		}
		w.told(w.refused("the right one", w.try(w.use(scene, code)), "TOO_MANY_ATTEMPTS"), "Wait up to an hour")
		w.user = "chen@example.com" // somebody else is not held back by it
		w.must(w.try(w.use(scene, w.code(scene))))
	})
}

func TestRedisAway(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		code := w.code(scene)
		away := &gone{Guesses: w.Guesses}
		w.Guesses = away
		for _, given := range []string{code, other(code)} {
			if _, err := w.Check(w.ctx, w.use(scene, given)); !errors.Is(err, ratelimit.ErrAway) {
				t.Errorf("%v", err)
			}
		}
		w.Guesses = away.Guesses
		w.must(w.try(w.use(scene, code)))
	})
}

// gone is a Redis that does not answer; the limiter's own tests cut a real one off.
type gone struct{ verification.Guesses }

func (gone) Guess(context.Context, string, string) (time.Duration, error) {
	return 0, fmt.Errorf("%w: %w", ratelimit.ErrAway, context.DeadlineExceeded)
}
