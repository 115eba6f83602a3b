package resolvers

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// memo keeps, for one response, what is asked of an account at one place of the operation: the elements of a page mostly share one
// account, and what each of them would read of it is the same.
type memo struct{ places sync.Map } // place → *kept

type place struct {
	account models.ID
	field   *ast.Field
}

type kept struct {
	once  sync.Once
	value any
	err   error
}

type memoKey struct{}

func withMemo(ctx context.Context) context.Context { return context.WithValue(ctx, memoKey{}, &memo{}) }

// once reads something of an account the first time this place of the operation asks for it.
func once[T any](ctx context.Context, account models.ID, read func() (T, error)) (T, error) {
	m, ok := ctx.Value(memoKey{}).(*memo)
	if !ok {
		return read()
	}
	found, _ := m.places.LoadOrStore(place{account, graphql.GetFieldContext(ctx).Field.Field}, new(kept))
	k := found.(*kept)
	k.once.Do(func() { k.value, k.err = read() })
	value, _ := k.value.(T)
	return value, k.err
}

func (r *Resolver) balanceOf(ctx context.Context, a *model.Account) (*model.Balance, error) {
	return once(ctx, a.Key, func() (*model.Balance, error) { return r.balance(ctx, a.Key, true) })
}

func (r *Resolver) partnerOf(ctx context.Context, a *model.Account) (*model.Partner, error) {
	return once(ctx, a.Key, func() (*model.Partner, error) {
		partner, found, err := r.s.Accounts.ByID(ctx, a.PartnerID)
		if err == nil && !found {
			err = fault.ErrNotFound
		}
		return &model.Partner{AccountID: partner.ID.Encode(models.PrefixAccount), Name: partner.Name}, err
	})
}
