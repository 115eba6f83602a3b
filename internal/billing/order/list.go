package order

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"paydesk/internal/billing/input"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Filter narrows a list (HW-5). An empty field does not narrow; a list means any of its values.
type Filter struct {
	Number       string // exact or the beginning, by the letter: a number's capitals count, no character stands for others
	ProductTypes []string
	Types        []string
	Statuses     []models.OrderStatus
	CreatedFrom  *time.Time // inclusive
	CreatedTo    *time.Time // exclusive
}

// Field is what a list is ordered by.
type Field string

// Fields.
const (
	ByCreatedAt Field = "CREATED_AT"
	ByExpiresAt Field = "EXPIRES_AT"
	ByAmountDue Field = "AMOUNT_DUE"
)

// Query is one page of an account's orders. The zero OrderBy is CREATED_AT, newest first.
type Query struct {
	AccountID models.ID
	Filter    Filter
	OrderBy   Field
	Ascending bool
	Page      page.Page
	Total     bool // count what the filter matches, in the same statement
	Linked    bool // read the other orders of the page's bundles: one statement more, where there are any
}

// List is a page of orders.
type List struct {
	page.Result[models.Order]
	Total  *int64                       // as asked for
	Linked map[models.ID][]models.Order // by bundle: its orders, those on the page included
}

// List reads a page in one statement, by keyset: any depth costs the same. Errors: page.Invalid for a cursor of another
// order of the list.
func (s *Service) List(ctx context.Context, q Query) (List, error) {
	query, args, err := q.statement()
	if err != nil {
		return List{}, err
	}
	total, more := sql.NullInt64{}, []any{}
	if q.Total {
		more = append(more, &total)
	}
	rows := make([]models.Order, 0, q.Page.Size+1)
	sc := newScanner(more...)
	err = s.db.Query(ctx, func(r *sql.Rows) error {
		o, err := sc.scan(r)
		rows = append(rows, o)
		return err
	}, query, args...)
	if err != nil {
		return List{}, err
	}
	sort := sortOf(q.OrderBy, q.Ascending)
	out := List{Result: page.Finish(q.Page, rows, func(o models.Order) page.Cursor { return cursor(o, sort.Tag) })}
	if q.Total {
		if out.Total, err = s.total(ctx, q, total); err != nil {
			return List{}, err
		}
	}
	if q.Linked {
		out.Linked, err = s.LinkedTo(ctx, q.AccountID, out.Items)
	}
	return out, err
}

// statement reads the page, and in front of every row's end what the filter matches in all, where that is wanted.
func (q Query) statement() (string, []any, error) {
	where, args := condition(q.AccountID, q.Filter)
	text := append(make([]byte, 0, 1024), "SELECT "+columns...)
	if q.Total {
		text = append(text, ", (SELECT COUNT(*) FROM orders WHERE "+where+") AS total"...)
		args = append(args, args...)
	}
	text = append(text, " FROM orders WHERE "+where...)
	text, args, err := q.Page.Append(text, args, sortOf(q.OrderBy, q.Ascending))
	return string(text), args, err
}

// total is what came with the rows. An empty page has none: on the first page it is zero, on a later one it is counted.
func (s *Service) total(ctx context.Context, q Query, read sql.NullInt64) (*int64, error) {
	if !read.Valid && (q.Page.After != nil || q.Page.Before != nil) {
		n, err := s.Count(ctx, q.AccountID, q.Filter)
		return &n, err
	}
	return &read.Int64, nil
}

// Count counts an account's orders that the filter matches.
func (s *Service) Count(ctx context.Context, account models.ID, f Filter) (n int64, err error) {
	where, args := condition(account, f)
	_, err = s.db.QueryRow(ctx, []any{&n}, "SELECT COUNT(*) FROM orders WHERE "+where, args...)
	return n, err
}

func condition(account models.ID, f Filter) (string, []any) {
	where, args := strings.Builder{}, make([]any, 0, 16)
	where.WriteString("account_id = ?")
	args = append(args, account)
	if number := strings.TrimSpace(f.Number); number != "" {
		// A range instead of LIKE: the same on both homes, with no character that means something else. Numbers are
		// visible ASCII, so the next character after all of them ends the range; what no number has, none begins with.
		if input.Number(number) != nil {
			where.WriteString(" AND 1 = 0")
		} else {
			where.WriteString(" AND number >= ? AND number < ?")
			args = append(args, number, number+"\x7f")
		}
	}
	in(&where, &args, "product_type", f.ProductTypes)
	in(&where, &args, "type", f.Types)
	in(&where, &args, "status", f.Statuses)
	if f.CreatedFrom != nil {
		where.WriteString(" AND created_at >= ?")
		args = append(args, f.CreatedFrom.UTC())
	}
	if f.CreatedTo != nil {
		where.WriteString(" AND created_at < ?")
		args = append(args, f.CreatedTo.UTC())
	}
	return where.String(), args
}

// in narrows a column to any of the values, each taken once and in a fixed order, so that equal lists are one statement.
func in[T ~string](where *strings.Builder, args *[]any, column string, values []T) {
	if len(values) > 1 {
		values = slices.Compact(slices.Sorted(slices.Values(values)))
	}
	switch len(values) {
	case 0:
		return
	case 1:
		where.WriteString(" AND " + column + " = ?")
	default:
		where.WriteString(" AND " + column + " IN (" + database.Marks(len(values)) + ")")
	}
	for _, v := range values {
		*args = append(*args, string(v))
	}
}

// sortOf gives the order of a list. Place gives every order an end, so that none of the columns is NULL.
func sortOf(f Field, ascending bool) page.Sort {
	s := page.Sort{Tag: 'c', Column: "created_at", ID: "id", Desc: !ascending, Time: true}
	switch f {
	case ByExpiresAt:
		s.Tag, s.Column = 'e', "expires_at"
	case ByAmountDue:
		s.Tag, s.Column, s.Time = 'a', "amount_due", false
	}
	return s
}

func cursor(o models.Order, tag byte) page.Cursor {
	c := page.Cursor{Sort: tag, ID: o.ID}
	switch tag {
	case 'c':
		c.Key = o.CreatedAt.UnixMicro()
	case 'e':
		if o.ExpiresAt != nil {
			c.Key = o.ExpiresAt.UnixMicro()
		}
	case 'a':
		c.Key = o.AmountDue
	}
	return c
}
