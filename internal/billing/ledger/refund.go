package ledger

import (
	"context"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Refund moves money from a platform book back to the account that had spent it: Receive, but what was code money becomes code money
// again first, for it can be spent and never withdrawn (D6). Of names the lines by which the payment took money and gave it back until
// now; their references are those of their movements. Call it last in the transaction. Errors: ErrAlreadyPosted, ErrNoAccount.
func (l *Ledger) Refund(ctx context.Context, m Movement, of []string) error {
	entry, a := models.NewID(), m.Amount.Minor
	if err := l.leg(ctx, m, entry, 0, m.Book, -a); err != nil {
		return err
	}
	taken, err := l.codeMoneyTaken(ctx, m.AccountID, of)
	if err != nil {
		return err
	}
	code := min(max(taken, 0), a)
	rest := a - code
	n, err := l.db.Exec(ctx, release, rest, rest, rest, rest, rest, code, 0, m.At, m.AccountID, string(m.Amount.Currency))
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNoAccount
	}
	return l.own(ctx, m, entry, a)
}

// codeMoneyTaken is how much code money lines have taken in all, less what they gave: each is compared with the line before it.
func (l *Ledger) codeMoneyTaken(ctx context.Context, account models.ID, references []string) (taken int64, err error) {
	args := []any{account}
	for _, r := range references {
		args = append(args, r)
	}
	_, err = l.db.QueryRow(ctx, []any{&taken}, "SELECT COALESCE(SUM(b.code_money_after - p.code_money_after), 0) FROM postings p "+
		"JOIN postings b ON b.account_id = p.account_id AND b.seq = (SELECT MAX(q.seq) FROM postings q WHERE q.account_id = p.account_id AND q.seq < p.seq) "+
		"WHERE p.account_id = ? AND p.leg = 1 AND p.seq IS NOT NULL AND p.reference IN ("+database.Marks(len(references))+")", args...)
	return taken, err
}
