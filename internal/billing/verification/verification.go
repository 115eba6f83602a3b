// Package verification keeps the codes that sensitive operations ask for (D2, HW-34, HW-R20): six digits sent by SMS or e-mail, or
// those of the person's authenticator app (RFC 6238).
package verification

import (
	"context"

	"paydesk/internal/money"
	"paydesk/models"
)

// Use is what a person wants to do with a code. OrderIDs are the orders that the request named with those linked to them, Balance and
// Online what its funding says of each part: a code that was asked for with other ones does not fit. Both are left out outside payments.
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
	account models.ID
	code    models.ID // of a code that was sent
	user    string    // of an authenticator's code
	step    int64
}

// Service checks codes. Safe for concurrent use.
type Service struct{}

// Wanted reports whether sensitive payments of this account need a code (D2).
func (s *Service) Wanted(a models.Account) bool { return a.OperationProtection }

// Check looks at a code. Call it before the transaction of what the code is for: a wrong try is counted whatever becomes of that.
// Faults at input.verificationCode: VERIFICATION_REQUIRED with *fault.VerificationRequired where none was given, VERIFICATION_FAILED
// where it is wrong, used, foreign or expired, TOO_MANY_ATTEMPTS. ratelimit.ErrAway where guesses cannot be counted now.
func (s *Service) Check(ctx context.Context, u Use) (Proof, error) { return Proof{}, nil }

// Spend uses the code up, in the transaction of what it is for. Fault: VERIFICATION_FAILED where somebody else was quicker.
func (s *Service) Spend(ctx context.Context, p Proof) error { return nil }
