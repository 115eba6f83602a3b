package resolvers_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

var desk = &auth.Viewer{UserID: "desk", Role: auth.Operator}

const (
	grantQuery    = `mutation($in: GrantCouponsInput!) { grantCoupons(input: $in) { coupons { id name kind face { amount currency } remaining { amount } minimumSpend { amount } productTypes validFrom validTo } errors { __typename code message field } } }`
	discountQuery = `mutation($in: GrantDiscountInput!) { grantDiscount(input: $in) { discount { id name kind percentOff productTypes validFrom validTo } errors { code message field } } }`
	couponsQuery  = `query($usable: Boolean, $first: Int, $after: String, $last: Int, $before: String) { coupons(usableOnly: $usable, first: $first, after: $after, last: $last, before: $before) {
		totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } nodes { id remaining { amount } } } }`
)

// granting is an input that is fine, with some of it changed.
func (w *world) granting(key string, more ...any) map[string]any {
	in := map[string]any{"idempotencyKey": key, "accountId": w.me.ID.Encode(models.PrefixAccount), "name": "Welcome", "kind": "CASH", "face": map[string]any{"amount": "5.00", "currency": "CNY"},
		"validTo": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
	maps.Copy(in, vars(more...))
	return in
}

func (w *world) discounting(key string, more ...any) map[string]any {
	in := w.granting(key, append([]any{"percentOff", "12.5"}, more...)...)
	delete(in, "face")
	delete(in, "kind")
	maps.Copy(in, vars(more...))
	return in
}

// staff runs an operation as an operator and wants no top-level error.
func (w *world) staff(query string, pairs ...any) map[string]any {
	w.Helper()
	viewer := w.viewer
	w.viewer = desk
	defer func() { w.viewer = viewer }()
	return w.ask(query, pairs...)
}

// HW-R7, HW-R8, HW-R11: coupons and discounts are granted by staff, once for a key, and show what they are.
func TestGrants(t *testing.T) {
	w := newWorld(t)
	in := w.granting("k", "kind", "DISCOUNT_AMOUNT", "count", 2, "minimumSpend", map[string]any{"amount": "20.5", "currency": "CNY"}, "productTypes", []string{"ecs"}, "notWithDiscounts", []string{"COMMERCIAL"})
	got := w.staff(grantQuery, "in", in)
	for path, want := range map[string]any{"kind": "DISCOUNT_AMOUNT", "name": "Welcome", "face.amount": "5.00", "face.currency": "CNY", "remaining.amount": "5.00", "minimumSpend.amount": "20.50", "productTypes.0": "ecs", "validTo": in["validTo"]} {
		w.want(got, "grantCoupons.coupons.1."+path, want)
	}
	again := w.staff(grantQuery, "in", in)
	if fmt.Sprint(again) != fmt.Sprint(got) {
		t.Errorf("again: %v", again)
	}
	in["count"] = 3
	w.want(w.staff(grantQuery, "in", in), "grantCoupons.errors.0.code", "IDEMPOTENCY_KEY_REUSED")

	off := w.staff(discountQuery, "in", w.discounting("k"))
	w.want(off, "grantDiscount.discount.kind", "COMMERCIAL")
	w.want(off, "grantDiscount.discount.percentOff", "12.5")
	w.want(off, "grantDiscount.discount.validTo", w.discounting("k")["validTo"])
	for text, want := range map[string]string{"100.0000": "100", "0.0001": "0.0001", "7.10": "7.1", "10": "10"} {
		w.want(w.staff(discountQuery, "in", w.discounting("k"+text, "percentOff", text, "kind", "PRICE_ADJUSTMENT")), "grantDiscount.discount.percentOff", want)
	}
	for _, id := range []string{models.NewID().Encode(models.PrefixAccount), "x", models.NewID().Encode(models.PrefixOrder)} {
		bad := w.staff(grantQuery, "in", w.granting("other", "accountId", id))
		w.want(bad, "grantCoupons.errors.0.code", "ACCOUNT_NOT_FOUND")
		w.want(bad, "grantCoupons.errors.0.field.0", "accountId")
		w.want(w.staff(discountQuery, "in", w.discounting("other", "accountId", id)), "grantDiscount.errors.0.code", "ACCOUNT_NOT_FOUND")
	}
	w.want(w.staff(grantQuery, "in", w.granting("other", "name", "4242 4242 4242 4242")), "grantCoupons.errors.0.code", "CARD_DATA_NOT_ACCEPTED")
	w.want(w.staff(discountQuery, "in", w.discounting("other", "percentOff", "100.5")), "grantDiscount.errors.0.code", "INVALID_INPUT")
	for _, role := range []auth.Role{auth.Creator, auth.Finance, auth.Collaborator, auth.Partner} {
		v := &auth.Viewer{UserID: "u", Role: role, AccountID: w.me.ID}
		if code := w.code(w.as(v, grantQuery, vars("in", w.granting("mine")))); code != "FORBIDDEN" {
			t.Errorf("%s grants coupons: %s", role, code)
		}
		if code := w.code(w.as(v, discountQuery, vars("in", w.discounting("mine")))); code != "FORBIDDEN" {
			t.Errorf("%s grants a discount: %s", role, code)
		}
	}
}

// A person's coupons by pages, newest first; the pages take a statement each, and one more where they are counted.
func TestCoupons(t *testing.T) {
	w := newWorld(t)
	var ids []any
	for n := range 5 {
		got := w.staff(grantQuery, "in", w.granting(fmt.Sprint("k", n)))
		ids = append([]any{w.at(got, "grantCoupons.coupons.0.id")}, ids...)
	}
	w.staff(grantQuery, "in", w.granting("later", "validFrom", time.Now().Add(30*time.Minute).UTC().Format(time.RFC3339)))
	all := w.ask(couponsQuery)
	w.want(all, "coupons.totalCount", float64(6))
	page := w.ask(couponsQuery, "usable", true, "first", 2)
	w.want(page, "coupons.totalCount", float64(5))
	w.want(page, "coupons.nodes.0.id", ids[0])
	w.want(page, "coupons.edges.1.node.id", ids[1])
	w.want(page, "coupons.pageInfo.hasNextPage", true)
	next := w.ask(couponsQuery, "usable", true, "first", 3, "after", w.at(page, "coupons.pageInfo.endCursor"))
	w.want(next, "coupons.nodes.0.id", ids[2])
	w.want(next, "coupons.nodes.2.id", ids[4])
	w.want(next, "coupons.pageInfo.hasNextPage", false)
	back := w.ask(couponsQuery, "usable", true, "last", 2, "before", w.at(next, "coupons.edges.1.cursor"))
	w.want(back, "coupons.nodes.0.id", ids[1])
	w.want(back, "coupons.nodes.1.id", ids[2])
	w.want(back, "coupons.pageInfo.hasPreviousPage", true)
	for _, bad := range []string{`{ coupons(first: 0) { nodes { id } } }`, `{ coupons(first: 101) { nodes { id } } }`, `{ coupons(first: 1, last: 1) { nodes { id } } }`, `{ coupons(after: "x") { nodes { id } } }`} {
		if code := w.code(w.as(w.viewer, bad, nil)); code != "BAD_USER_INPUT" {
			t.Errorf("%s: %s", bad, code)
		}
	}
	if code := w.code(w.as(desk, couponsQuery, nil)); code != "FORBIDDEN" {
		t.Errorf("an operator has coupons: %s", code)
	}
	for query, most := range map[string]int{couponsQuery: 2, `{ coupons { nodes { id } } }`: 1} {
		ctx, counter := database.WithCounter(w.context(w.viewer))
		w.start(ctx, query, nil)(ctx)
		if int(counter.N()) > most {
			t.Errorf("%s takes %d statements", query, counter.N())
		}
	}
}

// Contract §2, §3: coupons and discounts are found by their ids by their account and by staff, by nobody else.
func TestBenefitNodes(t *testing.T) {
	w := newWorld(t)
	coupon := w.at(w.staff(grantQuery, "in", w.granting("k")), "grantCoupons.coupons.0.id")
	discount := w.at(w.staff(discountQuery, "in", w.discounting("k")), "grantDiscount.discount.id")
	query := `query($ids: [ID!]!, $c: ID!) { nodes(ids: $ids) { __typename id ... on Coupon { face { amount } } ... on Discount { percentOff } } node(id: $c) { id } }`
	ask := func(v *auth.Viewer) string {
		a := w.as(v, query, vars("ids", []any{coupon, discount}, "c", coupon))
		return fmt.Sprint(strings.Count(string(a.Data), "__typename"), strings.Count(string(a.Data), `"node":null`), len(a.Errors))
	}
	stranger := &auth.Viewer{UserID: "s", Role: auth.Creator, AccountID: w.open("Stranger").ID}
	for want, viewers := range map[string][]*auth.Viewer{
		"2 0 0": {w.viewer, desk, {UserID: "s", Role: auth.Service}, {UserID: "f", Role: auth.Finance, AccountID: w.me.ID}}, "0 1 0": {stranger},
	} {
		for _, v := range viewers {
			if got := ask(v); got != want {
				t.Errorf("%s: %s, want %s", v.UserID, got, want)
			}
		}
	}
}
