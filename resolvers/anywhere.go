package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// paymentsAnywhere reads payments of any accounts, for whoever works for any: one statement.
func (r *Resolver) paymentsAnywhere(ctx context.Context, ids []models.ID) (map[models.ID]*model.Payment, error) {
	if !auth.From(ctx).Role.AnyAccount() {
		return nil, nil
	}
	rows, err := r.s.Payments.ByIDsAnywhere(ctx, ids)
	out := make(map[models.ID]*model.Payment, len(rows))
	for _, p := range r.view(ctx).payments(rows) {
		out[p.Key] = p
	}
	return out, err
}

// paymentsByNumber is paymentsAnywhere by our merchant order numbers.
func (r *Resolver) paymentsByNumber(ctx context.Context, numbers []string) (map[string]*model.Payment, error) {
	if !auth.From(ctx).Role.AnyAccount() {
		return nil, nil
	}
	rows, err := r.s.Payments.ByNumbersAnywhere(ctx, numbers)
	out := make(map[string]*model.Payment, len(rows))
	for _, p := range r.view(ctx).payments(rows) {
		out[p.Number] = p
	}
	return out, err
}
