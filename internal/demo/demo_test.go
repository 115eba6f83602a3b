package demo_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/demo"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func config(t *testing.T, home testenv.Home, profile string) demo.Config {
	rules, err := policy.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return demo.Config{DB: home.DB, Clock: clock.System{}, Policy: rules, Outbox: outbox.New(home.DB, clock.System{}, nil, log), Log: log}
}

func count(t *testing.T, home testenv.Home, query string, args ...any) (n int64) {
	t.Helper()
	if _, err := home.DB.QueryRow(context.Background(), []any{&n}, query, args...); err != nil {
		t.Fatal(err)
	}
	return n
}

// contract.md §6: at least one of each role, an individual and an enterprise, mainland and international; the books are
// right; a second start adds nothing, nor do instances that start at once seed twice.
func TestSeed(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, c := context.Background(), config(t, home, "default")
		var seeded atomic.Int64
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				done, err := demo.Seed(ctx, c)
				if err != nil {
					t.Error(err)
				}
				if done {
					seeded.Add(1)
				}
			})
		}
		wg.Wait()
		if seeded.Load() != 1 {
			t.Fatalf("seeded %d times", seeded.Load())
		}
		if done, err := demo.Seed(ctx, c); done || err != nil {
			t.Errorf("seeded again (%v)", err)
		}
		report, err := audit.Run(ctx, home.DB, time.Now())
		if err != nil || !report.Clean() {
			t.Errorf("audit: %+v (%v)", report.Findings, err)
		}
		keys := idempotency.New(home.DB, home.Redis, c.Clock)
		accounts := account.New(home.DB, c.Clock, keys, c.Policy)
		personas, err := demo.Personas(ctx, accounts)
		if err != nil {
			t.Fatal(err)
		}
		roles, kinds, entities := map[auth.Role]bool{}, map[models.AccountKind]bool{}, map[string]bool{}
		for _, p := range personas {
			roles[p.Role] = true
			if p.Role.AnyAccount() != p.AccountID.IsZero() {
				t.Errorf("%s has account %s", p.Name, p.AccountID)
			}
			if a, _, _ := accounts.ByID(ctx, p.AccountID); !p.AccountID.IsZero() {
				kinds[a.Kind], entities[a.SigningEntity] = true, true
			}
		}
		if len(roles) != 6 || len(kinds) != 2 || !entities["MAINLAND"] || !entities["INTERNATIONAL"] {
			t.Errorf("roles %v, kinds %v, entities %v", roles, kinds, entities)
		}
		for _, s := range []models.OrderStatus{models.OrderPendingPayment, models.OrderPendingReview, models.OrderPendingConfirmation, models.OrderProcessing,
			models.OrderCompleted, models.OrderDeliveryFailed, models.OrderCanceled, models.OrderExpired} {
			if count(t, home, "SELECT COUNT(*) FROM orders WHERE status = ?", string(s)) == 0 {
				t.Errorf("no order is %s", s)
			}
		}
		if count(t, home, "SELECT COUNT(*) FROM orders WHERE status = 'PENDING_PAYMENT' AND expires_at <= ?", c.Clock.Now()) > 0 {
			t.Error("an order waits whose time is over")
		}
		if n, err := order.New(home.DB, notify.New(home.DB), c.Clock, keys, order.Rules{}).ExpireDue(ctx, c.Clock.Now().Add(30*time.Hour), 100); n != 0 || err != nil {
			t.Errorf("%d orders expire within a day (%v)", n, err)
		}
		if count(t, home, "SELECT COUNT(*) FROM orders WHERE bundle_id IS NOT NULL AND status = 'PENDING_PAYMENT'") < 3 {
			t.Error("no bundle waits")
		}
		partner, _, _ := accounts.ByNumber(ctx, "100200300404")
		if b, _, err := accounts.Balance(ctx, partner.ID); err != nil || b.Spendable() < 10_000_00 {
			t.Errorf("the partner has %d (%v)", b.Spendable(), err)
		}
	})
}

// What can be tried at once: coupons and discounts of every kind, a partner that is asked, money frozen and given back, more orders
// than one payment takes.
func TestSeedHasSomethingOfEverything(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		c := config(t, home, "default")
		if done, err := demo.Seed(context.Background(), c); !done || err != nil {
			t.Fatal(done, err)
		}
		now := c.Clock.Now()
		for what, n := range map[string]int64{
			"cash coupons":            count(t, home, "SELECT COUNT(*) FROM coupons WHERE kind = 'CASH' AND remaining > 0 AND valid_to > ?", now),
			"vouchers":                count(t, home, "SELECT COUNT(*) FROM coupons WHERE kind = 'DISCOUNT_AMOUNT' AND remaining > 0 AND valid_to > ?", now),
			"with a minimum":          count(t, home, "SELECT COUNT(*) FROM coupons WHERE minimum_spend > 0"),
			"for some products":       count(t, home, "SELECT COUNT(*) FROM coupons WHERE product_types LIKE '%RDS%'"),
			"not with every discount": count(t, home, "SELECT COUNT(*) FROM coupons WHERE not_with LIKE '%PROMOTION%'"),
			"coupons that are over":   count(t, home, "SELECT COUNT(*) FROM coupons WHERE valid_to <= ?", now),
			"coupons that are used":   count(t, home, "SELECT COUNT(*) FROM payment_coupons WHERE amount > 0"),
			"partners asked":          count(t, home, "SELECT COUNT(*) FROM payments WHERE status = 'REQUIRES_ACTION' AND partner_amount > 0 AND expires_at > ?", now.Add(48*time.Hour)),
			"partners that paid":      count(t, home, "SELECT COUNT(*) FROM payments WHERE status = 'SUCCEEDED' AND partner_amount > 0"),
			"frozen":                  count(t, home, "SELECT COUNT(*) FROM freezes WHERE ended_at IS NULL"),
			"not frozen any more":     count(t, home, "SELECT COUNT(*) FROM freezes WHERE ended_at IS NOT NULL"),
			"refunded in part":        count(t, home, "SELECT COUNT(*) FROM payments WHERE refunded > 0 AND refunded < amount"),
			"outside a contract":      count(t, home, "SELECT COUNT(*) FROM orders WHERE status = 'PENDING_PAYMENT' AND outside_contract = ?", true),
			"POSTPAID":                count(t, home, "SELECT COUNT(*) FROM orders WHERE status = 'PENDING_PAYMENT' AND charging_mode = 'POSTPAID'"),
			"more than 30 to pay":     count(t, home, "SELECT COUNT(*) FROM (SELECT account_id FROM orders WHERE status = 'PENDING_PAYMENT' GROUP BY account_id HAVING COUNT(*) > 30) x"),
			"bundles in review": count(t, home, "SELECT COUNT(*) FROM orders a JOIN orders b ON b.account_id = a.account_id AND b.bundle_id = a.bundle_id "+
				"WHERE a.status = 'PENDING_REVIEW' AND b.status = 'PENDING_PAYMENT'"),
			"protected, with a partner": count(t, home, "SELECT COUNT(*) FROM accounts WHERE kind = 'ENTERPRISE' AND partner_id IS NOT NULL AND operation_protection = ?", true),
		} {
			if n == 0 {
				t.Errorf("none: %s", what)
			}
		}
		if n := count(t, home, "SELECT COUNT(DISTINCT kind) FROM discounts WHERE valid_to > ?", now); n != 4 {
			t.Errorf("%d kinds of discount", n)
		}
		if count(t, home, "SELECT COUNT(*) FROM discounts WHERE kind = 'PRICE_ADJUSTMENT' AND product_types NOT LIKE '%SCM%'") > 0 {
			t.Error("a price is adjusted for whatever is bought: it would change what everybody else tries")
		}
	})
}

// Every profile has demo data.
func TestSeedUnderEveryProfile(t *testing.T) {
	for _, profile := range []string{"pingan", "tencent", "alibaba-intl", "huawei"} {
		t.Run(profile, func(t *testing.T) {
			home := testenv.Embedded(t)
			c := config(t, home, profile)
			start := time.Now()
			if done, err := demo.Seed(context.Background(), c); !done || err != nil {
				t.Fatal(done, err)
			}
			t.Logf("%d accounts, %d orders in %s", count(t, home, "SELECT COUNT(*) FROM accounts"), count(t, home, "SELECT COUNT(*) FROM orders"), time.Since(start))
			if count(t, home, "SELECT COUNT(*) FROM accounts") == 0 {
				t.Error("nobody there")
			}
			if report, err := audit.Run(context.Background(), home.DB, time.Now()); err != nil || !report.Clean() {
				t.Errorf("audit: %+v (%v)", report.Findings, err)
			}
		})
	}
}
