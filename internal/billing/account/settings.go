package account

import (
	"context"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/verification"
	"paydesk/models"
)

// Settings are the switches that an account turns itself; nil stays as it is.
type Settings struct {
	AutomaticSettlement *bool
	OperationProtection *bool
}

// Turning is who turns an account's switches, with the code that turning protection off needs.
type Turning struct {
	AccountID models.ID
	UserID    string
	Settings
	Code string
}

// Codes are verification codes; it is verification.Service.
type Codes interface {
	WantedFor(a models.Account, scene models.VerificationScene) bool
	Check(ctx context.Context, u verification.Use) (verification.Proof, error)
	Spend(ctx context.Context, p verification.Proof) error
	// ProtectionOff tells the account about it, in the transaction of ctx.
	ProtectionOff(ctx context.Context, a models.Account) error
}

// UpdateSettings turns switches, all or none, and gives the account as it then stands. Turning operation protection off is itself
// protected (D2, HW-R20): it needs a code of the scene SETTINGS, and the account is told. Faults: ACCOUNT_NOT_ACTIVE of a closed account, those of Codes.Check.
func (s *Service) UpdateSettings(ctx context.Context, t Turning, codes Codes) (models.Account, error) {
	for range 5 {
		a, found, err := s.ByID(ctx, t.AccountID)
		switch {
		case err != nil:
			return a, err
		case !found:
			return a, fault.New("ACCOUNT_NOT_FOUND")
		case a.Status == models.AccountClosed:
			return a, fault.New("ACCOUNT_NOT_ACTIVE")
		}
		var proof verification.Proof
		off := t.OperationProtection != nil && !*t.OperationProtection && a.OperationProtection
		if off && codes.WantedFor(a, models.SceneSettings) {
			if proof, err = codes.Check(ctx, verification.Use{AccountID: a.ID, UserID: t.UserID, Scene: models.SceneSettings, Code: t.Code}); err != nil {
				return a, err
			}
		}
		done, err := s.turn(ctx, &a, t.Settings, func(ctx context.Context) error {
			if err := codes.Spend(ctx, proof); err != nil || !off {
				return err
			}
			return codes.ProtectionOff(ctx, a)
		})
		if err != nil || done {
			return a, err
		}
	}
	return models.Account{}, fault.ErrUnavailable // somebody turns them all the time
}

// turn writes the switches; false where somebody turned them, or closed the account, since a was read: then it was judged by what no
// longer holds, and nothing is written.
func (s *Service) turn(ctx context.Context, a *models.Account, u Settings, spend func(context.Context) error) (done bool, err error) {
	to := *a
	if u.AutomaticSettlement != nil {
		to.AutomaticSettlement = *u.AutomaticSettlement
	}
	if u.OperationProtection != nil {
		to.OperationProtection = *u.OperationProtection
	}
	if to == *a {
		return true, nil
	}
	to.UpdatedAt = s.clock.Now()
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE accounts SET automatic_settlement = ?, operation_protection = ?, updated_at = ? "+
			"WHERE id = ? AND status = ? AND automatic_settlement = ? AND operation_protection = ?",
			to.AutomaticSettlement, to.OperationProtection, to.UpdatedAt, a.ID, string(a.Status), a.AutomaticSettlement, a.OperationProtection)
		if done = n > 0; err != nil || !done {
			return err
		}
		return spend(ctx)
	})
	if err == nil && done {
		*a = to
	}
	return done && err == nil, err
}
