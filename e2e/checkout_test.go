package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// TestCheckout goes customers' ways through quotes and merged payments over GraphQL: what was shown is what is paid, whoever asks again
// is told the same, and what went wrong moved no money.
func TestCheckout(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		t.Run("quoted, paid, refunded", func(t *testing.T) { quotedAndPaid(t, s) })
		t.Run("changed between quote and payment", func(t *testing.T) {
			for _, k := range []int{1, 29, 30} {
				changedMeanwhile(t, s, k)
			}
		})
		t.Run("combined with a code", func(t *testing.T) { combinedWithCode(t, s) })
		t.Run("by the partner, with a coupon", func(t *testing.T) { mergedByPartner(t, s) })
	})
}

// HW-8 to HW-13, HW-R7 to HW-R18: ticked, quoted with the cheapest benefits, paid as quoted, once; refunded order by order, coupons come back.
func quotedAndPaid(t *testing.T, s *server) {
	c := s.company(t)
	c.charge(t, "ALIPAY", "1000.00")
	bundle, single := c.placed(t, true, "ecs 100.00", "db 50.01"), c.placed(t, false, "ecs 33.33")[0]
	cash := c.voucher(t, "CASH", "20.00", nil)
	voucher := c.voucher(t, "DISCOUNT_AMOUNT", "15.00", map[string]any{"productTypes": []string{"ecs"}, "minimumSpend": money("100.00")})
	discount := c.discount(t, "12.5", 24*time.Hour)
	ticked(t, c, bundle, single)

	asked := map[string]any{"orderIds": []string{bundle[0], single}}
	plain := c.quote(t, asked)
	if !plain.Payable || plain.Total.Amount != "183.34" || len(plain.AutoSelected) != 1 || plain.AutoSelected[0].ID != bundle[1] || plain.Notice != "1 other linked order was selected automatically" {
		t.Fatalf("%+v", plain)
	}
	best := plain.Recommendation // 12.5 % of each, half up: 87.50 + 43.76 + 29.16; then 15.00 and 20.00
	if best.Total.Amount != "125.42" || best.Saves.Amount != "57.92" || best.DiscountID != discount || len(best.CouponIds) != 2 {
		t.Fatalf("%+v", best)
	}
	asked["couponIds"], asked["discountId"] = best.CouponIds, best.DiscountID
	quote := c.quote(t, asked)
	if quote.Total != best.Total || quote.DiscountTotal.Amount != "22.92" || quote.CouponTotal.Amount != "35.00" {
		t.Fatalf("%+v", quote)
	}
	asked["funding"], asked["expectedTotal"] = balanceOf("125.42"), money("125.43")
	key := unique("merge")
	if r := c.merge(t, key, asked); r.code() != "QuoteChanged QUOTE_CHANGED" || r.Errors[0].Checkout.Total != quote.Total {
		t.Fatalf("%+v", r)
	}
	c.want(t, "1000.00", map[string]int{"TOP_UP": 1})
	asked["expectedTotal"] = money("125.42")
	paid := c.merge(t, key, asked)
	if paid.Payment == nil || paid.Payment.Status != "SUCCEEDED" || paid.Payment.Amount != quote.Total || len(paid.Payment.Allocations) != 3 {
		t.Fatalf("%+v", paid)
	}
	shares := map[string]sum{}
	for _, l := range quote.Lines {
		shares[l.Order.ID] = l.Due
	}
	for _, a := range paid.Payment.Allocations {
		if a.Due != shares[a.Order.ID] || a.Order.Status != "PROCESSING" {
			t.Errorf("%+v, quoted %+v", a, shares)
		}
	}
	if again := c.merge(t, key, asked); again.Payment == nil || again.Payment.ID != paid.Payment.ID || again.Payment.Version != paid.Payment.Version {
		t.Errorf("the same key: %+v", again)
	}
	asked["funding"] = balanceOf("125.41")
	if other := c.merge(t, key, asked); other.code() != "InputError IDEMPOTENCY_KEY_REUSED" {
		t.Error(other.code())
	}
	c.want(t, "874.58", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
	if left := c.left(t); left[cash] != "0.00" || left[voucher] != "0.00" {
		t.Error("coupons:", left)
	}
	if r := c.merge(t, unique("merge"), map[string]any{"orderIds": c.orders(t, 1, "30.00"), "couponIds": []string{cash}, "funding": balanceOf("10.00")}); r.code() != "InputError COUPON_NOT_APPLICABLE" {
		t.Error(r.code())
	}
	refundedInParts(t, s, c, paid, bundle, map[string]string{cash: "20.00", voucher: "15.00"})
}

func ticked(t *testing.T, c *customer, bundle []string, single string) {
	t.Helper()
	waits := c.undecided(t, "PENDING_REVIEW")[0]
	chinese := user{base: c.base, token: c.s.tokenIn(t, c.AccountID, "zh-Hans")}
	type ids []struct{ ID string }
	var out struct {
		OrderSelection struct {
			Orders, AutoSelected, AutoDeselected ids
			Refused                              []blockedOrder
			Notice                               string
		}
	}
	selection := `query($input: OrderSelectionInput!) { orderSelection(input: $input) { orders { id } autoSelected { id } autoDeselected { id } refused { code order { id } } notice } }`
	chinese.must(t, selection, map[string]any{"input": map[string]any{"selected": []string{single}, "add": []string{bundle[0], waits}}}, &out)
	if got := out.OrderSelection; len(got.Orders) != 3 || len(got.AutoSelected) != 1 || got.AutoSelected[0].ID != bundle[1] || got.Notice != "已自动选中其他 1 个关联订单" ||
		!slices.Equal(blockedIDs(t, got.Refused, "ORDER_PENDING_REVIEW"), []string{waits}) {
		t.Errorf("%+v", got)
	}
	chinese.must(t, selection, map[string]any{"input": map[string]any{"selected": []string{single, bundle[0], bundle[1]}, "remove": []string{bundle[1]}}}, &out)
	if got := out.OrderSelection; len(got.Orders) != 1 || got.Orders[0].ID != single || len(got.AutoDeselected) != 1 || got.AutoDeselected[0].ID != bundle[0] {
		t.Errorf("%+v", got)
	}
}

// D10, HW-R18: one order, then what is left; never more. What was paid is back to the cent, and so are the coupons.
func refundedInParts(t *testing.T, s *server, c *customer, paid merged, bundle []string, coupons map[string]string) {
	t.Helper()
	id := paid.Payment.ID
	if r := s.refund(t, id, "", "125.43"); r.code() != "InputError AMOUNT_OUT_OF_RANGE" {
		t.Error("more than was paid:", r.code())
	}
	first := s.refund(t, id, bundle[0], "")
	if first.Payment == nil || first.Payment.Refunded != paid.Payment.Allocations[0].Due {
		t.Fatalf("%+v", first)
	}
	all := s.refund(t, id, "", "")
	if all.Payment == nil || all.Payment.Refunded != paid.Payment.Amount {
		t.Fatalf("%+v", all)
	}
	for _, a := range all.Payment.Allocations {
		if a.Order.Status != "REFUNDED" {
			t.Errorf("%+v", a)
		}
	}
	if r := s.refund(t, id, "", ""); r.Payment != nil || len(r.Errors) != 1 {
		t.Errorf("a third refund: %+v", r)
	}
	c.want(t, "1000.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1, "REFUND": 2})
	if left := c.left(t); !maps.Equal(left, coupons) {
		t.Error("coupons:", left, "want", coupons)
	}
}

// HW-14 to HW-17: k of thirty orders change between quote and payment. Nothing moves and the lists are exact; PAY_REMAINING pays the rest
// and says what it left out, again under the same key.
func changedMeanwhile(t *testing.T, s *server, k int) {
	c := s.customer(t)
	c.charge(t, "ALIPAY", "30.00")
	ids := c.orders(t, 30, "1.00")
	if q := c.quote(t, map[string]any{"orderIds": ids}); q.Total.Amount != "30.00" {
		t.Fatal(q)
	}
	for _, id := range ids[:k] {
		c.cancelOrder(t, id)
	}
	in := map[string]any{"orderIds": ids, "funding": balanceOf("30.00"), "expectedTotal": money("30.00")}
	want := "OrdersNotPayable ORDER_STATUS_CHANGED"
	if k == 30 {
		want = "OrdersNotPayable ALL_ORDERS_STATUS_CHANGED"
	}
	r := c.merge(t, unique("merge"), in)
	if r.code() != want || r.Payment != nil {
		t.Fatalf("%+v, want %s", r, want)
	}
	if got := blockedIDs(t, r.Errors[0].Blocked, "ORDER_STATUS_CHANGED"); !slices.Equal(got, ids[:k]) || len(r.Errors[0].Remaining) != 30-k {
		t.Errorf("%d blocked, %d remain", len(got), len(r.Errors[0].Remaining))
	}
	for i, o := range r.Errors[0].Remaining {
		if o.ID != ids[k+i] {
			t.Errorf("%d remains as %s", k+i, o.ID)
		}
	}
	c.want(t, "30.00", map[string]int{"TOP_UP": 1})
	in["onStatusChanged"] = "PAY_REMAINING"
	key := unique("merge")
	for range 2 {
		r = c.merge(t, key, in)
		if k == 30 {
			if r.code() != want {
				t.Error(r.code())
			}
			continue
		}
		if r.Payment == nil || r.Payment.Status != "SUCCEEDED" || len(r.Payment.Allocations) != 30-k || !slices.Equal(blockedIDs(t, r.Removed, "ORDER_STATUS_CHANGED"), ids[:k]) {
			t.Fatalf("%+v", r)
		}
	}
	if k == 30 {
		c.want(t, "30.00", map[string]int{"TOP_UP": 1})
		return
	}
	c.want(t, map[int]string{1: "1.00", 29: "29.00"}[k], map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
}

// D2, HW-33, HW-34: balance and channel together need a code for just this; the balance part is frozen, and captured or released.
func combinedWithCode(t *testing.T, s *server) {
	c := s.company(t)
	c.charge(t, "ALIPAY", "10.00")
	ids := c.orders(t, 2, "15.00")
	funding := onlineOf("ALIPAY", "20.00")
	funding["balance"] = money("10.00")
	in := map[string]any{"orderIds": ids, "funding": funding}
	key := unique("merge")
	if r := c.merge(t, key, in); r.code() != "VerificationRequired VERIFICATION_REQUIRED" || r.Errors[0].Scene != "COMBINED_PAYMENT" {
		t.Fatalf("%+v", r)
	}
	code := c.codeFor(t, ids, funding)
	in["verificationCode"] = other(code)
	if r := c.merge(t, key, in); r.code() != "InputError VERIFICATION_FAILED" {
		t.Fatalf("%+v", r)
	}
	c.want(t, "10.00", map[string]int{"TOP_UP": 1})
	in["verificationCode"] = code
	var r merged
	for range 2 { // asked again under the same key: the same payment, though the code is used
		if r = c.merge(t, key, in); r.Payment == nil || r.Payment.Status != "REQUIRES_ACTION" || r.Payment.NextAction == nil || len(r.Payment.Parts) != 2 {
			t.Fatalf("%+v", r)
		}
	}
	c.want(t, "0.00", map[string]int{"TOP_UP": 1, "FREEZE": 1})
	if busy := c.merge(t, unique("merge"), map[string]any{"orderIds": ids[:1], "funding": balanceOf("15.00")}); busy.code() != "OrdersNotPayable ORDER_BEING_PAID" {
		t.Error(busy.code())
	}
	c.cancel(t, r.Payment.ID)
	c.want(t, "10.00", map[string]int{"TOP_UP": 1, "FREEZE": 1, "UNFREEZE": 1})
	if used := c.merge(t, unique("merge"), in); used.code() != "InputError VERIFICATION_FAILED" {
		t.Error("a code twice:", used.code())
	}
	s.advance(t, "61s") // the next code
	in["verificationCode"] = c.codeFor(t, ids, funding)
	if r = c.merge(t, unique("merge"), in); r.Payment == nil {
		t.Fatalf("%+v", r)
	}
	if err := payer(r.Payment.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	c.awaitStatus(t, r.Payment.ID, "SUCCEEDED")
	c.want(t, "0.00", map[string]int{"TOP_UP": 1, "FREEZE": 2, "UNFREEZE": 2, "ORDER_PAYMENT": 1})
	// Half of it back: a third of that to the balance, the rest by the channel.
	if back := s.refund(t, r.Payment.ID, "", "15.00"); back.Payment == nil || back.Payment.Refunded.Amount != "15.00" {
		t.Fatalf("%+v", back)
	}
	await(t, 20*time.Second, "the channel has refunded", func() (bool, error) {
		var out merged
		err := c.ask(`query($id: ID!) { payment(id: $id) `+mergedPayment+` }`, map[string]any{"id": r.Payment.ID}, &out)
		return err == nil && len(out.Payment.Refunds) == 1 && out.Payment.Refunds[0].Status == "SUCCEEDED", err
	})
	c.want(t, "5.00", map[string]int{"TOP_UP": 1, "FREEZE": 2, "UNFREEZE": 2, "ORDER_PAYMENT": 1, "REFUND": 1})
}

// HW-35: the partner pays a merged payment as it was quoted; the customer's coupon is used with the approval.
func mergedByPartner(t *testing.T, s *server) {
	c, partner, decides := s.reseller(t, "50.00")
	ids, cash := c.orders(t, 2, "20.00"), c.voucher(t, "CASH", "5.00", nil)
	r := c.merge(t, unique("merge"), map[string]any{"orderIds": ids, "couponIds": []string{cash}, "expectedTotal": money("35.00"), "funding": map[string]any{"partner": map[string]any{"message": "the servers"}}})
	if r.Payment == nil || r.Payment.Status != "REQUIRES_ACTION" || r.Payment.Amount.Amount != "35.00" {
		t.Fatalf("%+v", r)
	}
	if busy := c.merge(t, unique("merge"), map[string]any{"orderIds": c.orders(t, 1, "9.00"), "couponIds": []string{cash}, "funding": balanceOf("4.00")}); busy.code() != "InputError COUPON_NOT_APPLICABLE" {
		t.Error("a coupon in two payments:", busy.code())
	}
	if p, code := decides.decision(t, "approvePartnerPayment", r.Payment.ID, "idempotencyKey", unique("approve")); code != "" || p.Status != "SUCCEEDED" {
		t.Fatal(code, p)
	}
	partner.want(t, "15.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
	c.want(t, "0.00", map[string]int{})
	if left := c.left(t); left[cash] != "0.00" {
		t.Error(left)
	}
}
