package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/bench/data"
	"paydesk/internal/billing/account"
	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/verification"
	"paydesk/internal/channel"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
	"paydesk/resolvers"
)

// Most round trips that an operation may take (design.md §2, §4), BEGIN and COMMIT counted.
const (
	mostHome   = 7
	mostOrders = 4
	mostPay    = 12
	mostMerge  = 12
)

// desk is the executable schema over the real services on MariaDB, filled with the benchmark's data.
type desk struct {
	testing.TB
	exec *executor.Executor
	home testenv.Home
	set  *data.Set
	db   *sql.DB
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{TB: t, home: testenv.MySQL(t), set: data.Plan(data.Size{Accounts: 40, Orders: 2600, Large: 1, LargeEach: 400}, time.Now())}
	dsn, _, err := dsnOf(d.home.DatabaseURL)
	d.must(err)
	d.db, err = sql.Open("mysql", dsn)
	d.must(err)
	t.Cleanup(func() { _ = d.db.Close() })
	d.must(d.set.Write(t.Context(), d.db))
	rules, err := policy.Load("default")
	d.must(err)
	quiet, db, time := slog.New(slog.NewTextHandler(io.Discard, nil)), d.home.DB, clock.System{}
	keys, hub := idempotency.New(db, d.home.Redis, time), live.New(d.home.Redis, quiet)
	accounts, orders, books := account.New(db, time, keys, rules), order.New(db, notify.New(db), time, keys, order.Rules{Validity: rules.OrderValidity()}), ledger.New(db)
	benefits, codes := benefit.New(db, time, keys, benefit.Rules{}), &verification.Service{}
	quotes := checkout.New(checkout.Config{Orders: orders, Accounts: accounts, Benefits: benefits, Verifier: codes, Policy: rules, Clock: time})
	payments := payment.New(payment.Config{DB: db, Ledger: books, Orders: orders, Accounts: accounts, Checkout: quotes, Benefits: benefits, Codes: codes, Policy: rules, Channels: channel.Registry{}, Keys: keys,
		Outbox: outbox.New(db, time, hub, quiet), Clock: time, Log: quiet})
	r := resolvers.New(resolvers.Services{Accounts: accounts, Orders: orders, Payments: payments, Ledger: books, Policy: rules, Live: hub, Clock: time, Log: quiet})
	d.exec = executor.New(r.Schema())
	d.exec.Use(r.Extension())
	d.exec.SetErrorPresenter(r.Present)
	d.exec.SetRecoverFunc(r.Recover)
	d.exec.SetQueryCache(lru.New[*ast.QueryDocument](100))
	return d
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// run runs an operation for an account and gives its data and the round trips it took.
func (d *desk) run(account models.ID, query, variables string) (string, []string) {
	d.Helper()
	ctx, counter := database.WithCounter(context.Background())
	ctx = auth.With(locale.With(ctx, "en"), &auth.Viewer{UserID: "bench", Role: auth.Finance, AccountID: account})
	params := &graphql.RawParams{Query: query}
	numbers := json.NewDecoder(strings.NewReader(variables))
	numbers.UseNumber() // as the transport does
	d.must(numbers.Decode(&params.Variables))
	ctx = graphql.StartOperationTrace(ctx)
	oc, errs := d.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		d.Fatal(errs)
	}
	next, ctx := d.exec.DispatchOperation(ctx, oc)
	response := next(ctx)
	if len(response.Errors) > 0 {
		d.Fatal(response.Errors)
	}
	return string(response.Data), counter.Statements()
}

// fewer wants a number of round trips that is small and does not grow with the page.
func fewer(t *testing.T, most int, statements []string) {
	t.Helper()
	if len(statements) > most {
		t.Errorf("%d round trips, at most %d:\n%s", len(statements), most, strings.Join(statements, "\n"))
	}
	t.Log(len(statements), "round trips")
}

// The home query as performance.md has it, whole: at most 7 round trips, whatever the size of the page.
func TestHomeTakesFewRoundTrips(t *testing.T) {
	d := newDesk(t)
	for _, reader := range d.set.Readers()[:8] { // one in four has a combined purchase
		var trips []int
		for _, size := range []int{1, 20, 100} {
			query := strings.Replace(homeQuery, "first: 20", fmt.Sprint("first: ", size), 1)
			query = strings.Replace(query, "viewer { account { name } }",
				"viewer { account { name paymentMethods { id status preferred ... on BankCard { brand last4 } } remittances(first: 5) { nodes { id number status amount { amount } remittedOn } } } }", 1)
			answer, statements := d.run(reader, query, "{}")
			if n := strings.Count(answer, `"number":`); n != min(size, 36) && n < 20 {
				t.Fatal(n, "orders:", answer)
			}
			fewer(t, mostHome, statements)
			trips = append(trips, len(statements))
		}
		if trips[1] != trips[2] {
			t.Error("it grows with the page:", trips)
		}
	}
}

// A page of orders, first and deep: at most 4 round trips, whatever its size.
func TestOrdersPageTakesFewRoundTrips(t *testing.T) {
	d := newDesk(t)
	account, after := d.set.Large()[0], ""
	for _, depth := range []string{"first", "deep"} {
		for _, size := range []int{1, 50, 100} {
			variables := strings.Replace(ordersVariables(after), fmt.Sprint(pageSize), fmt.Sprint(size), 1)
			answer, statements := d.run(account, ordersQuery, variables)
			if n := strings.Count(answer, `"number":`); n != size {
				t.Fatal(depth, size, "but", n, "orders")
			}
			fewer(t, mostOrders, statements)
			if size == 100 {
				_, rest, _ := strings.Cut(answer, `"endCursor":"`)
				after, _, _ = strings.Cut(rest, `"`)
			}
		}
	}
}

// A payment from the balance: at most 12 round trips with BEGIN and COMMIT; the account's row is the last but one that is
// written, then comes its posting, then COMMIT (design.md §4).
func TestPayTakesFewRoundTrips(t *testing.T) {
	d := newDesk(t)
	orders, err := data.Place(t.Context(), d.db, d.set.Payers()[:1], 2)
	d.must(err)
	for i, w := range append(orders, d.combined()) {
		answer, statements := d.run(w.Account, payMutation, `{"input":`+string(appendPayInput(nil, fmt.Sprint("key", i), w))+`}`)
		if !strings.Contains(answer, `"status":"SUCCEEDED"`) {
			t.Fatal(answer)
		}
		fewer(t, mostPay, statements)
		last := statements[len(statements)-3:]
		if !strings.HasPrefix(last[0], "UPDATE balances") || !strings.HasPrefix(last[1], "INSERT INTO postings") || last[2] != "COMMIT" {
			t.Error("the account's row is held longer than it has to be:", last)
		}
	}
}

// A merged payment from the balance: as many round trips for thirty orders as for two.
func TestMergePayTakesFewRoundTrips(t *testing.T) {
	d := newDesk(t)
	for _, n := range []int{2, 30} {
		list, err := data.PlaceTogether(t.Context(), d.db, d.set.Payers()[:1], 1, n)
		d.must(err)
		answer, statements := d.run(list[0].Account, mergeMutation, `{"input":`+string(appendMergeInput(nil, fmt.Sprint("merge", n), list[0]))+`}`)
		if !strings.Contains(answer, `"status":"SUCCEEDED"`) {
			t.Fatal(answer)
		}
		fewer(t, mostMerge, statements)
	}
}

// combined is a purchase of two orders, paid together.
func (d *desk) combined() (w data.Waiting) {
	d.Helper()
	var bundle models.ID
	d.must(d.db.QueryRow("SELECT account_id, id, bundle_id FROM orders WHERE bundle_id IS NOT NULL LIMIT 1").Scan(&w.Account, &w.Order, &bundle))
	d.must(d.db.QueryRow("SELECT SUM(amount_due) FROM orders WHERE account_id = ? AND bundle_id = ?", w.Account, bundle).Scan(&w.Due))
	return w
}

// The benchmark's data are what paydesk itself would have written: the audit finds nothing.
func TestDataAreClean(t *testing.T) {
	d := newDesk(t)
	report, err := audit.Run(t.Context(), d.home.DB, time.Now())
	d.must(err)
	if !report.Clean() {
		t.Fatalf("%+v", report.Findings)
	}
}

// BenchmarkAllocations tells what an operation allocates inside the process, HTTP left out.
func BenchmarkAllocations(b *testing.B) {
	d := newDesk(b)
	for name, query := range map[string]string{readHome: homeQuery, readFirst: ordersQuery} {
		account, variables := d.set.Readers()[0], "{}"
		if name == readFirst {
			account, variables = d.set.Large()[0], ordersVariables("")
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.run(account, query, variables)
			}
		})
	}
}
