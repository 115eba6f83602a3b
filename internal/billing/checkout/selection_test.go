package checkout_test

import (
	"errors"
	"testing"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

func (w *world) pick(selected, add, remove []models.Order) checkout.Selection {
	w.Helper()
	s, err := w.Select(w.ctx, w.me.ID, ids(selected...), ids(add...), ids(remove...))
	w.must(err)
	return s
}

func some(o ...models.Order) []models.Order { return o }

// HW-8 to HW-12: linked orders come and go together, and who cannot be paid cannot be ticked.
func TestSelect(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		alone := w.many(3)
		trio := w.place(true, w.one(1), w.one(2), w.one(3))
		waiting := w.place(true, w.one(1), w.one(2, inReview))
		confirm := w.place(false, w.one(1, toBeConfirmed))
		held, gone := w.many(1), w.many(1)
		w.hold(held[0])
		w.cancel(gone[0])
		for name, c := range map[string]struct {
			selected, add, remove []models.Order
			want, came, went      string
			refused               string
		}{
			"nothing":                             {},
			"one by one":                          {selected: some(alone[1]), add: some(alone[0]), want: numbers(some(alone[1], alone[0]))},
			"linked ones come along (HW-10)":      {selected: alone[:1], add: some(trio[1]), want: numbers(some(alone[0], trio[1], trio[0], trio[2])), came: numbers(some(trio[0], trio[2]))},
			"asked for themselves they did not":   {add: some(trio[2], trio[0]), want: numbers(some(trio[2], trio[0], trio[1])), came: trio[1].Number},
			"linked ones go along (HW-11)":        {selected: some(trio[0], alone[0], trio[1], trio[2]), remove: some(trio[1]), want: alone[0].Number, went: numbers(some(trio[0], trio[2]))},
			"unticked themselves they did not":    {selected: trio, remove: some(trio[0], trio[1]), want: "", went: trio[2].Number},
			"unticking what is not ticked":        {selected: alone[:1], remove: some(trio[0]), want: alone[0].Number},
			"what is ticked stays where it is":    {selected: some(trio[0], alone[2], trio[1], alone[0], trio[2]), add: some(alone[1]), want: numbers(some(trio[0], alone[2], trio[1], alone[0], trio[2], alone[1]))},
			"a bundle is completed":               {selected: trio[:1], want: numbers(trio), came: numbers(trio[1:])},
			"ticked again":                        {selected: alone[:1], add: alone[:1], want: alone[0].Number},
			"unticked and ticked: ticked":         {selected: trio, add: some(trio[0]), remove: some(trio[1]), want: numbers(trio), came: numbers(trio[1:])},
			"one in review keeps all out (HW-12)": {selected: alone[:1], add: some(waiting[0]), want: alone[0].Number, refused: waiting[0].Number + " LINKED_ORDERS_NOT_PAYABLE"},
			"itself in review (HW-9)":             {add: some(waiting[1], confirm[0]), refused: causes([]fault.Blocked{{Order: waiting[1], Code: "ORDER_PENDING_REVIEW"}, {Order: confirm[0], Code: "ORDER_PENDING_CONFIRMATION"}})},
			"held and gone":                       {selected: some(held[0], alone[0]), add: some(gone[0]), want: alone[0].Number, refused: causes([]fault.Blocked{{Order: held[0], Code: "ORDER_BEING_PAID"}, {Order: gone[0], Code: "ORDER_STATUS_CHANGED"}})},
		} {
			s := w.pick(c.selected, c.add, c.remove)
			if numbers(s.Orders) != c.want || numbers(s.AutoSelected) != c.came || numbers(s.AutoDeselected) != c.went || causes(s.Refused) != c.refused {
				t.Errorf("%s: %s; came %s; went %s; refused %s", name, numbers(s.Orders), numbers(s.AutoSelected), numbers(s.AutoDeselected), causes(s.Refused))
			}
			again := w.pick(s.Orders, nil, nil)
			if numbers(again.Orders) != c.want || len(again.AutoSelected)+len(again.AutoDeselected)+len(again.Refused) > 0 {
				t.Errorf("%s: it does not stand still: %s", name, numbers(again.Orders))
			}
		}
	})
}

// HW-13, D1: thirty are ticked, linked ones counted; what does not fit any more is refused, and what fits still comes in.
func TestSelectAtMostThirty(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		orders, pair := w.many(31), w.place(true, w.one(1), w.one(2))
		s := w.pick(orders[:29], some(pair[0], orders[29], orders[30]), nil)
		if numbers(s.Orders) != numbers(orders[:30]) || causes(s.Refused) != causes([]fault.Blocked{{Order: orders[30], Code: checkout.CodeTooManyOrders}, {Order: pair[0], Code: checkout.CodeTooManyOrders}}) {
			t.Errorf("%d ticked, refused %s", len(s.Orders), causes(s.Refused))
		}
		if s = w.pick(orders[:28], pair[:1], nil); len(s.Orders) != 30 || numbers(s.AutoSelected) != pair[1].Number {
			t.Errorf("%d ticked", len(s.Orders))
		}
		if s = w.pick(orders, nil, orders[:1]); len(s.Orders) != 30 || len(s.Refused) != 0 {
			t.Errorf("%d ticked, refused %s", len(s.Orders), causes(s.Refused))
		}
	})
}

// Ids that are not the account's are not found, more than a hundred are not read, and a hundred take as many statements as two.
func TestSelectBounds(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		mine, bundle := w.many(97), w.place(true, w.one(1), w.one(2))
		me := w.me
		w.me = w.open(account.Opening{})
		foreign := w.many(1)
		w.me = me
		for _, lists := range [][3][]models.ID{{ids(foreign...)}, {ids(mine[0]), ids(foreign...)}, {ids(mine[0]), nil, ids(foreign...)}} {
			if _, err := w.Select(w.ctx, me.ID, lists[0], lists[1], lists[2]); !errors.Is(err, fault.ErrNotFound) {
				t.Error(err)
			}
		}
		var bad fault.BadInput
		if _, err := w.Select(w.ctx, me.ID, ids(mine...), ids(mine[:4]...), nil); !errors.As(err, &bad) {
			t.Error(err)
		}
		for _, n := range []int{1, 97} {
			ctx, counter := database.WithCounter(w.ctx)
			_, err := w.Select(ctx, me.ID, ids(mine[:n]...), ids(bundle[0]), nil)
			w.must(err)
			if counter.N() != 2 {
				t.Errorf("%d orders: %d statements", n, counter.N())
			}
		}
	})
}
