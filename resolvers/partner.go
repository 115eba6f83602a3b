package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) approvePartnerPayment(ctx context.Context, input model.ApprovePartnerPaymentInput) (*model.ApprovePartnerPaymentPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) declinePartnerPayment(ctx context.Context, input model.DeclinePartnerPaymentInput) (*model.DeclinePartnerPaymentPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) awaitedPartner(ctx context.Context, obj *model.AwaitPartner) (*model.Partner, error) {
	return nil, fault.ErrUnavailable // TODO
}
