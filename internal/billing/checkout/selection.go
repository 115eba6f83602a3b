package checkout

import (
	"context"
	"slices"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/models"
)

// Selection is what ticking and unticking leads to. Orders are those ticked now: what was ticked before in its order, then what was
// added in its order, then what came along.
type Selection struct {
	Orders         []models.Order
	AutoSelected   []models.Order  // linked orders that came along (HW-8, HW-10)
	AutoDeselected []models.Order  // linked orders that went along (HW-11)
	Refused        []fault.Blocked // asked for, but cannot be ticked (HW-9, HW-12, HW-13)
	Maximum        int             // how many orders can be paid together
	Linked         map[models.ID][]models.Order
}

// Select takes away first, then adds: an order in both lists is ticked. Bundles come and go as a whole. An order that cannot be paid,
// or does not fit below the maximum any more, is refused with its cause, also one that was ticked before: its status may have changed.
// What is refused changes nothing about the others. It reads two statements. Errors: fault.BadInput (more than MaximumIDs in all),
// fault.ErrNotFound (an id that is not the account's).
func (s *Service) Select(ctx context.Context, account models.ID, selected, add, remove []models.ID) (Selection, error) {
	if len(selected)+len(add)+len(remove) > MaximumIDs {
		return Selection{}, fault.BadInput("selected, add, remove: at most 100 in all")
	}
	ids := distinct(slices.Concat(selected, add, remove))
	p, err := s.Orders.ForPayment(ctx, account, ids)
	if err != nil {
		return Selection{}, err
	}
	if len(p.Asked) < len(ids) {
		return Selection{}, fault.ErrNotFound
	}
	t := ticking{Selection: Selection{Maximum: s.Policy.MergeMaximum(), Linked: Bundles(p)}, orders: map[models.ID]models.Order{}, ticked: map[models.ID]bool{}}
	known := all(p)
	for _, o := range known {
		t.orders[o.ID] = o
	}
	t.cause = map[models.ID]string{}
	for _, b := range judge(known, s.Clock.Now()).Blocked {
		t.cause[b.Order.ID] = b.Code
	}
	t.run(selected, add, remove)
	return t.Selection, nil
}

// ticking is a selection in the making.
type ticking struct {
	Selection
	orders map[models.ID]models.Order
	cause  map[models.ID]string // why an order cannot be ticked
	ticked map[models.ID]bool
}

func (t *ticking) run(selected, add, remove []models.ID) {
	gone := map[models.ID]bool{}
	for _, id := range distinct(remove) {
		for _, o := range t.bundle(id) {
			if gone[o.ID] {
				continue
			}
			gone[o.ID] = true
			if slices.Contains(selected, o.ID) && !slices.Contains(remove, o.ID) {
				t.AutoDeselected = append(t.AutoDeselected, o)
			}
		}
	}
	kept := slices.DeleteFunc(distinct(selected), func(id models.ID) bool { return gone[id] })
	asked := distinct(slices.Concat(kept, add))
	for _, id := range asked {
		if t.tick(id, asked); t.ticked[id] {
			t.Orders = append(t.Orders, t.orders[id])
		}
	}
	t.Orders = append(t.Orders, t.AutoSelected...)
	t.AutoDeselected = slices.DeleteFunc(t.AutoDeselected, func(o models.Order) bool { return t.ticked[o.ID] })
}

// tick ticks an order with its bundle, or refuses it.
func (t *ticking) tick(id models.ID, asked []models.ID) {
	if t.ticked[id] {
		return
	}
	bundle, cause := t.bundle(id), t.cause[id]
	if cause == "" && len(t.ticked)+len(bundle) > t.Maximum {
		cause = CodeTooManyOrders
	}
	if cause != "" {
		t.Refused = append(t.Refused, fault.Blocked{Order: t.orders[id], Code: cause})
		return
	}
	for _, o := range bundle {
		t.ticked[o.ID] = true
		if !slices.Contains(asked, o.ID) {
			t.AutoSelected = append(t.AutoSelected, o)
		}
	}
}

// bundle is an order and those linked to it, itself first.
func (t *ticking) bundle(id models.ID) []models.Order {
	o := t.orders[id]
	out := []models.Order{o}
	for _, mate := range t.Linked[o.BundleID] {
		if mate.ID != id {
			out = append(out, mate)
		}
	}
	return out
}

// Bundles are the bundles among orders that were read for paying, complete, by id.
func Bundles(p order.Paying) map[models.ID][]models.Order {
	out := map[models.ID][]models.Order{}
	for _, o := range all(p) {
		if !o.BundleID.IsZero() {
			out[o.BundleID] = append(out[o.BundleID], o)
		}
	}
	return out
}
