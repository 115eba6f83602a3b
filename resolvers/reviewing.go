package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/order"
	"paydesk/internal/platform/auth"
)

func (r *Resolver) reviewOrder(ctx context.Context, input model.ReviewOrderInput) (*model.ReviewOrderPayload, error) {
	id, err := orderID(input.OrderID)
	if err != nil {
		return nil, err
	}
	row, err := r.s.Orders.Review(ctx, order.Review{OrderID: id, Approve: input.Approve, Reason: orZero(input.Reason), By: auth.From(ctx).UserID})
	if err != nil {
		return nil, err
	}
	o, err := r.view(ctx).oneOrder(ctx, row)
	return &model.ReviewOrderPayload{Order: o}, err
}

func (r *Resolver) confirmOrder(ctx context.Context, input model.ConfirmOrderInput) (*model.ConfirmOrderPayload, error) {
	id, err := orderID(input.OrderID)
	if err != nil {
		return nil, err
	}
	row, err := r.s.Orders.Confirm(ctx, id, auth.From(ctx).UserID)
	if err != nil {
		return nil, err
	}
	o, err := r.view(ctx).oneOrder(ctx, row)
	return &model.ConfirmOrderPayload{Order: o}, err
}
