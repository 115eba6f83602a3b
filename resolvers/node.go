package resolvers

import (
	"context"
	"errors"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// maxNodes bounds nodes(ids).
const maxNodes = 100

// nodes reads things by their ids, in the order asked; nil in the place of what is not there for the caller. The things of one type
// are read together.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	if len(ids) > maxNodes {
		return nil, fault.BadInput("nodes takes at most 100 ids")
	}
	asked := map[string][]models.ID{}
	for _, text := range ids {
		if prefix, id, err := models.DecodeAny(text); err == nil {
			asked[prefix] = append(asked[prefix], id)
		}
	}
	found := map[string]model.Node{}
	for prefix, read := range r.readers() {
		if len(asked[prefix]) == 0 {
			continue
		}
		if err := read(ctx, auth.From(ctx), asked[prefix], found); err != nil {
			return nil, err
		}
	}
	out := make([]model.Node, len(ids))
	for i, text := range ids {
		out[i] = found[text]
	}
	return out, nil
}

// reader reads things of one type and puts them under their ids; things of other accounts are left out (contract §2).
type reader func(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error

func (r *Resolver) readers() map[string]reader {
	return map[string]reader{
		models.PrefixAccount: r.readAccounts, models.PrefixOrder: r.readOrders,
		models.PrefixPayment: r.readPayments, models.PrefixRefund: r.readRefunds, models.PrefixPosting: r.readTransactions,
		models.PrefixCoupon: r.readCoupons, models.PrefixDiscount: r.readDiscounts,
		models.PrefixReconciliation: r.readReconciliations, models.PrefixDifference: r.readDifferences,
		models.PrefixSuspense: r.readSuspense, models.PrefixNotification: r.readNotifications,
	}
}

func (r *Resolver) readAccounts(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	rows, err := r.s.Accounts.ByIDs(ctx, ids)
	for _, a := range rows {
		if v.Role.AnyAccount() || a.ID == v.AccountID {
			n := r.view(ctx).account(a)
			out[n.ID] = n
		}
	}
	return err
}

func (r *Resolver) readOrders(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	var rows []models.Order
	var err error
	if v.Role.AnyAccount() {
		rows, err = r.s.Orders.ByIDsAnywhere(ctx, ids)
	} else {
		rows, err = r.s.Orders.ByIDs(ctx, v.AccountID, ids)
	}
	if err != nil {
		return err
	}
	orders, err := r.view(ctx).ordersWithLinks(ctx, rows)
	for _, o := range orders {
		out[o.ID] = o
	}
	return err
}

func (r *Resolver) readPayments(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	if !v.Role.AnyAccount() {
		rows, err := r.ownPayments(ctx, v.AccountID, ids)
		for _, p := range r.view(ctx).payments(rows) {
			out[p.ID] = p
		}
		return err
	}
	var rows []models.Payment
	for _, id := range ids {
		p, err := r.s.Payments.ByIDAnywhere(ctx, id)
		if err == nil {
			rows = append(rows, p)
		} else if !errors.Is(err, fault.ErrNotFound) {
			return err
		}
	}
	for _, n := range r.view(ctx).payments(rows) {
		out[n.ID] = n
	}
	return nil
}

func (r *Resolver) readTransactions(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	line := r.s.Ledger.LineAnywhere
	if !v.Role.AnyAccount() {
		line = func(ctx context.Context, id models.ID) (models.Posting, bool, error) {
			return r.s.Ledger.Line(ctx, v.AccountID, id)
		}
	}
	var rows []models.Posting
	for _, id := range ids {
		p, found, err := line(ctx, id)
		if err != nil {
			return err
		}
		if found {
			rows = append(rows, p)
		}
	}
	for _, n := range r.view(ctx).transactions(rows) {
		out[n.ID] = n
	}
	return nil
}

// paymentFor reads a payment that the viewer may see. Errors: fault.ErrNotFound.
func (r *Resolver) paymentFor(ctx context.Context, text string) (models.Payment, error) {
	id, err := models.Decode(models.PrefixPayment, text)
	if err != nil {
		return models.Payment{}, fault.ErrNotFound
	}
	if v := auth.From(ctx); !v.Role.AnyAccount() {
		rows, err := r.ownPayments(ctx, v.AccountID, []models.ID{id})
		if err == nil && len(rows) == 0 {
			err = fault.ErrNotFound
		}
		if err != nil {
			return models.Payment{}, err
		}
		return rows[0], nil
	}
	return r.s.Payments.ByIDAnywhere(ctx, id)
}
