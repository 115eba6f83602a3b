package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Suspense is what the face needs of suspense.Service.
type Suspense interface {
	List(ctx context.Context, p page.Page) (page.Result[models.SuspenseItem], error)
	Count(ctx context.Context) (int64, error)
	ByIDs(ctx context.Context, ids []models.ID) ([]models.SuspenseItem, error)
}

func (r *Resolver) suspensePage(ctx context.Context, first *int, after *string, last *int, before *string) (*model.SuspenseConnection, error) {
	p, err := page.Parse(first, after, last, before)
	if err != nil {
		return nil, err
	}
	list, err := r.s.Suspense.List(ctx, p)
	if err != nil {
		return nil, err
	}
	nodes, err := r.suspenseItems(ctx, list.Items, selectsNode(ctx, "payment"))
	if err != nil {
		return nil, err
	}
	out := &model.SuspenseConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, n *model.SuspenseItem) *model.SuspenseEdge {
			return &model.SuspenseEdge{Cursor: c, Node: *n}
		})
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Suspense.Count(ctx)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

// suspenseItems shows items, with their payments where those are wanted: one statement for all.
func (r *Resolver) suspenseItems(ctx context.Context, rows []models.SuspenseItem, withPayments bool) ([]*model.SuspenseItem, error) {
	v, out := r.view(ctx), make([]*model.SuspenseItem, len(rows))
	var payments map[models.ID]*model.Payment
	if withPayments {
		ids := make([]models.ID, len(rows))
		for i, row := range rows {
			ids[i] = row.PaymentID
		}
		var err error
		if payments, err = r.paymentsAnywhere(ctx, ids); err != nil {
			return nil, err
		}
	}
	for i, row := range rows {
		out[i] = &model.SuspenseItem{ID: row.ID.Encode(models.PrefixSuspense), Amount: v.money(row.Amount, row.Currency), Reason: row.Reason,
			Payment: payments[row.PaymentID], CreatedAt: row.CreatedAt}
		if c := model.PaymentChannel(row.Channel); c != "" {
			out[i].Channel = &c
		}
	}
	return out, nil
}

// readSuspense: items belong to operators, whoever else asks is told of none.
func (r *Resolver) readSuspense(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	if v.Role != auth.Operator {
		return nil
	}
	rows, err := r.s.Suspense.ByIDs(ctx, ids)
	if err != nil {
		return err
	}
	items, err := r.suspenseItems(ctx, rows, selects(ctx, "payment"))
	for _, n := range items {
		out[n.ID] = n
	}
	return err
}
