package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) mergePay(ctx context.Context, input model.MergePayInput) (*model.MergePayPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}
