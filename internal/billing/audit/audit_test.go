package audit_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/money"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// books are one of each: an account with a top-up, a paid order, an order held by an open payment, an amount in suspense.
type books struct {
	testing.TB
	testenv.Home
	ctx     context.Context
	account models.ID
}

func (b *books) exec(text string, args ...any) {
	b.Helper()
	if _, err := b.DB.Exec(b.ctx, text, args...); err != nil {
		b.Fatalf("%s: %v", text, err)
	}
}

func (b *books) payment(purpose, status string, balance, online int64, orders ...models.ID) models.ID {
	b.Helper()
	id := models.NewID()
	b.exec("INSERT INTO payments (account_id, id, number, purpose, status, currency, amount, balance_amount, online_amount, channel, channel_reference, bank_code, return_url, action_kind, action_method, failure_code, created_by, locale, created_at, expires_at, version) "+
		"VALUES (?,?,?,?,?,'CNY',?,?,?,'ALIPAY','','','','','','','u','en',?,?,1)", b.account, id, id.String(), purpose, status, balance+online, balance, online, now, now.Add(time.Minute))
	b.exec("INSERT INTO payment_events (account_id, payment_id, version, status, note, at) VALUES (?,?,1,?,'',?)", b.account, id, status, now)
	for _, o := range orders {
		b.exec("INSERT INTO payment_orders (account_id, payment_id, order_id, amount, due, created_at) VALUES (?,?,?,?,?,?)", b.account, id, o, balance+online, balance+online, now)
	}
	return id
}

func (b *books) order(status string, paid int64, by models.ID) models.ID {
	b.Helper()
	id := models.NewID()
	b.exec("INSERT INTO orders (account_id, id, number, status, type, product_type, charging_mode, currency, list_amount, amount_due, paid, placement_id, outside_contract, active_payment_id, items, created_at, expires_at, updated_at) "+
		"VALUES (?,?,?,?,'NEW_PURCHASE','ECS','PREPAID','CNY',300,300,?,?,?,?,'[]',?,?,?)", b.account, id, id.String(), status, paid, id, false, by, now, now, now)
	return id
}

func (b *books) book(fn func(context.Context, *ledger.Ledger, ledger.Movement) error, amount int64, kind models.TransactionKind, reference, book string, payment models.ID) {
	b.Helper()
	m := ledger.Movement{AccountID: b.account, Amount: money.New(amount, "CNY"), Kind: kind, Reference: reference, Book: book, PaymentID: payment, At: now}
	if err := b.DB.InTx(b.ctx, func(ctx context.Context) error { return fn(ctx, ledger.New(b.DB), m) }); err != nil {
		b.Fatal(err)
	}
}

// coupon is one of which a payment used an amount for an order.
func (b *books) coupon(remaining int64, locked models.ID, used int64, payment, order models.ID) {
	b.Helper()
	id := models.NewID()
	b.exec("INSERT INTO coupons (account_id, id, grant_id, name, kind, currency, face, remaining, minimum_spend, product_types, not_with, valid_from, valid_to, payment_id, created_at, updated_at) "+
		"VALUES (?,?,?,'c','CASH','CNY',?,?,0,'[]','[]',?,?,?,?,?)", b.account, id, id, remaining+used, remaining, now, now.Add(time.Hour), locked, now, now)
	b.exec("INSERT INTO payment_coupons (account_id, payment_id, coupon_id, order_id, amount, created_at) VALUES (?,?,?,?,?,?)", b.account, payment, id, order, used, now)
	b.exec("UPDATE payment_orders SET amount = amount + ?, coupon = ? WHERE payment_id = ? AND order_id = ?", used, used, payment, order)
}

func newBooks(t testing.TB, home testenv.Home) *books {
	b := &books{TB: t, Home: home, ctx: context.Background(), account: models.NewID()}
	a := models.Account{ID: b.account, Number: "A", Name: "A", Kind: models.AccountIndividual, Status: models.AccountActive, Region: "CN", Country: "CN", SigningEntity: "MAINLAND", Currency: "CNY", CreatedAt: now, UpdatedAt: now}
	if err := home.DB.InTx(b.ctx, func(ctx context.Context) error { return home.DB.Gorm(ctx).Create(&a).Error }); err != nil {
		t.Fatal(err)
	}
	b.exec("INSERT INTO balances (account_id, currency, updated_at) VALUES (?,'CNY',?)", b.account, now)
	receive := func(ctx context.Context, l *ledger.Ledger, m ledger.Movement) error { return l.Receive(ctx, m) }
	spend := func(ctx context.Context, l *ledger.Ledger, m ledger.Movement) error { return l.Spend(ctx, m) }
	suspend := func(ctx context.Context, l *ledger.Ledger, m ledger.Movement) error {
		return l.Transfer(ctx, m, "clearing:ALIPAY")
	}
	topUp := b.payment("TOP_UP", "SUCCEEDED", 0, 1000)
	b.book(receive, 1000, models.KindTopUp, "topup", "clearing:ALIPAY", topUp)
	b.exec("INSERT INTO reconciliations (id, channel, day, status, started_at) VALUES (?,'ALIPAY','2026-11-21','CLEAN',?)", models.NewID(), now)
	b.exec("INSERT INTO differences (id, channel, day, line_key, class, kind, number, account_id, payment_id, currency, evidence, repaired, found_at, resolved_at, resolution) VALUES (?,'ALIPAY','2026-11-21','P:1','MATCHED','PAYMENT','1',?,?,'CNY','',1,?,?,'repaired')",
		models.NewID(), b.account, topUp, now, now)
	order := b.order("PROCESSING", 300, models.ID{})
	paid := b.payment("ORDERS", "SUCCEEDED", 300, 0, order)
	b.book(spend, 300, models.KindOrderPayment, "pay", "revenue", paid)
	b.book(receive, 120, models.KindRefund, "refund", "revenue", paid)
	refund := models.NewID()
	b.exec("INSERT INTO refunds (account_id, id, number, payment_id, currency, amount, balance_amount, status, reason, channel, channel_reference, created_by, created_at, completed_at) VALUES (?,?,'R',?,'CNY',120,120,'SUCCEEDED','','','','',?,?)", b.account, refund, paid, now, now)
	b.exec("INSERT INTO refund_orders (account_id, refund_id, order_id, amount, created_at) VALUES (?,?,?,120,?)", b.account, refund, order, now)
	b.exec("UPDATE payment_orders SET refunded = 120 WHERE payment_id = ?", paid)
	b.exec("UPDATE payments SET refunded = 120 WHERE id = ?", paid)
	held := b.order("PENDING_PAYMENT", 0, models.ID{})
	open := b.payment("ORDERS", "REQUIRES_ACTION", 0, 300, held)
	b.exec("UPDATE orders SET active_payment_id = ? WHERE id = ?", open, held)
	b.book(suspend, 299, models.KindAdjustment, "suspense", "suspense:ALIPAY", open)
	freeze := func(ctx context.Context, l *ledger.Ledger, m ledger.Movement) error { return l.Freeze(ctx, m) }
	b.book(freeze, 100, models.KindFreeze, "pay:open", "", open)
	b.coupon(20, models.ID{}, 30, paid, order)
	b.coupon(0, open, 10, open, held)
	b.exec("INSERT INTO suspense_items (id, account_id, payment_id, channel, currency, amount, reason, reference, created_at) VALUES (?,?,?,'ALIPAY','CNY',299,'','R',?)", models.NewID(), b.account, open, now)
	return b
}

// Every check can fail: each of these breaches is seen by the check that is there for it.
func TestEveryCheckSeesItsBreach(t *testing.T) {
	breaches := map[string]string{
		"every entry sums to zero, in one currency at a time":                              "UPDATE postings SET amount = amount - 1 WHERE book = 'revenue'",
		"every balance is the sum of its postings":                                         "UPDATE balances SET cash = cash + 1",
		"every balance is what its last posting left":                                      "UPDATE postings SET frozen_after = 1 WHERE seq = 4",
		"every line of a statement follows from the one before":                            "UPDATE postings SET cash_after = 999 WHERE seq = 1",
		"what is frozen is what was posted as frozen":                                      "UPDATE balances SET frozen = 1",
		"what is frozen is what its freezes say":                                           "UPDATE balances SET frozen = 2",
		"nothing is frozen without a cause":                                                "UPDATE payments SET status = 'EXPIRED' WHERE status = 'REQUIRES_ACTION'",
		"every account has a balance in its currency":                                      "UPDATE accounts SET currency = 'USD'",
		"every payment is the sum of its parts":                                            "UPDATE payments SET partner_amount = 1",
		"allocations sum to their payment":                                                 "UPDATE payment_orders SET due = due - 1",
		"an allocation is amount less discount and coupons":                                "UPDATE payment_orders SET discount = 1",
		"what a payment took from or brought to the balance is in its postings":            "UPDATE postings SET kind = 'REFUND' WHERE kind = 'TOP_UP'",
		"what moved for a payment names one that is there":                                 "UPDATE postings SET payment_id = NULL WHERE kind = 'TOP_UP'",
		"what a partner paid is in its postings, and nothing else is":                      "UPDATE payments SET partner_id = '0123456789abcdef', partner_amount = 1 WHERE purpose = 'ORDERS' AND status = 'SUCCEEDED'",
		"what is charged of a freeze is charged once it ends, and no more than was frozen": "INSERT INTO freezes (account_id, reference, currency, amount, code_money, charged, created_at) VALUES ('0123456789abcdef', 'order:x', 'CNY', 1, 0, 1, '2026-11-22 07:40:00')",
		"what a channel collected for a payment is in its clearing account":                "UPDATE postings SET book = 'elsewhere' WHERE book LIKE 'clearing:%' AND kind = 'TOP_UP'",
		"no ended payment holds an order":                                                  "UPDATE payments SET status = 'EXPIRED' WHERE status = 'REQUIRES_ACTION'",
		"a paid order was paid once, with what it says":                                    "UPDATE orders SET paid = 299 WHERE status = 'PROCESSING'",
		"a bundle is paid as a whole, by one payment":                                      "UPDATE orders SET bundle_id = '0123456789abcdef'",
		"an order that was decided about does not wait for it":                             "UPDATE orders SET decision = 'approved'",
		"a coupon has between nothing and its face":                                        "", // the same
		"a timeline has one event for each version and ends in the payment's status":       "DELETE FROM payment_events",
		"no payment is open a day after its end":                                           "UPDATE payments SET expires_at = '2026-11-21 07:59:00' WHERE status = 'REQUIRES_ACTION'",
		"what is left of a coupon is its face less what was used of it":                    "UPDATE coupons SET remaining = remaining - 1 WHERE remaining = 20",
		"a coupon is locked to the open payment that uses it, and to no other":             "UPDATE coupons SET payment_id = NULL WHERE remaining = 0",
		"what coupons took off an order is what was used of them":                          "UPDATE payment_orders SET amount = amount + 1, coupon = coupon + 1",
		"a payment that failed has given its coupons back":                                 "UPDATE payments SET status = 'EXPIRED' WHERE status = 'REQUIRES_ACTION'",
		"what is in suspense is booked there":                                              "DELETE FROM suspense_items",
		"nothing waits in the outbox":                                                      "INSERT INTO outbox (id, topics, created_at) VALUES ('0123456789abcdef', 't', '2026-11-22 07:40:00')",
		"every notification found its payment":                                             "INSERT INTO inbox (id, channel, dedup_key, headers, body, event, verdict, number, received_at) VALUES ('0123456789abcdee', 'ALIPAY', 'e', '', '', '', 'UNKNOWN_REFERENCE', 'n', '2026-11-22 07:40:00')",
		"nothing waits in the inbox":                                                       "INSERT INTO inbox (id, channel, dedup_key, headers, body, event, verdict, number, received_at) VALUES ('0123456789abcdef', 'ALIPAY', 'd', '', '', '', 'RECEIVED', 'n', '2026-11-22 07:40:00')",
		"no more was refunded than was paid":                                               "UPDATE payments SET refunded = 301 WHERE purpose = 'ORDERS' AND status = 'SUCCEEDED'",
		"every refund is the sum of its parts and of its orders' shares":                   "UPDATE refund_orders SET amount = amount - 1",
		"what a payment has refunded is its refunds that did not fail":                     "UPDATE refunds SET status = 'FAILED'",
		"what an order has back is its shares of refunds that did not fail":                "UPDATE payment_orders SET refunded = refunded - 1 WHERE refunded > 0",
		"no part of a payment gave back more than it has":                                  "UPDATE refunds SET balance_amount = balance_amount - 1, online_amount = online_amount + 1",
		"what refunds gave to balances is in their postings":                               "UPDATE postings SET kind = 'ADJUSTMENT' WHERE kind = 'REFUND' AND seq IS NOT NULL",
		"what is on its way back through a channel is in its refunding book":               "UPDATE postings SET book = 'refunding:ALIPAY' WHERE kind = 'REFUND' AND seq IS NULL",
		"an order is REFUNDED when all its money has gone back, and only then":             "UPDATE orders SET status = 'REFUNDED' WHERE status = 'PROCESSING'",
		"a refund that has ended is asked after no more, one that has not is":              "UPDATE refunds SET sweep_at = created_at",
		"a clean day of a channel has no difference that waits":                            "UPDATE differences SET resolved_at = NULL",
		"a difference belongs to a compared day, and one that is closed says why":          "UPDATE differences SET resolution = ''",
		"a payment that a comparison repaired is in its channel's clearing account":        "UPDATE postings SET book = 'elsewhere' WHERE book LIKE 'clearing:%' AND kind = 'TOP_UP'",
		"code money, frozen money and used credit are in their bounds":                     "", // the schema refuses it, see below
	}
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		names := audit.Names()
		for _, name := range names {
			if _, ok := breaches[name]; !ok {
				t.Errorf("no breach for %q", name)
			}
		}
		if len(breaches) != len(names) {
			t.Errorf("%d breaches for %d checks", len(breaches), len(names))
		}
		b := newBooks(t, home)
		if r, err := audit.Run(b.ctx, b.DB, now); err != nil || !r.Clean() {
			t.Fatal(err, r.Findings)
		}
		for name, breach := range breaches {
			if breach == "" {
				continue
			}
			undo := errUndo{}
			err := b.DB.InTx(b.ctx, func(ctx context.Context) error {
				if _, err := b.DB.Exec(ctx, breach); err != nil {
					return err
				}
				r, err := audit.Run(ctx, b.DB, now)
				if err != nil {
					return err
				}
				if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Check == name }) {
					t.Errorf("%s: not seen after %s; %+v", name, breach, r.Findings)
				}
				return undo
			})
			if err != undo {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := b.DB.Exec(b.ctx, "UPDATE balances SET credit_used = -1"); err == nil {
			t.Error("the schema took a negative credit")
		}
		if _, err := b.DB.Exec(b.ctx, "UPDATE coupons SET remaining = face + 1"); err == nil {
			t.Error("the schema took more than a coupon's face")
		}
	})
}

type errUndo struct{}

func (errUndo) Error() string { return "undo" }
