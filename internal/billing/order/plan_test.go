package order

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/page"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

var planBase = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// shared is how the numbers of everybody else's orders begin, and of a hundred of the account's.
const shared = "XY2611"

// warehouse fills orders: one account with many, others with a few each, in the proportions that an account has after years.
type warehouse struct {
	db      *database.DB
	account models.ID
	orders  []models.Order // some of the big account's, all over its history
}

func fill(t testing.TB, home testenv.Home, big int) *warehouse {
	w := &warehouse{db: home.DB, account: models.NewID()}
	random := rand.New(rand.NewPCG(1, 2))
	var rows []models.Order
	for i := range big {
		rows = append(rows, w.random(random, w.account, i))
		if i%97 == 0 {
			w.orders = append(w.orders, rows[i])
		}
	}
	for range 50 {
		account := models.NewID()
		for i := range big / 500 {
			rows = append(rows, w.random(random, account, i*500))
		}
	}
	slices.SortFunc(rows, func(a, b models.Order) int { return a.CreatedAt.Compare(b.CreatedAt) })
	insert := func(ctx context.Context) error {
		const row, size = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", 1000
		for chunk := range slices.Chunk(rows, size) {
			args := make([]any, 0, 19*size)
			for _, o := range chunk {
				args = append(args, o.AccountID, o.ID, o.Number, string(o.Status), o.Type, o.ProductType, "PREPAID", "CNY", o.AmountDue, o.AmountDue, 0,
					nil, o.ID, false, nil, "[]", o.CreatedAt, *o.ExpiresAt, o.CreatedAt)
			}
			if _, err := w.db.Exec(ctx, "INSERT INTO orders ("+columns+") VALUES "+strings.Repeat(row+",", len(chunk)-1)+row, args...); err != nil {
				return err
			}
		}
		return nil
	}
	if err := w.db.InTx(context.Background(), insert); err != nil {
		t.Fatal(err)
	}
	analyze := "ANALYZE TABLE orders"
	if w.db.Dialect() == database.SQLite {
		analyze = "" // nobody analyzes the embedded home either
	}
	if analyze != "" {
		if err := w.db.Query(context.Background(), func(*sql.Rows) error { return nil }, analyze); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *warehouse) random(r *rand.Rand, account models.ID, i int) models.Order {
	pick := func(weights ...int) int {
		at := r.IntN(1000)
		for i, weight := range weights {
			if at -= weight; at < 0 {
				return i
			}
		}
		return len(weights)
	}
	statuses := []models.OrderStatus{"COMPLETED", "EXPIRED", "CANCELED", "PENDING_PAYMENT", "REFUNDED", "PENDING_REVIEW", "PROCESSING", "PENDING_CONFIRMATION"}
	created := planBase.Add(-time.Duration(i) * 10 * time.Minute)
	end := created.Add(time.Duration(1+r.IntN(14)) * 24 * time.Hour)
	number := fmt.Sprintf("CS%02d%s", 26-i/40000, models.NewID())
	if account != w.account || i%1000 == 0 {
		number = shared + models.NewID().String()
	}
	return models.Order{AccountID: account, ID: models.NewID(), Number: number, Status: statuses[pick(700, 180, 60, 30, 15, 7, 5)],
		Type: orderTypes[pick(500, 300, 100, 80, 15)], ProductType: fmt.Sprintf("P%02d", min(r.IntN(40), r.IntN(40))), AmountDue: int64(r.IntN(3_000_000)), CreatedAt: created, ExpiresAt: &end}
}

// explain gives the plan, one line a table.
func (w *warehouse) explain(t testing.TB, query string, args []any) string {
	t.Helper()
	var lines []string
	prefix := "EXPLAIN QUERY PLAN "
	if w.db.Dialect() == database.MySQL {
		prefix = "EXPLAIN "
	}
	err := w.db.Query(context.Background(), func(rows *sql.Rows) error {
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if w.db.Dialect() == database.SQLite {
			lines = append(lines, values[3].String)
			return nil
		}
		line := ""
		for i, n := range names {
			switch n {
			case "table", "type", "key", "key_len", "rows", "Extra":
				line += n + "=" + values[i].String + " "
			}
		}
		lines = append(lines, line)
		return nil
	}, prefix+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, " | ")
}

// touched is how many rows the database read for a statement; MariaDB counts them.
func (w *warehouse) touched(t testing.TB, query string, args []any) (n int64) {
	t.Helper()
	if w.db.Dialect() == database.SQLite {
		return 0
	}
	read := func(ctx context.Context) (sum int64) {
		err := w.db.Query(ctx, func(rows *sql.Rows) error {
			var name string
			var value int64
			err := rows.Scan(&name, &value)
			sum += value
			return err
		}, "SHOW SESSION STATUS LIKE 'Handler_read%'")
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	err := w.db.InTx(context.Background(), func(ctx context.Context) error {
		before := read(ctx)
		err := w.db.Query(ctx, func(*sql.Rows) error { return nil }, query, args...)
		n = read(ctx) - before
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// planCase is a list that consoles ask for, and by which indexes it may be answered: of those, and of no other, on each home. It may
// read at most rows rows, as MariaDB counts them.
type planCase struct {
	name    string
	filter  Filter
	by      Field
	count   bool // the count instead of a page
	indexes string
	rows    int64
}

// HW-5: every way to list is answered from an index, with one account's hundred thousand orders among those of others; and every
// index that is there for the list answers one of them.
func TestListPlans(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := fill(t, home, 100_000)
		from, to := planBase.Add(-100*24*time.Hour), planBase.Add(-98*24*time.Hour)
		deep := w.orders[len(w.orders)/2]
		status := func(s ...models.OrderStatus) Filter { return Filter{Statuses: s} }
		used := map[string]bool{}
		for _, c := range []planCase{
			{"newest", Filter{}, ByCreatedAt, false, "orders_created", 30},
			{"by end", Filter{}, ByExpiresAt, false, "orders_expires", 30},
			{"by amount", Filter{}, ByAmountDue, false, "orders_amount", 30},
			{"to be paid", status("PENDING_PAYMENT"), ByCreatedAt, false, "orders_status", 30},
			{"to be paid, the most urgent", status("PENDING_PAYMENT"), ByExpiresAt, false, "orders_expires orders_expiry orders_status", 4_000},
			{"to be paid, the dearest", status("PENDING_PAYMENT"), ByAmountDue, false, "orders_amount orders_status", 120_000}, // MariaDB may take the account's whole index for a later page
			{"how many to be paid", status("PENDING_PAYMENT"), "", true, "orders_status", 4_000},
			{"done", status("COMPLETED"), ByCreatedAt, false, "orders_status orders_created", 60},
			{"unfinished", status("PENDING_PAYMENT", "PENDING_REVIEW", "PENDING_CONFIRMATION"), ByCreatedAt, false, "orders_status orders_created", 4_000},
			{"of a type", Filter{Types: []string{"UNSUBSCRIPTION"}}, ByCreatedAt, false, "orders_type", 30},
			{"how many of a type", Filter{Types: []string{"UNSUBSCRIPTION"}}, "", true, "orders_type", 1_000},
			{"of a product", Filter{ProductTypes: []string{"P05"}}, ByCreatedAt, false, "orders_product", 30},
			{"how many of a product", Filter{ProductTypes: []string{"P38"}}, "", true, "orders_product", 1_000},
			{"of a product, to be paid", Filter{ProductTypes: []string{"P05"}, Statuses: []models.OrderStatus{"PENDING_PAYMENT"}}, ByCreatedAt, false, "orders_product orders_status", 1_000},
			{"two days", Filter{CreatedFrom: &from, CreatedTo: &to}, ByCreatedAt, false, "orders_created", 30},
			{"how many in two days", Filter{CreatedFrom: &from, CreatedTo: &to}, "", true, "orders_created", 400},
			{"a number", Filter{Number: deep.Number}, ByCreatedAt, false, "orders_number number", 10},
			{"a beginning that others have, too", Filter{Number: shared}, ByCreatedAt, false, "orders_number", 200},
			{"how many with it", Filter{Number: shared}, "", true, "orders_number", 200},
		} {
			for name, q := range w.pages(c, deep) {
				text, args, err := q.statement()
				if where, values := condition(w.account, c.filter); c.count {
					text, args = "SELECT COUNT(*) FROM orders WHERE "+where, values
				}
				if err != nil {
					t.Fatal(err)
				}
				plan := w.explain(t, text, args)
				index := w.index(plan)
				if used[index] = true; !slices.Contains(strings.Fields(c.indexes), index) {
					t.Errorf("%s, %s: %s, and not by %s", c.name, name, plan, c.indexes)
				}
				if n := w.touched(t, text, args); n > c.rows {
					t.Errorf("%s, %s: read %d rows: %s", c.name, name, n, plan)
				}
			}
		}
		for _, index := range []string{"orders_created", "orders_status", "orders_number", "orders_expires", "orders_amount", "orders_product", "orders_type"} {
			if !used[index] {
				t.Errorf("nothing is answered by %s", index)
			}
		}
	})
}

// pages are the ways to turn the pages of a list: from both ends, and from its middle where it is long.
func (w *warehouse) pages(c planCase, middle models.Order) map[string]Query {
	q := Query{AccountID: w.account, Filter: c.filter, OrderBy: c.by, Page: page.First(20)}
	out := map[string]Query{"": q}
	if c.count {
		return out
	}
	for _, ascending := range []bool{false, true} {
		q.Ascending = ascending
		q.Page = page.Page{Size: 20}
		out[fmt.Sprintf("ascending %v", ascending)] = q
		q.Page.Backward = true
		out[fmt.Sprintf("ascending %v, from its end", ascending)] = q
		if c.filter.Number == "" && c.filter.CreatedFrom == nil {
			at := cursor(middle, sortOf(c.by, ascending).Tag)
			q.Page = page.Page{Size: 20, After: &at}
			out[fmt.Sprintf("ascending %v, after the middle", ascending)] = q
			q.Page = page.Page{Size: 20, Before: &at, Backward: true}
			out[fmt.Sprintf("ascending %v, before the middle", ascending)] = q
		}
	}
	return out
}

var planIndex = regexp.MustCompile(`(?:key=|USING (?:COVERING )?INDEX )(\S+)`)

// index is the one that a plan reads; a plan that reads a table from one end to the other has none.
func (w *warehouse) index(plan string) string {
	m := planIndex.FindStringSubmatch(plan)
	if m == nil || strings.Contains(plan, "type=ALL") || strings.Contains(plan, "type=index ") || strings.Contains(plan, "SCAN orders") {
		return "no index"
	}
	return m[1]
}
