package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/reconcile"
	"paydesk/internal/billing/refund"
	"paydesk/internal/billing/suspense"
	"paydesk/internal/billing/verification"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/blob"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/ratelimit"
	"paydesk/internal/platform/seal"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/webhook"
	"paydesk/models"
	"paydesk/resolvers"
)

type testClock struct{}

func (testClock) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// shop is a channel that always gives a code to scan.
type shop struct{ channel.Adapter }

func (shop) Channel() models.PaymentChannel { return models.ChannelAlipay }
func (shop) Start(_ context.Context, r channel.StartRequest) (channel.Started, error) {
	return channel.Started{Action: channel.Action{QR: "https://pay.example/" + r.Number}}, nil
}
func (shop) Close(context.Context, channel.Ref) error { return nil }

// world is the GraphQL face over the real services, without HTTP.
type world struct {
	testing.TB
	home     testenv.Home
	exec     *executor.Executor
	plain    *executor.Executor // without plans
	accounts *account.Service
	orders   *order.Service
	payments *payment.Service
	ledger   *ledger.Ledger
	benefits *benefit.Service
	messages *notify.Desk
	bills    map[channel.Day][]channel.Line // the statements of ALIPAY
	hub      *live.Hub
	log      *syncBuffer
	me       models.Account
	viewer   *auth.Viewer
	numbers  int
}

func executorOf(r *resolvers.Resolver) *executor.Executor {
	e := executor.New(r.Schema())
	e.Use(r.Extension())
	e.SetErrorPresenter(r.Present)
	e.SetRecoverFunc(r.Recover)
	e.SetQueryCache(lru.New[*ast.QueryDocument](100))
	return e
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *syncBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, home: testenv.Embedded(t), log: &syncBuffer{}}
	rules, err := policy.Load("default")
	w.must(err)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	var clock testClock
	w.hub = live.New(w.home.Redis, quiet)
	keys := idempotency.New(w.home.DB, w.home.Redis, clock)
	box := outbox.New(w.home.DB, clock, w.hub, quiet)
	w.ledger = ledger.New(w.home.DB)
	w.orders = order.New(w.home.DB, notify.New(w.home.DB), clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.accounts = account.New(w.home.DB, clock, keys, rules)
	sealed, err := seal.Load(context.Background(), w.home.DB, "")
	w.must(err)
	w.messages = notify.Open(notify.Config{DB: w.home.DB, Seal: sealed, Development: true})
	codes := verification.New(verification.Config{DB: w.home.DB, Accounts: w.accounts, Orders: w.orders, Policy: rules, Messages: w.messages, Seal: sealed, Clock: clock, Log: quiet, SendsPerDay: 100,
		Guesses: ratelimit.New(w.home.Redis, config.Rates{User: 1, Account: 1, Money: 1, SignIn: 1, Guesses: 100}, true, quiet)})
	benefits := benefit.New(w.home.DB, clock, keys, benefit.Rules{ReturnCoupons: true})
	w.benefits = benefits
	quotes := checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: benefits, Verifier: codes, Policy: rules, Clock: clock})
	w.payments = payment.New(payment.Config{DB: w.home.DB, Ledger: w.ledger, Orders: w.orders, Accounts: w.accounts, Checkout: quotes, Benefits: benefits, Codes: codes, Policy: rules, Keys: keys, Outbox: box, Messages: w.messages, Clock: clock, Log: quiet,
		Channels: channel.Registry{models.ChannelAlipay: shop{}}, NotifyURL: func(models.PaymentChannel) string { return "https://paydesk.example/hook" },
		ReturnURL: func(string) string { return "https://paydesk.example/return" }, ReturnOrigins: func() []string { return nil }})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.hub.Run(ctx) })
	running.Go(func() { box.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	refunds := refund.New(refund.Config{DB: w.home.DB, Ledger: w.ledger, Payments: w.payments, Orders: w.orders, Benefits: benefits, Accounts: w.accounts, Policy: rules, Keys: keys, Outbox: box, Messages: w.messages, Clock: clock, Log: quiet})
	w.bills = map[channel.Day][]channel.Line{}
	days := reconcile.New(reconcile.Config{DB: w.home.DB, Channels: channel.Registry{models.ChannelAlipay: bills{days: w.bills}}, Payments: w.payments, Refunds: refunds, Files: blob.New(w.home.DB), Clock: clock, Log: quiet})
	services := resolvers.Services{Reconciliations: days, FileURL: func(f models.File) string { return "https://paydesk.example/files/" + f.ID.String() }, Accounts: w.accounts, Orders: w.orders, Payments: w.payments, Refunds: refunds, Ledger: w.ledger, Benefits: benefits, Verification: codes, Checkout: quotes, Suspense: suspense.New(w.home.DB), Notifications: &webhook.Inbox{DB: w.home.DB}, Policy: rules, Live: w.hub, Clock: clock,
		Log: slog.New(slog.NewJSONHandler(w.log, nil)), QRImage: func(id models.ID) string { return "https://paydesk.example/qr/" + id.String() }}
	plain := resolvers.New(services)
	plain.Plain = true
	w.exec, w.plain = executorOf(resolvers.New(services)), executorOf(plain)
	w.me = w.open("Lin Xiaomei")
	w.viewer = &auth.Viewer{UserID: "lin", Name: "Lin", Role: auth.Creator, AccountID: w.me.ID}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open(name string) models.Account {
	w.Helper()
	w.numbers++
	a, err := w.accounts.Open(context.Background(), account.Opening{Number: fmt.Sprint("A", w.numbers), Name: name, Kind: models.AccountIndividual, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", RealName: name})
	w.must(err)
	return a
}

// give credits an account, in fen.
func (w *world) give(a models.Account, minor int64) {
	w.Helper()
	w.numbers++
	w.must(w.home.DB.InTx(context.Background(), func(ctx context.Context) error {
		return w.ledger.Receive(ctx, ledger.Movement{AccountID: a.ID, Amount: money.New(minor, "CNY"), Kind: models.KindAdjustment,
			Reference: fmt.Sprint("gift", w.numbers), Book: "clearing:TEST", At: testClock{}.Now()})
	}))
	w.must(w.hub.Publish(context.Background(), live.Balance(a.ID)))
}

type answer struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

func (w *world) context(v *auth.Viewer) context.Context {
	ctx := locale.With(context.Background(), "en")
	if v != nil {
		ctx = auth.With(ctx, v)
	}
	return graphql.StartOperationTrace(ctx)
}

func (w *world) start(ctx context.Context, query string, variables map[string]any) graphql.ResponseHandler {
	params := &graphql.RawParams{Query: query, Variables: variables}
	oc, errs := w.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		response := w.exec.DispatchError(graphql.WithOperationContext(ctx, oc), errs)
		return graphql.OneShot(response)
	}
	next, ctx := w.exec.DispatchOperation(ctx, oc)
	return func(context.Context) *graphql.Response { return next(ctx) }
}

// as runs an operation for a viewer; nil is nobody.
func (w *world) as(v *auth.Viewer, query string, variables map[string]any) (a answer) {
	w.Helper()
	raw, err := json.Marshal(w.start(w.context(v), query, variables)(context.Background()))
	w.must(err)
	w.must(json.Unmarshal(raw, &a))
	return a
}

// ask runs an operation as the owner of the account and wants no top-level error; variables come in pairs.
func (w *world) ask(query string, pairs ...any) map[string]any {
	w.Helper()
	a := w.as(w.viewer, query, vars(pairs...))
	if len(a.Errors) > 0 {
		w.Fatalf("%s: %+v", query, a.Errors)
	}
	var data map[string]any
	w.must(json.Unmarshal(a.Data, &data))
	return data
}

func vars(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// code is the one top-level error's code.
func (w *world) code(a answer) string {
	w.Helper()
	if len(a.Errors) != 1 {
		w.Fatalf("want one error, got %+v with %s", a.Errors, a.Data)
	}
	return a.Errors[0].Extensions["code"].(string)
}

// at walks an answer: "orders.nodes.0.id".
func (w *world) at(v any, path string) any {
	w.Helper()
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(x) {
				w.Fatalf("no %s in %v", path, x)
			}
			v = x[i]
		default:
			w.Fatalf("no %s at %s in %v", path, step, v)
		}
	}
	return v
}

func (w *world) want(v any, path string, want any) {
	w.Helper()
	if got := w.at(v, path); got != want {
		w.Errorf("%s is %v, not %v", path, got, want)
	}
}

// placed places orders of one line each and gives their ids.
func (w *world) placed(bundle bool, amounts ...string) (ids []string) {
	w.Helper()
	p := order.Placement{AccountID: w.me.ID, Bundle: bundle}
	for _, a := range amounts {
		w.numbers++
		n := order.NewOrder{Number: fmt.Sprint("O", w.numbers), Type: "NEW_PURCHASE", ProductType: "ecs"}
		n.Items = []order.NewItem{{Name: "server", Quantity: 1}}
		n.Items[0].Amount.Decimal, n.Items[0].Amount.Currency = a, "CNY"
		p.Orders = append(p.Orders, n)
	}
	rows, err := w.orders.Place(context.Background(), p)
	w.must(err)
	for _, o := range rows {
		ids = append(ids, o.ID.Encode(models.PrefixOrder))
	}
	return ids
}
