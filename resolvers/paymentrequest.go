package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) createPaymentRequest(ctx context.Context, input model.CreatePaymentRequestInput) (*model.CreatePaymentRequestPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}
