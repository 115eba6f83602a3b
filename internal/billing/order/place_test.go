package order_test

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/order"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// HW-2, D4: what is not paid at once waits, for seven days unless it says otherwise.
func TestPlace(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		end := e.clock.Now().Add(48 * time.Hour)
		n := newOrder("12.50")
		n.Items = append(n.Items, order.NewItem{Name: "云硬盘", Quantity: 3, Amount: input.Amount{Decimal: "0", Currency: "CNY"}})
		n.ExpiresAt, n.Status, n.OutsideContract, n.ChargingMode = &end, models.OrderPendingReview, true, models.Postpaid
		placed := e.place(newOrder("100.00"), n)
		for i, o := range placed {
			kept, found, err := e.ByNumber(e.ctx, e.account, o.Number)
			e.must(err)
			if !found || kept.ID != o.ID || kept.AmountDue != o.AmountDue || !slices.Equal(kept.Items, o.Items) || !kept.ExpiresAt.Equal(*o.ExpiresAt) || !kept.CreatedAt.Equal(o.CreatedAt) {
				t.Errorf("order %d: placed %+v, kept %+v", i, o, kept)
			}
		}
		first, second := placed[0], placed[1]
		if first.Status != models.OrderPendingPayment || first.ChargingMode != models.Prepaid || first.AmountDue != 10000 ||
			!first.ExpiresAt.Equal(e.clock.Now().Add(7*24*time.Hour)) || !first.BundleID.IsZero() {
			t.Errorf("defaults: %+v", first)
		}
		if second.Status != models.OrderPendingReview || second.AmountDue != 1250 || second.ListAmount != 1250 || !second.ExpiresAt.Equal(end) || !second.OutsideContract {
			t.Errorf("as given: %+v", second)
		}
		bundle := e.bundle(newOrder("1"), newOrder("2"))
		if bundle[0].BundleID.IsZero() || bundle[0].BundleID != bundle[1].BundleID {
			t.Error("not a bundle")
		}
		if alone := e.bundle(newOrder("1")); !alone[0].BundleID.IsZero() {
			t.Error("one order is no bundle")
		}
	})
}

func TestPlaceRefuses(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		known := e.place(newOrder("1"))[0].Number
		past := e.clock.Now()
		yuan := func(text string) input.Amount { return input.Amount{Decimal: text, Currency: "CNY"} }
		at := func(inside ...string) []string { return append([]string{"input", "orders", "1"}, inside...) }
		tests := []struct {
			name   string
			change func(*order.NewOrder)
			code   string
			field  []string
		}{
			{"no number", func(n *order.NewOrder) { n.Number = "" }, "INVALID_INPUT", at("number")},
			{"number with a space", func(n *order.NewOrder) { n.Number = "A 1" }, "INVALID_INPUT", at("number")},
			{"number that is taken", func(n *order.NewOrder) { n.Number = known }, "INVALID_INPUT", at("number")},
			{"unknown type", func(n *order.NewOrder) { n.Type = "GIFT" }, "INVALID_INPUT", at("type")},
			{"no product type", func(n *order.NewOrder) { n.ProductType = "" }, "INVALID_INPUT", at("productType")},
			{"status of a paid order", func(n *order.NewOrder) { n.Status = models.OrderProcessing }, "INVALID_INPUT", at("status")},
			{"end that has passed", func(n *order.NewOrder) { n.ExpiresAt = &past }, "INVALID_INPUT", at("expiresAt")},
			{"no items", func(n *order.NewOrder) { n.Items = nil }, "INVALID_INPUT", at("items")},
			{"101 items", func(n *order.NewOrder) { n.Items = slices.Repeat(n.Items, 101) }, "INVALID_INPUT", at("items")},
			{"item without a name", func(n *order.NewOrder) { n.Items[0].Name = " " }, "INVALID_INPUT", at("items", "0", "name")},
			{"no quantity", func(n *order.NewOrder) { n.Items[0].Quantity = 0 }, "INVALID_INPUT", at("items", "0", "quantity")},
			{"too long", func(n *order.NewOrder) { n.Items[0].Specification = strings.Repeat("x", 201) }, "INVALID_INPUT", at("items", "0", "specification")},
			{"card number", func(n *order.NewOrder) { n.Items[0].Name = "for 4242 4242 4242 4242" }, "CARD_DATA_NOT_ACCEPTED", at("items", "0", "name")},
			{"other currency", func(n *order.NewOrder) { n.Items[0].Amount = input.Amount{Decimal: "1", Currency: "USD"} }, "CURRENCY_MISMATCH", at("items", "0", "amount")},
			{"negative", func(n *order.NewOrder) { n.Items[0].Amount = yuan("-0.01") }, "AMOUNT_INVALID", at("items", "0", "amount")},
			{"finer than the currency", func(n *order.NewOrder) { n.Items[0].Amount = yuan("0.001") }, "AMOUNT_INVALID", at("items", "0", "amount")},
			{"sum too large", func(n *order.NewOrder) {
				n.Items[0].Amount = yuan("92233720368547758.07")
				n.Items = slices.Repeat(n.Items, 2)
			}, "AMOUNT_OUT_OF_RANGE", at("items", "1", "amount")},
		}
		for _, c := range tests {
			n := newOrder("1")
			c.change(&n)
			first := newOrder("1")
			_, err := e.Place(e.ctx, order.Placement{AccountID: e.account, Orders: []order.NewOrder{first, n}})
			f, ok := fault.As(err)
			if !ok || f.Code != c.code || !slices.Equal(f.Field, c.field) {
				t.Errorf("%s: %v", c.name, err)
			}
			if _, found, _ := e.ByNumber(e.ctx, e.account, first.Number); found {
				t.Errorf("%s: the other order was taken", c.name)
			}
		}
	})
}

func TestPlaceJudgesTheCall(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		many := make([]order.NewOrder, 101)
		for i := range many {
			many[i] = newOrder("1")
		}
		twice := newOrder("1")
		tests := []struct {
			name    string
			account models.ID
			orders  []order.NewOrder
			want    string
		}{
			{"none", e.account, nil, "INVALID_INPUT at input.orders"},
			{"101", e.account, many, "INVALID_INPUT at input.orders"},
			{"the same number twice", e.account, []order.NewOrder{twice, newOrder("1"), twice}, "INVALID_INPUT at input.orders.2.number"},
			{"unknown account", models.NewID(), many[:1], "ACCOUNT_NOT_FOUND at input.accountId"},
			{"closed account", e.openAccount(models.AccountClosed, "CNY"), many[:1], "ACCOUNT_NOT_ACTIVE at input.accountId"},
			{"100", e.account, many[:100], ""},
		}
		for _, c := range tests {
			_, err := e.Place(e.ctx, order.Placement{AccountID: c.account, Orders: c.orders})
			if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

// Numbers are unique in the installation, not in the account.
func TestPlaceRefusesANumberOfAnotherAccount(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		n := newOrder("1")
		_, err := e.Place(e.ctx, order.Placement{AccountID: e.openAccount(models.AccountActive, "CNY"), Orders: []order.NewOrder{n}})
		e.must(err)
		_, err = e.Place(e.ctx, order.Placement{AccountID: e.account, Orders: []order.NewOrder{n}})
		if !fault.Is(err, "INVALID_INPUT") {
			t.Fatal(err)
		}
	})
}

// Lesson 10: the same key places once, also when Redis forgets in between; other input is refused; a failure keeps nothing.
func TestPlaceOnceForAKey(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		p := order.Placement{AccountID: e.account, Orders: []order.NewOrder{newOrder("1"), newOrder("2")}}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if out, err := e.Place(e.keyed("k1", "a"), p); err != nil || len(out) != 2 {
					t.Errorf("%d orders, %v", len(out), err)
				}
			})
		}
		wg.Wait()
		if n, err := e.Count(e.ctx, e.account, order.Filter{}); err != nil || n != 2 {
			t.Fatalf("%d orders (%v)", n, err)
		}
		out, err := e.Place(e.keyed("k1", "a"), p)
		if err != nil || out[0].Number != p.Orders[0].Number || out[1].Number != p.Orders[1].Number {
			t.Errorf("replayed as %s (%v)", numbers(out), err)
		}
		if _, err := e.Place(e.keyed("k1", "b"), p); !fault.Is(err, string(idempotency.Reused)) {
			t.Errorf("other input: %v", err)
		}
		bad := order.Placement{AccountID: e.account, Orders: []order.NewOrder{newOrder("1")}}
		bad.Orders[0].Type = ""
		if _, err := e.Place(e.keyed("k2", "a"), bad); !fault.Is(err, "INVALID_INPUT") {
			t.Errorf("bad input: %v", err)
		}
		if _, err := e.Place(e.keyed("k2", "b"), order.Placement{AccountID: e.account, Orders: []order.NewOrder{newOrder("1")}}); err != nil {
			t.Errorf("corrected input: %v", err)
		}
	})
}

// Two calls with one number at the same moment: one of them is told.
func TestPlaceRaceForANumber(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		n := newOrder("1")
		results := make([]error, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				_, results[i] = e.Place(e.ctx, order.Placement{AccountID: e.account, Orders: []order.NewOrder{newOrder("1"), n}})
			})
		}
		wg.Wait()
		placed := 0
		for i, err := range results {
			if err == nil {
				placed++
			} else if f, ok := fault.As(err); !ok || f.Code != "INVALID_INPUT" || f.Field[2] != "1" {
				t.Errorf("call %s: %v", strconv.Itoa(i), err)
			}
		}
		if placed != 1 {
			t.Errorf("placed %d times", placed)
		}
	})
}
