package resolvers_test

import (
	"encoding/json"
	"regexp"
	"testing"
)

var moving = regexp.MustCompile(`"asOf":"[^"]*"`) // the only thing that differs between two readings

// What a plan writes is what gqlgen would have written, byte by byte.
func TestPlansWriteWhatGqlgenWrites(t *testing.T) {
	w := newWorld(t)
	w.give(w.me, 123456)
	w.placed(true, "1.00", "2.00")
	w.placed(false, "1234.56")
	w.placed(false, "0.05")
	w.ask(payQuery, "in", paying("k", w.placed(false, "9.99")[0], "9.99"))
	all := `id number status type productType chargingMode items { id name specification quantity period amount { amount currency formatted } } listAmount { amount } amountDue { formatted currency }
		paid { amount } outsideContract payability { payable code message } createdAt expiresAt`
	for _, query := range []string{
		homeQuery, pageQuery, deepQuery,
		`{ orders { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { ` + all + ` } } nodes { ` + all + ` } } }`,
		`{ orders(first: 1) { __typename nodes { __typename a: id b: id amountDue { __typename x: amount y: amount } } pageInfo { __typename endCursor } } }`,
		`{ orders(filter: {number: "none"}) { totalCount nodes { id } edges { cursor } pageInfo { startCursor hasNextPage } } }`,
		`{ orders { ...c } } fragment c on OrderConnection { nodes { ...o ... on Order { number items { name } } ... on Node { id } } } fragment o on Order { id items { quantity name } }`,
		`query($no: Boolean = false, $yes: Boolean = true) { orders { nodes { id @skip(if: $yes) number @include(if: $no) amountDue { amount @skip(if: $yes) currency } } } }`,
		`query($yes: Boolean = true) { orders { nodes { id @skip(if: $yes) } } }`,
		`query($l: String = "zh-CN") { orders { nodes { amountDue { formatted(locale: $l) de: formatted(locale: "de") } } } }`,
		`{ orders { nodes { id } nodes { number } n: nodes { id } } o: orders(first: 1) { nodes { id } } }`,
		`{ orders { nodes { ... on Node { id } id number } } }`,
		`{ orders { nodes { number linkedOrders { ` + all + ` } activePayment { id } } } }`,
		`{ order(number: "O2") { ` + all + ` } none: order(number: "none") { id } }`,
		`{ balance { id available { amount } frozen { amount } total { amount } withdrawable { formatted } credit { limit { amount } used { amount } available { amount } } version asOf } }`,
		`{ transactions { totalCount pageInfo { endCursor } nodes { id kind amount { amount } balanceAfter { amount } postedAt note } edges { cursor node { id payment { number } } } } }`,
		`{ transactions { nodes { id kind amount { amount formatted } balanceAfter { amount } postedAt note } } viewer { account { number orders(first: 2) { nodes { number payability { code } } } balance { version } } } }`,
	} {
		ctx := w.context(w.viewer)
		planned := w.start(ctx, query, nil)(ctx)
		w.exec, w.plain = w.plain, w.exec
		executed := w.start(ctx, query, nil)(ctx)
		w.exec, w.plain = w.plain, w.exec
		got, want := moving.ReplaceAllString(string(planned.Data), ""), moving.ReplaceAllString(string(executed.Data), "")
		if got != want || len(planned.Errors)+len(executed.Errors) > 0 {
			t.Errorf("%s\n%s\n%s\n%v %v", query, got, want, planned.Errors, executed.Errors)
		}
		if !json.Valid(planned.Data) {
			t.Errorf("%s: not JSON: %s", query, planned.Data)
		}
	}
}
