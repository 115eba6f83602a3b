package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) checkout(ctx context.Context, input model.CheckoutInput) (*model.Checkout, error) {
	return nil, fault.ErrUnavailable // TODO
}
