package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/reconcile"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Reconciliations is what the face needs of reconcile.Service.
type Reconciliations interface {
	Reconcile(ctx context.Context, channel models.PaymentChannel, day string) (models.Reconciliation, error)
	Resolve(ctx context.Context, in reconcile.Resolution) (models.Difference, error)
	List(ctx context.Context, f reconcile.Filter, p page.Page) (page.Result[models.Reconciliation], error)
	Differences(ctx context.Context, f reconcile.DifferenceFilter, p page.Page) (page.Result[models.Difference], error)
	Count(ctx context.Context, f reconcile.Filter) (int64, error)
	CountDifferences(ctx context.Context, f reconcile.DifferenceFilter) (int64, error)
	ByIDs(ctx context.Context, ids []models.ID) ([]models.Reconciliation, error)
	DifferencesByIDs(ctx context.Context, ids []models.ID) ([]models.Difference, error)
	Waiting(ctx context.Context, of []models.Reconciliation) (map[models.ID]int64, error)
	Reports(ctx context.Context, of []models.Reconciliation) (map[models.ID]models.File, error)
}

func (r *Resolver) reconcile(ctx context.Context, in model.ReconcileInput) (*model.ReconcilePayload, error) {
	row, err := r.s.Reconciliations.Reconcile(ctx, models.PaymentChannel(in.Channel), in.Day)
	if err != nil {
		return nil, err
	}
	nodes, err := r.reconciliations(ctx, []models.Reconciliation{row}, true, true)
	if err != nil {
		return nil, err
	}
	return &model.ReconcilePayload{Reconciliation: nodes[0]}, nil
}

func (r *Resolver) resolveDifference(ctx context.Context, in model.ResolveDifferenceInput) (*model.ResolveDifferencePayload, error) {
	id, err := models.Decode(models.PrefixDifference, in.DifferenceID)
	if err != nil {
		return nil, fault.New("INVALID_INPUT", "input", "differenceId")
	}
	row, err := r.s.Reconciliations.Resolve(ctx, reconcile.Resolution{ID: id, Reason: in.Reason, By: auth.From(ctx).UserID})
	if err != nil {
		return nil, err
	}
	nodes, err := r.differences(ctx, []models.Difference{row}, true)
	if err != nil {
		return nil, err
	}
	return &model.ResolveDifferencePayload{Difference: nodes[0]}, nil
}

func (r *Resolver) reconciliationPage(ctx context.Context, filter *model.ReconciliationFilter, first *int, after *string, last *int, before *string) (*model.ReconciliationConnection, error) {
	p, err := page.Parse(first, after, last, before)
	if err != nil {
		return nil, err
	}
	f := reconciliationFilter(filter)
	list, err := r.s.Reconciliations.List(ctx, f, p)
	if err != nil {
		return nil, err
	}
	nodes, err := r.reconciliations(ctx, list.Items, selectsNode(ctx, "open"), selectsNode(ctx, "report"))
	if err != nil {
		return nil, err
	}
	out := &model.ReconciliationConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, n *model.Reconciliation) *model.ReconciliationEdge {
			return &model.ReconciliationEdge{Cursor: c, Node: *n}
		})
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Reconciliations.Count(ctx, f)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

func (r *Resolver) differencePage(ctx context.Context, filter *model.DifferenceFilter, first *int, after *string, last *int, before *string) (*model.DifferenceConnection, error) {
	p, err := page.Parse(first, after, last, before)
	if err != nil {
		return nil, err
	}
	f := differenceFilter(filter)
	list, err := r.s.Reconciliations.Differences(ctx, f, p)
	if err != nil {
		return nil, err
	}
	nodes, err := r.differences(ctx, list.Items, selectsNode(ctx, "payment"))
	if err != nil {
		return nil, err
	}
	out := &model.DifferenceConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, n *model.Difference) *model.DifferenceEdge {
			return &model.DifferenceEdge{Cursor: c, Node: *n}
		})
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Reconciliations.CountDifferences(ctx, f)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

// readReconciliations: they belong to operators, whoever else asks is told of none.
func (r *Resolver) readReconciliations(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	if v.Role != auth.Operator {
		return nil
	}
	rows, err := r.s.Reconciliations.ByIDs(ctx, ids)
	if err != nil {
		return err
	}
	nodes, err := r.reconciliations(ctx, rows, selects(ctx, "open"), selects(ctx, "report"))
	for _, n := range nodes {
		out[n.ID] = n
	}
	return err
}

// readDifferences: the same.
func (r *Resolver) readDifferences(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	if v.Role != auth.Operator {
		return nil
	}
	rows, err := r.s.Reconciliations.DifferencesByIDs(ctx, ids)
	if err != nil {
		return err
	}
	nodes, err := r.differences(ctx, rows, selects(ctx, "payment"))
	for _, n := range nodes {
		out[n.ID] = n
	}
	return err
}
