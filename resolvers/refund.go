package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) refundPayment(ctx context.Context, input model.RefundPaymentInput) (*model.RefundPaymentPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) refundsOf(ctx context.Context, obj *model.Payment) ([]*model.Refund, error) {
	return nil, fault.ErrUnavailable // TODO
}
