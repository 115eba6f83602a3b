package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
)

func (r *Resolver) orderSelection(ctx context.Context, input model.OrderSelectionInput) (*model.OrderSelection, error) {
	return nil, fault.ErrUnavailable // TODO
}
