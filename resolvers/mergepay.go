package resolvers

import (
	"context"
	"slices"
	"strconv"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/payment"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

func (r *Resolver) mergePay(ctx context.Context, input model.MergePayInput) (*model.MergePayPayload, error) {
	in, err := mergeInput(input)
	if err != nil {
		return nil, err
	}
	p, err := r.s.Payments.MergePay(ctx, payer(ctx), in)
	if err != nil {
		return nil, err
	}
	v := r.view(ctx)
	removed, err := v.removed(ctx, p)
	return &model.MergePayPayload{Payment: v.payment(p), Removed: removed}, err
}

func mergeInput(in model.MergePayInput) (out payment.MergeInput, err error) {
	out.PayRemaining = orZero(in.OnStatusChanged) == model.StatusChangedActionPayRemaining
	out.OrderIDs = make([]models.ID, len(in.OrderIds))
	for i, text := range in.OrderIds {
		if out.OrderIDs[i], err = models.Decode(models.PrefixOrder, text); err != nil {
			return out, fault.New("ORDER_NOT_FOUND", "input", "orderIds", strconv.Itoa(i))
		}
	}
	out.Agreed, err = agreed(in.Funding, in.ExpectedTotal, payment.Agreed{CouponIDs: in.CouponIds, DiscountID: orZero(in.DiscountID),
		ConfirmOutsideContract: orZero(in.ConfirmOutsideContract), VerificationCode: orZero(in.VerificationCode)})
	return out, err
}

// removed are the orders that a payment left out (HW-15), told again under the same key as they were told first.
func (v view) removed(ctx context.Context, p models.Payment) ([]*model.BlockedOrder, error) {
	if len(p.Terms.Removed) == 0 {
		return []*model.BlockedOrder{}, nil
	}
	ids, codes := make([]models.ID, len(p.Terms.Removed)), make(map[models.ID]string, len(p.Terms.Removed))
	for i, item := range p.Terms.Removed {
		id, err := models.Decode(models.PrefixOrder, item.OrderID)
		if err != nil {
			return nil, err
		}
		ids[i], codes[id] = id, item.Code
	}
	rows, err := v.r.s.Orders.ByIDs(ctx, p.AccountID, ids)
	if err != nil {
		return nil, err
	}
	orders, err := v.ordersWithLinks(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]*model.BlockedOrder, 0, len(ids))
	for _, id := range ids { // as the quote had them
		if i := slices.IndexFunc(rows, func(o models.Order) bool { return o.ID == id }); i >= 0 {
			out = append(out, &model.BlockedOrder{Order: orders[i], Code: model.UserErrorCode(codes[id]), Contact: v.contact(codes[id]),
				Message: messages.Text(v.locale, codes[id], map[string]any{"number": rows[i].Number})})
		}
	}
	return out, nil
}
