package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// What needs a query of its own is fetched for the whole cohort at once (model.Cohort). Every lookup carries the account.

// groups are distinct ids by the account they belong to.
type groups map[models.ID][]models.ID

func group[T any](members []T, key func(T) (account, id models.ID)) groups {
	out, seen := groups{}, map[models.ID]bool{}
	for _, m := range members {
		account, id := key(m)
		if !id.IsZero() && !seen[id] {
			seen[id] = true
			out[account] = append(out[account], id)
		}
	}
	return out
}

func (r *Resolver) orderAccount(ctx context.Context, o *model.Order) (*model.Account, error) {
	found, err := model.Together(o.Cohort, "account", func(orders []*model.Order) (map[models.ID]*model.Account, error) {
		return r.accountsByID(ctx, group(orders, func(o *model.Order) (_, _ models.ID) { return models.ID{}, o.AccountID }))
	})
	return must(found[o.AccountID], err)
}

func (r *Resolver) paymentAccount(ctx context.Context, p *model.Payment) (*model.Account, error) {
	found, err := model.Together(p.Cohort, "account", func(payments []*model.Payment) (map[models.ID]*model.Account, error) {
		return r.accountsByID(ctx, group(payments, func(p *model.Payment) (_, _ models.ID) { return models.ID{}, p.AccountID }))
	})
	return must(found[p.AccountID], err)
}

// must makes a missing thing an error, for fields that are non-null.
func must[T any](thing *T, err error) (*T, error) {
	if err == nil && thing == nil {
		err = fault.ErrNotFound
	}
	return thing, err
}

func (r *Resolver) accountsByID(ctx context.Context, g groups) (map[models.ID]*model.Account, error) {
	rows, err := r.s.Accounts.ByIDs(ctx, g[models.ID{}])
	v, out := r.view(ctx), make(map[models.ID]*model.Account, len(rows))
	for _, a := range rows {
		out[a.ID] = v.account(a)
	}
	return out, err
}

func (r *Resolver) ordersByID(ctx context.Context, g groups) (map[models.ID]*model.Order, error) {
	var rows []models.Order
	for account, ids := range g {
		own, err := r.s.Orders.ByIDs(ctx, account, ids)
		if err != nil {
			return nil, err
		}
		rows = append(rows, own...)
	}
	orders, err := r.view(ctx).ordersWithLinks(ctx, rows)
	out := make(map[models.ID]*model.Order, len(orders))
	for _, o := range orders {
		out[o.Key] = o
	}
	return out, err
}

func (r *Resolver) paymentsByID(ctx context.Context, g groups) (map[models.ID]*model.Payment, error) {
	var rows []models.Payment
	for account, ids := range g {
		own, err := r.ownPayments(ctx, account, ids)
		if err != nil {
			return nil, err
		}
		rows = append(rows, visible(ctx, own)...)
	}
	out := make(map[models.ID]*model.Payment, len(rows))
	for _, p := range r.view(ctx).payments(rows) {
		out[p.Key] = p
	}
	return out, nil
}

// linkedOrders reads the bundles of orders that were read without them.
func (r *Resolver) linkedOrders(ctx context.Context, o *model.Order) ([]*model.Order, error) {
	found, err := model.Together(o.Cohort, "linkedOrders", func(orders []*model.Order) (map[models.ID]*model.Order, error) {
		return r.ordersByID(ctx, group(orders, func(o *model.Order) (_, _ models.ID) { return o.AccountID, o.Key }))
	})
	if whole := found[o.Key]; whole != nil {
		return whole.Linked, err
	}
	return nil, err
}

func (r *Resolver) activePayment(ctx context.Context, o *model.Order) (*model.Payment, error) {
	found, err := model.Together(o.Cohort, "activePayment", func(orders []*model.Order) (map[models.ID]*model.Payment, error) {
		return r.paymentsByID(ctx, group(orders, func(o *model.Order) (_, _ models.ID) { return o.AccountID, o.ActivePaymentID }))
	})
	return found[o.ActivePaymentID], err
}

// paymentsOfOrder reads the payments of all orders; they are one cohort again, so that their timelines are one statement, too.
func (r *Resolver) paymentsOfOrder(ctx context.Context, o *model.Order) ([]*model.Payment, error) {
	found, err := model.Together(o.Cohort, "payments", func(orders []*model.Order) (map[models.ID][]*model.Payment, error) {
		var rows []models.Payment
		var owners []models.ID
		for account, ids := range group(orders, func(o *model.Order) (_, _ models.ID) { return o.AccountID, o.Key }) {
			byOrder, err := r.s.Payments.OfOrders(ctx, account, ids)
			if err != nil {
				return nil, err
			}
			for id, payments := range byOrder {
				for _, p := range visible(ctx, payments) {
					rows, owners = append(rows, p), append(owners, id)
				}
			}
		}
		out := make(map[models.ID][]*model.Payment, len(orders))
		for i, p := range r.view(ctx).payments(rows) {
			out[owners[i]] = append(out[owners[i]], p)
		}
		return out, nil
	})
	return found[o.Key], err
}

func paymentKey(p *model.Payment) (account, id models.ID) { return p.AccountID, p.Key }

// allocations are how payments fall on their orders: one statement for the shares, one for the orders.
func (r *Resolver) allocations(ctx context.Context, p *model.Payment) ([]*model.PaymentAllocation, error) {
	found, err := model.Together(p.Cohort, "allocations", func(payments []*model.Payment) (map[models.ID][]*model.PaymentAllocation, error) {
		var shares []models.PaymentOrder
		for account, ids := range group(payments, paymentKey) {
			byPayment, err := r.s.Payments.Allocations(ctx, account, ids)
			if err != nil {
				return nil, err
			}
			for _, own := range byPayment {
				shares = append(shares, own...)
			}
		}
		orders, err := r.ordersByID(ctx, group(shares, func(a models.PaymentOrder) (_, _ models.ID) { return a.AccountID, a.OrderID }))
		if err != nil {
			return nil, err
		}
		return r.view(ctx).allocations(shares, orders), nil
	})
	return found[p.Key], err
}

func (r *Resolver) timeline(ctx context.Context, p *model.Payment) ([]*model.PaymentEvent, error) {
	found, err := model.Together(p.Cohort, "timeline", func(payments []*model.Payment) (map[models.ID][]models.PaymentEvent, error) {
		out := map[models.ID][]models.PaymentEvent{}
		for account, ids := range group(payments, paymentKey) {
			byPayment, err := r.s.Payments.Events(ctx, account, ids)
			if err != nil {
				return nil, err
			}
			for id, events := range byPayment {
				out[id] = events
			}
		}
		return out, nil
	})
	return r.view(ctx).events(p, found[p.Key]), err
}

func (r *Resolver) paymentOfTransaction(ctx context.Context, t *model.Transaction) (*model.Payment, error) {
	found, err := model.Together(t.Cohort, "payment", func(lines []*model.Transaction) (map[models.ID]*model.Payment, error) {
		return r.paymentsByID(ctx, group(lines, func(t *model.Transaction) (_, _ models.ID) { return t.AccountID, t.PaymentID }))
	})
	return found[t.PaymentID], err
}

func (r *Resolver) orderOfTransaction(ctx context.Context, t *model.Transaction) (*model.Order, error) {
	found, err := model.Together(t.Cohort, "order", func(lines []*model.Transaction) (map[models.ID]*model.Order, error) {
		return r.ordersByID(ctx, group(lines, func(t *model.Transaction) (_, _ models.ID) { return t.AccountID, t.OrderID }))
	})
	return found[t.OrderID], err
}
