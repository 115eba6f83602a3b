package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// balance reads what an account has; the account itself comes along only where the policy's retention asks for it.
func (r *Resolver) balance(ctx context.Context, id models.ID, withdrawable bool) (*model.Balance, error) {
	v, retained := r.view(ctx), int64(0)
	var b models.Balance
	var found bool
	var err error
	if withdrawable && len(r.s.Policy.Withdrawal.RetainedWhileRunning) > 0 {
		var a models.Account
		a, b, found, err = r.s.Accounts.WithBalance(ctx, id)
		retained = v.retained(a)
	} else {
		b, found, err = r.s.Accounts.Balance(ctx, id)
	}
	if err == nil && !found {
		err = fault.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return v.balance(b, retained), nil
}

// findAccount finds an account by the one of the two that is given.
func (r *Resolver) findAccount(ctx context.Context, id, number *string) (models.Account, bool, error) {
	if number != nil {
		return r.s.Accounts.ByNumber(ctx, *number)
	}
	key, err := models.Decode(models.PrefixAccount, *id)
	if err != nil {
		return models.Account{}, false, nil
	}
	return r.s.Accounts.ByID(ctx, key)
}
