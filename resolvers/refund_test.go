package resolvers_test

import (
	"fmt"
	"testing"

	"paydesk/internal/billing/account"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

const refundQuery = `mutation($in: RefundPaymentInput!) { refundPayment(input: $in) { payment { id refunded { amount } refunds { id amount { amount } status reason } } errors { __typename code field } } }`

// refunding is an input of refundPayment; what stands in pairs is added.
func refunding(key string, payment any, pairs ...any) map[string]any {
	in := vars(pairs...)
	in["idempotencyKey"], in["paymentId"] = key, payment
	if in["reason"] == nil {
		in["reason"] = "broken"
	}
	return in
}

// D10: refunds of a page of payments are one statement; they are nodes, and nobody else's.
func TestRefundsAreShown(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 100_00)
	operator := &auth.Viewer{UserID: "op", Role: auth.Operator}
	refund := func(in map[string]any) map[string]any {
		w.Helper()
		viewer := w.viewer
		defer func() { w.viewer = viewer }()
		w.viewer = operator
		return w.ask(refundQuery, "in", in)
	}
	var last map[string]any
	for n, id := range w.placed(false, "10.00", "20.00", "30.00") {
		amount := fmt.Sprintf("%d0.00", n+1)
		paid := w.ask(`mutation($in: PayInput!) { pay(input: $in) { payment { id } errors { code } } }`, "in", map[string]any{"idempotencyKey": fmt.Sprint("p", n), "orderId": id,
			"funding": map[string]any{"balance": map[string]any{"amount": amount, "currency": "CNY"}}})
		payment := w.at(paid, "pay.payment.id")
		last = refund(refunding(fmt.Sprint("a", n), payment, "amount", map[string]any{"amount": "4.00", "currency": "CNY"}))
		w.want(last, "refundPayment.payment.refunded.amount", "4.00")
		last = refund(refunding(fmt.Sprint("b", n), payment, "orderId", id))
		w.want(last, "refundPayment.payment.refunded.amount", amount)
		w.want(last, "refundPayment.payment.refunds.1.amount.amount", "4.00") // newest first
		w.want(last, "refundPayment.payment.refunds.0.status", "SUCCEEDED")
		for code, in := range map[string]map[string]any{"REFUND_NOT_ALLOWED": refunding("x", payment), "PAYMENT_NOT_FOUND": refunding("x", id), "ORDER_NOT_FOUND": refunding("x", payment, "orderId", payment),
			"AMOUNT_INVALID": refunding("x", payment, "amount", map[string]any{"amount": "-1", "currency": "CNY"}), "CURRENCY_MISMATCH": refunding("x", payment, "amount", map[string]any{"amount": "1", "currency": "XXX"})} {
			got := refund(in)
			w.want(got, "refundPayment.errors.0.code", code)
			w.want(got, "refundPayment.errors.0.__typename", "InputError")
		}
	}
	const list = `{ payments(first: 10) { nodes { id refunds { id amount { amount } } } } }`
	ctx, counter := database.WithCounter(w.context(w.viewer))
	w.start(ctx, list, nil)(ctx)
	if counter.N() != 2 {
		t.Errorf("three payments and their refunds take %d statements", counter.N())
	}
	w.want(w.ask(list), "payments.nodes.2.refunds.0.amount.amount", "6.00")

	id := w.at(last, "refundPayment.payment.refunds.0.id")
	const node = `query($id: ID!) { node(id: $id) { id ... on Refund { reason } } }`
	w.want(w.ask(node, "id", id), "node.reason", "broken")
	other := w.open("Wang")
	for viewer, sees := range map[*auth.Viewer]bool{operator: true, {UserID: "w", Role: auth.Creator, AccountID: other.ID}: false} {
		w.viewer = viewer
		if seen := w.at(w.ask(node, "id", id), "node") != nil; seen != sees {
			t.Errorf("%s sees it: %v", viewer.Role, seen)
		}
	}
	for _, role := range []auth.Role{auth.Creator, auth.Finance, auth.Service} {
		v := &auth.Viewer{UserID: "x", Role: role, AccountID: w.me.ID}
		if code := w.code(w.as(v, refundQuery, vars("in", refunding("y", "pay_x")))); code != "FORBIDDEN" {
			t.Errorf("%s: %s", role, code)
		}
	}
}

// Contract §3: a partner's people read the refunds of what it has paid, under the payment and by their ids; nobody else's.
func TestPartnerReadsRefundsOfWhatItPaid(t *testing.T) {
	w := newWorld(t)
	partner, stranger := w.open("Huizhi Partners"), w.open("Wang")
	w.give(partner, 100_00)
	w.give(w.me, 100_00)
	_, err := w.accounts.Update(t.Context(), w.me.ID, account.Update{PartnerID: &partner.ID})
	w.must(err)
	customer, operator := w.viewer, &auth.Viewer{UserID: "op", Role: auth.Operator}
	people := func(of models.Account, role auth.Role) *auth.Viewer {
		return &auth.Viewer{UserID: "p", Role: role, AccountID: of.ID}
	}
	orders := w.placed(false, "10.00", "20.00")
	const pay = `mutation($in: PayInput!) { pay(input: $in) { payment { id } errors { code } } }`
	asked := w.at(w.ask(pay, "in", map[string]any{"idempotencyKey": "p1", "orderId": orders[0], "funding": map[string]any{"partner": map[string]any{}}}), "pay.payment.id")
	own := w.at(w.ask(pay, "in", map[string]any{"idempotencyKey": "p2", "orderId": orders[1], "funding": map[string]any{"balance": map[string]any{"amount": "20.00", "currency": "CNY"}}}), "pay.payment.id")
	w.viewer = people(partner, auth.Partner)
	w.ask(`mutation($in: ApprovePartnerPaymentInput!) { approvePartnerPayment(input: $in) { errors { code } } }`, "in", map[string]any{"idempotencyKey": "a", "paymentId": asked})
	w.viewer = operator
	w.ask(refundQuery, "in", refunding("r1", asked))
	foreign := w.at(w.ask(refundQuery, "in", refunding("r2", own)), "refundPayment.payment.refunds.0.id")

	w.viewer = people(partner, auth.Partner)
	paid := w.at(w.ask(`query($id: ID!) { payment(id: $id) { refunds { id } } }`, "id", asked), "payment.refunds.0.id")
	for _, c := range []struct {
		viewer        *auth.Viewer
		paid, foreign bool
	}{
		{people(partner, auth.Partner), true, false},
		{people(partner, auth.Finance), false, false},
		{people(stranger, auth.Partner), false, false},
		{customer, true, true},
		{operator, true, true},
	} {
		w.viewer = c.viewer
		found := w.ask(`query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, "ids", []any{paid, foreign})
		if w.at(found, "nodes.0") != nil != c.paid || w.at(found, "nodes.1") != nil != c.foreign {
			t.Errorf("%s of %s: %v", c.viewer.Role, c.viewer.AccountID, found)
		}
	}
}
