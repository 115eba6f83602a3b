package audit

import (
	"slices"
	"time"
)

// stuckAfter is how long a row of outbox or inbox may wait before it counts as stuck.
const stuckAfter = 10 * time.Minute

// openAfterEnd is how long a payment may stay open after its end: its channel may be away, but not for ever.
const openAfterEnd = 24 * time.Hour

const ended = "('SUCCEEDED','FAILED','CANCELED','EXPIRED')"

// checks are all invariants that hold at every commit.
var checks = slices.Concat(moneyChecks, refundChecks, reconciliationChecks)

// moneyChecks are those of balances, payments, orders and what comes in and goes out.
var moneyChecks = []Check{
	{Name: "every entry sums to zero, in one currency at a time",
		Violations: "SELECT account_id, entry_id FROM postings GROUP BY account_id, entry_id, currency HAVING SUM(amount) <> 0 OR COUNT(*) < 2"},
	{Name: "every balance is the sum of its postings",
		Violations: "SELECT b.account_id, b.account_id FROM balances b LEFT JOIN (SELECT account_id, SUM(amount) s FROM postings WHERE seq IS NOT NULL GROUP BY account_id) p ON p.account_id = b.account_id " +
			"WHERE b.cash + b.code_money - b.credit_used <> COALESCE(p.s, 0)"},
	{Name: "every balance is what its last posting left",
		Violations: "SELECT b.account_id, p.id FROM balances b JOIN (SELECT account_id, MAX(seq) m FROM postings WHERE seq IS NOT NULL GROUP BY account_id) l ON l.account_id = b.account_id " +
			"JOIN postings p ON p.account_id = l.account_id AND p.seq = l.m WHERE p.cash_after <> b.cash OR p.code_money_after <> b.code_money OR p.frozen_after <> b.frozen OR p.credit_used_after <> b.credit_used OR l.m > b.version"},
	{Name: "every line of a statement follows from the one before",
		Violations: "SELECT account_id, id FROM (SELECT account_id, id, amount, cash_after + code_money_after - credit_used_after AS after_it, " +
			"COALESCE(LAG(cash_after + code_money_after - credit_used_after) OVER (PARTITION BY account_id ORDER BY seq), 0) AS before_it FROM postings WHERE seq IS NOT NULL) x WHERE before_it + amount <> after_it"},
	{Name: "what is frozen is what was posted as frozen",
		Violations: "SELECT b.account_id, b.account_id FROM balances b LEFT JOIN (SELECT account_id, SUM(amount) s FROM postings WHERE book = 'customer_frozen' GROUP BY account_id) p ON p.account_id = b.account_id WHERE b.frozen <> COALESCE(p.s, 0)"},
	{Name: "what is frozen is what its freezes say",
		Violations: "SELECT b.account_id, b.account_id FROM balances b LEFT JOIN (SELECT account_id, SUM(amount) s FROM freezes WHERE ended_at IS NULL GROUP BY account_id) f ON f.account_id = b.account_id WHERE b.frozen <> COALESCE(f.s, 0)"},
	{Name: "nothing is frozen without a cause", // an unfinished payment, or a POSTPAID order that was not settled
		Violations: "SELECT f.account_id, COALESCE(f.payment_id, f.order_id) FROM freezes f LEFT JOIN payments p ON p.account_id = f.account_id AND p.id = f.payment_id AND f.order_id IS NULL AND p.status NOT IN " + ended + " " +
			"LEFT JOIN orders o ON o.account_id = f.account_id AND o.id = f.order_id AND o.charging_mode = 'POSTPAID' AND o.status IN ('PROCESSING','COMPLETED','DELIVERY_FAILED') " +
			"WHERE f.ended_at IS NULL AND p.id IS NULL AND o.id IS NULL"},
	{Name: "code money, frozen money and used credit are in their bounds",
		Violations: "SELECT account_id, account_id FROM balances WHERE code_money < 0 OR frozen < 0 OR credit_used < 0"},
	{Name: "every account has a balance in its currency",
		Violations: "SELECT a.id, a.id FROM accounts a LEFT JOIN balances b ON b.account_id = a.id AND b.currency = a.currency WHERE b.account_id IS NULL"},
	{Name: "every payment is the sum of its parts",
		Violations: "SELECT account_id, id FROM payments WHERE amount <> balance_amount + online_amount + partner_amount OR amount < 0"},
	{Name: "allocations sum to their payment",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN (SELECT account_id, payment_id, SUM(due) s FROM payment_orders GROUP BY account_id, payment_id) o ON o.account_id = p.account_id AND o.payment_id = p.id " +
			"WHERE p.purpose = 'ORDERS' AND COALESCE(o.s, -1) <> p.amount"},
	{Name: "an allocation is amount less discount and coupons",
		Violations: "SELECT account_id, payment_id FROM payment_orders WHERE due <> amount - discount - coupon OR due < 0"},
	{Name: "what a payment took from or brought to the balance is in its postings",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN (SELECT account_id, payment_id, SUM(CASE WHEN kind = 'TOP_UP' THEN amount ELSE 0 END) t, SUM(CASE WHEN kind = 'ORDER_PAYMENT' THEN amount ELSE 0 END) o, SUM(CASE WHEN kind = 'LATE_PAYMENT' THEN amount ELSE 0 END) l " +
			"FROM postings WHERE seq IS NOT NULL AND payment_id IS NOT NULL GROUP BY account_id, payment_id) s ON s.account_id = p.account_id AND s.payment_id = p.id " +
			"LEFT JOIN (SELECT account_id, payment_id, SUM(amount - charged) u FROM freezes WHERE order_id IS NOT NULL GROUP BY account_id, payment_id) f ON f.account_id = p.account_id AND f.payment_id = p.id " + // of POSTPAID orders: not charged yet, or released
			"WHERE COALESCE(s.t, 0) <> CASE WHEN p.status = 'SUCCEEDED' AND p.purpose = 'TOP_UP' THEN p.online_amount ELSE 0 END " +
			"OR COALESCE(s.o, 0) <> CASE WHEN p.status = 'SUCCEEDED' AND p.purpose = 'ORDERS' THEN COALESCE(f.u, 0) - p.balance_amount ELSE 0 END OR COALESCE(s.l, 0) <> p.late_amount"},
	{Name: "what moved for a payment names one that is there",
		Violations: "SELECT s.account_id, s.id FROM postings s LEFT JOIN payments p ON p.id = s.payment_id AND (p.account_id = s.account_id OR p.partner_id = s.account_id) " +
			"WHERE s.kind IN ('TOP_UP','ORDER_PAYMENT','LATE_PAYMENT') AND p.id IS NULL"},
	{Name: "what a partner paid is in its postings, and nothing else is",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN (SELECT account_id, payment_id, SUM(amount) o FROM postings WHERE seq IS NOT NULL AND kind = 'ORDER_PAYMENT' AND payment_id IS NOT NULL GROUP BY account_id, payment_id) s " +
			"ON s.account_id = p.partner_id AND s.payment_id = p.id WHERE (p.partner_id IS NULL OR p.partner_id <> p.account_id) AND (p.partner_id IS NOT NULL OR p.partner_amount <> 0) " +
			"AND COALESCE(s.o, 0) <> CASE WHEN p.status = 'SUCCEEDED' THEN -p.partner_amount ELSE 0 END"},
	{Name: "what is charged of a freeze is charged once it ends, and no more than was frozen",
		Violations: "SELECT account_id, COALESCE(order_id, payment_id) FROM freezes WHERE charged < 0 OR charged > amount OR (ended_at IS NULL AND charged <> 0) OR (order_id IS NULL AND charged <> 0)"},
	{Name: "what a channel collected for a payment is in its clearing account",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN (SELECT account_id, payment_id, SUM(amount) c FROM postings WHERE book LIKE 'clearing:%' AND kind <> 'ADJUSTMENT' AND payment_id IS NOT NULL GROUP BY account_id, payment_id) s " +
			"ON s.account_id = p.account_id AND s.payment_id = p.id LEFT JOIN (SELECT account_id, payment_id, SUM(online_amount) r FROM refunds WHERE status = 'SUCCEEDED' AND channel <> '' GROUP BY account_id, payment_id) r " +
			"ON r.account_id = p.account_id AND r.payment_id = p.id WHERE COALESCE(s.c, 0) <> COALESCE(r.r, 0) - p.late_amount - CASE WHEN p.status = 'SUCCEEDED' THEN p.online_amount ELSE 0 END"},
	{Name: "no ended payment holds an order",
		Violations: "SELECT o.account_id, o.id FROM orders o LEFT JOIN payments p ON p.account_id = o.account_id AND p.id = o.active_payment_id WHERE o.active_payment_id IS NOT NULL AND (p.id IS NULL OR p.status IN " + ended + ")"},
	{Name: "a paid order was paid once, with what it says",
		Violations: "SELECT o.account_id, o.id FROM orders o LEFT JOIN (SELECT a.account_id, a.order_id, COUNT(*) n, SUM(a.due) s FROM payment_orders a JOIN payments p ON p.account_id = a.account_id AND p.id = a.payment_id AND p.status = 'SUCCEEDED' GROUP BY a.account_id, a.order_id) s " +
			"ON s.account_id = o.account_id AND s.order_id = o.id LEFT JOIN (SELECT account_id, order_id, SUM(amount - charged) u FROM freezes WHERE order_id IS NOT NULL AND ended_at IS NOT NULL GROUP BY account_id, order_id) f " +
			"ON f.account_id = o.account_id AND f.order_id = o.id WHERE COALESCE(s.n, 0) > 1 OR COALESCE(s.s, 0) - COALESCE(f.u, 0) <> o.paid OR (COALESCE(s.n, 0) = 1 AND o.status NOT IN ('PROCESSING','COMPLETED','DELIVERY_FAILED','REFUNDED')) OR (s.n IS NULL AND o.status IN ('PROCESSING','COMPLETED','DELIVERY_FAILED'))"},
	{Name: "a bundle is paid as a whole, by one payment",
		Violations: "SELECT o.account_id, o.bundle_id FROM orders o LEFT JOIN (SELECT a.account_id, a.order_id, a.payment_id FROM payment_orders a JOIN payments p ON p.account_id = a.account_id AND p.id = a.payment_id AND p.status = 'SUCCEEDED') s " +
			"ON s.account_id = o.account_id AND s.order_id = o.id WHERE o.bundle_id IS NOT NULL GROUP BY o.account_id, o.bundle_id HAVING COUNT(s.order_id) <> 0 AND (COUNT(s.order_id) <> COUNT(*) OR COUNT(DISTINCT s.payment_id) > 1)"},
	{Name: "an order that was decided about does not wait for it",
		Violations: "SELECT account_id, id FROM orders WHERE decision <> '' AND (status IN ('PENDING_REVIEW','PENDING_CONFIRMATION') OR decided_by = '')"},
	{Name: "a timeline has one event for each version and ends in the payment's status",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN (SELECT account_id, payment_id, COUNT(*) n, MAX(version) m FROM payment_events GROUP BY account_id, payment_id) e ON e.account_id = p.account_id AND e.payment_id = p.id " +
			"LEFT JOIN payment_events l ON l.account_id = p.account_id AND l.payment_id = p.id AND l.version = p.version WHERE COALESCE(e.n, 0) <> p.version OR COALESCE(e.m, 0) <> p.version OR COALESCE(l.status, '') <> p.status"},
	{Name: "no payment is open a day after its end", // but one that its provider reviews (models.Payment.InReview)
		Violations: "SELECT account_id, id FROM payments WHERE status NOT IN " + ended + " AND NOT (status = 'PROCESSING' AND version > 1) AND expires_at < ?", Args: longOver},
	{Name: "what is left of a coupon is its face less what was used of it",
		Violations: "SELECT c.account_id, c.id FROM coupons c LEFT JOIN (SELECT account_id, coupon_id, SUM(amount - returned) s FROM payment_coupons GROUP BY account_id, coupon_id) u ON u.account_id = c.account_id AND u.coupon_id = c.id " +
			"WHERE c.remaining <> c.face - COALESCE(u.s, 0)"},
	{Name: "a coupon has between nothing and its face",
		Violations: "SELECT account_id, id FROM coupons WHERE remaining < 0 OR remaining > face"},
	{Name: "a coupon is locked to the open payment that uses it, and to no other",
		Violations: "SELECT c.account_id, c.id FROM coupons c LEFT JOIN payments p ON p.account_id = c.account_id AND p.id = c.payment_id WHERE c.payment_id IS NOT NULL AND (p.id IS NULL OR p.status IN " + ended + ") " +
			"UNION ALL SELECT u.account_id, u.coupon_id FROM payment_coupons u JOIN payments p ON p.account_id = u.account_id AND p.id = u.payment_id AND p.status NOT IN " + ended + " " +
			"LEFT JOIN coupons c ON c.account_id = u.account_id AND c.id = u.coupon_id AND c.payment_id = u.payment_id WHERE c.id IS NULL"},
	{Name: "what coupons took off an order is what was used of them",
		Violations: "SELECT account_id, payment_id FROM (SELECT account_id, payment_id, order_id, coupon amount FROM payment_orders UNION ALL " +
			"SELECT account_id, payment_id, order_id, -amount FROM payment_coupons) x GROUP BY account_id, payment_id, order_id HAVING SUM(amount) <> 0"},
	{Name: "a payment that failed has given its coupons back",
		Violations: "SELECT u.account_id, u.payment_id FROM payment_coupons u LEFT JOIN payments p ON p.account_id = u.account_id AND p.id = u.payment_id WHERE u.returned <> u.amount AND (p.id IS NULL OR p.status IN ('FAILED','CANCELED','EXPIRED'))"},
	{Name: "what is in suspense is booked there",
		Violations: "SELECT account_id, payment_id FROM (SELECT account_id, payment_id, currency, amount FROM suspense_items UNION ALL " +
			"SELECT account_id, payment_id, currency, -amount FROM postings WHERE book LIKE 'suspense:%') x GROUP BY account_id, payment_id, currency HAVING SUM(amount) <> 0"},
	{Name: "nothing waits in the outbox",
		Violations: "SELECT account_id, id FROM outbox WHERE created_at < ?", Args: overdue},
	{Name: "every notification found its payment", // signed by a provider, so money may stand behind it
		Violations: "SELECT id, id FROM inbox WHERE verdict = 'UNKNOWN_REFERENCE' AND next_at IS NULL"},
	{Name: "nothing waits in the inbox",
		Violations: "SELECT id, id FROM inbox WHERE verdict = 'RECEIVED' AND received_at < ?", Args: overdue},
}

func longOver(now time.Time) []any { return []any{now.Add(-openAfterEnd)} }

func overdue(now time.Time) []any { return []any{now.Add(-stuckAfter)} }
