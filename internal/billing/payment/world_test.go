package payment_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/audit"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/sandbox"
	"paydesk/internal/sweep"
	"paydesk/internal/webhook"
	"paydesk/models"
)

// testClock is the product's clock: real time plus what the test has moved it by.
type testClock struct {
	mu    sync.Mutex
	shift time.Duration
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.shift).UTC().Truncate(time.Microsecond)
}

// world is the product without its GraphQL face: real database, real Redis, real HTTP between adapters, sandbox and webhooks.
type world struct {
	testing.TB
	testenv.Home
	ctx      context.Context
	clock    *testClock
	payments *payment.Service
	orders   *order.Service
	accounts *account.Service
	ledger   *ledger.Ledger
	benefits *benefit.Service
	codes    *codes
	inbox    *webhook.Inbox
	sweeper  *sweep.Sweeper
	server   *httptest.Server
	payer    payment.Payer
	numbers  int
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) { fn(t, newWorld(t, home)) })
}

func newWorld(t testing.TB, home testenv.Home) *world {
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &world{TB: t, Home: home, ctx: ctx, clock: &testClock{}}
	rules, err := policy.Load("default")
	w.must(err)
	hub := live.New(home.Redis, log)
	keys := idempotency.New(home.DB, home.Redis, w.clock)
	box := outbox.New(home.DB, w.clock, hub, log)
	w.ledger = ledger.New(home.DB)
	w.orders = order.New(home.DB, notify.New(home.DB), w.clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.accounts = account.New(home.DB, w.clock, keys, rules)
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	sand := sandbox.New(sandbox.Config{DB: home.DB, Clock: w.clock, PublicURL: func() string { return w.server.URL }, Log: log})
	channels := w.channels(sand)
	w.benefits, w.codes = benefit.New(home.DB, w.clock, keys, benefit.Rules{ReturnCoupons: true}), &codes{}
	quotes := checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: w.benefits, Verifier: w.codes, Policy: rules, Health: channels.Healthy, Clock: w.clock})
	w.payments = payment.New(payment.Config{DB: home.DB, Ledger: w.ledger, Orders: w.orders, Accounts: w.accounts, Checkout: quotes, Benefits: w.benefits, Codes: w.codes, Policy: rules, Channels: channels, Keys: keys, Outbox: box, Messages: notify.New(home.DB), Clock: w.clock, Log: log,
		NotifyURL: func(c models.PaymentChannel) string { return w.server.URL + "/webhooks/" + string(c) }, ReturnURL: func(number string) string { return w.server.URL + "/return/" + number }, ReturnOrigins: func() []string { return []string{"https://console.example"} }})
	w.inbox = &webhook.Inbox{DB: home.DB, Payments: w.payments, Channels: channels, Clock: w.clock, Log: log}
	mux.Handle(sandbox.Prefix, sand)
	mux.Handle("/return/", webhook.Return{Payments: w.payments, Log: log}) // Stripe sends a payer's browser back at once
	mux.HandleFunc("/webhooks/{channel}", func(rw http.ResponseWriter, r *http.Request) {
		w.inbox.Serve(rw, r, models.PaymentChannel(r.PathValue("channel")))
	})
	w.sweeper = sweep.New(time.Second, log, nil,
		sweep.Job{Name: "payments", Run: func(ctx context.Context) (int, error) { return w.payments.Sweep(ctx, 100) }},
		sweep.Job{Name: "orders", Run: func(ctx context.Context) (int, error) {
			n, err := w.orders.ExpireDue(ctx, w.clock.Now(), 100)
			return int(n), err
		}},
		sweep.Job{Name: "inbox", Run: func(ctx context.Context) (int, error) { return w.inbox.Sweep(ctx, 100) }},
		sweep.Job{Name: "outbox", Run: box.Sweep})
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	running.Go(func() { box.Run(ctx) })
	running.Go(func() { sand.Run(ctx) })
	t.Cleanup(func() {
		w.clean()
		stop()
		running.Wait()
		w.server.Close()
	})
	w.payer = w.newPayer("MAINLAND", "CNY", "")
	return w
}

func (w *world) channels(sand *sandbox.Sandbox) channel.Registry {
	testenv.Keep(w.TB, w.Home, sandbox.KeysSetting)
	return fleet.Sandbox(sand, func() string { return w.server.URL }, nil)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) clean() {
	w.Helper()
	w.until("everything told", func() bool { // what was written before the clock was moved would count as stuck
		var n int
		_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM outbox")
		return err == nil && n == 0
	})
	r, err := audit.Run(w.ctx, w.DB, w.clock.Now())
	w.must(err)
	for _, f := range r.Findings {
		w.Errorf("audit: %+v", f)
	}
}

func (w *world) newPayer(entity, code, credit string) payment.Payer {
	w.Helper()
	w.numbers++
	o := account.Opening{Number: fmt.Sprint("A", w.numbers), Name: "Example", Kind: models.AccountIndividual, Region: "CN", Country: "CN", SigningEntity: entity, Currency: code, RealName: "Example", Email: "finance@example.com", Phone: "+86 138 0000 0000"}
	if credit != "" {
		o.CreditLimit = &input.Amount{Decimal: credit, Currency: code}
	}
	a, err := w.accounts.Open(w.ctx, o)
	w.must(err)
	return payment.Payer{AccountID: a.ID, UserID: "user", Locale: "en"}
}

// give credits the payer's balance as an adjustment.
func (w *world) give(minor int64) {
	w.Helper()
	w.numbers++
	w.must(w.DB.InTx(w.ctx, func(ctx context.Context) error {
		return w.ledger.Receive(ctx, ledger.Movement{AccountID: w.payer.AccountID, Amount: money.New(minor, "CNY"), Kind: models.KindAdjustment, Reference: fmt.Sprint("gift", w.numbers), Book: "clearing:TEST", At: w.clock.Now()})
	}))
}

func (w *world) available() int64 {
	w.Helper()
	b, err := w.ledger.Balance(w.ctx, w.payer.AccountID)
	w.must(err)
	return b.Available()
}

func newOrder(number, amount string) order.NewOrder {
	return order.NewOrder{Number: number, Type: "NEW_PURCHASE", ProductType: "ECS", Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: input.Amount{Decimal: amount, Currency: "CNY"}}}}
}

func (w *world) place(bundle bool, amounts ...string) []models.Order {
	w.Helper()
	p := order.Placement{AccountID: w.payer.AccountID, Bundle: bundle}
	for _, a := range amounts {
		w.numbers++
		p.Orders = append(p.Orders, newOrder(fmt.Sprint("O", w.numbers), a))
	}
	placed, err := w.orders.Place(w.ctx, p)
	w.must(err)
	return placed
}

func (w *world) orderNow(o models.Order) models.Order {
	w.Helper()
	now, found, err := w.orders.ByID(w.ctx, o.AccountID, o.ID)
	w.must(err)
	if !found {
		w.Fatal("order gone")
	}
	return now
}

func cny(minor int64) money.Money { return money.New(minor, "CNY") }

func online(ch models.PaymentChannel, minor int64) payment.Online {
	return payment.Online{Channel: ch, Amount: cny(minor)}
}

func fromBalance(o models.Order, minor int64) payment.PayInput {
	m := cny(minor)
	return payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Balance: &m}}}
}

func through(o models.Order, ch models.PaymentChannel, minor int64) payment.PayInput {
	on := online(ch, minor)
	return payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Online: &on}}}
}

// play is the payer at the provider's page.
func (w *world) play(p models.Payment, form string) {
	w.Helper()
	values, err := url.ParseQuery(form)
	w.must(err)
	r, err := http.PostForm(p.ActionContent, values)
	w.must(err)
	body, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if r.StatusCode >= 300 {
		w.Fatalf("payer's page: %s %s", r.Status, body)
	}
}

func (w *world) behave(ch models.PaymentChannel, fields string) {
	w.Helper()
	r, err := http.Post(w.server.URL+"/sandbox/behaviour", "application/json", strings.NewReader(fmt.Sprintf(`{"channel":%q,%s}`, ch, fields)))
	w.must(err)
	_ = r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		w.Fatal("behaviour:", r.Status)
	}
}

// advance moves the product's clock and does what is due, as POST /dev/clock does.
func (w *world) advance(d time.Duration) {
	w.Helper()
	w.clock.mu.Lock()
	w.clock.shift += d
	w.clock.mu.Unlock()
	w.must(w.sweeper.RunDue(w.ctx))
}

func (w *world) now(p models.Payment) models.Payment {
	w.Helper()
	p, err := w.payments.ByID(w.ctx, p.AccountID, p.ID)
	w.must(err)
	return p
}

// until waits for a condition that another goroutine brings about.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			w.Fatal("never came:", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (w *world) reaches(p models.Payment, s models.PaymentStatus) models.Payment {
	w.Helper()
	w.until(string(s), func() bool { return w.now(p).Status == s })
	return w.now(p)
}

func (w *world) lines(kinds ...models.TransactionKind) int64 {
	w.Helper()
	n, err := w.ledger.Count(w.ctx, w.payer.AccountID, ledger.Filter{Kinds: kinds})
	w.must(err)
	return n
}

func (w *world) keyed(key, input string) context.Context {
	r := idempotency.Request{Scope: w.payer.AccountID.String(), Mutation: "test", Key: key}
	copy(r.Hash[:], input)
	return idempotency.With(w.ctx, r)
}

// content is the payer's address of a payment that still waits; withContent finds that of one that has ended, in the
// sandbox's books, for a payer who has had the page open all along.
func (w *world) content(p models.Payment) string { return w.now(p).ActionContent }

func (w *world) withContent(p models.Payment) models.Payment {
	w.Helper()
	var token string
	_, err := w.DB.QueryRow(w.ctx, []any{&token}, "SELECT token FROM sandbox_trades WHERE number = ?", p.Number)
	w.must(err)
	p.ActionContent = w.server.URL + "/sandbox/pay/" + token
	return p
}
