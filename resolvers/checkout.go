package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// Checkout is what the face needs of checkout.Service.
type Checkout interface {
	View(ctx context.Context, r checkout.Request, w checkout.Want) (checkout.View, error)
	Describe(ctx context.Context, q checkout.Quote, w checkout.Want) (checkout.View, error)
	Select(ctx context.Context, account models.ID, selected, add, remove []models.ID) (checkout.Selection, error)
}

// checkout shows the quote before a payment; what costs much is made only where it is asked for.
func (r *Resolver) checkout(ctx context.Context, input model.CheckoutInput) (*model.Checkout, error) {
	ids, err := queriedOrders(input.OrderIds)
	if err != nil {
		return nil, err
	}
	request := checkout.Request{AccountID: auth.From(ctx).AccountID, OrderIDs: ids, CouponIDs: input.CouponIds, DiscountID: orZero(input.DiscountID), Merged: true}
	c, err := r.s.Checkout.View(ctx, request, checkout.Want{
		Options: selects(ctx, "coupons") || selects(ctx, "discounts"), Recommendation: selects(ctx, "recommendation"), Funding: selects(ctx, "funding")})
	if err != nil {
		return nil, err
	}
	return r.view(ctx).checkout(ctx, c)
}

// queriedOrders reads the ids of a query: what is not an order's id is not there (contract §7).
func queriedOrders(texts []string) ([]models.ID, error) {
	if len(texts) > checkout.MaximumIDs {
		return nil, fault.BadInput("orderIds: at most 100")
	}
	ids := make([]models.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = models.Decode(models.PrefixOrder, text); err != nil {
			return nil, fault.ErrNotFound
		}
	}
	return ids, nil
}
