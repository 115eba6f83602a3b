package main

import (
	"database/sql"
	"time"

	"paydesk/internal/platform/page"
	"paydesk/models"
)

const orderColumns = "id, number, type, product_type, status, currency, amount_due, bundle_id, active_payment_id IS NOT NULL, items, created_at, expires_at"

var (
	sqlAccount = "SELECT a.name, b.currency, b.cash + b.code_money, b.frozen, b.credit_limit, b.credit_used FROM accounts a JOIN balances b ON b.account_id = a.id WHERE a.id = ?"
	// The count comes with the rows: both use the same index.
	sqlHomeOrders = "SELECT " + orderColumns + ", (SELECT COUNT(*) FROM orders WHERE account_id = ? AND status = 'PENDING_PAYMENT') FROM orders " +
		"WHERE account_id = ? AND status = 'PENDING_PAYMENT' ORDER BY created_at DESC, id DESC LIMIT 21"
	sqlFirstPage = "SELECT " + orderColumns + ", 0 FROM orders FORCE INDEX (orders_created) WHERE account_id = ? AND status IN ('PENDING_PAYMENT', 'COMPLETED', 'CANCELED') ORDER BY created_at DESC, id DESC LIMIT ?"
	sqlNextPage  = "SELECT " + orderColumns + ", 0 FROM orders FORCE INDEX (orders_created) WHERE account_id = ? AND created_at <= ? AND (created_at < ? OR id < ?) AND status IN ('PENDING_PAYMENT', 'COMPLETED', 'CANCELED') " +
		"ORDER BY created_at DESC, id DESC LIMIT ?"
	// sqlMates reads what decides about the orders of so many bundles.
	sqlMates = [5]string{1: mates("?"), 2: mates("?,?"), 3: mates("?,?,?"), 4: mates("?,?,?,?")}
)

func mates(in string) string {
	return "SELECT id, bundle_id, status, active_payment_id IS NOT NULL, expires_at FROM orders WHERE account_id = ? AND bundle_id IN (" + in + ")"
}

// row is what the answers need of an order.
type row struct {
	id, bundle                          models.ID
	number, kind, product, status, code string
	currency                            string
	due                                 int64
	held                                bool
	items                               []byte
	created                             time.Time
	expires                             sql.NullTime
}

// home answers the account's name, its balance, and the first 20 orders that wait to be paid with their number.
func (q *request) home() error {
	var name, currency string
	var available, frozen, limit, used int64
	if err := q.db.stmt[&sqlAccount].QueryRowContext(q.ctx, q.who.account[:]).Scan(&name, &currency, &available, &frozen, &limit, &used); err != nil {
		return err
	}
	rows, total, err := q.read(&sqlHomeOrders, q.who.account[:], q.who.account[:])
	if err != nil {
		return err
	}
	b := append(q.out, `{"data":{"viewer":{"account":{"name":`...)
	b = appendText(b, name)
	b = append(b, `}},"balance":{"available":`...)
	b = appendMoney(b, available, currency)
	b = append(b, `,"frozen":`...)
	b = appendMoney(b, frozen, currency)
	b = append(b, `,"credit":`...)
	if limit == 0 {
		b = append(b, `null`...)
	} else {
		b = append(b, `{"limit":`...)
		b = appendMoney(b, limit, currency)
		b = append(b, `,"used":`...)
		b = appendMoney(b, used, currency)
		b = append(b, `,"available":`...)
		b = append(appendMoney(b, max(0, limit-used), currency), '}')
	}
	b = append(b, `},"orders":{"totalCount":`...)
	b = appendInt(b, total)
	b = append(b, `,"nodes":`...)
	if b, err = q.nodes(b, rows[:min(20, len(rows))]); err != nil {
		return err
	}
	q.out = append(b, `}}}`...)
	return nil
}

func (s *server) home(q *request) error { return q.home() }

// orders answers one page of the account's orders of three statuses, newest first, from a cursor.
func (s *server) orders(q *request) error {
	var in struct {
		First int
		After string
	}
	if err := decode(q.body, &in); err != nil {
		return err
	}
	if in.First < 1 || in.First > 100 {
		return &errRefused{400, "BAD_USER_INPUT"}
	}
	var rows []row
	var err error
	if in.After == "" {
		rows, _, err = q.read(&sqlFirstPage, q.who.account[:], in.First+1)
	} else {
		var c page.Cursor
		if c, err = page.ParseCursor(in.After); err != nil {
			return &errRefused{400, "BAD_USER_INPUT"}
		}
		at := time.UnixMicro(c.Key).UTC()
		rows, _, err = q.read(&sqlNextPage, q.who.account[:], at, at, c.ID[:], in.First+1)
	}
	if err != nil {
		return err
	}
	more := len(rows) > in.First
	rows = rows[:min(in.First, len(rows))]
	b := append(q.out, `{"data":{"orders":{"pageInfo":{"hasNextPage":`...)
	b = appendBool(b, more)
	b = append(b, `,"hasPreviousPage":`...)
	b = appendBool(b, in.After != "")
	b = append(b, `,"startCursor":`...)
	b = appendEdge(b, rows, 0)
	b = append(b, `,"endCursor":`...)
	b = appendEdge(b, rows, len(rows)-1)
	b = append(b, `},"nodes":`...)
	if b, err = q.nodes(b, rows); err != nil {
		return err
	}
	q.out = append(b, `}}}`...)
	return nil
}

func appendEdge(b []byte, rows []row, i int) []byte {
	if len(rows) == 0 {
		return append(b, `null`...)
	}
	b = append(b, '"')
	b = append(b, page.Cursor{Sort: 'c', Key: rows[i].created.UnixMicro(), ID: rows[i].id}.String()...)
	return append(b, '"')
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, `true`...)
	}
	return append(b, `false`...)
}

func (q *request) read(text *string, args ...any) (out []row, total int64, err error) {
	rows, err := q.db.stmt[text].QueryContext(q.ctx, args...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	out = make([]row, 0, 51)
	for rows.Next() {
		out = append(out, row{})
		r := &out[len(out)-1]
		if err := rows.Scan(&r.id, &r.number, &r.kind, &r.product, &r.status, &r.currency, &r.due, &r.bundle, &r.held, &r.items, &r.created, &r.expires, &total); err != nil {
			return nil, 0, err
		}
	}
	return out, total, rows.Err()
}
