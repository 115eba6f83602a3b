package audit

// refundsBy sums a column of refunds that did not fail, by payment.
func refundsBy(sum string) string {
	return "(SELECT account_id, payment_id, SUM(" + sum + ") s FROM refunds WHERE status <> 'FAILED' GROUP BY account_id, payment_id)"
}

// booked sums postings by payment.
func booked(where string) string {
	return "(SELECT account_id, payment_id, SUM(amount) s FROM postings WHERE " + where + " AND payment_id IS NOT NULL GROUP BY account_id, payment_id)"
}

func on(alias string) string {
	return " " + alias + " ON " + alias + ".account_id = p.account_id AND " + alias + ".payment_id = p.id "
}

// toBalance is what of a refund goes to the customer's balance: an online part does where the refund has no channel (HW-R19).
const toBalance = "balance_amount + CASE WHEN channel = '' THEN online_amount ELSE 0 END"

// released is what the settlement of POSTPAID orders gave back: it counts as paid back without a refund.
const released = "SUM(amount - charged) s FROM freezes WHERE order_id IS NOT NULL AND ended_at IS NOT NULL GROUP BY account_id, payment_id"

// refundChecks are the invariants of refunds (D10, lesson 18).
var refundChecks = []Check{
	{Name: "no more was refunded than was paid",
		Violations: "SELECT account_id, id FROM payments WHERE refunded < 0 OR refunded > amount OR (refunded > 0 AND status <> 'SUCCEEDED') UNION ALL SELECT account_id, payment_id FROM payment_orders WHERE refunded < 0 OR refunded > due"},
	{Name: "every refund is the sum of its parts and of its orders' shares",
		Violations: "SELECT r.account_id, r.id FROM refunds r LEFT JOIN (SELECT account_id, refund_id, SUM(amount) s FROM refund_orders GROUP BY account_id, refund_id) o ON o.account_id = r.account_id AND o.refund_id = r.id " +
			"WHERE r.amount <> r.balance_amount + r.online_amount + r.partner_amount OR r.amount <> COALESCE(o.s, 0)"},
	{Name: "what a payment has refunded is its refunds that did not fail",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN " + refundsBy("amount") + on("r") + "LEFT JOIN (SELECT account_id, payment_id, " + released + ")" + on("f") +
			"WHERE p.refunded <> COALESCE(r.s, 0) + COALESCE(f.s, 0)"},
	{Name: "what an order has back is its shares of refunds that did not fail",
		Violations: "SELECT p.account_id, p.order_id FROM payment_orders p LEFT JOIN (SELECT r.account_id, r.payment_id, o.order_id, SUM(o.amount) s FROM refunds r JOIN refund_orders o ON o.account_id = r.account_id AND o.refund_id = r.id WHERE r.status <> 'FAILED' " +
			"GROUP BY r.account_id, r.payment_id, o.order_id) r ON r.account_id = p.account_id AND r.payment_id = p.payment_id AND r.order_id = p.order_id " +
			"LEFT JOIN (SELECT account_id, payment_id, order_id, " + released + ", order_id) f ON f.account_id = p.account_id AND f.payment_id = p.payment_id AND f.order_id = p.order_id WHERE p.refunded <> COALESCE(r.s, 0) + COALESCE(f.s, 0)"},
	{Name: "no part of a payment gave back more than it has",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN " + refundsBy("balance_amount") + on("b") + "LEFT JOIN " + refundsBy("online_amount") + on("o") + "LEFT JOIN " + refundsBy("partner_amount") + on("a") +
			"WHERE COALESCE(b.s, 0) > p.balance_amount OR COALESCE(o.s, 0) > p.online_amount OR COALESCE(a.s, 0) > p.partner_amount"},
	{Name: "what refunds gave to balances is in their postings",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN " + refundsBy(toBalance) + on("r") + "LEFT JOIN " + booked("seq IS NOT NULL AND kind = 'REFUND'") + on("s") + "WHERE COALESCE(r.s, 0) <> COALESCE(s.s, 0) " +
			"UNION ALL SELECT p.account_id, p.id FROM payments p LEFT JOIN " + refundsBy("partner_amount") + on("r") + "LEFT JOIN " + booked("seq IS NOT NULL AND kind = 'REFUND'") + " s ON s.account_id = p.partner_id AND s.payment_id = p.id " +
			"WHERE p.partner_id IS NOT NULL AND p.partner_id <> p.account_id AND COALESCE(r.s, 0) <> COALESCE(s.s, 0)"},
	{Name: "what is on its way back through a channel is in its refunding book",
		Violations: "SELECT p.account_id, p.id FROM payments p LEFT JOIN (SELECT account_id, payment_id, SUM(online_amount) s FROM refunds WHERE status = 'PROCESSING' AND channel <> '' GROUP BY account_id, payment_id)" + on("r") +
			"LEFT JOIN " + booked("book LIKE 'refunding:%'") + on("s") + "WHERE COALESCE(r.s, 0) <> COALESCE(s.s, 0)"},
	{Name: "an order is REFUNDED when all its money has gone back, and only then",
		Violations: "SELECT o.account_id, o.id FROM orders o JOIN payment_orders a ON a.account_id = o.account_id AND a.order_id = o.id JOIN payments p ON p.account_id = a.account_id AND p.id = a.payment_id AND p.status = 'SUCCEEDED' " +
			"LEFT JOIN (SELECT o.account_id, r.payment_id, o.order_id, SUM(CASE WHEN r.status = 'PROCESSING' THEN 1 ELSE 0 END) n FROM refunds r JOIN refund_orders o ON o.account_id = r.account_id AND o.refund_id = r.id WHERE r.status <> 'FAILED' AND o.amount > 0 " +
			"GROUP BY o.account_id, r.payment_id, o.order_id) r ON r.account_id = a.account_id AND r.payment_id = a.payment_id AND r.order_id = a.order_id " +
			"WHERE (o.status = 'REFUNDED' AND (a.refunded <> a.due OR COALESCE(r.n, 0) > 0)) OR (o.status <> 'REFUNDED' AND a.refunded = a.due AND r.n = 0)"},
	{Name: "a refund that has ended is asked after no more, one that has not is",
		Violations: "SELECT account_id, id FROM refunds WHERE (status = 'PROCESSING' AND (channel = '' OR sweep_at IS NULL)) OR (status <> 'PROCESSING' AND (sweep_at IS NOT NULL OR completed_at IS NULL))"},
}
