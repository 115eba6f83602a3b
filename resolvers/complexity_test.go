package resolvers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/complexity"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"paydesk/resolvers"
)

// A client that shows thirty orders with all that a quote has stays below PAYDESK_LIMIT_COMPLEXITY's default; fifty small quotes do not.
func TestCheckoutComplexity(t *testing.T) {
	const (
		limit  = 10_000
		money  = "{ amount currency formatted }"
		errors = "{ code message field }"
		order  = "{ id number status type createdAt amountDue " + money + " }"
	)
	full := "checkout(input: $input) { payable reasons " + errors + " notice validUntil blocked { code message order " + order + " } autoSelected " + order + " outsideContract " + order +
		" lines { order " + order + " amount " + money + " discount " + money + " coupon " + money + " due " + money + " } subtotal " + money + " discountTotal " + money + " couponTotal " + money + " total " + money +
		" discounts { applicable selected code reason saves " + money + " discount { id name kind percentOff productTypes validFrom validTo } }" +
		" coupons { applicable selected code reason saves " + money + " coupon { id name kind validFrom validTo } }" +
		" recommendation { couponIds discountId total " + money + " saves " + money + " } funding { kind available code reason verification channels { channel available reason } } }"
	small := ""
	for n := range 50 {
		small += fmt.Sprintf(" a%d: checkout(input: $input) { recommendation { discountId } }", n)
	}
	for name, c := range map[string]struct {
		text   string
		orders int
		fits   bool
	}{"all of thirty orders": {full, 30, true}, "fifty recommendations": {small, 1, false}} {
		schema := resolvers.New(resolvers.Services{}).Schema()
		doc, err := gqlparser.LoadQueryWithRules(schema.Schema(), "query($input: CheckoutInput!) {"+c.text+"}", rules.NewDefaultRules())
		if err != nil {
			t.Fatal(name, err)
		}
		ids := make([]any, c.orders)
		for i := range ids {
			ids[i] = "ord_x"
		}
		n := complexity.Calculate(context.Background(), schema, doc.Operations[0], map[string]any{"input": map[string]any{"orderIds": ids}})
		if t.Log(name, n); n <= limit != c.fits {
			t.Errorf("%s costs %d, the limit is %d", name, n, limit)
		}
	}
}
