package ledger

import (
	"context"
	"errors"
	"strings"

	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// errMixed: the caller's mistake.
var errMixed = errors.New("ledger: movements of several accounts, currencies or moments")

// FreezeMany is Freeze for several movements of one account, currency and moment, all of them or none, in this order: each has its
// own reference, its own line in the statement and ends by itself. It takes six statements however many they are, five of them
// with the account's row in hand. Call it last in the transaction. Errors: *InsufficientError about the whole (HW-24),
// ErrAlreadyPosted, ErrNoAccount.
func (l *Ledger) FreezeMany(ctx context.Context, ms []Movement) error {
	if len(ms) == 0 {
		return nil
	}
	all, entries := ms[0], make([]models.ID, len(ms))
	all.Amount.Minor = 0
	for i, m := range ms {
		if m.AccountID != all.AccountID || m.Amount.Currency != all.Amount.Currency || !m.At.Equal(all.At) {
			return errMixed
		}
		all.Amount.Minor += m.Amount.Minor
		entries[i] = models.NewID()
	}
	if err := l.frozenLegs(ctx, ms, entries); err != nil {
		return err
	}
	b, err := l.lock(ctx, all)
	if err != nil {
		return err
	}
	a := all.Amount.Minor
	if b.Spendable() < a {
		return &InsufficientError{Spendable: money.New(b.Spendable(), all.Amount.Currency), Required: all.Amount}
	}
	if err := l.take(ctx, all, splitOf(b, a), a, len(ms)); err != nil {
		return err
	}
	return l.frozenLines(ctx, b, ms, entries)
}

// frozenLegs writes the side of each entry that has no balance row.
func (l *Ledger) frozenLegs(ctx context.Context, ms []Movement, entries []models.ID) error {
	args := make([]any, 0, 12*len(ms))
	for i, m := range ms {
		m = m.as(models.KindFreeze, "freeze:")
		args = append(args, m.AccountID, models.NewID(), entries[i], m.Reference, 0, models.BookFrozen, string(m.Kind), string(m.Amount.Currency), m.Amount.Minor, m.PaymentID, m.OrderID, m.At)
	}
	return l.insert(ctx, "postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, payment_id, order_id, posted_at)", 12, args)
}

// frozenLines writes the statement's lines and what is frozen. b is the row as it was before take: each line goes on from the one before.
func (l *Ledger) frozenLines(ctx context.Context, b models.Balance, ms []Movement, entries []models.ID) error {
	lines, freezes := make([]any, 0, 17*len(ms)), make([]any, 0, 8*len(ms))
	for i, m := range ms {
		a := m.Amount.Minor
		s := splitOf(b, a)
		b.CodeMoney, b.Cash, b.CreditUsed, b.Frozen, b.Version = b.CodeMoney-s.code, b.Cash-s.cash, b.CreditUsed+s.credit, b.Frozen+a, b.Version+1
		line := m.as(models.KindFreeze, "freeze:")
		lines = append(lines, m.AccountID, models.NewID(), entries[i], line.Reference, 1, "customer", string(line.Kind), b.Currency, -a,
			b.Version, b.Cash, b.CodeMoney, b.Frozen, b.CreditUsed, m.PaymentID, m.OrderID, m.At)
		freezes = append(freezes, m.AccountID, m.Reference, b.Currency, a, s.code, m.PaymentID, m.OrderID, m.At)
	}
	if err := l.insert(ctx, "postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, seq, cash_after, code_money_after, frozen_after, credit_used_after, payment_id, order_id, posted_at)", 17, lines); err != nil {
		return err
	}
	return l.insert(ctx, "freezes (account_id, reference, currency, amount, code_money, payment_id, order_id, created_at)", 8, freezes)
}

// insert writes rows of so many columns in one statement. Errors: ErrAlreadyPosted.
func (l *Ledger) insert(ctx context.Context, into string, columns int, args []any) error {
	row := "(" + database.Marks(columns) + ")"
	_, err := l.db.Exec(ctx, "INSERT INTO "+into+" VALUES "+row+strings.Repeat(","+row, len(args)/columns-1), args...)
	if database.IsDuplicate(err) {
		return ErrAlreadyPosted
	}
	return err
}
