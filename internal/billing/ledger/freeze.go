package ledger

import (
	"context"
	"errors"

	"paydesk/internal/money"
	"paydesk/models"
)

// ErrNotFrozen says that nothing is frozen under this reference: it never was, or it has ended.
var ErrNotFrozen = errors.New("ledger: nothing is frozen under this reference")

// split is where an amount is taken from: code money, then cash, then credit (contract §7).
type split struct{ code, cash, credit int64 }

func splitOf(b models.Balance, a int64) (s split) {
	s.code = min(b.CodeMoney, a)
	s.cash = min(max(b.Cash, 0), a-s.code)
	s.credit = a - s.code - s.cash
	return s
}

// lock takes the account's row and reads it: nobody changes it until the transaction ends. (UPDATE, for SQLite has no FOR
// UPDATE and the same text must do.)
func (l *Ledger) lock(ctx context.Context, m Movement) (models.Balance, error) {
	if _, err := l.db.Exec(ctx, "UPDATE balances SET updated_at = ? WHERE account_id = ? AND currency = ?", m.At, m.AccountID, string(m.Amount.Currency)); err != nil {
		return models.Balance{}, err
	}
	b, err := l.Balance(ctx, m.AccountID)
	if err == nil && b.Currency != string(m.Amount.Currency) {
		err = ErrNoAccount
	}
	return b, err
}

// take takes a split from a row that lock has taken; lines is how many lines of the statement that is.
func (l *Ledger) take(ctx context.Context, m Movement, s split, freeze int64, lines int) error {
	_, err := l.db.Exec(ctx, "UPDATE balances SET code_money = code_money - ?, cash = cash - ?, credit_used = credit_used + ?, frozen = frozen + ?, version = version + ?, updated_at = ? WHERE account_id = ?",
		s.code, s.cash, s.credit, freeze, lines, m.At, m.AccountID)
	return err
}

// as is the movement under an entry of its own: what a payment freezes, releases and pays are three of them.
func (m Movement) as(kind models.TransactionKind, prefix string) Movement {
	m.Kind, m.Reference = kind, prefix+m.Reference
	return m
}

// Freeze sets money aside, in the order it is spent in: available → frozen, with a FREEZE line in the statement (contract
// §5). The reference names what is frozen until Unfreeze ends it; it freezes once. Kind and Book are not read. Call it last
// in the transaction. Errors: *InsufficientError (HW-24), ErrAlreadyPosted, ErrNoAccount.
func (l *Ledger) Freeze(ctx context.Context, m Movement) error {
	return l.FreezeMany(ctx, []Movement{m})
}

// Frozen reads what is frozen under a reference; false where nothing ever was. EndedAt says whether it still is.
func (l *Ledger) Frozen(ctx context.Context, account models.ID, reference string) (f models.Freeze, found bool, err error) {
	found, err = l.db.QueryRow(ctx, []any{&f.Currency, &f.Amount, &f.CodeMoney, &f.PaymentID, &f.OrderID, &f.CreatedAt, &f.EndedAt},
		"SELECT currency, amount, code_money, payment_id, order_id, created_at, ended_at FROM freezes WHERE account_id = ? AND reference = ?", account, reference)
	f.AccountID, f.Reference = account, reference
	return f, found, err
}

// release gives back what was frozen: code money as code money, the rest as money that comes in does, repaying credit first.
const release = "UPDATE balances SET " +
	"cash = cash + ? - CASE WHEN credit_used >= ? THEN ? ELSE credit_used END, " +
	"credit_used = credit_used - CASE WHEN credit_used >= ? THEN ? ELSE credit_used END, " +
	"code_money = code_money + ?, frozen = frozen - ?, version = version + 1, updated_at = ? WHERE account_id = ? AND currency = ?"

// Unfreeze ends the freeze of this reference and gives all of it back, with an UNFREEZE line; it returns how much that was.
// To take it for good, Charge in the same transaction. Amount (its currency excepted), Kind and Book are not read. Call it
// last in the transaction. Errors: ErrNotFrozen.
func (l *Ledger) Unfreeze(ctx context.Context, m Movement) (amount int64, err error) {
	n, err := l.db.Exec(ctx, "UPDATE freezes SET ended_at = ? WHERE account_id = ? AND reference = ? AND ended_at IS NULL", m.At, m.AccountID, m.Reference)
	if err != nil {
		return 0, err
	}
	f, _, err := l.Frozen(ctx, m.AccountID, m.Reference)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, ErrNotFrozen
	}
	m.Amount = money.New(f.Amount, money.Currency(f.Currency))
	line, entry, rest := m.as(models.KindUnfreeze, "unfreeze:"), models.NewID(), f.Amount-f.CodeMoney
	if err := l.leg(ctx, line, entry, 0, models.BookFrozen, -f.Amount); err != nil {
		return 0, err
	}
	n, err = l.db.Exec(ctx, release, rest, rest, rest, rest, rest, f.CodeMoney, f.Amount, m.At, m.AccountID, f.Currency)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, ErrNoAccount
	}
	return f.Amount, l.own(ctx, line, entry, f.Amount)
}

// Charge spends what Unfreeze has just given back, in the same transaction, and never refuses: the customer had the money
// when it was frozen. What is missing all the same, because the credit line was lowered or money was reversed meanwhile, is
// arrears. Errors: ErrAlreadyPosted, ErrNoAccount.
func (l *Ledger) Charge(ctx context.Context, m Movement) error {
	entry, a := models.NewID(), m.Amount.Minor
	if err := l.leg(ctx, m, entry, 0, m.Book, a); err != nil {
		return err
	}
	b, err := l.lock(ctx, m)
	if err != nil {
		return err
	}
	s := splitOf(b, a)
	if over := s.credit - max(b.CreditLimit-b.CreditUsed, 0); over > 0 {
		s.credit, s.cash = s.credit-over, s.cash+over
	}
	if err := l.take(ctx, m, s, 0, 1); err != nil {
		return err
	}
	return l.own(ctx, m, entry, -a)
}
