// Package demo fills an empty database of a development start with a small cloud vendor's customers: people of every role,
// money, orders that wait and orders that are history. Everything goes through the services, so that the books are as
// right as real ones; nothing depends on chance.
package demo

import (
	"context"
	"log/slog"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/refund"
	"paydesk/internal/billing/verification"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/settings"
)

// Config is what the demo data needs.
type Config struct {
	DB     *database.DB
	Clock  clock.Clock // the data's "now": history lies before it, deadlines after it
	Policy *policy.Policy
	Outbox *outbox.Outbox
	Log    *slog.Logger
}

// seeded is the setting that says that the data is there; the instance that writes it is the one that seeds.
const seeded = "demo.seeded"

// Seed fills the database where it has no account yet, all of it in one transaction. It tells whether it did. Several
// instances may call it at once. What the policy does not know (an international company in a mainland profile) is left out.
func Seed(ctx context.Context, c Config) (done bool, err error) {
	var accounts int64
	if _, err := c.DB.QueryRow(ctx, []any{&accounts}, "SELECT COUNT(*) FROM accounts"); err != nil || accounts > 0 {
		return false, err
	}
	err = c.DB.InTx(ctx, func(ctx context.Context) error {
		if done, err = settings.Create(ctx, c.DB, seeded, c.Clock.Now().Format(time.RFC3339)); err != nil || !done {
			return err
		}
		s := newStage(ctx, c)
		s.play()
		return s.err
	})
	return done && err == nil, err
}

// newStage makes the services once more, on a clock that the data can set to the past.
func newStage(ctx context.Context, c Config) *stage {
	past := &pastClock{now: c.Clock.Now()}
	keys := idempotency.New(c.DB, nil, past) // no call here has a key
	s := &stage{ctx: ctx, clock: past, end: past.now, policy: c.Policy}
	s.accounts = account.New(c.DB, past, keys, c.Policy)
	s.orders = order.New(c.DB, notify.New(c.DB), past, keys, order.Rules{Validity: c.Policy.OrderValidity()})
	s.ledger = ledger.New(c.DB)
	s.benefits = benefit.New(c.DB, past, keys, benefit.Rules{ReturnCoupons: c.Policy.Refunds.ReturnCoupons})
	codes := &verification.Service{} // nothing here needs one
	quotes := checkout.New(checkout.Config{Orders: s.orders, Accounts: s.accounts, Benefits: s.benefits, Verifier: codes, Policy: c.Policy, Clock: past})
	s.payments = payment.New(payment.Config{DB: c.DB, Ledger: s.ledger, Orders: s.orders, Accounts: s.accounts, Checkout: quotes, Benefits: s.benefits, Codes: codes, Policy: c.Policy,
		Keys: keys, Outbox: c.Outbox, Messages: notify.New(c.DB), Clock: past, Log: c.Log})
	s.refunds = refund.New(refund.Config{DB: c.DB, Ledger: s.ledger, Payments: s.payments, Orders: s.orders, Benefits: s.benefits, Accounts: s.accounts, Policy: c.Policy,
		Keys: keys, Outbox: c.Outbox, Messages: notify.New(c.DB), Clock: past, Log: c.Log})
	return s
}

// pastClock shows the time that the story has reached.
type pastClock struct{ now time.Time }

func (c *pastClock) Now() time.Time { return c.now }
