package verification

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

const (
	period     = 30 // seconds of a time step (RFC 6238)
	skew       = 1  // steps that an app's clock may be off
	secretSize = 20 // bytes; RFC 4226 recommends as many
	// lockout is how long wrong codes of an app count: an app has no new code that would begin at none.
	lockout = time.Hour
)

// Person is who binds an app.
type Person struct {
	AccountID models.ID
	UserID    string // whose app it is, whatever the account
	Name      string // what the app shows
}

func (p Person) shown() string {
	if p.Name == "" {
		return p.UserID
	}
	return p.Name
}

// authenticator reads a person's app; false where nothing was ever begun.
func (s *Service) authenticator(ctx context.Context, user string) (a models.Authenticator, found bool, err error) {
	found, err = s.DB.QueryRow(ctx, []any{&a.UserID, &a.Secret, &a.Pending, &a.ConfirmedAt, &a.LastStep, &a.Tries, &a.TriesSince, &a.CreatedAt},
		"SELECT user_id, secret, pending, confirmed_at, last_step, tries, tries_since, created_at FROM authenticators WHERE user_id = ?", user)
	return a, found, err
}

// Enroll begins to bind an app and gives the address that it scans, once. One that is bound stays until Confirm. Where the account's
// protection is on it needs a code of the scene SETTINGS, and whatever the account where an app is bound already: the app opens all
// accounts of the person, so an unprotected one must not change it. Faults of Check.
func (s *Service) Enroll(ctx context.Context, who Person, code string) (uri string, err error) {
	account, err := s.accountOf(ctx, who)
	if err != nil {
		return "", err
	}
	app, _, err := s.authenticator(ctx, who.UserID)
	if err != nil {
		return "", err
	}
	bound := len(app.Secret) > 0
	var proof Proof
	if bound || s.WantedFor(account, models.SceneSettings) {
		if proof, err = s.Check(ctx, Use{AccountID: who.AccountID, UserID: who.UserID, Scene: models.SceneSettings, Code: code}); err != nil {
			return "", err
		}
	}
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	uri, err = provisioning(who, secret)
	if err != nil {
		return "", err
	}
	pending := s.Seal.Seal(secret, "authenticator", who.UserID)
	return uri, s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.Spend(ctx, proof); err != nil {
			return err
		}
		return s.begin(ctx, who.UserID, pending, bound)
	})
}

func (s *Service) accountOf(ctx context.Context, who Person) (models.Account, error) {
	a, found, err := s.Accounts.ByID(ctx, who.AccountID)
	if err == nil && !found {
		err = fault.New("ACCOUNT_NOT_FOUND")
	}
	return a, err
}

// issuer is what the app shows beside the name. Any app takes SHA-1, six digits and thirty seconds, and few take anything else.
const issuer = "paydesk"

func provisioning(who Person, secret []byte) (string, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: strings.ReplaceAll(who.shown(), ":", " "), Period: period, Secret: secret, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", err
	}
	u, err := url.Parse(key.URL())
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// begin keeps what waits for Confirm, if an app is bound just as it was when a code was asked for. Fault: VERIFICATION_REQUIRED, where one
// has been bound meanwhile.
func (s *Service) begin(ctx context.Context, user string, pending []byte, bound bool) error {
	again := func() (int64, error) {
		return s.DB.Exec(ctx, "UPDATE authenticators SET pending = ? WHERE user_id = ? AND (secret IS NOT NULL) = ?", pending, user, bound)
	}
	n, err := again()
	if err != nil || n > 0 {
		return err
	}
	now := s.wall()
	_, err = s.DB.Exec(ctx, "INSERT INTO authenticators (user_id, pending, last_step, tries, tries_since, created_at) VALUES (?,?,0,0,?,?)", user, pending, now, now)
	if database.IsDuplicate(err) {
		if n, err = again(); err == nil && n == 0 {
			err = fault.New("VERIFICATION_REQUIRED", inCode...).Because(&fault.VerificationRequired{Scene: models.SceneSettings})
		}
	}
	return err
}

// Confirm ends the binding with the app's first code. Faults at input.code: INVALID_INPUT where nothing was begun, VERIFICATION_FAILED,
// TOO_MANY_ATTEMPTS; ratelimit.ErrAway.
func (s *Service) Confirm(ctx context.Context, who Person, code string) error {
	field := []string{"input", "code"}
	account, err := s.accountOf(ctx, who)
	if err != nil {
		return err
	}
	app, found, err := s.authenticator(ctx, who.UserID)
	if err != nil {
		return err
	}
	if !found || len(app.Pending) == 0 {
		return fault.New("INVALID_INPUT", field...).With("case", "begin")
	}
	proof, err := s.guess(ctx, subjectOf(who.AccountID, who.UserID), strings.TrimSpace(code), field, []candidate{&appCode{s, app, app.Pending, 0}})
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(ctx context.Context) error {
		n, err := s.DB.Exec(ctx, "UPDATE authenticators SET secret = pending, pending = NULL, confirmed_at = ?, last_step = ? WHERE user_id = ? AND pending = ?",
			s.wall(), proof.step, who.UserID, app.Pending)
		if err == nil && n == 0 { // begun anew, or confirmed, meanwhile
			err = fault.New("VERIFICATION_FAILED", field...)
		}
		if err != nil {
			return err
		}
		return s.warn(ctx, account, "letter.app_bound", map[string]any{"user": who.shown()})
	})
}

// ProtectionOff tells an account, in the transaction of ctx, that its operation protection was turned off.
func (s *Service) ProtectionOff(ctx context.Context, a models.Account) error {
	return s.warn(ctx, a, "letter.protection_off", nil)
}

// warn tells an account, by all that it has, that its protection changed: whoever did not do it himself learns of it. The language is
// the account's, not that of the request, which may be a stranger's.
func (s *Service) warn(ctx context.Context, a models.Account, key string, args map[string]any) error {
	return s.Messages.Tell(ctx, notify.Letter{Account: a, Locale: locale.OfCountry(a.Country), Key: key, Args: args, At: s.Clock.Now()})
}

func (s *Service) wall() time.Time { return s.Wall().UTC().Truncate(time.Microsecond) }

// appCode is what an app shows: by its secret, after the step whose code was taken last.
type appCode struct {
	*Service
	models.Authenticator
	sealed []byte
	after  int64
}

func (c *appCode) charge(ctx context.Context) (bool, error) {
	now := c.wall()
	old := now.Add(-lockout)
	n, err := c.DB.Exec(ctx, "UPDATE authenticators SET tries = CASE WHEN tries_since <= ? THEN 1 ELSE tries + 1 END, tries_since = CASE WHEN tries_since <= ? THEN ? ELSE tries_since END "+
		"WHERE user_id = ? AND (tries < ? OR tries_since <= ?)", old, old, now, c.UserID, c.Policy.Protection.Codes.WrongTries, old)
	return n > 0, err
}

func (c *appCode) refund(ctx context.Context) error {
	_, err := c.DB.Exec(ctx, "UPDATE authenticators SET tries = tries - 1 WHERE user_id = ? AND tries > 0", c.UserID)
	return err
}

func (c *appCode) fits(given string) (p Proof, right bool) {
	secret, err := c.Seal.Open(c.sealed, "authenticator", c.UserID)
	if err != nil {
		c.Log.Warn("an authenticator's secret was sealed with another key: its codes are not taken")
		return p, false
	}
	now := c.wall().Unix() / period
	for step := now - skew; step <= now+skew; step++ {
		code, err := hotp.GenerateCode(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), uint64(step))
		if err == nil && subtle.ConstantTimeCompare([]byte(code), []byte(given)) == 1 && step > c.after && !right {
			p, right = Proof{user: c.UserID, step: step, kind: models.CodeByTOTP}, true
		}
	}
	return p, right
}
