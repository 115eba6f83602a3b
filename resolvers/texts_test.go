package resolvers_test

import (
	"testing"

	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// Texts that go by more than the code say what fits.
func TestTextsFit(t *testing.T) {
	w := newWorld(t)
	operator := &auth.Viewer{UserID: "op", Role: auth.Operator}
	service := &auth.Viewer{UserID: "sv", Role: auth.Service}
	orders := w.placed(false, "100.00")
	customer := w.viewer
	nobody := models.NewID()
	gone, never := nobody.Encode(models.PrefixOrder), nobody.Encode(models.PrefixPayment)
	yuan := func(amount string) map[string]any { return vars("amount", amount, "currency", "CNY") }
	funding := func(pairs ...any) map[string]any {
		return vars("in", vars("idempotencyKey", "f", "orderId", orders[0], "funding", vars(pairs...)))
	}
	const (
		pay    = `mutation($in: PayInput!) { pay(input: $in) { errors { __typename code message } } }`
		cancel = `mutation($in: CancelOrderInput!) { cancelOrder(input: $in) { errors { __typename code message ... on OrdersNotPayable { blocked { message } } } } }`
		settle = `mutation($in: SettleFreezeInput!) { settleFreeze(input: $in) { errors { __typename code message } } }`
		refund = `mutation($in: RefundPaymentInput!) { refundPayment(input: $in) { errors { __typename code message } } }`
		stop   = `mutation($in: CancelPaymentInput!) { cancelPayment(input: $in) { errors { __typename code message } } }`
		bind   = `mutation($in: ConfirmTotpInput!) { confirmTotp(input: $in) { errors { __typename code message } } }`
	)
	frozen := func(order, charge string) map[string]any {
		return vars("in", vars("idempotencyKey", "s", "orderId", order, "charge", yuan(charge)))
	}
	for _, c := range []struct {
		who             *auth.Viewer
		mutation, query string
		variables       map[string]any
		code, text      string
	}{
		{customer, "pay", pay, funding(), "FUNDING_MISMATCH", "Choose what the payment is paid from: the balance, online or the partner."},
		{customer, "pay", pay, funding("balance", yuan("10.00"), "partner", vars()), "FUNDING_MISMATCH", "A partner pays alone, and the whole total. Choose nothing else beside it."},
		{customer, "pay", pay, funding("balance", yuan("10.00")), "FUNDING_MISMATCH", "The parts of the payment do not add up to its total of ¥100.00. Check the amounts."},
		{customer, "cancelPayment", stop, vars("in", vars("paymentId", never)), "PAYMENT_NOT_FOUND", "There is no such payment in your account."},
		{operator, "refundPayment", refund, vars("in", refunding("r", never)), "PAYMENT_NOT_FOUND", "There is no such payment."},
		{operator, "refundPayment", refund, vars("in", refunding("r", never, "reason", " ")), "INVALID_INPUT", "Enter a reason of 1 to 500 characters."},
		{customer, "cancelOrder", cancel, vars("in", vars("orderId", gone)), "ORDER_NOT_FOUND", "There is no such order in your account."},
		{service, "settleFreeze", settle, frozen(gone, "0.00"), "ORDER_NOT_FOUND", "There is no such order."},
		{service, "settleFreeze", settle, frozen(orders[0], "-1.00"), "AMOUNT_INVALID", "Enter an amount of zero or more, with no more decimals than the currency has."},
		{service, "settleFreeze", settle, frozen(orders[0], "0.00"), "ORDER_STATUS_CHANGED", "Nothing is frozen for this order."},
		{customer, "confirmTotp", bind, vars("in", vars("code", "000000")), "INVALID_INPUT", "No authenticator app waits for its first code. Begin to bind one."},
	} {
		w.viewer = c.who
		got := w.ask(c.query, "in", c.variables["in"])
		w.want(got, c.mutation+".errors.0.code", c.code)
		w.want(got, c.mutation+".errors.0.message", c.text)
	}
	w.viewer = customer
	w.ask(cancel, "in", vars("orderId", orders[0]))
	got := w.ask(cancel, "in", vars("orderId", orders[0]))
	const over = "The status of this order has changed, so it can no longer be canceled. See your orders for details."
	w.want(got, "cancelOrder.errors.0.code", "ORDER_STATUS_CHANGED")
	w.want(got, "cancelOrder.errors.0.message", over)
	w.want(got, "cancelOrder.errors.0.blocked.0.message", over)
}
