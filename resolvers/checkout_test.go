package resolvers_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/input"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/locale"
	"paydesk/models"
)

const checkoutQuery = `query($in: CheckoutInput!) { checkout(input: $in) { ...Checkout } }` + checkoutFields

const checkoutFields = ` fragment Checkout on Checkout {
	lines { order { number payability { payable code } linkedOrders { number } } amount { amount } discount { amount } coupon { amount } due { amount } }
	autoSelected { number } notice blocked { order { number } code message contact actionUrl } reasons { __typename code message field } payable
	subtotal { amount } discountTotal { amount } couponTotal { amount } total { amount currency }
	discounts { discount { id name kind } saves { amount } applicable code reason selected } coupons { coupon { id remaining { amount } } saves { amount } applicable code reason selected }
	recommendation { couponIds discountId total { amount } saves { amount } }
	funding { kind available code reason channels { channel available code reason } verification } outsideContract { number } validUntil }`

const selectionQuery = `query($in: OrderSelectionInput!) { orderSelection(input: $in) { orders { id number payability { payable } linkedOrders { id } } autoSelected { id } autoDeselected { id }
	refused { order { id } code message contact actionUrl } notice } }`

// in runs an operation in a language.
func (w *world) in(language, query string, pairs ...any) map[string]any {
	w.Helper()
	ctx := graphql.StartOperationTrace(auth.With(locale.With(context.Background(), language), w.viewer))
	raw, err := json.Marshal(w.start(ctx, query, vars(pairs...))(context.Background()))
	w.must(err)
	var a answer
	w.must(json.Unmarshal(raw, &a))
	if len(a.Errors) > 0 {
		w.Fatalf("%+v", a.Errors)
	}
	var data map[string]any
	w.must(json.Unmarshal(a.Data, &data))
	return data
}

func (w *world) granted(minor string, kind models.CouponKind) string {
	w.Helper()
	out, err := w.benefits.Grant(context.Background(), benefit.Coupons{AccountID: w.me.ID, Name: "Welcome", Kind: kind, Face: input.Amount{Decimal: minor, Currency: "CNY"}, ValidTo: time.Now().AddDate(0, 0, 3)})
	w.must(err)
	return out[0].ID.Encode(models.PrefixCoupon)
}

func (w *world) discounted(percent string) string {
	w.Helper()
	out, err := w.benefits.GrantDiscount(context.Background(), benefit.Discount{AccountID: w.me.ID, Name: "Contract", Kind: models.DiscountCommercial, PercentOff: percent, ValidTo: time.Now().AddDate(0, 0, 3)})
	w.must(err)
	return out.ID.Encode(models.PrefixDiscount)
}

// HW-6, HW-7, HW-10, HW-19, HW-21, HW-22: the quote before a payment, whole, in three languages.
func TestCheckout(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 5_000)
	trio, alone := w.placed(true, "10.00", "20.00", "30.00"), w.placed(false, "40.00")
	coupon, discount := w.granted("5.00", models.CouponCash), w.discounted("10")
	w.granted("3.00", models.CouponVoucher)
	in := map[string]any{"orderIds": []string{trio[1], alone[0]}, "couponIds": []string{coupon}, "discountId": discount}
	got := w.ask(checkoutQuery, "in", in)
	for path, want := range map[string]any{
		"checkout.payable": true, "checkout.subtotal.amount": "100.00", "checkout.discountTotal.amount": "10.00", "checkout.couponTotal.amount": "5.00", "checkout.total.amount": "85.00",
		"checkout.lines.0.amount.amount": "20.00", "checkout.lines.0.discount.amount": "2.00", "checkout.lines.0.coupon.amount": "1.00", "checkout.lines.0.due.amount": "17.00",
		"checkout.lines.0.order.payability.payable": true, "checkout.notice": "2 other linked orders were selected automatically",
		"checkout.discounts.0.selected": true, "checkout.discounts.0.saves.amount": "10.00", "checkout.discounts.0.discount.name": "Contract",
		"checkout.recommendation.total.amount": "82.00", "checkout.recommendation.saves.amount": "18.00", "checkout.recommendation.discountId": discount,
		"checkout.funding.0.kind": "BALANCE", "checkout.funding.0.available": false, "checkout.funding.0.code": "INSUFFICIENT_BALANCE",
		"checkout.funding.0.reason": "The balance is not enough: ¥50.00 available, ¥85.00 needed. Top up at least ¥35.00 first.",
		"checkout.funding.1.kind":   "ONLINE", "checkout.funding.1.available": true, "checkout.funding.1.channels.0.channel": "ALIPAY", "checkout.funding.1.channels.0.available": true,
		"checkout.funding.2.kind": "COMBINED", "checkout.funding.2.available": true, "checkout.funding.2.verification": nil,
		"checkout.funding.3.kind": "PARTNER", "checkout.funding.3.code": "PARTNER_NOT_AVAILABLE",
	} {
		w.want(got, path, want)
	}
	if lines, linked := w.at(got, "checkout.lines").([]any), w.at(got, "checkout.lines.0.order.linkedOrders").([]any); len(lines) != 4 || len(linked) != 2 || len(w.at(got, "checkout.recommendation.couponIds").([]any)) != 2 {
		t.Errorf("%d lines, %d linked", len(lines), len(linked))
	}
	w.want(w.in("zh-Hans", checkoutQuery, "in", in), "checkout.notice", "已自动选中其他 2 个关联订单")
	w.want(w.in("zh-Hant", checkoutQuery, "in", in), "checkout.notice", "已自動選取其他 2 筆關聯訂單")
	pair := w.placed(true, "1.00", "2.00")
	w.want(w.ask(checkoutQuery, "in", map[string]any{"orderIds": pair[:1]}), "checkout.notice", "1 other linked order was selected automatically")
	w.want(w.ask(checkoutQuery, "in", map[string]any{"orderIds": alone}), "checkout.notice", nil)
}

// What stands against paying, with whom to ask (HW-17, HW-18) and in the request's language.
func TestCheckoutBlocked(t *testing.T) {
	w := newWorld(t)
	ids := w.placed(false, "10.00", "20.00", "30.00")
	for i, status := range []models.OrderStatus{models.OrderPendingReview, models.OrderPendingConfirmation} {
		id, err := models.Decode(models.PrefixOrder, ids[i])
		w.must(err)
		_, err = w.home.DB.Exec(context.Background(), "UPDATE orders SET status = ? WHERE account_id = ? AND id = ?", string(status), w.me.ID, id)
		w.must(err)
	}
	got := w.ask(checkoutQuery, "in", map[string]any{"orderIds": ids, "couponIds": []string{w.granted("1.00", models.CouponCash)}})
	for path, want := range map[string]any{
		"checkout.payable": false, "checkout.blocked.0.code": "ORDER_PENDING_REVIEW", "checkout.blocked.0.contact": "400-000-0000", "checkout.blocked.0.actionUrl": "https://example.com/tickets",
		"checkout.blocked.1.code": "ORDER_PENDING_CONFIRMATION", "checkout.blocked.1.contact": "400-000-0000", "checkout.blocked.1.actionUrl": "https://example.com/service",
		"checkout.lines.2.order.payability.payable": true,
	} {
		w.want(got, path, want)
	}
	w.want(w.in("zh-Hans", checkoutQuery, "in", map[string]any{"orderIds": ids}), "checkout.blocked.1.message", "订单正在等待确认，请联系您的客户经理确认后再支付。")
	none := w.ask(checkoutQuery, "in", map[string]any{"orderIds": []string{}})
	w.want(none, "checkout.reasons.0.code", "NO_ORDERS")
	w.want(none, "checkout.reasons.0.field.0", "orderIds")
	w.want(none, "checkout.total.amount", "0.00")
	brief := w.granted("9.00", models.CouponCash)
	_, err := w.home.DB.Exec(context.Background(), "UPDATE coupons SET remaining = 0 WHERE account_id = ? AND remaining = 900", w.me.ID)
	w.must(err)
	used := w.in("zh-Hans", checkoutQuery, "in", map[string]any{"orderIds": ids[2:], "couponIds": []string{brief}})
	for path, want := range map[string]any{
		"checkout.payable": false, "checkout.reasons.0.__typename": "InputError", "checkout.reasons.0.code": "COUPON_NOT_APPLICABLE", "checkout.reasons.0.field.0": "couponIds", "checkout.reasons.0.field.1": "0",
		"checkout.reasons.0.message": "该优惠券不可用：余额已用完。请更换或不使用优惠券。", "checkout.total.amount": "30.00",
	} {
		w.want(used, path, want)
	}
	for _, in := range []map[string]any{
		{"orderIds": []string{models.NewID().Encode(models.PrefixOrder)}},
		{"orderIds": []string{"acc_" + ids[0][4:]}},
		{"orderIds": ids[2:], "couponIds": []string{models.NewID().Encode(models.PrefixCoupon)}},
		{"orderIds": ids[2:], "discountId": "x"},
	} {
		if code := w.code(w.as(w.viewer, checkoutQuery, vars("in", in))); code != "NOT_FOUND" {
			t.Errorf("%v: %s", in, code)
		}
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = ids[0]
	}
	if code := w.code(w.as(w.viewer, checkoutQuery, vars("in", map[string]any{"orderIds": many}))); code != "BAD_USER_INPUT" {
		t.Error(code)
	}
	if code := w.code(w.as(&auth.Viewer{UserID: "op", Role: auth.Operator}, checkoutQuery, vars("in", map[string]any{"orderIds": ids}))); code != "FORBIDDEN" {
		t.Error(code)
	}
}

// The checkout of QUOTE_CHANGED is the one that the query shows.
func TestQuoteChangedIsTheCheckout(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 100_000)
	ids := w.placed(true, "10.00", "20.00")
	in := map[string]any{"orderIds": ids[:1], "couponIds": []string{w.granted("5.00", models.CouponCash)}, "discountId": w.discounted("10")}
	shown := w.ask(checkoutQuery, "in", in)
	pay := map[string]any{"idempotencyKey": "k", "orderId": ids[0], "couponIds": in["couponIds"], "discountId": in["discountId"],
		"funding": map[string]any{"balance": map[string]any{"amount": "30.00", "currency": "CNY"}}, "expectedTotal": map[string]any{"amount": "30.00", "currency": "CNY"}}
	changed := w.ask(`mutation($in: PayInput!) { pay(input: $in) { payment { id } errors { code ... on QuoteChanged { checkout { ...Checkout } } } } }`+checkoutFields, "in", pay)
	w.want(changed, "pay.errors.0.code", "QUOTE_CHANGED")
	w.want(changed, "pay.errors.0.checkout.total.amount", "22.00")
	got, _ := json.Marshal(w.at(changed, "pay.errors.0.checkout"))
	want, _ := json.Marshal(w.at(shown, "checkout"))
	if string(got) != string(want) {
		t.Errorf("changed\n%s\nshown\n%s", got, want)
	}
}

// HW-8, HW-10 to HW-13: ticking and unticking with their notices.
func TestOrderSelection(t *testing.T) {
	w := newWorld(t)
	alone, quartet, pair := w.placed(false, "1.00"), w.placed(true, "1.00", "2.00", "3.00", "4.00"), w.placed(true, "5.00", "6.00")
	for language, notices := range map[string][4]any{
		"en":      {"3 other linked orders were selected automatically", "1 other linked order was deselected automatically", "3 other linked orders were selected automatically; 1 other linked order was deselected automatically", nil},
		"zh-Hans": {"已自动选中其他 3 个关联订单", "已自动取消选中其他 1 个关联订单", "已自动选中其他 3 个关联订单，同时已自动取消选中其他 1 个关联订单", nil},
		"zh-Hant": {"已自動選取其他 3 筆關聯訂單", "已自動取消選取其他 1 筆關聯訂單", "已自動選取其他 3 筆關聯訂單，同時已自動取消選取其他 1 筆關聯訂單", nil},
	} {
		for i, in := range []map[string]any{
			{"selected": alone, "add": quartet[1:2]},
			{"selected": append(append([]string{}, alone...), pair...), "remove": pair[:1]},
			{"selected": pair, "add": quartet[:1], "remove": pair[1:]},
			{"selected": []string{}},
		} {
			got := w.in(language, selectionQuery, "in", in)
			w.want(got, "orderSelection.notice", notices[i])
			if i == 0 {
				w.want(got, "orderSelection.orders.0.id", alone[0])
				w.want(got, "orderSelection.orders.1.id", quartet[1])
				if linked := w.at(got, "orderSelection.orders.1.linkedOrders").([]any); len(linked) != 3 {
					t.Error(linked)
				}
			}
		}
	}
	thirty := w.placed(false, func() (out []string) {
		for range 30 {
			out = append(out, "1.00")
		}
		return out
	}()...)
	got := w.ask(selectionQuery, "in", map[string]any{"selected": thirty, "add": alone})
	w.want(got, "orderSelection.refused.0.code", "TOO_MANY_ORDERS")
	w.want(got, "orderSelection.refused.0.message", "At most 30 orders can be paid together, linked ones counted. Take some out.")
	w.want(got, "orderSelection.refused.0.order.id", alone[0])
	for _, in := range []map[string]any{{"selected": []string{"x"}}, {"selected": alone, "add": []string{models.NewID().Encode(models.PrefixOrder)}}} {
		if code := w.code(w.as(w.viewer, selectionQuery, vars("in", in))); code != "NOT_FOUND" {
			t.Errorf("%v: %s", in, code)
		}
	}
}

// Statements of both queries do not grow with the orders, whatever is selected.
func TestCheckoutStatements(t *testing.T) {
	w := newWorld(t)
	count := func(query string, in map[string]any) int {
		ctx, counter := database.WithCounter(w.context(w.viewer))
		raw, err := json.Marshal(w.start(ctx, query, vars("in", in))(ctx))
		w.must(err)
		var a answer
		if w.must(json.Unmarshal(raw, &a)); len(a.Errors) > 0 {
			t.Fatal(a.Errors)
		}
		return counter.N()
	}
	few, many := w.placed(true, "1.00", "2.00"), []string{}
	for range 15 {
		many = append(many, w.placed(true, "1.00", "2.00")[0])
	}
	a, b := count(checkoutQuery, map[string]any{"orderIds": few[:1]}), count(checkoutQuery, map[string]any{"orderIds": many})
	c, d := count(selectionQuery, map[string]any{"selected": few}), count(selectionQuery, map[string]any{"selected": many})
	if a != b || a > 6 || c != d || c > 2 {
		t.Errorf("checkout: %d, %d; selection: %d, %d", a, b, c, d)
	}
}
