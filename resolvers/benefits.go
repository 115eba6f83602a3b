package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) grantCoupons(ctx context.Context, input model.GrantCouponsInput) (*model.GrantCouponsPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) grantDiscount(ctx context.Context, input model.GrantDiscountInput) (*model.GrantDiscountPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) couponPage(ctx context.Context, usableOnly *bool, first *int, after *string, last *int, before *string) (*model.CouponConnection, error) {
	return nil, fault.ErrUnavailable // TODO
}
