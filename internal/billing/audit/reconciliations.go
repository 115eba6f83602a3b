package audit

// reconciliationChecks are the invariants of days that were compared with a channel's statement.
var reconciliationChecks = []Check{
	{Name: "a clean day of a channel has no difference that waits",
		Violations: "SELECT d.account_id, d.id FROM reconciliations r JOIN differences d ON d.channel = r.channel AND d.day = r.day WHERE r.status = 'CLEAN' AND d.resolved_at IS NULL AND d.class <> 'LATE'"},
	{Name: "a difference belongs to a compared day, and one that is closed says why",
		Violations: "SELECT d.account_id, d.id FROM differences d LEFT JOIN reconciliations r ON r.channel = d.channel AND r.day = d.day WHERE r.id IS NULL OR (d.resolved_at IS NOT NULL AND d.resolution = '')"},
	{Name: "a payment that a comparison repaired is in its channel's clearing account",
		Violations: "SELECT d.account_id, d.id FROM differences d WHERE d.repaired = 1 AND d.kind = 'PAYMENT' " +
			"AND NOT EXISTS (SELECT 1 FROM postings p WHERE p.account_id = d.account_id AND p.payment_id = d.payment_id AND p.book = CONCAT('clearing:', d.channel))"},
}
