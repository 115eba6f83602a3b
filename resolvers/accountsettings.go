package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) updateAccountSettings(ctx context.Context, input model.UpdateAccountSettingsInput) (*model.UpdateAccountSettingsPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}
