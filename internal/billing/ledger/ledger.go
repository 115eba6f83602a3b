// Package ledger is the only code that moves money. A journal entry has two or more postings that sum to zero; postings are
// append-only and a business event posts once, because its reference is unique. A customer's balance row changes only
// together with its own posting, and both come last in a transaction: that row is what hot accounts wait for.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Ledger writes entries; use it inside database.InTx.
type Ledger struct{ db *database.DB }

// New makes a ledger on a database.
func New(db *database.DB) *Ledger { return &Ledger{db} }

// Movement is one business event that moves money. Amount is above zero. Reference names the event and is unique in the
// account ("pay:<id>"): posting it again is ErrAlreadyPosted.
type Movement struct {
	AccountID models.ID
	Amount    money.Money
	Kind      models.TransactionKind
	Reference string
	Book      string // the other side: a platform book such as "revenue" or "clearing:ALIPAY"
	PaymentID models.ID
	OrderID   models.ID // where the whole movement is for one order
	At        time.Time
}

// ErrAlreadyPosted says that this business event is in the ledger already.
var ErrAlreadyPosted = errors.New("ledger: already posted")

// ErrNoAccount says that there is no balance in this currency for the account.
var ErrNoAccount = errors.New("ledger: no balance of this account in this currency")

// InsufficientError says what could be spent when it was not enough; nothing was moved.
type InsufficientError struct{ Spendable, Required money.Money }

func (e *InsufficientError) Error() string {
	return fmt.Sprintf("ledger: %s needed", e.Required.Currency)
}

const insertLeg = "INSERT INTO postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, payment_id, order_id, posted_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"

// leg writes one posting of a book that has no balance row.
func (l *Ledger) leg(ctx context.Context, m Movement, entry models.ID, n int, book string, amount int64) error {
	_, err := l.db.Exec(ctx, insertLeg, m.AccountID, models.NewID(), entry, m.Reference, n, book, string(m.Kind),
		string(m.Amount.Currency), amount, m.PaymentID, m.OrderID, m.At)
	if database.IsDuplicate(err) {
		return ErrAlreadyPosted
	}
	return err
}

// ownLeg writes the customer's posting with the version and the balance that the row has now.
const ownLeg = "INSERT INTO postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, seq, cash_after, code_money_after, frozen_after, credit_used_after, payment_id, order_id, posted_at) " +
	"SELECT account_id, ?, ?, ?, 1, 'customer', ?, currency, ?, version, cash, code_money, frozen, credit_used, ?, ?, ? FROM balances WHERE account_id = ?"

func (l *Ledger) own(ctx context.Context, m Movement, entry models.ID, amount int64) error {
	_, err := l.db.Exec(ctx, ownLeg, models.NewID(), entry, m.Reference, string(m.Kind), amount, m.PaymentID, m.OrderID, m.At, m.AccountID)
	return err
}

// spend takes code money, then cash, then credit (contract.md §7). Each expression reads only columns that are not yet
// assigned: MySQL sees earlier assignments of the same UPDATE, SQLite does not, and both must reach the same row.
const spend = "UPDATE balances SET " +
	"credit_used = credit_used + CASE WHEN cash + code_money >= ? THEN 0 WHEN cash + code_money > 0 THEN ? - cash - code_money ELSE ? END, " +
	"cash = CASE WHEN cash + code_money >= ? THEN cash + code_money - ? WHEN cash + code_money > 0 THEN 0 ELSE cash + code_money END - CASE WHEN code_money >= ? THEN code_money - ? ELSE 0 END, " +
	"code_money = CASE WHEN code_money >= ? THEN code_money - ? ELSE 0 END, " +
	"version = version + 1, updated_at = ? " +
	"WHERE account_id = ? AND currency = ? AND cash + code_money + credit_limit - credit_used >= ?"

// Spend moves money from the account to a platform book (HW-23). Call it last in the transaction: it takes the account's
// row, and everybody else who pays from this account waits until the commit. Errors: *InsufficientError (HW-24),
// ErrAlreadyPosted, ErrNoAccount.
func (l *Ledger) Spend(ctx context.Context, m Movement) error {
	entry, a := models.NewID(), m.Amount.Minor
	if err := l.leg(ctx, m, entry, 0, m.Book, a); err != nil {
		return err
	}
	for range 10 {
		n, err := l.db.Exec(ctx, spend, a, a, a, a, a, a, a, a, a, m.At, m.AccountID, string(m.Amount.Currency), a)
		if err != nil {
			return err
		}
		if n == 1 {
			return l.own(ctx, m, entry, -a)
		}
		if err := l.insufficient(ctx, m); err != nil {
			return err
		}
	}
	return errors.New("ledger: the balance changes faster than it can be spent from")
}

// insufficient says what was missing; nil where money has come in since the UPDATE did not find enough.
func (l *Ledger) insufficient(ctx context.Context, m Movement) error {
	b, err := l.Balance(ctx, m.AccountID)
	switch {
	case err != nil:
		return err
	case b.Currency != string(m.Amount.Currency):
		return ErrNoAccount
	case b.Spendable() >= m.Amount.Minor:
		return nil
	}
	return &InsufficientError{Spendable: money.New(b.Spendable(), m.Amount.Currency), Required: m.Amount}
}

// receive repays used credit first, the rest is cash (contract.md §7).
const receive = "UPDATE balances SET " +
	"cash = cash + ? - CASE WHEN credit_used >= ? THEN ? ELSE credit_used END, " +
	"credit_used = credit_used - CASE WHEN credit_used >= ? THEN ? ELSE credit_used END, " +
	"version = version + 1, updated_at = ? WHERE account_id = ? AND currency = ?"

// Receive moves money from a platform book to the account (PA-13): a top-up, a late payment. Call it last in the
// transaction. Errors: ErrAlreadyPosted, ErrNoAccount.
func (l *Ledger) Receive(ctx context.Context, m Movement) error {
	entry, a := models.NewID(), m.Amount.Minor
	if err := l.leg(ctx, m, entry, 0, m.Book, -a); err != nil {
		return err
	}
	n, err := l.db.Exec(ctx, receive, a, a, a, a, a, m.At, m.AccountID, string(m.Amount.Currency))
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNoAccount
	}
	return l.own(ctx, m, entry, a)
}

// Transfer moves money between two platform books on behalf of an account whose balance it does not touch: what a channel
// collected for an order, or money that no rule could place.
func (l *Ledger) Transfer(ctx context.Context, m Movement, from string) error {
	entry := models.NewID()
	if err := l.leg(ctx, m, entry, 0, from, -m.Amount.Minor); err != nil {
		return err
	}
	return l.leg(ctx, m, entry, 1, m.Book, m.Amount.Minor)
}

// Balance reads an account's balance row. Errors: ErrNoAccount.
func (l *Ledger) Balance(ctx context.Context, account models.ID) (models.Balance, error) {
	b := models.Balance{AccountID: account}
	found, err := l.db.QueryRow(ctx, []any{&b.Currency, &b.Cash, &b.CodeMoney, &b.Frozen, &b.CreditLimit, &b.CreditUsed, &b.Version, &b.UpdatedAt},
		"SELECT currency, cash, code_money, frozen, credit_limit, credit_used, version, updated_at FROM balances WHERE account_id = ?", account)
	if err == nil && !found {
		err = ErrNoAccount
	}
	return b, err
}
