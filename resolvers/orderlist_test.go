package resolvers_test

import (
	"fmt"
	"slices"
	"testing"

	"paydesk/internal/platform/auth"
)

const listQuery = `query($f: OrderFilter, $by: OrderOrder, $first: Int, $after: String, $last: Int, $before: String) {
	orders(filter: $f, orderBy: $by, first: $first, after: $after, last: $last, before: $before) {
		totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
		nodes { id number amountDue { amount } payability { payable code } linkedOrders { id } activePayment { id } } } }`

// HW-2, HW-5: the list of orders as a console turns it: searched, narrowed, ordered, counted, forwards and backwards.
func TestOrderList(t *testing.T) {
	w := newWorld(t)
	bundle := w.placed(true, "30", "10")
	w.placed(false, "20", "40")
	held := w.placed(false, "5")[0]
	w.ask(`mutation($in: PayInput!) { pay(input: $in) { payment { id } errors { code message } } }`, "in", map[string]any{"idempotencyKey": "hold", "orderId": held,
		"funding": map[string]any{"online": map[string]any{"channel": "ALIPAY", "amount": map[string]any{"amount": "5.00", "currency": "CNY"}}}})
	by := map[string]any{"field": "AMOUNT_DUE", "direction": "ASC"}
	var amounts []string
	var after any
	for range 3 {
		d := w.ask(listQuery, "by", by, "first", 2, "after", after)
		w.want(d, "orders.totalCount", float64(5))
		for i := range len(w.at(d, "orders.nodes").([]any)) {
			amounts = append(amounts, w.at(d, fmt.Sprintf("orders.nodes.%d.amountDue.amount", i)).(string))
		}
		after = w.at(d, "orders.pageInfo.endCursor")
	}
	if !slices.Equal(amounts, []string{"5.00", "10.00", "20.00", "30.00", "40.00"}) {
		t.Errorf("by amount: %v", amounts)
	}
	d := w.ask(listQuery, "by", by, "last", 2)
	w.want(d, "orders.nodes.0.amountDue.amount", "30.00")
	w.want(d, "orders.pageInfo.hasPreviousPage", true)
	w.want(d, "orders.nodes.0.linkedOrders.0.id", bundle[1])
	d = w.ask(listQuery, "by", by, "first", 1)
	w.want(d, "orders.nodes.0.payability.code", "ORDER_BEING_PAID")
	if w.at(d, "orders.nodes.0.activePayment.id") == nil {
		t.Error("the payment that holds it is not named")
	}
	number := w.at(d, "orders.nodes.0.number").(string)
	w.want(w.ask(listQuery, "f", map[string]any{"number": number}), "orders.totalCount", float64(1))
	w.want(w.ask(listQuery, "f", map[string]any{"number": number + "%"}), "orders.totalCount", float64(0))
	w.want(w.ask(listQuery, "f", map[string]any{"statuses": []string{"COMPLETED"}, "types": []string{"RENEWAL"}, "productTypes": []string{"none"}}), "orders.totalCount", float64(0))
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("p", i)
	}
	if a := w.as(w.viewer, listQuery, vars("f", map[string]any{"productTypes": many})); w.code(a) != "BAD_USER_INPUT" {
		t.Errorf("a list of 101: %+v", a)
	}
	if a := w.as(w.viewer, listQuery, vars("by", by, "first", 1, "after", w.at(w.ask(listQuery, "first", 1), "orders.pageInfo.endCursor"))); w.code(a) != "BAD_USER_INPUT" {
		t.Errorf("a cursor of another order: %+v", a)
	}
}

// HW-17, HW-18: who decides about orders is the vendor.
func TestOnlyTheVendorDecides(t *testing.T) {
	w := newWorld(t)
	id := w.placed(false, "1")[0]
	for _, role := range []auth.Role{auth.Creator, auth.Finance, auth.Collaborator, auth.Partner, auth.Operator, auth.Service} {
		v := &auth.Viewer{UserID: "x", Role: role, AccountID: w.me.ID}
		want := "FORBIDDEN"
		if role == auth.Operator || role == auth.Service {
			v, want = &auth.Viewer{UserID: "x", Role: role}, ""
		}
		for _, mutation := range []string{`reviewOrder(input: {orderId: $id, approve: true})`, `confirmOrder(input: {orderId: $id})`} {
			a := w.as(v, `mutation($id: ID!) { done: `+mutation+` { order { id } errors { code field } } }`, vars("id", id))
			if len(a.Errors) == 0 != (want == "") || len(a.Errors) > 0 && w.code(a) != want {
				t.Errorf("%s %s: %+v", role, mutation, a)
			}
		}
	}
	v := &auth.Viewer{UserID: "x", Role: auth.Operator}
	for _, not := range []string{id + "x", "pay_01kaspsp3dfm0rs8v2n0q0q0q0", ""} {
		a := w.as(v, `mutation($id: ID!) { confirmOrder(input: {orderId: $id}) { order { id } errors { code field } } }`, vars("id", not))
		if string(a.Data) != `{"confirmOrder":{"order":null,"errors":[{"code":"ORDER_NOT_FOUND","field":["orderId"]}]}}` {
			t.Errorf("%q: %s %+v", not, a.Data, a.Errors)
		}
	}
}
