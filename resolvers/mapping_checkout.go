package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// mapped are orders by their id.
type mapped map[models.ID]*model.Order

// ordersOf maps orders whose bundles are known, without a statement.
func (v view) ordersOf(rows []models.Order, linked map[models.ID][]models.Order) mapped {
	orders := v.orders(rows, linked)
	v.link(orders, linked)
	out := make(mapped, len(orders))
	for _, o := range orders {
		out[o.Key] = o
	}
	return out
}

func (m mapped) all(rows []models.Order) []*model.Order {
	out := make([]*model.Order, len(rows))
	for i := range rows {
		out[i] = m[rows[i].ID]
	}
	return out
}

// checkout shows a quote: of the query, and the new one of QUOTE_CHANGED.
func (v view) checkout(ctx context.Context, c checkout.View) (*model.Checkout, error) {
	currency := c.Account.Currency
	orders := v.ordersOf(append(append([]models.Order{}, c.Paying.Asked...), c.Paying.Linked...), checkout.Bundles(c.Paying))
	out := &model.Checkout{
		Lines: make([]*model.CheckoutLine, len(c.Priced.Lines)), AutoSelected: orders.all(c.AutoSelected), Notice: v.notice(len(c.AutoSelected), 0),
		Blocked: make([]*model.BlockedOrder, len(c.Blocked)), Reasons: []model.UserError{}, Payable: c.Payable,
		Subtotal: v.money(c.Priced.Subtotal, currency), DiscountTotal: v.money(c.Priced.DiscountTotal, currency), CouponTotal: v.money(c.Priced.CouponTotal, currency), Total: v.money(c.Priced.Total, currency),
		Discounts: make([]*model.DiscountOption, len(c.DiscountOptions)), Coupons: make([]*model.CouponOption, len(c.CouponOptions)),
		Recommendation: v.recommendation(c.Best, currency), Funding: v.funding(c.Funding), OutsideContract: orders.all(c.OutsideContract), ValidUntil: c.ValidUntil,
	}
	for i, l := range c.Priced.Lines {
		out.Lines[i] = &model.CheckoutLine{Order: orders[l.OrderID], Amount: v.money(l.Amount, currency), Discount: v.money(l.Discount, currency),
			Coupon: v.money(l.Coupon, currency), Due: v.money(l.Due, currency)}
	}
	for i, b := range c.Blocked {
		out.Blocked[i] = v.blocked(orders[b.Order.ID], b.Code, map[string]any{"number": b.Order.Number})
	}
	for i, o := range c.DiscountOptions {
		out.Discounts[i] = &model.DiscountOption{Discount: v.discount(o.Benefit), Saves: v.money(o.Saves, currency), Applicable: o.Code == "", Selected: o.Selected}
		out.Discounts[i].Code, out.Discounts[i].Reason = v.why(o.Code, o.Reason)
	}
	for i, o := range c.CouponOptions {
		out.Coupons[i] = &model.CouponOption{Coupon: v.coupon(o.Benefit), Saves: v.money(o.Saves, currency), Applicable: o.Code == "", Selected: o.Selected}
		out.Coupons[i].Code, out.Coupons[i].Reason = v.why(o.Code, o.Reason)
	}
	for _, f := range c.Reasons {
		reasons, err := v.r.userErrors(ctx, f)
		if err != nil {
			return nil, err
		}
		out.Reasons = append(out.Reasons, reasons...)
	}
	return out, nil
}

// why is a code with the text of a reason; null where there is none.
func (v view) why(code, reason string) (*model.UserErrorCode, *string) {
	if code == "" {
		return nil, nil
	}
	c, text := model.UserErrorCode(code), messages.Text(v.locale, reason, nil)
	return &c, &text
}

func (v view) recommendation(b checkout.Recommendation, currency string) model.Recommendation {
	out := model.Recommendation{CouponIds: make([]string, len(b.Coupons)), Total: v.money(b.Total, currency), Saves: v.money(b.Saves, currency)}
	for i, k := range b.Coupons {
		out.CouponIds[i] = k.ID.Encode(models.PrefixCoupon)
	}
	if b.Discount != nil {
		out.DiscountID = textOrNil(b.Discount.ID.Encode(models.PrefixDiscount))
	}
	return out
}

// funding shows the ways to pay (HW-22); a closed one says why.
func (v view) funding(options []checkout.FundingOption) []*model.FundingOption {
	out := make([]*model.FundingOption, len(options))
	for i, o := range options {
		out[i] = &model.FundingOption{Kind: model.FundingKind(o.Kind), Available: o.Closed == nil, Channels: v.channels(o.Channels)}
		if o.Closed != nil {
			code, text := model.UserErrorCode(o.Closed.Code), messages.Text(v.locale, o.Closed.Code, o.Closed.Args)
			if reason, ok := o.Closed.Args["reason"].(messages.Key); ok {
				text = messages.Text(v.locale, string(reason), nil)
			}
			out[i].Code, out[i].Reason = &code, &text
		}
		if o.Verification != "" {
			scene := model.VerificationScene(o.Verification)
			out[i].Verification = &scene
		}
	}
	return out
}

// blocked is an order that cannot be paid or ticked, with its own cause and whom to ask (HW-17, HW-18).
func (v view) blocked(o *model.Order, code string, args map[string]any) *model.BlockedOrder {
	return &model.BlockedOrder{Order: o, Code: model.UserErrorCode(code), Message: messages.Text(v.locale, code, args), Contact: v.contact(code), ActionURL: v.actionURL(code)}
}

// actionURL is where the person gets on with an order that waits for somebody of the vendor; nil where the customer can act alone.
func (v view) actionURL(code string) *string {
	support := v.r.s.Policy.Support
	switch code {
	case "ORDER_PENDING_REVIEW":
		return textOrNil(support.Tickets)
	case "ORDER_PENDING_CONFIRMATION":
		return textOrNil(support.Service)
	}
	return nil
}
