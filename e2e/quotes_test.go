package e2e

import (
	"strings"
	"testing"
	"time"
)

// company opens an account of an enterprise on the mainland: its sensitive payments need a code (D2).
func (s *server) company(t testing.TB) *customer {
	t.Helper()
	c := &customer{s: s, service: s.signIn(t, "SERVICE", "")}
	var out struct {
		OpenAccount struct{ Account *struct{ ID string } }
	}
	c.service.must(t, `mutation($input: OpenAccountInput!) { openAccount(input: $input) { account { id } errors { code } } }`, map[string]any{"input": map[string]any{
		"idempotencyKey": unique("open"), "number": unique("E2E"), "name": "Example Trading", "kind": "ENTERPRISE", "region": "CN", "country": "CN",
		"signingEntity": "MAINLAND", "currency": "CNY", "realName": "Example Trading", "email": "pay@example.com", "phone": "+8613800138000"}}, &out)
	if out.OpenAccount.Account == nil {
		t.Fatal("no account")
	}
	c.AccountID = out.OpenAccount.Account.ID
	c.user = s.signIn(t, "CREATOR", c.AccountID)
	return c
}

// placed places orders of "product amount", as one bundle or not, and gives their ids.
func (c *customer) placed(t testing.TB, bundle bool, orders ...string) (ids []string) {
	t.Helper()
	var list []map[string]any
	for _, o := range orders {
		product, amount, _ := strings.Cut(o, " ")
		list = append(list, map[string]any{"number": unique("ORD"), "type": "NEW_PURCHASE", "productType": product, "items": []any{map[string]any{"name": product, "quantity": 1, "amount": money(amount)}}})
	}
	var out struct {
		PlaceOrders struct{ Orders []struct{ ID string } }
	}
	c.service.must(t, `mutation($input: PlaceOrdersInput!) { placeOrders(input: $input) { orders { id } errors { code } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": unique("place"), "accountId": c.AccountID, "orders": list, "bundle": bundle}}, &out)
	for _, o := range out.PlaceOrders.Orders {
		ids = append(ids, o.ID)
	}
	if len(ids) != len(orders) {
		t.Fatalf("placed %v", ids)
	}
	return ids
}

// voucher gives a coupon; more are further fields of the input.
func (c *customer) voucher(t testing.TB, kind, face string, more map[string]any) (id string) {
	t.Helper()
	in := map[string]any{"idempotencyKey": unique("grant"), "accountId": c.AccountID, "name": "Coupon " + face, "kind": kind, "face": money(face), "validTo": time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)}
	for k, v := range more {
		in[k] = v
	}
	var out struct {
		GrantCoupons struct{ Coupons []struct{ ID string } }
	}
	c.service.must(t, `mutation($input: GrantCouponsInput!) { grantCoupons(input: $input) { coupons { id } errors { code } } }`, map[string]any{"input": in}, &out)
	if len(out.GrantCoupons.Coupons) != 1 {
		t.Fatal("no coupon")
	}
	return out.GrantCoupons.Coupons[0].ID
}

type sum struct{ Amount string }

// aQuote is what a checkout shows.
type aQuote struct {
	Payable                                     bool
	Notice                                      string
	Subtotal, DiscountTotal, CouponTotal, Total sum
	AutoSelected                                []struct{ ID string }
	Recommendation                              struct {
		CouponIds    []string
		DiscountID   string
		Total, Saves sum
	}
	Lines []struct {
		Order struct{ ID string }
		Due   sum
	}
}

const quoteFields = `{ payable notice subtotal { amount } discountTotal { amount } couponTotal { amount } total { amount } autoSelected { id }
	recommendation { couponIds discountId total { amount } saves { amount } } lines { order { id } due { amount } } }`

func (c *customer) quote(t testing.TB, input map[string]any) aQuote {
	t.Helper()
	var out struct{ Checkout aQuote }
	c.must(t, `query($input: CheckoutInput!) { checkout(input: $input) `+quoteFields+` }`, map[string]any{"input": input}, &out)
	return out.Checkout
}

// merged is a merged payment, or what stands against it.
type merged struct {
	Payment *struct {
		ID, Status       string
		Amount, Refunded sum
		NextAction       *struct{ Content string }
		Allocations      []struct {
			Order                         struct{ ID, Status string }
			Amount, Discount, Coupon, Due sum
		}
		Parts []struct {
			Kind   string
			Amount sum
		}
		Refunds []struct {
			Status string
			Amount sum
		}
		Version int
	}
	Removed []blockedOrder
	Errors  []struct {
		Typename    string `json:"__typename"`
		Code, Scene string
		Blocked     []blockedOrder
		Remaining   []struct{ ID string }
		Checkout    *aQuote
	}
}

type blockedOrder struct {
	Code  string
	Order struct{ ID string }
}

const mergedPayment = `{ id status amount { amount } refunded { amount } version nextAction { ... on ScanQrCode { content } } parts { kind amount { amount } } refunds { status amount { amount } }
	allocations { order { id status } amount { amount } discount { amount } coupon { amount } due { amount } } }`

func (c *customer) merge(t testing.TB, key string, input map[string]any) merged {
	t.Helper()
	input["idempotencyKey"] = key
	var out struct{ MergePay merged }
	c.must(t, `mutation($input: MergePayInput!) { mergePay(input: $input) { payment `+mergedPayment+` removed { code order { id } } errors { __typename code
		... on OrdersNotPayable { blocked { code order { id } } remaining { id } } ... on VerificationRequired { scene } ... on QuoteChanged { checkout `+quoteFields+` } } } }`, map[string]any{"input": input}, &out)
	return out.MergePay
}

func (m merged) code() string {
	if len(m.Errors) == 0 {
		return ""
	}
	return m.Errors[0].Typename + " " + m.Errors[0].Code
}

// blockedIDs are the orders that all have one code.
func blockedIDs(t testing.TB, list []blockedOrder, code string) (ids []string) {
	t.Helper()
	for _, b := range list {
		if b.Code != code {
			t.Errorf("%s is blocked by %s, want %s", b.Order.ID, b.Code, code)
		}
		ids = append(ids, b.Order.ID)
	}
	return ids
}

// left is what coupons still have.
func (c *customer) left(t testing.TB) map[string]string {
	t.Helper()
	var out struct {
		Coupons struct {
			Nodes []struct {
				ID        string
				Remaining sum
			}
		}
	}
	c.must(t, `{ coupons { nodes { id remaining { amount } } } }`, nil, &out)
	left := map[string]string{}
	for _, k := range out.Coupons.Nodes {
		left[k.ID] = k.Remaining.Amount
	}
	return left
}

// refund pays back; order and amount may be empty.
func (s *server) refund(t testing.TB, payment, order, amount string) merged {
	t.Helper()
	in := map[string]any{"idempotencyKey": unique("refund"), "paymentId": payment, "reason": "not wanted"}
	if order != "" {
		in["orderId"] = order
	}
	if amount != "" {
		in["amount"] = money(amount)
	}
	var out struct{ RefundPayment merged }
	s.signIn(t, "OPERATOR", "").must(t, `mutation($input: RefundPaymentInput!) { refundPayment(input: $input) { payment `+mergedPayment+` errors { __typename code } } }`, map[string]any{"input": in}, &out)
	return out.RefundPayment
}

// codeFor has a code sent for these orders and this funding.
func (c *customer) codeFor(t testing.TB, orders []string, funding map[string]any) string {
	t.Helper()
	return c.sendCode(t, map[string]any{"scene": "COMBINED_PAYMENT", "kind": "SMS", "orderIds": orders, "funding": funding})
}

// other is a code that is not this one.
func other(code string) string {
	last := (code[len(code)-1]-'0'+1)%10 + '0'
	return code[:len(code)-1] + string(last)
}
