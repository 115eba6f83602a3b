package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Benefits is what the face needs of benefit.Service.
type Benefits interface {
	Grant(ctx context.Context, g benefit.Coupons) ([]models.Coupon, error)
	GrantDiscount(ctx context.Context, g benefit.Discount) (models.Discount, error)
	List(ctx context.Context, account models.ID, usable bool, p page.Page) (page.Result[models.Coupon], error)
	Count(ctx context.Context, account models.ID, usable bool) (int64, error)
	ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Coupon, error)
	ByIDsAnywhere(ctx context.Context, ids []models.ID) ([]models.Coupon, error)
	DiscountsByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Discount, error)
	DiscountsAnywhere(ctx context.Context, ids []models.ID) ([]models.Discount, error)
}

func (r *Resolver) grantCoupons(ctx context.Context, input model.GrantCouponsInput) (*model.GrantCouponsPayload, error) {
	g, err := couponGrant(input)
	if err != nil {
		return nil, err
	}
	rows, err := r.s.Benefits.Grant(ctx, g)
	if err != nil {
		return nil, err
	}
	return &model.GrantCouponsPayload{Coupons: r.view(ctx).coupons(rows)}, nil
}

func (r *Resolver) grantDiscount(ctx context.Context, input model.GrantDiscountInput) (*model.GrantDiscountPayload, error) {
	g, err := discountGrant(input)
	if err != nil {
		return nil, err
	}
	d, err := r.s.Benefits.GrantDiscount(ctx, g)
	if err != nil {
		return nil, err
	}
	return &model.GrantDiscountPayload{Discount: r.view(ctx).discount(d)}, nil
}

// couponPage reads a page of the caller's coupons, as much of it as the client asked for.
func (r *Resolver) couponPage(ctx context.Context, usableOnly *bool, first *int, after *string, last *int, before *string) (*model.CouponConnection, error) {
	p, err := page.Parse(first, after, last, before)
	if err != nil {
		return nil, err
	}
	account, usable := auth.From(ctx).AccountID, orZero(usableOnly)
	list, err := r.s.Benefits.List(ctx, account, usable, p)
	if err != nil {
		return nil, err
	}
	nodes := r.view(ctx).coupons(list.Items)
	out := &model.CouponConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, n *model.Coupon) *model.CouponEdge { return &model.CouponEdge{Cursor: c, Node: n} })
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Benefits.Count(ctx, account, usable)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

func (r *Resolver) readCoupons(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	var rows []models.Coupon
	var err error
	if v.Role.AnyAccount() {
		rows, err = r.s.Benefits.ByIDsAnywhere(ctx, ids)
	} else {
		rows, err = r.s.Benefits.ByIDs(ctx, v.AccountID, ids)
	}
	for _, n := range r.view(ctx).coupons(rows) {
		out[n.ID] = n
	}
	return err
}

func (r *Resolver) readDiscounts(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	var rows []models.Discount
	var err error
	if v.Role.AnyAccount() {
		rows, err = r.s.Benefits.DiscountsAnywhere(ctx, ids)
	} else {
		rows, err = r.s.Benefits.DiscountsByIDs(ctx, v.AccountID, ids)
	}
	for _, d := range rows {
		n := r.view(ctx).discount(d)
		out[n.ID] = n
	}
	return err
}
