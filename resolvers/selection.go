package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// orderSelection says what ticking and unticking leads to (HW-8 to HW-12).
func (r *Resolver) orderSelection(ctx context.Context, input model.OrderSelectionInput) (*model.OrderSelection, error) {
	var lists [3][]models.ID
	for i, texts := range [][]string{input.Selected, input.Add, input.Remove} {
		var err error
		if lists[i], err = queriedOrders(texts); err != nil {
			return nil, err
		}
	}
	s, err := r.s.Checkout.Select(ctx, auth.From(ctx).AccountID, lists[0], lists[1], lists[2])
	if err != nil {
		return nil, err
	}
	return r.view(ctx).selection(s), nil
}

func (v view) selection(s checkout.Selection) *model.OrderSelection {
	rows := append(append([]models.Order{}, s.Orders...), s.AutoDeselected...)
	for _, b := range s.Refused {
		rows = append(rows, b.Order)
	}
	orders := v.ordersOf(rows, s.Linked)
	out := &model.OrderSelection{Orders: orders.all(s.Orders), AutoSelected: orders.all(s.AutoSelected), AutoDeselected: orders.all(s.AutoDeselected),
		Refused: make([]*model.BlockedOrder, len(s.Refused)), Notice: v.notice(len(s.AutoSelected), len(s.AutoDeselected))}
	for i, b := range s.Refused {
		out.Refused[i] = v.blocked(orders[b.Order.ID], b.Code, map[string]any{"number": b.Order.Number, "maximum": s.Maximum})
	}
	return out
}

// notice says what happened by itself (HW-10, HW-11); nil where nothing did.
func (v view) notice(added, removed int) *string {
	say := func(key string, n int) string { return messages.Text(v.locale, key, map[string]any{"count": n}) }
	text := ""
	switch {
	case added > 0 && removed > 0:
		text = messages.Text(v.locale, "selection.both", map[string]any{"added": say("selection.added", added), "removed": say("selection.removed", removed)})
	case added > 0:
		text = say("selection.added", added)
	case removed > 0:
		text = say("selection.removed", removed)
	}
	return textOrNil(text)
}
