package checkout_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// testClock stands still until it is moved.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *testClock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// protection asks for codes as the account has it.
type protection struct{}

func (protection) Wanted(a models.Account) bool { return a.OperationProtection }

// world is quotes over the real services.
type world struct {
	testing.TB
	testenv.Home
	*checkout.Service
	ctx      context.Context
	clock    *testClock
	rules    *policy.Policy
	keys     *idempotency.Store
	accounts *account.Service
	orders   *order.Service
	benefits *benefit.Service
	ledger   *ledger.Ledger
	down     map[models.PaymentChannel]bool
	me       models.Account
}

var serial atomic.Int64

// fresh is a name that nothing else has, in whatever home.
func fresh(prefix string) string { return fmt.Sprint(prefix, serial.Add(1)) }

func each(t *testing.T, profile string, test func(t *testing.T, w *world)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) { test(t, newWorld(t, home, profile)) })
}

func newWorld(t testing.TB, home testenv.Home, profile string) *world {
	w := &world{TB: t, Home: home, ctx: context.Background(), clock: &testClock{now: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}, down: map[models.PaymentChannel]bool{}}
	var err error
	w.rules, err = policy.Load(profile)
	w.must(err)
	w.keys = idempotency.New(home.DB, home.Redis, w.clock)
	w.accounts = account.New(home.DB, w.clock, w.keys, w.rules)
	w.orders = order.New(home.DB, notify.New(home.DB), w.clock, w.keys, order.Rules{Validity: w.rules.OrderValidity()})
	w.benefits = benefit.New(home.DB, w.clock, w.keys, benefit.Rules{})
	w.ledger = ledger.New(home.DB)
	w.Service = checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: w.benefits, Verifier: protection{}, Policy: w.rules, Clock: w.clock,
		Health: func(c models.PaymentChannel) bool { return !w.down[c] }})
	w.me = w.open(account.Opening{})
	return w
}

func (w *world) log() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// open opens an account: an individual of MAINLAND with yuan, unless it says otherwise.
func (w *world) open(o account.Opening) models.Account {
	w.Helper()
	o.Number, o.Name, o.RealName, o.Region, o.Country = fresh("A"), "Lin", "Lin", "CN", "CN"
	if o.Kind == "" {
		o.Kind = models.AccountIndividual
	}
	if o.SigningEntity == "" {
		o.SigningEntity = "MAINLAND"
	}
	if o.Currency == "" {
		o.Currency = "CNY"
	}
	a, err := w.accounts.Open(w.ctx, o)
	w.must(err)
	return a
}

// give credits the balance, in minor units.
func (w *world) give(minor int64) {
	w.Helper()
	w.must(w.DB.InTx(w.ctx, func(ctx context.Context) error {
		return w.ledger.Receive(ctx, ledger.Movement{AccountID: w.me.ID, Amount: money.New(minor, money.Currency(w.me.Currency)), Kind: models.KindAdjustment,
			Reference: fresh("gift"), Book: "clearing:TEST", At: w.clock.Now()})
	}))
}

func amount(minor int64, currency string) input.Amount {
	return input.Amount{Decimal: money.New(minor, money.Currency(currency)).Decimal(), Currency: currency}
}

// one is an order of one line; change may alter it.
func (w *world) one(minor int64, change ...func(*order.NewOrder)) order.NewOrder {
	o := order.NewOrder{Number: fresh("CS"), Type: "NEW_PURCHASE", ProductType: "ecs", Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: amount(minor, w.me.Currency)}}}
	for _, c := range change {
		c(&o)
	}
	return o
}

func (w *world) place(bundle bool, orders ...order.NewOrder) []models.Order {
	w.Helper()
	out, err := w.orders.Place(w.ctx, order.Placement{AccountID: w.me.ID, Orders: orders, Bundle: bundle})
	w.must(err)
	return out
}

// many places n orders of 100.00, at most fifty in a call.
func (w *world) many(n int) (out []models.Order) {
	w.Helper()
	for n > 0 {
		some := min(n, 50)
		var orders []order.NewOrder
		for range some {
			orders = append(orders, w.one(10_000))
		}
		out, n = append(out, w.place(false, orders...)...), n-some
	}
	return out
}

func inReview(o *order.NewOrder)        { o.Status = models.OrderPendingReview }
func toBeConfirmed(o *order.NewOrder)   { o.Status = models.OrderPendingConfirmation }
func outside(o *order.NewOrder)         { o.OutsideContract = true }
func postpaid(o *order.NewOrder)        { o.ChargingMode = models.Postpaid }
func of(p string) func(*order.NewOrder) { return func(o *order.NewOrder) { o.ProductType = p } }
func until(t time.Time) func(*order.NewOrder) {
	return func(o *order.NewOrder) { o.ExpiresAt = &t }
}

func (w *world) cancel(o models.Order) {
	w.Helper()
	_, err := w.orders.Cancel(w.ctx, w.me.ID, o.ID)
	w.must(err)
}

// hold lets a payment hold an order; release frees it.
func (w *world) hold(o models.Order) (release func()) {
	w.Helper()
	payment := models.NewID()
	w.must(w.DB.InTx(w.ctx, func(ctx context.Context) error {
		return w.orders.Hold(ctx, o.AccountID, []models.ID{o.ID}, payment, w.clock.Now())
	}))
	return func() {
		_, err := w.orders.ReleaseHold(w.ctx, o.AccountID, payment, w.clock.Now())
		w.must(err)
	}
}

func (w *world) coupon(kind models.CouponKind, minor int64, change ...func(*benefit.Coupons)) models.Coupon {
	w.Helper()
	g := benefit.Coupons{AccountID: w.me.ID, Name: "Coupon", Kind: kind, Face: amount(minor, w.me.Currency), ValidTo: w.clock.Now().AddDate(0, 0, 5)}
	for _, c := range change {
		c(&g)
	}
	out, err := w.benefits.Grant(w.ctx, g)
	w.must(err)
	return out[0]
}

func (w *world) discount(kind models.DiscountKind, percent string, change ...func(*benefit.Discount)) models.Discount {
	w.Helper()
	g := benefit.Discount{AccountID: w.me.ID, Name: "Discount", Kind: kind, PercentOff: percent, ValidTo: w.clock.Now().AddDate(0, 0, 4)}
	for _, c := range change {
		c(&g)
	}
	out, err := w.benefits.GrantDiscount(w.ctx, g)
	w.must(err)
	return out
}

func ids(orders ...models.Order) (out []models.ID) {
	for _, o := range orders {
		out = append(out, o.ID)
	}
	return out
}

func couponIDs(coupons ...models.Coupon) (out []string) {
	for _, c := range coupons {
		out = append(out, c.ID.Encode(models.PrefixCoupon))
	}
	return out
}

func discountID(d models.Discount) string { return d.ID.Encode(models.PrefixDiscount) }

// request asks for orders as mergePay does.
func (w *world) request(orders ...models.Order) checkout.Request {
	return checkout.Request{AccountID: w.me.ID, OrderIDs: ids(orders...), Merged: true}
}

var everything = checkout.Want{Options: true, Recommendation: true, Funding: true}

func (w *world) view(r checkout.Request) checkout.View {
	w.Helper()
	v, err := w.View(w.ctx, r, everything)
	w.must(err)
	return v
}

// refused is the code and the path of the fault that an error has to be, with its blocked and remaining orders.
func refused(t testing.TB, err error) (code, path string, d *fault.OrdersNotPayable) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		t.Fatalf("no fault: %v", err)
	}
	d, _ = f.Detail.(*fault.OrdersNotPayable)
	return f.Code, strings.Join(f.Field, "."), d
}

// numbers of orders, in their order.
func numbers(orders []models.Order) string {
	var out []string
	for _, o := range orders {
		out = append(out, o.Number)
	}
	return strings.Join(out, " ")
}

func causes(blocked []fault.Blocked) string {
	var out []string
	for _, b := range blocked {
		out = append(out, b.Order.Number+" "+b.Code)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func reasons(v checkout.View) string {
	var out []string
	for _, f := range v.Reasons {
		out = append(out, f.Error())
	}
	return strings.Join(out, ", ")
}
