// Package verification keeps the codes that sensitive operations ask for (D2, HW-34, HW-R20): six digits sent by SMS or e-mail, or
// those of the person's authenticator app (RFC 6238). What is sent lies in the database as a keyed hash, what an app shares with us is
// sealed. A code belongs to the person (the token's sub), the account and the scene, and where it was asked for so to orders and amounts.
package verification

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/seal"
	"paydesk/models"
)

// Config is what a Service is made of; every field but Wall is needed.
type Config struct {
	DB       *database.DB
	Accounts Accounts
	Orders   Orders
	Policy   *policy.Policy
	Messages *notify.Desk
	Guesses  Guesses
	Seal     *seal.Box
	Clock    clock.Clock
	Log      *slog.Logger
	// SendsPerDay bounds the codes sent for one account within 24 hours.
	SendsPerDay int
	// Wall is the wall clock, where authenticator apps live; nil: time.Now.
	Wall func() time.Time
}

// Accounts is what verification asks of accounts.
type Accounts interface {
	ByID(ctx context.Context, id models.ID) (account models.Account, found bool, err error)
}

// Orders is what it asks of orders: those named and those linked to them, found as a payment finds them.
type Orders interface {
	ForPayment(ctx context.Context, account models.ID, ids []models.ID) (order.Paying, error)
}

// Guesses bounds wrong tries in all instances; it is ratelimit.Limiter.
type Guesses interface {
	// Guess counts a try before the code is looked at. An error, or a wait above zero: it must not be looked at.
	Guess(ctx context.Context, kind, subject string) (wait time.Duration, err error)
	// Right takes the last try back.
	Right(ctx context.Context, kind, subject string)
	// RefusedGuess counts a try that was not looked at, for metrics.
	RefusedGuess()
}

// Service sends and checks codes. Safe for concurrent use. The zero Service knows whether a code is wanted, and no more.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service {
	if c.Wall == nil {
		c.Wall = time.Now
	}
	return &Service{c}
}

// Use is what a person wants to do with a code. OrderIDs are the orders that the request named with those linked to them, Balance and
// Online what its funding says of each part: a code that was asked for with other ones does not fit. All are left out outside payments.
type Use struct {
	AccountID models.ID
	UserID    string // the token's sub
	Scene     models.VerificationScene
	Code      string // "" where none was given
	OrderIDs  []models.ID
	Balance   money.Money
	Online    money.Money
}

// Proof is a code that Check found right; Spend uses it up. The zero Proof stands for "none was wanted": spending it does nothing.
type Proof struct {
	account, code models.ID // of a code that was sent
	user          string    // of an app's code
	step          int64
	kind          models.VerificationKind
}

// Kind is how the code reached the person, for the records of what it was used for; empty where none was wanted.
func (p Proof) Kind() models.VerificationKind { return p.kind }

// Wanted reports whether a combined payment of this account needs a code (D2, HW-34).
func (s *Service) Wanted(a models.Account) bool { return s.WantedFor(a, models.SceneCombinedPayment) }

// WantedFor reports whether the scene needs a code: the account's operation protection is on, and the policy has the scene.
func (s *Service) WantedFor(a models.Account, scene models.VerificationScene) bool {
	return a.OperationProtection && (s.Policy == nil || slices.Contains(s.Policy.Protection.Scenes, scene))
}

// Where the code stands in every input but confirmTotp's.
var inCode = []string{"input", "verificationCode"}

// Check looks at a code. Call it before the transaction of what the code is for, outside any: a wrong try is counted whatever becomes
// of that, in the code's own row (D2: five) and by Guesses. Faults at input.verificationCode: VERIFICATION_REQUIRED with
// *fault.VerificationRequired where none was given; VERIFICATION_FAILED where it is wrong, used, expired, replaced, somebody else's, or
// for another scene, orders or amounts; TOO_MANY_ATTEMPTS, where it was not looked at. ratelimit.ErrAway: guesses cannot be counted now.
func (s *Service) Check(ctx context.Context, u Use) (Proof, error) {
	given := strings.TrimSpace(u.Code)
	if given == "" {
		return Proof{}, s.required(ctx, u)
	}
	sent, found, err := s.newest(ctx, u.AccountID, u.UserID, u.Scene)
	if err != nil {
		return Proof{}, err
	}
	app, bound, err := s.authenticator(ctx, u.UserID)
	if err != nil {
		return Proof{}, err
	}
	var open []candidate
	if now := s.Clock.Now(); found && sent.UsedAt == nil && sent.ExpiresAt.After(now) {
		open = append(open, &sentCode{s, sent, u})
	}
	if bound && len(app.Secret) > 0 {
		open = append(open, &appCode{s, app, app.Secret, app.LastStep})
	}
	return s.guess(ctx, subjectOf(u.AccountID, u.UserID), given, inCode, open)
}

// Spend uses the code up, in the transaction of what it is for. Fault: VERIFICATION_FAILED where somebody else was quicker.
func (s *Service) Spend(ctx context.Context, p Proof) (err error) {
	n := int64(1)
	switch {
	case !p.code.IsZero():
		now := s.Clock.Now()
		n, err = s.DB.Exec(ctx, "UPDATE verification_codes SET used_at = ? WHERE account_id = ? AND id = ? AND used_at IS NULL AND expires_at > ?", now, p.account, p.code, now)
	case p.user != "":
		n, err = s.DB.Exec(ctx, "UPDATE authenticators SET last_step = ? WHERE user_id = ? AND last_step < ? AND secret IS NOT NULL", p.step, p.user, p.step)
	}
	if err == nil && n == 0 {
		err = fault.New("VERIFICATION_FAILED", inCode...)
	}
	return err
}

func (s *Service) required(ctx context.Context, u Use) error {
	a, found, err := s.Accounts.ByID(ctx, u.AccountID)
	if err != nil {
		return err
	}
	app, bound, err := s.authenticator(ctx, u.UserID)
	if err != nil {
		return err
	}
	d := &fault.VerificationRequired{Scene: u.Scene}
	if found && s.Messages.Reaches(a, notify.SMS) {
		d.Deliveries = append(d.Deliveries, fault.VerificationDelivery{Kind: models.CodeBySMS, Target: maskPhone(a.Phone)})
	}
	if found && s.Messages.Reaches(a, notify.Email) {
		d.Deliveries = append(d.Deliveries, fault.VerificationDelivery{Kind: models.CodeByEmail, Target: maskEmail(a.Email)})
	}
	if bound && len(app.Secret) > 0 {
		d.Deliveries = append(d.Deliveries, fault.VerificationDelivery{Kind: models.CodeByTOTP})
	}
	return fault.New("VERIFICATION_REQUIRED", inCode...).Because(d)
}
