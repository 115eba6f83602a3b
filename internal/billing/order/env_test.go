package order_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/input"
	"paydesk/internal/billing/order"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// fakeClock is a clock that stands still until it is told.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *fakeClock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// env is the package under test on one of the homes, with one account.
type env struct {
	*order.Service
	t       testing.TB
	db      *database.DB
	clock   *fakeClock
	ctx     context.Context
	account models.ID
}

func each(t *testing.T, test func(t *testing.T, e *env)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		c := &fakeClock{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
		e := &env{t: t, db: home.DB, clock: c, ctx: context.Background()}
		e.Service = order.New(home.DB, notify.New(home.DB), c, idempotency.New(home.DB, home.Redis, c), order.Rules{Validity: 7 * 24 * time.Hour})
		e.account = e.openAccount(models.AccountActive, "CNY")
		test(t, e)
	})
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) exec(query string, args ...any) int64 {
	e.t.Helper()
	n, err := e.db.Exec(e.ctx, query, args...)
	e.must(err)
	return n
}

// openAccount writes an account's row; the package that owns accounts is above this one's tests.
func (e *env) openAccount(status models.AccountStatus, currency string) models.ID {
	e.t.Helper()
	id := models.NewID()
	e.exec("INSERT INTO accounts (id, number, name, kind, status, region, country, signing_entity, currency, identity, real_name, email, phone, "+
		"partner_id, automatic_settlement, operation_protection, dedicated_account_number, running_resources, created_at, updated_at) "+
		"VALUES (?,?,'n','ENTERPRISE',?,'CN','CN','MAINLAND',?,'VERIFIED','n','','',NULL,1,1,'',0,?,?)",
		id, "A"+id.String(), string(status), currency, e.clock.Now(), e.clock.Now())
	return id
}

// fresh is a number that no other order has.
func fresh() string { return "CS" + models.NewID().String() }

// newOrder is an order of one item.
func newOrder(amount string) order.NewOrder {
	return order.NewOrder{Number: fresh(), Type: "NEW_PURCHASE", ProductType: "ECS",
		Items: []order.NewItem{{Name: "ecs.g7.large", Specification: "2 vCPU, 8 GiB", Quantity: 1, Period: "1 month", Amount: input.Amount{Decimal: amount, Currency: "CNY"}}}}
}

func (e *env) place(orders ...order.NewOrder) []models.Order {
	e.t.Helper()
	out, err := e.Place(e.ctx, order.Placement{AccountID: e.account, Orders: orders})
	e.must(err)
	return out
}

func (e *env) bundle(orders ...order.NewOrder) []models.Order {
	e.t.Helper()
	out, err := e.Place(e.ctx, order.Placement{AccountID: e.account, Orders: orders, Bundle: true})
	e.must(err)
	return out
}

func (e *env) status(o models.Order) models.OrderStatus {
	e.t.Helper()
	got, found, err := e.ByID(e.ctx, o.AccountID, o.ID)
	e.must(err)
	if !found {
		e.t.Fatal("the order is gone")
	}
	return got.Status
}

// keyed is a context that carries an idempotency key.
func (e *env) keyed(key, input string) context.Context {
	return idempotency.With(e.ctx, idempotency.Request{Scope: "test:" + e.account.String(), Mutation: "placeOrders", Key: key, Hash: sha256.Sum256([]byte(input))})
}

func numbers(orders []models.Order) string {
	text := ""
	for _, o := range orders {
		text += fmt.Sprintf("%s ", o.Number)
	}
	return text
}
