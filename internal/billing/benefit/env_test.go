package benefit_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/messages"
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
	*benefit.Service
	testing.TB
	home    testenv.Home
	db      *database.DB
	clock   *fakeClock
	keys    *idempotency.Store
	ctx     context.Context
	account models.ID
}

func each(t *testing.T, test func(t *testing.T, e *env)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		c := &fakeClock{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
		e := &env{TB: t, home: home, db: home.DB, clock: c, ctx: context.Background(), keys: idempotency.New(home.DB, home.Redis, c)}
		e.Service = e.service(true)
		e.account = e.openAccount(models.AccountActive)
		test(t, e)
	})
}

// service is the package under a policy that returns coupons with refunds, or does not.
func (e *env) service(returns bool) *benefit.Service {
	return benefit.New(e.db, e.clock, e.keys, benefit.Rules{ReturnCoupons: returns})
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) exec(query string, args ...any) {
	e.Helper()
	_, err := e.db.Exec(e.ctx, query, args...)
	e.must(err)
}

// openAccount writes an account's row; the package that owns accounts is beside this one.
func (e *env) openAccount(status models.AccountStatus) models.ID {
	e.Helper()
	id := models.NewID()
	e.exec("INSERT INTO accounts (id, number, name, kind, status, region, country, signing_entity, currency, identity, real_name, email, phone, "+
		"partner_id, automatic_settlement, operation_protection, dedicated_account_number, running_resources, created_at, updated_at) "+
		"VALUES (?,?,'n','ENTERPRISE',?,'CN','CN','MAINLAND','CNY','VERIFIED','n','','',NULL,1,1,'',0,?,?)",
		id, "A"+id.String(), string(status), e.clock.Now(), e.clock.Now())
	e.exec("INSERT INTO balances (account_id, currency, updated_at) VALUES (?,'CNY',?)", id, e.clock.Now())
	return id
}

func yuan(decimal string) input.Amount { return input.Amount{Decimal: decimal, Currency: "CNY"} }

// cash is a grant that is fine, for thirty days.
func (e *env) cash(face string) benefit.Coupons {
	return benefit.Coupons{AccountID: e.account, Name: "Welcome", Kind: models.CouponCash, Face: yuan(face), ValidTo: e.clock.Now().Add(30 * 24 * time.Hour)}
}

func (e *env) off(percent string) benefit.Discount {
	return benefit.Discount{AccountID: e.account, Name: "Autumn", PercentOff: percent, ValidTo: e.clock.Now().Add(30 * 24 * time.Hour)}
}

func (e *env) grant(g benefit.Coupons) models.Coupon {
	e.Helper()
	out, err := e.Grant(e.ctx, g)
	e.must(err)
	return out[0]
}

func (e *env) grantDiscount(g benefit.Discount) models.Discount {
	e.Helper()
	out, err := e.GrantDiscount(e.ctx, g)
	e.must(err)
	return out
}

func (e *env) read(c models.Coupon) models.Coupon {
	e.Helper()
	out, found, err := e.ByID(e.ctx, c.AccountID, c.ID)
	e.must(err)
	if !found {
		e.Fatal("the coupon is gone")
	}
	return out
}

// chosen reads one coupon as a payment would.
func (e *env) chosen(c models.Coupon) ([]models.Coupon, error) {
	out, _, _, err := e.Chosen(e.ctx, e.account, []string{c.ID.Encode(models.PrefixCoupon)}, "", "CNY", e.clock.Now())
	return out, err
}

// payment is an unfinished payment's row, with what its coupons take off each order; the uses are reserved in the same transaction.
type payment struct {
	id   models.ID
	uses []models.PaymentCoupon
}

func use(c models.Coupon, order models.ID, amount int64) models.PaymentCoupon {
	return models.PaymentCoupon{CouponID: c.ID, OrderID: order, Amount: amount}
}

func (e *env) begin(ctx context.Context, coupons []models.Coupon, uses ...models.PaymentCoupon) (payment, error) {
	p, now := payment{models.NewID(), uses}, e.clock.Now()
	return p, e.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := e.db.Exec(ctx, "INSERT INTO payments (account_id, id, number, purpose, status, currency, amount, balance_amount, online_amount, channel, channel_reference, bank_code, return_url, action_kind, action_method, failure_code, created_by, locale, created_at, expires_at, version) "+
			"VALUES (?,?,?,'ORDERS','REQUIRES_ACTION','CNY',1,0,1,'ALIPAY','','','','','','','u','en',?,?,1)", e.account, p.id, p.id.String(), now, now.Add(time.Hour)); err != nil {
			return err
		}
		taken := map[models.ID]int64{}
		for _, u := range uses {
			taken[u.OrderID] += u.Amount
		}
		for order, amount := range taken {
			if _, err := e.db.Exec(ctx, "INSERT INTO payment_orders (account_id, payment_id, order_id, amount, coupon, due, created_at) VALUES (?,?,?,?,?,1,?)", e.account, p.id, order, amount+1, amount, now); err != nil {
				return err
			}
		}
		return e.Reserve(ctx, e.account, p.id, coupons, uses, now)
	})
}

func (e *env) reserved(coupons []models.Coupon, uses ...models.PaymentCoupon) payment {
	e.Helper()
	p, err := e.begin(e.ctx, coupons, uses...)
	e.must(err)
	return p
}

// end ends a payment's row, and its coupons in the same transaction.
func (e *env) end(p payment, status models.PaymentStatus) {
	e.Helper()
	e.must(e.db.InTx(e.ctx, func(ctx context.Context) error {
		if _, err := e.db.Exec(ctx, "UPDATE payments SET status = ? WHERE account_id = ? AND id = ?", string(status), e.account, p.id); err != nil {
			return err
		}
		if status == models.PaymentSucceeded {
			return e.Consume(ctx, e.account, p.id)
		}
		return e.Release(ctx, e.account, p.id, e.clock.Now())
	}))
}

// broken are the audit's findings about coupons.
func (e *env) broken() (names []string) {
	e.Helper()
	r, err := audit.Run(e.ctx, e.db, e.clock.Now())
	e.must(err)
	for _, f := range r.Findings {
		if strings.Contains(f.Check, "coupon") {
			names = append(names, f.Check)
		}
	}
	return names
}

func (e *env) sound() {
	e.Helper()
	if names := e.broken(); len(names) > 0 {
		e.Errorf("the audit found: %v", names)
	}
}

// refused wants a fault with a code, a path and, where one is given, a reason.
func (e *env) refused(err error, code, path, reason string) {
	e.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code || strings.Join(f.Field, ".") != path || reason != "" && f.Args["reason"] != messages.Key(reason) {
		e.Errorf("%v, want %s at %s because of %q", err, code, path, reason)
	}
}

// keyed is a context that carries an idempotency key.
func (e *env) keyed(mutation, key, input string) context.Context {
	return idempotency.With(e.ctx, idempotency.Request{Scope: "test:" + e.account.String(), Mutation: mutation, Key: key, Hash: sha256.Sum256([]byte(input))})
}
