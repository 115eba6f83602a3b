package verification_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/verification"
	"paydesk/internal/platform/ratelimit"
	"paydesk/internal/platform/seal"
	"paydesk/models"
)

// app is what an authenticator app makes of the address it scanned.
type app struct{ secret string }

func scan(t testing.TB, uri string) app {
	t.Helper()
	key, err := otp.NewKeyFromURL(uri)
	if err != nil || key.Type() != "totp" || key.Period() != 30 || key.Digits() != otp.DigitsSix || key.Issuer() != "paydesk" {
		t.Fatalf("%s: %v", uri, err)
	}
	return app{key.Secret()}
}

func (a app) at(t testing.TB, when time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(a.secret, when)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (w *world) person() verification.Person {
	return verification.Person{AccountID: w.firm.ID, UserID: w.user, Name: "Wang Wei: 财务"}
}

// enrolled binds an app: with a code by SMS, for the account is protected.
func (w *world) enrolled() app {
	w.Helper()
	uri, err := w.Enroll(w.ctx, w.person(), w.code(models.SceneSettings))
	w.must(err)
	a := scan(w.TB, uri)
	w.must(w.Confirm(w.ctx, w.person(), a.at(w.TB, w.wall.Now())))
	return a
}

// now is a code of the step that has just begun, so that it is a new one.
func (w *world) next(a app) string {
	w.wall.advance(30 * time.Second)
	return a.at(w.TB, w.wall.Now())
}

// HW-R20: binding an app needs a code where protection is on; its first code ends it, and then its codes are taken for all scenes.
func TestAnAppIsBound(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		w.refused("confirmed before it was begun", w.Confirm(w.ctx, w.person(), "000000"), "INVALID_INPUT")
		_, err := w.Enroll(w.ctx, w.person(), "")
		f := w.refused("no code", err, "VERIFICATION_REQUIRED")
		if d, ok := f.Detail.(*fault.VerificationRequired); !ok || d.Scene != models.SceneSettings || len(d.Deliveries) != 2 {
			t.Errorf("%+v", f.Detail)
		}
		_, err = w.Enroll(w.ctx, w.person(), w.code(models.SceneWithdrawal))
		w.refused("a code of another scene", err, "VERIFICATION_FAILED")

		code := w.code(models.SceneSettings)
		uri, err := w.Enroll(w.ctx, w.person(), code)
		w.must(err)
		_, err = w.Enroll(w.ctx, w.person(), code)
		w.refused("its code once more", err, "VERIFICATION_FAILED")
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "otpauth" || strings.Count(u.Path, ":") != 1 || strings.Contains(uri, " ") {
			t.Error(uri, err)
		}
		a := scan(t, uri)
		first := a.at(t, w.wall.Now())
		w.refused("not confirmed yet", w.try(w.use(scene, first)), "VERIFICATION_FAILED")
		w.refused("wrong", w.Confirm(w.ctx, w.person(), other(first)), "VERIFICATION_FAILED")
		w.must(w.Confirm(w.ctx, w.person(), first))
		w.refused("nothing waits any more", w.Confirm(w.ctx, w.person(), first), "INVALID_INPUT")
		w.refused("the code that confirmed it", w.try(w.use(scene, first)), "VERIFICATION_FAILED")

		for _, s := range []models.VerificationScene{scene, models.SceneWithdrawal, models.SceneSettings} {
			u := w.use(s, w.next(a))
			u.OrderIDs = []models.ID{models.NewID()} // an app knows of no orders
			w.must(w.try(u))
		}
		f = w.refused("asked for one", w.try(w.use(scene, "")), "VERIFICATION_REQUIRED")
		if d := f.Detail.(*fault.VerificationRequired).Deliveries; len(d) != 3 || d[2].Kind != models.CodeByTOTP {
			t.Errorf("%+v", d)
		}
		sent, err := w.Send(w.ctx, verification.Sending{AccountID: w.firm.ID, UserID: w.user, Scene: scene, Kind: models.CodeByTOTP})
		if err != nil || sent != (verification.Sent{}) {
			t.Errorf("of TOTP nothing is sent: %+v %v", sent, err)
		}
		// It is the person's, whatever the account; another person of the account has none.
		w.firm = w.open("", "x@example.com")
		w.must(w.try(w.use(scene, w.next(a))))
		w.user = "chen@example.com"
		w.refused("somebody else", w.try(w.use(scene, w.next(a))), "VERIFICATION_FAILED")
	})
}

// RFC 6238 §5.2: a step earlier or later on the wall clock, and none twice; the product's clock says nothing to apps.
func TestSteps(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		a := w.enrolled()
		w.wall.advance(10 * time.Minute)
		w.clock.advance(24 * time.Hour)
		now := w.wall.Now()
		for _, c := range []struct {
			off  int
			code string
		}{{-2, "VERIFICATION_FAILED"}, {2, "VERIFICATION_FAILED"}, {-1, ""}, {-1, "VERIFICATION_FAILED"}, {0, ""}, {0, "VERIFICATION_FAILED"}, {1, ""}, {0, "VERIFICATION_FAILED"}, {1, "VERIFICATION_FAILED"}} {
			err := w.try(w.use(scene, a.at(t, now.Add(time.Duration(c.off)*30*time.Second))))
			if c.code == "" {
				w.must(err)
			} else {
				w.refused("a step of "+time.Duration(c.off).String(), err, c.code)
			}
			w.forgive()
		}
		// The same code at once: one uses it.
		u := w.use(scene, a.at(t, w.wall.Now().Add(time.Minute)))
		w.wall.advance(time.Minute)
		proofs := make([]verification.Proof, 5)
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
	})
}

// forgive takes wrong tries away, where a test means something else.
func (w *world) forgive() {
	w.Helper()
	_, err := w.DB.Exec(w.ctx, "UPDATE authenticators SET tries = 0 WHERE user_id = ?", w.user)
	w.must(err)
}

// Five wrong codes of an app within an hour of the wall clock, at once or one by one, when it is used and when it is bound.
func TestWrongAppCodes(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		a := w.enrolled()
		right := w.next(a)
		var mu sync.Mutex
		outcomes := map[string]int{}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				_, err := w.Check(w.ctx, w.use(scene, "x"+other(right)))
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
		if outcomes["VERIFICATION_FAILED"] != 5 || outcomes["TOO_MANY_ATTEMPTS"] != 45 {
			t.Error(outcomes)
		}
		w.told(w.refused("the right one", w.try(w.use(scene, right)), "TOO_MANY_ATTEMPTS"), "Wait up to an hour")
		w.clock.advance(time.Minute)
		w.must(w.try(w.use(scene, w.code(scene)))) // a code by SMS is another way
		uri, err := w.Enroll(w.ctx, w.person(), w.code(models.SceneSettings))
		w.must(err)
		again := scan(t, uri)
		w.refused("binding anew", w.Confirm(w.ctx, w.person(), again.at(t, w.wall.Now())), "TOO_MANY_ATTEMPTS")
		w.wall.advance(time.Hour - 30*time.Second)
		w.refused("not an hour later", w.try(w.use(scene, w.next(a)[:5])), "VERIFICATION_FAILED") // 30 s more have made it one
		w.must(w.try(w.use(scene, w.next(a))))
		w.must(w.Confirm(w.ctx, w.person(), w.next(again)))
		w.must(w.try(w.use(scene, w.next(again))))
		w.refused("the app before it", w.try(w.use(scene, w.next(a))), "VERIFICATION_FAILED")
	})
}

// A binding that was begun and not ended leaves the app as it was; of two that were begun the later one counts.
func TestBegunAnew(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		a := w.enrolled()
		var apps []app
		for range 2 {
			uri, err := w.Enroll(w.ctx, w.person(), w.next(a))
			w.must(err)
			apps = append(apps, scan(t, uri))
		}
		w.must(w.try(w.use(scene, w.next(a))))
		w.refused("the earlier one", w.Confirm(w.ctx, w.person(), w.next(apps[0])), "VERIFICATION_FAILED")
		w.must(w.Confirm(w.ctx, w.person(), w.next(apps[1])))
		w.must(w.try(w.use(scene, w.next(apps[1]))))
	})
}

// Where protection is off an app is bound without a code.
func TestUnprotected(t *testing.T) {
	each(t, 10, func(t *testing.T, w *world) {
		_, err := w.DB.Exec(w.ctx, "UPDATE accounts SET operation_protection = ? WHERE id = ?", false, w.firm.ID)
		w.must(err)
		uri, err := w.Enroll(w.ctx, w.person(), "")
		w.must(err)
		w.must(w.Confirm(w.ctx, w.person(), scan(t, uri).at(t, w.wall.Now())))
		away := &gone{Guesses: w.Guesses}
		uri, err = w.Enroll(w.ctx, w.person(), w.code(models.SceneSettings)) // one is bound by now
		w.must(err)
		w.Guesses = away
		if err := w.Confirm(w.ctx, w.person(), scan(t, uri).at(t, w.wall.Now())); !errors.Is(err, ratelimit.ErrAway) {
			t.Errorf("without Redis: %v", err)
		}
	})
}

// An app opens all accounts of its person: a new one in its place needs a code through whatever account it is asked for, one of the app or one
// that was sent.
func TestAnotherAppNeedsACode(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		protected := w.firm
		a := w.enrolled()
		w.firm = w.open("+86 139 0013 9001", "b@example.com")
		_, err := w.DB.Exec(w.ctx, "UPDATE accounts SET operation_protection = ? WHERE id = ?", false, w.firm.ID)
		w.must(err)
		_, err = w.Enroll(w.ctx, w.person(), "")
		f := w.refused("through an unprotected account", err, "VERIFICATION_REQUIRED")
		if d, ok := f.Detail.(*fault.VerificationRequired); !ok || d.Scene != models.SceneSettings || len(d.Deliveries) != 3 {
			t.Errorf("%+v", f.Detail)
		}
		_, err = w.Enroll(w.ctx, w.person(), other(w.next(a)))
		w.refused("a wrong code", err, "VERIFICATION_FAILED")
		for _, code := range []string{w.next(a), w.code(models.SceneSettings)} {
			uri, err := w.Enroll(w.ctx, w.person(), code)
			w.must(err)
			a = scan(t, uri)
			w.must(w.Confirm(w.ctx, w.person(), a.at(t, w.wall.Now())))
		}
		w.firm = protected
		w.must(w.try(w.use(scene, w.next(a))))
	})
}

// HW-R20: the account is told that an app was bound, in its own language, by all that it has; not while it is only begun.
func TestTheAccountIsTold(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		told := func() (n int) {
			all, err := w.messages.Of(w.ctx, w.firm.ID)
			w.must(err)
			for _, m := range all {
				if strings.Contains(m.Body, "Wang Wei: 财务 绑定") {
					n++
				}
			}
			return n
		}
		uri, err := w.Enroll(w.ctx, w.person(), w.code(models.SceneSettings))
		w.must(err)
		a := scan(t, uri)
		right := a.at(t, w.wall.Now())
		w.refused("wrong", w.Confirm(w.ctx, w.person(), other(right)), "VERIFICATION_FAILED")
		if n := told(); n != 0 {
			t.Errorf("%d messages before it was bound", n)
		}
		w.must(w.Confirm(w.ctx, w.person(), right))
		if n := told(); n != 2 {
			t.Errorf("%d messages, want an SMS and an e-mail", n)
		}
		w.must(w.DB.InTx(w.ctx, func(ctx context.Context) error { return w.ProtectionOff(ctx, w.firm) }))
		if l := w.letter(); !strings.Contains(l.Body, "操作保护已关闭") {
			t.Errorf("%+v", l)
		}
		back := errors.New("rolled back")
		err = w.DB.InTx(w.ctx, func(ctx context.Context) error { return errors.Join(w.ProtectionOff(ctx, w.firm), back) })
		all, failed := w.messages.Of(w.ctx, w.firm.ID)
		if !errors.Is(err, back) || failed != nil || len(all) != 5 { // a code, two letters twice
			t.Errorf("%d messages (%v, %v)", len(all), err, failed)
		}
	})
}

// The secret lies sealed; with another key its codes are not taken, those by SMS are.
func TestTheSecretIsSealed(t *testing.T) {
	each(t, 1000, func(t *testing.T, w *world) {
		a := w.enrolled()
		var sealed []byte
		_, err := w.DB.QueryRow(w.ctx, []any{&sealed}, "SELECT secret FROM authenticators WHERE user_id = ?", w.user)
		w.must(err)
		plain, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(a.secret)
		if err != nil || len(plain) != 20 || len(sealed) != 48 || bytes.Contains(sealed, plain) || bytes.Contains(sealed, []byte(a.secret)) {
			t.Errorf("%x holds %x (%v)", sealed, plain, err)
		}
		w.Seal, err = seal.New(bytes.Repeat([]byte{9}, seal.KeySize))
		w.must(err)
		w.refused("another key", w.try(w.use(scene, w.next(a))), "VERIFICATION_FAILED")
		w.must(w.try(w.use(scene, w.code(scene))))
		if log := w.log.String(); !strings.Contains(log, "another key") || strings.Contains(log, a.secret) || strings.Contains(log, w.user) {
			t.Error(log)
		}
	})
}
