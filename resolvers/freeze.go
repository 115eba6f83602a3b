package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) settleFreeze(ctx context.Context, input model.SettleFreezeInput) (*model.SettleFreezePayload, error) {
	return nil, fault.ErrUnavailable // TODO
}
