package ledger

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Filter narrows an account's statement; an empty field does not narrow.
type Filter struct {
	Kinds      []models.TransactionKind
	PostedFrom *time.Time // inclusive
	PostedTo   *time.Time // exclusive
}

func (f Filter) where(account models.ID) (string, []any) {
	var b strings.Builder
	b.WriteString(" FROM postings WHERE account_id = ? AND seq IS NOT NULL")
	args := []any{account}
	if len(f.Kinds) > 0 {
		b.WriteString(" AND kind IN (" + database.Marks(len(f.Kinds)) + ")")
		for _, k := range f.Kinds {
			args = append(args, string(k))
		}
	}
	if f.PostedFrom != nil {
		b.WriteString(" AND posted_at >= ?")
		args = append(args, *f.PostedFrom)
	}
	if f.PostedTo != nil {
		b.WriteString(" AND posted_at < ?")
		args = append(args, *f.PostedTo)
	}
	return b.String(), args
}

// A statement is read by its sequence number, which is the balance's version: no two lines share one.
var newestFirst = page.Sort{Tag: 's', Column: "seq", ID: "id", Desc: true}

const statementColumns = "SELECT account_id, id, kind, currency, amount, seq, cash_after, code_money_after, frozen_after, credit_used_after, payment_id, order_id, posted_at"

// Statement reads a page of an account's statement, newest first (PA-14).
func (l *Ledger) Statement(ctx context.Context, account models.ID, f Filter, p page.Page) (page.Result[models.Posting], error) {
	where, args := f.where(account)
	query, args, err := p.Append([]byte(statementColumns+where), args, newestFirst)
	if err != nil {
		return page.Result[models.Posting]{}, err
	}
	rows, err := l.postings(ctx, string(query), args...)
	return page.Finish(p, rows, func(r models.Posting) page.Cursor {
		return page.Cursor{Sort: newestFirst.Tag, Key: *r.Seq, ID: r.ID}
	}), err
}

// Line reads one line of an account's statement; false where there is none.
func (l *Ledger) Line(ctx context.Context, account, id models.ID) (models.Posting, bool, error) {
	return l.line(ctx, statementColumns+" FROM postings WHERE account_id = ? AND id = ? AND seq IS NOT NULL", account, id)
}

// LineAnywhere is Line for OPERATOR and SERVICE, who reach any account (contract §3).
func (l *Ledger) LineAnywhere(ctx context.Context, id models.ID) (models.Posting, bool, error) {
	return l.line(ctx, statementColumns+" FROM postings WHERE id = ? AND seq IS NOT NULL", id)
}

func (l *Ledger) line(ctx context.Context, query string, args ...any) (models.Posting, bool, error) {
	rows, err := l.postings(ctx, query, args...)
	if err != nil || len(rows) == 0 {
		return models.Posting{}, false, err
	}
	return rows[0], true, nil
}

// Count says how many lines a filter matches.
func (l *Ledger) Count(ctx context.Context, account models.ID, f Filter) (n int64, err error) {
	where, args := f.where(account)
	_, err = l.db.QueryRow(ctx, []any{&n}, "SELECT COUNT(*)"+where, args...)
	return n, err
}

func (l *Ledger) postings(ctx context.Context, query string, args ...any) (rows []models.Posting, err error) {
	err = l.db.Query(ctx, func(r *sql.Rows) error {
		p := models.Posting{Book: models.BookCustomer}
		if err := r.Scan(&p.AccountID, &p.ID, &p.Kind, &p.Currency, &p.Amount, &p.Seq, &p.CashAfter, &p.CodeMoneyAfter, &p.FrozenAfter, &p.CreditUsedAfter, &p.PaymentID, &p.OrderID, &p.PostedAt); err != nil {
			return err
		}
		rows = append(rows, p)
		return nil
	}, query, args...)
	return rows, err
}
