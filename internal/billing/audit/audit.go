// Package audit proves the invariants of the money (design, chapter 3): what was booked sums to zero, balances are their
// postings, payments are their parts, and nothing is held or frozen without a cause. It only reads.
package audit

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"paydesk/internal/platform/database"
)

// Check is one invariant: Violations selects one row, with the account's and the thing's id, for each breach.
type Check struct {
	Name       string
	Violations string
	Args       func(now time.Time) []any
}

// Finding is a check that found breaches.
type Finding struct {
	Check   string
	Count   int64
	Example string // hexadecimal ids of the first breach
}

// Report is what an audit saw.
type Report struct {
	Checks   int
	Findings []Finding
	Figures  []Figure
}

// Figure is one number of the report.
type Figure struct {
	Name  string
	Value string
}

// Clean reports whether nothing was found.
func (r Report) Clean() bool { return len(r.Findings) == 0 }

// Names are the checks that Run makes.
func Names() (names []string) {
	for _, c := range checks {
		names = append(names, c.Name)
	}
	return names
}

// Run makes every check, each in one statement. Now is the product's time.
func Run(ctx context.Context, db *database.DB, now time.Time) (Report, error) {
	r := Report{Checks: len(checks)}
	for _, c := range checks {
		f, err := run(ctx, db, c, now)
		if err != nil {
			return r, fmt.Errorf("audit: %s: %w", c.Name, err)
		}
		if f.Count > 0 {
			r.Findings = append(r.Findings, f)
		}
	}
	var err error
	r.Figures, err = figures(ctx, db)
	return r, err
}

func run(ctx context.Context, db *database.DB, c Check, now time.Time) (Finding, error) {
	f := Finding{Check: c.Name}
	var args []any
	if c.Args != nil {
		args = c.Args(now)
	}
	err := db.Query(ctx, func(rows *sql.Rows) error {
		var account, id []byte
		if err := rows.Scan(&account, &id); err != nil {
			return err
		}
		if f.Count++; f.Count == 1 {
			f.Example = fmt.Sprintf("account %x, %x", account, id)
		}
		return nil
	}, c.Violations, args...)
	return f, err
}

func figures(ctx context.Context, db *database.DB) (out []Figure, err error) {
	for _, q := range []string{
		"SELECT 'accounts', '', COUNT(*) FROM accounts",
		"SELECT 'orders', status, COUNT(*) FROM orders GROUP BY status ORDER BY status",
		"SELECT 'payments', CONCAT(purpose, ' ', status), COUNT(*) FROM payments GROUP BY purpose, status ORDER BY purpose, status",
		"SELECT 'book', CONCAT(book, ' ', currency), SUM(amount) FROM postings GROUP BY book, currency ORDER BY book, currency",
		"SELECT 'frozen', currency, SUM(amount) FROM freezes WHERE ended_at IS NULL GROUP BY currency ORDER BY currency",
		"SELECT 'coupons left', CONCAT(kind, ' ', currency), SUM(remaining) FROM coupons GROUP BY kind, currency ORDER BY kind, currency",
		"SELECT 'refunds', CONCAT(status, ' ', currency), SUM(amount) FROM refunds GROUP BY status, currency ORDER BY status, currency",
		"SELECT 'suspense', currency, SUM(amount) FROM suspense_items GROUP BY currency ORDER BY currency",
		"SELECT 'inbox', verdict, COUNT(*) FROM inbox GROUP BY verdict ORDER BY verdict",
		"SELECT 'outbox', '', COUNT(*) FROM outbox",
	} {
		err = db.Query(ctx, func(rows *sql.Rows) error {
			var what, of string
			var n int64
			err := rows.Scan(&what, &of, &n)
			if of != "" {
				what += " " + of
			}
			out = append(out, Figure{what, fmt.Sprint(n)})
			return err
		}, q)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// Write prints the report as a table; sums are in minor units.
func (r Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t%s\n", f.Name, f.Value)
	}
	fmt.Fprintf(t, "checks\t%d\n", r.Checks)
	for _, f := range r.Findings {
		fmt.Fprintf(t, "BROKEN\t%s: %d, first: %s\n", f.Check, f.Count, f.Example)
	}
	if r.Clean() {
		fmt.Fprintln(t, "clean\tevery invariant holds")
	}
	return t.Flush()
}
