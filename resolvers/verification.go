package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) sendVerificationCode(ctx context.Context, input model.SendVerificationCodeInput) (*model.SendVerificationCodePayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) enrollTotp(ctx context.Context, input model.EnrollTotpInput) (*model.EnrollTotpPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}

func (r *Resolver) confirmTotp(ctx context.Context, input model.ConfirmTotpInput) (*model.ConfirmTotpPayload, error) {
	return nil, fault.ErrUnavailable // TODO
}
