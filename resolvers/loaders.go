package resolvers

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vikstrous/dataloadgen"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// patience is how long a loader gathers keys: pure latency, so short.
const patience = 500 * time.Microsecond

// ref is a thing of an account: nothing is read without the account that owns it.
type ref struct{ account, id models.ID }

// loaders gather what many elements of a page ask for into one statement. They live for one response and are made when first used.
type loaders struct {
	r           *Resolver
	accounts    lazy[models.ID, *model.Account]
	balances    lazy[models.ID, *model.Balance]
	orders      lazy[ref, *model.Order]
	payments    lazy[ref, *model.Payment]
	ofOrder     lazy[ref, []*model.Payment]
	allocations lazy[ref, []models.PaymentOrder]
	events      lazy[ref, []models.PaymentEvent]
	pages       sync.Map // pageKey → *onePage
}

type lazy[K comparable, V any] struct {
	once sync.Once
	l    *dataloadgen.Loader[K, V]
}

func (z *lazy[K, V]) load(ctx context.Context, key K, fetch func(context.Context, []K) (map[K]V, error)) (V, error) {
	return z.loader(fetch).Load(ctx, key)
}

func (z *lazy[K, V]) loadAll(ctx context.Context, keys []K, fetch func(context.Context, []K) (map[K]V, error)) ([]V, error) {
	return z.loader(fetch).LoadAll(ctx, keys)
}

func (z *lazy[K, V]) loader(fetch func(context.Context, []K) (map[K]V, error)) *dataloadgen.Loader[K, V] {
	z.once.Do(func() { z.l = dataloadgen.NewLoader(all(fetch), dataloadgen.WithWait(patience)) })
	return z.l
}

// all turns a map of what was found into the loader's list; what is not there is a zero value, not an error.
func all[K comparable, V any](fetch func(context.Context, []K) (map[K]V, error)) func(context.Context, []K) ([]V, []error) {
	return func(ctx context.Context, keys []K) ([]V, []error) {
		found, err := fetch(ctx, keys)
		if err != nil {
			errs := make([]error, len(keys))
			for i := range errs {
				errs[i] = err
			}
			return make([]V, len(keys)), errs
		}
		out := make([]V, len(keys))
		for i, k := range keys {
			out[i] = found[k]
		}
		return out, nil
	}
}

type loadersKey struct{}

func withLoaders(ctx context.Context, r *Resolver) context.Context {
	return context.WithValue(ctx, loadersKey{}, &loaders{r: r})
}

func (r *Resolver) load(ctx context.Context) *loaders {
	if l, ok := ctx.Value(loadersKey{}).(*loaders); ok {
		return l
	}
	return &loaders{r: r} // outside a response: correct, only not gathered
}

func (l *loaders) account(ctx context.Context, id models.ID) (*model.Account, error) {
	return l.accounts.load(ctx, id, func(ctx context.Context, ids []models.ID) (map[models.ID]*model.Account, error) {
		rows, err := l.r.s.Accounts.ByIDs(ctx, ids)
		v, out := l.r.view(ctx), make(map[models.ID]*model.Account, len(rows))
		for _, a := range rows {
			out[a.ID] = v.account(a)
		}
		return out, err
	})
}

// mustAccount is account for fields that are non-null.
func (l *loaders) mustAccount(ctx context.Context, id models.ID) (*model.Account, error) {
	a, err := l.account(ctx, id)
	if err == nil && a == nil {
		err = fault.ErrNotFound
	}
	return a, err
}

// balance reads each account's balance once: elements of a page mostly share one account.
func (l *loaders) balance(ctx context.Context, id models.ID) (*model.Balance, error) {
	return l.balances.load(ctx, id, func(ctx context.Context, ids []models.ID) (map[models.ID]*model.Balance, error) {
		out := make(map[models.ID]*model.Balance, len(ids))
		for _, id := range ids {
			b, err := l.r.balance(ctx, id, true)
			if err != nil {
				return nil, err
			}
			out[id] = b
		}
		return out, nil
	})
}

func (l *loaders) order(ctx context.Context, key ref) (*model.Order, error) {
	return l.orders.load(ctx, key, byAccount(l.fetchOrders))
}

// ordersOf is order for several at once.
func (l *loaders) ordersOf(ctx context.Context, keys []ref) ([]*model.Order, error) {
	return l.orders.loadAll(ctx, keys, byAccount(l.fetchOrders))
}

func (l *loaders) fetchOrders(ctx context.Context, account models.ID, ids []models.ID, out map[ref]*model.Order) error {
	rows, err := l.r.s.Orders.ByIDs(ctx, account, ids)
	if err != nil {
		return err
	}
	orders, err := l.r.view(ctx).ordersWithLinks(ctx, rows)
	for _, o := range orders {
		out[ref{account, o.Key}] = o
	}
	return err
}

func (l *loaders) payment(ctx context.Context, key ref) (*model.Payment, error) {
	return l.payments.load(ctx, key, byAccount(func(ctx context.Context, account models.ID, ids []models.ID, out map[ref]*model.Payment) error {
		rows, err := l.r.s.Payments.ByIDs(ctx, account, ids)
		for _, p := range l.r.view(ctx).payments(rows) {
			out[ref{account, p.Key}] = p
		}
		return err
	}))
}

func (l *loaders) paymentsOfOrder(ctx context.Context, key ref) ([]*model.Payment, error) {
	return l.ofOrder.load(ctx, key, byAccount(func(ctx context.Context, account models.ID, ids []models.ID, out map[ref][]*model.Payment) error {
		rows, err := l.r.s.Payments.OfOrders(ctx, account, ids)
		for id, p := range rows {
			out[ref{account, id}] = l.r.view(ctx).payments(p)
		}
		return err
	}))
}

func (l *loaders) allocationsOf(ctx context.Context, key ref) ([]models.PaymentOrder, error) {
	return l.allocations.load(ctx, key, byAccount(func(ctx context.Context, account models.ID, ids []models.ID, out map[ref][]models.PaymentOrder) error {
		rows, err := l.r.s.Payments.Allocations(ctx, account, ids)
		for id, a := range rows {
			out[ref{account, id}] = a
		}
		return err
	}))
}

// sharesOf shows how a payment falls on its orders.
func (l *loaders) sharesOf(ctx context.Context, p *model.Payment) ([]*model.PaymentAllocation, error) {
	rows, err := l.allocationsOf(ctx, ref{p.AccountID, p.Key})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	refs := make([]ref, len(rows))
	for i, a := range rows {
		refs[i] = ref{a.AccountID, a.OrderID}
	}
	orders, err := l.ordersOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	v, out := l.r.view(ctx), make([]*model.PaymentAllocation, len(rows))
	for i, a := range rows {
		if orders[i] == nil {
			return nil, fault.ErrNotFound
		}
		currency := p.Amount.Currency()
		out[i] = &model.PaymentAllocation{Order: orders[i], Amount: v.money(a.Amount, currency), Discount: v.money(a.Discount, currency),
			Coupon: v.money(a.Coupon, currency), Due: v.money(a.Due, currency)}
	}
	return out, nil
}

func (l *loaders) eventsOf(ctx context.Context, key ref) ([]models.PaymentEvent, error) {
	return l.events.load(ctx, key, byAccount(func(ctx context.Context, account models.ID, ids []models.ID, out map[ref][]models.PaymentEvent) error {
		rows, err := l.r.s.Payments.Events(ctx, account, ids)
		for id, e := range rows {
			out[ref{account, id}] = e
		}
		return err
	}))
}

// byAccount fetches account by account: every lookup carries the account.
func byAccount[V any](fetch func(ctx context.Context, account models.ID, ids []models.ID, out map[ref]V) error) func(context.Context, []ref) (map[ref]V, error) {
	return func(ctx context.Context, keys []ref) (map[ref]V, error) {
		ids := map[models.ID][]models.ID{}
		for _, k := range keys {
			ids[k.account] = append(ids[k.account], k.id)
		}
		out := make(map[ref]V, len(keys))
		for account, own := range ids {
			if err := fetch(ctx, account, own, out); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// pageKey is one connection of one account at one place of the operation.
type pageKey struct {
	account models.ID
	field   *ast.Field
}

type onePage struct {
	once sync.Once
	page any
	err  error
}

// connection reads an account's connection once, however many elements of a page ask for it at this place of the operation.
func connection[T any](ctx context.Context, l *loaders, account models.ID, read func() (T, error)) (T, error) {
	kept, _ := l.pages.LoadOrStore(pageKey{account, graphql.GetFieldContext(ctx).Field.Field}, new(onePage))
	p := kept.(*onePage)
	p.once.Do(func() { p.page, p.err = read() })
	page, _ := p.page.(T)
	return page, p.err
}
