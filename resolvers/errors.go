package resolvers

import (
	"context"
	"strings"

	"paydesk/graph/model"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// payloads make a mutation's payload out of what was refused.
var payloads = map[string]func([]model.UserError) any{
	"openAccount":           func(e []model.UserError) any { return &model.OpenAccountPayload{Errors: e} },
	"updateAccount":         func(e []model.UserError) any { return &model.UpdateAccountPayload{Errors: e} },
	"placeOrders":           func(e []model.UserError) any { return &model.PlaceOrdersPayload{Errors: e} },
	"cancelOrder":           func(e []model.UserError) any { return &model.CancelOrderPayload{Errors: e} },
	"reportDelivery":        func(e []model.UserError) any { return &model.ReportDeliveryPayload{Errors: e} },
	"topUp":                 func(e []model.UserError) any { return &model.TopUpPayload{Errors: e} },
	"pay":                   func(e []model.UserError) any { return &model.PayPayload{Errors: e} },
	"cancelPayment":         func(e []model.UserError) any { return &model.CancelPaymentPayload{Errors: e} },
	"reviewOrder":           func(e []model.UserError) any { return &model.ReviewOrderPayload{Errors: e} },
	"confirmOrder":          func(e []model.UserError) any { return &model.ConfirmOrderPayload{Errors: e} },
	"settleFreeze":          func(e []model.UserError) any { return &model.SettleFreezePayload{Errors: e} },
	"mergePay":              func(e []model.UserError) any { return &model.MergePayPayload{Errors: e} },
	"createPaymentRequest":  func(e []model.UserError) any { return &model.CreatePaymentRequestPayload{Errors: e} },
	"approvePartnerPayment": func(e []model.UserError) any { return &model.ApprovePartnerPaymentPayload{Errors: e} },
	"declinePartnerPayment": func(e []model.UserError) any { return &model.DeclinePartnerPaymentPayload{Errors: e} },
	"refundPayment":         func(e []model.UserError) any { return &model.RefundPaymentPayload{Errors: e} },
	"grantCoupons":          func(e []model.UserError) any { return &model.GrantCouponsPayload{Errors: e} },
	"grantDiscount":         func(e []model.UserError) any { return &model.GrantDiscountPayload{Errors: e} },
	"sendVerificationCode":  func(e []model.UserError) any { return &model.SendVerificationCodePayload{Errors: e} },
	"enrollTotp":            func(e []model.UserError) any { return &model.EnrollTotpPayload{Errors: e} },
	"confirmTotp":           func(e []model.UserError) any { return &model.ConfirmTotpPayload{Errors: e} },
	"reconcile":             func(e []model.UserError) any { return &model.ReconcilePayload{Errors: e} },
	"resolveDifference":     func(e []model.UserError) any { return &model.ResolveDifferencePayload{Errors: e} },
	"updateAccountSettings": func(e []model.UserError) any { return &model.UpdateAccountSettingsPayload{Errors: e} },
}

// faultOf finds what a person can act on in an error's chain; nil where there is nothing of that kind.
func faultOf(err error) *fault.Fault {
	f, _ := fault.As(err)
	return f
}

// notPayable are the codes whose error is OrdersNotPayable (contract §7).
var notPayable = map[string]bool{
	"ORDER_STATUS_CHANGED": true, "ALL_ORDERS_STATUS_CHANGED": true, "ORDER_PENDING_REVIEW": true, "ORDER_PENDING_CONFIRMATION": true,
	"ORDER_EXPIRED": true, "ORDER_BEING_PAID": true, "LINKED_ORDERS_NOT_PAYABLE": true, "OUTSIDE_CONTRACT_CONFIRMATION_REQUIRED": true,
}

// methodRejected reports whether a code's error is MethodRejected (contract §7).
func methodRejected(code string) bool {
	return strings.HasPrefix(code, "METHOD_") || strings.HasPrefix(code, "CARD_") || strings.HasPrefix(code, "PAYPAL_") ||
		code == "PREAUTHORIZATION_DECLINED" || code == "AUTHENTICATION_FAILED"
}

// userErrors is the one place where a fault becomes data: the error type goes by code and detail (contract §7), the text by language.
func (r *Resolver) userErrors(ctx context.Context, f *fault.Fault) ([]model.UserError, error) {
	v := r.view(ctx)
	code := model.UserErrorCode(f.Code)
	switch d := f.Detail.(type) {
	case *fault.InsufficientBalance:
		text := messages.Text(v.locale, f.Code, map[string]any{"available": d.Available, "required": d.Required, "shortfall": d.Shortfall})
		return one(model.InsufficientBalance{Code: code, Message: text, Field: path(f),
			Available: v.amount(d.Available), Required: v.amount(d.Required), Shortfall: v.amount(d.Shortfall)})
	case *fault.OrdersNotPayable:
		return v.ordersNotPayable(ctx, f, d)
	case *fault.VerificationRequired:
		return one(v.verificationRequired(f, d))
	case *checkout.Changed:
		checkout, err := v.changed(ctx, d.Quote)
		return []model.UserError{model.QuoteChanged{Code: code, Message: v.message(f), Field: path(f), Checkout: checkout}}, err
	}
	switch {
	case notPayable[f.Code]:
		return v.ordersNotPayable(ctx, f, &fault.OrdersNotPayable{})
	case methodRejected(f.Code):
		return one(model.MethodRejected{Code: code, Message: v.message(f), Field: path(f), Remedy: messages.Remedy(v.locale, f.Code)})
	}
	return one(model.InputError{Code: code, Message: v.message(f), Field: path(f)})
}

func one(e model.UserError) ([]model.UserError, error) { return []model.UserError{e}, nil }

func (v view) message(f *fault.Fault) string {
	if key := f.Code + ".any"; v.staff && messages.Has(key) { // not "in your account"
		return messages.Text(v.locale, key, f.Args)
	}
	return messages.ForField(v.locale, f.Code, f.Field, f.Args)
}

// path is where in the input the trouble is: every mutation has the one argument input, so it is not named (contract, UserError).
func path(f *fault.Fault) []string {
	if len(f.Field) > 0 && f.Field[0] == "input" {
		return f.Field[1:]
	}
	return f.Field
}

func (v view) ordersNotPayable(ctx context.Context, f *fault.Fault, d *fault.OrdersNotPayable) ([]model.UserError, error) {
	rows := make([]models.Order, 0, len(d.Blocked)+len(d.Remaining))
	for _, b := range d.Blocked {
		rows = append(rows, b.Order)
	}
	orders, err := v.ordersWithLinks(ctx, append(rows, d.Remaining...))
	if err != nil {
		return nil, err
	}
	out := model.OrdersNotPayable{Code: model.UserErrorCode(f.Code), Message: v.message(f), Field: path(f),
		Blocked: make([]*model.BlockedOrder, len(d.Blocked)), Remaining: orders[len(d.Blocked):]}
	for i, b := range d.Blocked {
		args := map[string]any{"number": b.Order.Number}
		if c, ok := f.Args["case"]; ok {
			args["case"] = c
		}
		out.Blocked[i] = v.blocked(orders[i], b.Code, args)
	}
	return one(out)
}

// contact is whom to ask about an order that waits for somebody else (HW-9, HW-10); nil where the customer can act alone.
func (v view) contact(code string) *string {
	support := v.r.s.Policy.Support
	if code != "ORDER_PENDING_REVIEW" && code != "ORDER_PENDING_CONFIRMATION" {
		return nil
	}
	if support.Hotline != "" {
		return &support.Hotline
	}
	return textOrNil(support.Email)
}

// changed is what QuoteChanged shows: the quote as it now is, in full.
func (v view) changed(ctx context.Context, q checkout.Quote) (*model.Checkout, error) {
	c, err := v.r.s.Checkout.Describe(ctx, q, checkout.Want{Options: true, Recommendation: true, Funding: true})
	if err != nil {
		return nil, err
	}
	return v.checkout(ctx, c)
}
