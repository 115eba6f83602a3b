package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) reviewOrder(ctx context.Context, input model.ReviewOrderInput) (*model.ReviewOrderPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) confirmOrder(ctx context.Context, input model.ConfirmOrderInput) (*model.ConfirmOrderPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}
