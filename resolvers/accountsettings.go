package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/account"
	"paydesk/internal/platform/auth"
)

func (r *Resolver) updateAccountSettings(ctx context.Context, input model.UpdateAccountSettingsInput) (*model.UpdateAccountSettingsPayload, error) {
	v := auth.From(ctx)
	a, err := r.s.Accounts.UpdateSettings(ctx, account.Turning{AccountID: v.AccountID, UserID: v.UserID, Code: orZero(input.VerificationCode),
		Settings: account.Settings{AutomaticSettlement: input.AutomaticSettlement, OperationProtection: input.OperationProtection}}, r.s.Verification)
	if err != nil {
		return nil, err
	}
	settings := r.view(ctx).account(a).Settings
	return &model.UpdateAccountSettingsPayload{Settings: &settings}, nil
}
