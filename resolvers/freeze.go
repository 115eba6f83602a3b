package resolvers

import (
	"context"

	"paydesk/graph/model"
)

func (r *Resolver) settleFreeze(ctx context.Context, input model.SettleFreezeInput) (*model.SettleFreezePayload, error) {
	id, err := orderID(input.OrderID)
	if err != nil {
		return nil, err
	}
	charge, err := toMoney(input.Charge, "input", "charge")
	if err != nil {
		return nil, err
	}
	o, err := r.s.Payments.SettleFreeze(ctx, id, charge)
	if err != nil {
		return nil, err
	}
	order, err := r.view(ctx).oneOrder(ctx, o)
	return &model.SettleFreezePayload{Order: order}, err
}
