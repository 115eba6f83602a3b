package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// own is the caller's account and what it has.
type own struct {
	account models.Account
	balance models.Balance
	found   bool
}

// own reads the caller's account and balance in one statement where the operation asks for both at its root, as home pages do;
// both is false where it does not.
func (r *Resolver) own(ctx context.Context, id models.ID) (o own, both bool, err error) {
	oc := graphql.GetOperationContext(ctx)
	m, ok := ctx.Value(memoKey{}).(*memo)
	if !ok || !below(oc, oc.Operation.SelectionSet, "balance") || !below(oc, oc.Operation.SelectionSet, "viewer.account") {
		return o, false, nil
	}
	found, _ := m.places.LoadOrStore(place{account: id}, new(kept))
	k := found.(*kept)
	k.once.Do(func() {
		var o own
		o.account, o.balance, o.found, k.err = r.s.Accounts.WithBalance(ctx, id)
		k.value = o
	})
	return k.value.(own), true, k.err
}

func (r *Resolver) ownAccount(ctx context.Context, id models.ID) (models.Account, bool, error) {
	o, both, err := r.own(ctx, id)
	if !both {
		return r.s.Accounts.ByID(ctx, id)
	}
	return o.account, o.found, err
}

func (r *Resolver) ownBalance(ctx context.Context, id models.ID) (*model.Balance, error) {
	o, both, err := r.own(ctx, id)
	switch {
	case !both:
		return r.balance(ctx, id, selects(ctx, "withdrawable"))
	case err != nil:
		return nil, err
	case !o.found:
		return nil, fault.ErrNotFound
	}
	v := r.view(ctx)
	return v.balance(o.balance, v.retained(o.account)), nil
}
