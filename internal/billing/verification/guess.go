package verification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// candidate is a code that a try is compared with.
type candidate interface {
	// charge counts a wrong try before it is known to be one, so that tries at the same time do not slip through together; false
	// where there are none left.
	charge(ctx context.Context) (bool, error)
	// fits compares, in a time that says nothing about the code.
	fits(given string) (Proof, bool)
	// refund takes the charge back.
	refund(ctx context.Context) error
}

// guessKind is what Guesses calls tries at codes.
const guessKind = "verification"

// subjectOf is who guesses: a hash, for a sub is often an e-mail address, which Redis need not know.
func subjectOf(account models.ID, user string) string {
	sum := sha256.Sum256([]byte(account.String() + "\n" + user))
	return hex.EncodeToString(sum[:16])
}

// guess compares what was given with the codes that are open. All that is compared has been counted before.
func (s *Service) guess(ctx context.Context, subject, given string, field []string, open []candidate) (Proof, error) {
	wait, err := s.Guesses.Guess(ctx, guessKind, subject)
	if err != nil {
		return Proof{}, err
	}
	if wait > 0 {
		return Proof{}, fault.New("TOO_MANY_ATTEMPTS", field...).With("case", "hour")
	}
	var charged []candidate
	for _, c := range open {
		ok, err := c.charge(ctx)
		if err != nil {
			return Proof{}, err
		}
		if ok {
			charged = append(charged, c)
		}
	}
	if len(open) > 0 && len(charged) == 0 {
		s.Guesses.RefusedGuess()
		instead := "hour" // an app has no other code
		if _, sent := open[0].(*sentCode); sent {
			instead = "code"
		}
		return Proof{}, fault.New("TOO_MANY_ATTEMPTS", field...).With("case", instead)
	}
	var proof Proof
	right := false
	for _, c := range charged {
		if p, ok := c.fits(given); ok && !right {
			proof, right = p, true
		}
	}
	if !right {
		return Proof{}, fault.New("VERIFICATION_FAILED", field...)
	}
	s.Guesses.Right(ctx, guessKind, subject)
	for _, c := range charged {
		if err := c.refund(ctx); err != nil {
			return Proof{}, err
		}
	}
	return proof, nil
}
