package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"paydesk/internal/platform/testenv"
)

// undecided places one order that waits for somebody else, or several as one bundle; it gives their ids.
func (c *customer) undecided(t testing.TB, statuses ...string) (ids []string) {
	t.Helper()
	var list []map[string]any
	for _, s := range statuses {
		list = append(list, map[string]any{"number": unique("ORD"), "type": "NEW_PURCHASE", "productType": "ecs", "status": s,
			"items": []any{map[string]any{"name": "Cloud server", "quantity": 1, "amount": money("10.00")}}})
	}
	var out struct {
		PlaceOrders struct{ Orders []struct{ ID string } }
	}
	c.service.must(t, `mutation($input: PlaceOrdersInput!) { placeOrders(input: $input) { orders { id } errors { code } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": unique("place"), "accountId": c.AccountID, "orders": list, "bundle": len(list) > 1}}, &out)
	for _, o := range out.PlaceOrders.Orders {
		ids = append(ids, o.ID)
	}
	if len(ids) != len(statuses) {
		t.Fatalf("placed %v", ids)
	}
	return ids
}

// decided is an order after a decision, or what stands against it.
type decided struct {
	Order  *struct{ Status string }
	Errors []struct {
		Code, Message string
		Field         []string
	}
}

func (u user) review(input map[string]any) (decided, error) {
	var out struct{ ReviewOrder decided }
	err := u.ask(`mutation($input: ReviewOrderInput!) { reviewOrder(input: $input) { order { status } errors { code message field } } }`, map[string]any{"input": input}, &out)
	return out.ReviewOrder, err
}

func (u user) confirm(id string) (decided, error) {
	var out struct{ ConfirmOrder decided }
	err := u.ask(`mutation($input: ConfirmOrderInput!) { confirmOrder(input: $input) { order { status } errors { code message field } } }`,
		map[string]any{"input": map[string]any{"orderId": id}}, &out)
	return out.ConfirmOrder, err
}

// told is what the account was sent.
func (c *customer) told(t testing.TB) (kinds []string, text string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, c.s.URL+"/dev/messages?accountId="+c.AccountID, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, body := answerTo(t, r)
	var messages []struct{ Kind, To, Body string }
	if err := json.Unmarshal([]byte(body), &messages); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, m := range messages {
		kinds, text = append(kinds, m.Kind), text+m.Body+"\n"
	}
	return kinds, text
}

// HW-9, HW-17, HW-18, HW-36: what waits for approval or confirmation is not paid; who decides is the vendor, the customer is told at
// phone and e-mail, and then it can be paid.
func TestReviewedThenPaid(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		c, desk := s.customer(t), s.signIn(t, "OPERATOR", "")
		c.charge(t, "ALIPAY", "100.00")
		bundle := c.undecided(t, "PENDING_REVIEW", "PENDING_PAYMENT")
		confirm := c.undecided(t, "PENDING_CONFIRMATION")[0]
		for id, code := range map[string]string{bundle[0]: "ORDER_PENDING_REVIEW", bundle[1]: "ORDER_PENDING_REVIEW", confirm: "ORDER_PENDING_CONFIRMATION"} {
			if r, err := c.pay(unique("pay"), id, balanceOf("20.00")); err != nil || r.code() != code {
				t.Errorf("%s: %+v %v", code, r, err)
			}
		}
		if _, err := c.review(map[string]any{"orderId": bundle[0], "approve": true}); err == nil || !strings.HasPrefix(err.Error(), "FORBIDDEN") {
			t.Errorf("the customer approves: %v", err)
		}
		for range 2 { // the same again changes nothing
			if d, err := desk.review(map[string]any{"orderId": bundle[0], "approve": true, "reason": "fits the budget"}); err != nil || d.Order == nil || d.Order.Status != "PENDING_PAYMENT" {
				t.Errorf("approve: %+v %v", d, err)
			}
			if d, err := c.service.confirm(confirm); err != nil || d.Order == nil || d.Order.Status != "PENDING_PAYMENT" {
				t.Errorf("confirm: %+v %v", d, err)
			}
		}
		if d, err := desk.review(map[string]any{"orderId": bundle[0], "approve": false}); err != nil || len(d.Errors) != 1 || d.Errors[0].Code != "ORDER_NOT_REVIEWABLE" || d.Errors[0].Message == "" {
			t.Errorf("refused after all: %+v %v", d, err)
		}
		if kinds, text := c.told(t); len(kinds) != 4 || strings.Count(text, "已通过审批") != 2 || strings.Count(text, "已确认") != 2 {
			t.Errorf("told %v: %s", kinds, text)
		}
		for id, total := range map[string]string{bundle[1]: "20.00", confirm: "10.00"} {
			if r, err := c.pay(unique("pay"), id, balanceOf(total)); err != nil || r.Payment == nil || r.Payment.Status != "SUCCEEDED" {
				t.Errorf("pay: %+v %v", r, err)
			}
		}
	})
}
