package refund_test

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
	"paydesk/internal/billing/refund"
	"paydesk/internal/billing/verification"
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

const (
	ali    = models.ChannelAlipay
	wechat = models.ChannelWeChatPay
)

var both = []models.PaymentChannel{ali, wechat}

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

// unprotected asks nobody for a code.
type unprotected struct{ payment.Codes }

func (unprotected) Wanted(models.Account) bool { return false }
func (unprotected) Check(context.Context, verification.Use) (verification.Proof, error) {
	return verification.Proof{}, nil
}
func (unprotected) Spend(context.Context, verification.Proof) error { return nil }

// line is an adapter that may lose calls: before they reach the provider, or their answer.
type line struct {
	channel.Adapter
	mu    sync.Mutex
	lost  string // "", "before", "after", "refused"
	calls int    // refunds that were asked for
}

func (l *line) lose(when string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = when
}

func (l *line) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	l.mu.Lock()
	lost := l.lost
	l.calls++
	l.mu.Unlock()
	if lost == "before" {
		return channel.Event{}, channel.ErrUnknown
	}
	ev, err := l.Adapter.Refund(ctx, r)
	switch lost {
	case "after":
		return channel.Event{}, channel.ErrUnknown
	case "refused": // by somebody in between, although it was done
		return channel.Event{}, channel.ErrDeclined
	}
	return ev, err
}

// world is the product without its GraphQL face: real database, real Redis, real HTTP between adapters, sandbox and webhooks.
type world struct {
	testing.TB
	testenv.Home
	ctx      context.Context
	clock    *testClock
	rules    *policy.Policy
	payments *payment.Service
	refunds  *refund.Service
	orders   *order.Service
	accounts *account.Service
	ledger   *ledger.Ledger
	benefits *benefit.Service
	lines    map[models.PaymentChannel]*line
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
	w.rules = rules
	hub := live.New(home.Redis, log)
	keys := idempotency.New(home.DB, home.Redis, w.clock)
	box := outbox.New(home.DB, w.clock, hub, log)
	w.ledger = ledger.New(home.DB)
	w.orders = order.New(home.DB, notify.New(home.DB), w.clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.accounts = account.New(home.DB, w.clock, keys, rules)
	w.benefits = benefit.New(home.DB, w.clock, keys, benefit.Rules{ReturnCoupons: true})
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	sand := sandbox.New(sandbox.Config{DB: home.DB, Clock: w.clock, PublicURL: func() string { return w.server.URL }, Log: log})
	channels := w.channels(sand)
	notifyURL := func(c models.PaymentChannel) string { return w.server.URL + "/webhooks/" + string(c) }
	quotes := checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: w.benefits, Verifier: unprotected{}, Policy: rules, Health: channels.Healthy, Clock: w.clock})
	w.payments = payment.New(payment.Config{DB: home.DB, Ledger: w.ledger, Orders: w.orders, Accounts: w.accounts, Checkout: quotes, Benefits: w.benefits, Codes: unprotected{}, Policy: rules, Channels: channels, Keys: keys, Outbox: box,
		Messages: notify.New(home.DB), Clock: w.clock, Log: log, NotifyURL: notifyURL, ReturnURL: func(number string) string { return w.server.URL + "/return/" + number }, ReturnOrigins: func() []string { return nil }})
	w.refunds = refund.New(refund.Config{DB: home.DB, Ledger: w.ledger, Payments: w.payments, Orders: w.orders, Benefits: w.benefits, Accounts: w.accounts, Policy: rules, Channels: channels, Keys: keys, Outbox: box,
		Messages: notify.New(home.DB), Clock: w.clock, Log: log, NotifyURL: notifyURL})
	inbox := &webhook.Inbox{DB: home.DB, Payments: w.payments, Refunds: w.refunds, Channels: channels, Clock: w.clock, Log: log}
	mux.Handle(sandbox.Prefix, sand)
	mux.HandleFunc("/webhooks/{channel}", func(rw http.ResponseWriter, r *http.Request) {
		inbox.Serve(rw, r, models.PaymentChannel(r.PathValue("channel")))
	})
	w.sweeper = sweep.New(time.Second, log, nil,
		sweep.Job{Name: "payments", Run: func(ctx context.Context) (int, error) { return w.payments.Sweep(ctx, 100) }},
		sweep.Job{Name: "refunds", Run: func(ctx context.Context) (int, error) { return w.refunds.Sweep(ctx, 100) }},
		sweep.Job{Name: "inbox", Run: func(ctx context.Context) (int, error) { return inbox.Sweep(ctx, 100) }},
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
	w.payer = w.newPayer()
	return w
}

func (w *world) channels(sand *sandbox.Sandbox) channel.Registry {
	testenv.Keep(w.TB, w.Home, sandbox.KeysSetting)
	w.lines = map[models.PaymentChannel]*line{}
	all := fleet.Sandbox(sand, func() string { return w.server.URL }, nil)
	for name, a := range all {
		w.lines[name] = &line{Adapter: a}
		all[name] = w.lines[name]
	}
	return all
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) clean() {
	w.Helper()
	r, err := audit.Run(w.ctx, w.DB, w.clock.Now())
	w.must(err)
	for _, f := range r.Findings {
		w.Errorf("audit: %+v", f)
	}
}

func (w *world) newPayer() payment.Payer {
	w.Helper()
	w.numbers++
	a, err := w.accounts.Open(w.ctx, account.Opening{Number: fmt.Sprint("A", w.numbers), Name: "Example", Kind: models.AccountIndividual, Region: "CN", Country: "CN", SigningEntity: "MAINLAND", Currency: "CNY",
		RealName: "Example", Email: "finance@example.com", Phone: "+86 138 0000 0000"})
	w.must(err)
	return payment.Payer{AccountID: a.ID, UserID: "user", Locale: "en"}
}

// give credits an account, in fen.
func (w *world) give(to payment.Payer, minor int64) {
	w.Helper()
	w.numbers++
	w.must(w.DB.InTx(w.ctx, func(ctx context.Context) error {
		return w.ledger.Receive(ctx, ledger.Movement{AccountID: to.AccountID, Amount: cny(minor), Kind: models.KindAdjustment, Reference: fmt.Sprint("gift", w.numbers), Book: "clearing:TEST", At: w.clock.Now()})
	}))
}

func (w *world) balance(of payment.Payer) models.Balance {
	w.Helper()
	b, err := w.ledger.Balance(w.ctx, of.AccountID)
	w.must(err)
	return b
}

func (w *world) place(mode models.ChargingMode, amounts ...string) []models.Order {
	w.Helper()
	p := order.Placement{AccountID: w.payer.AccountID}
	for _, a := range amounts {
		w.numbers++
		p.Orders = append(p.Orders, order.NewOrder{Number: fmt.Sprint("O", w.numbers), Type: "NEW_PURCHASE", ProductType: "ECS", ChargingMode: mode,
			Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: input.Amount{Decimal: a, Currency: "CNY"}}}})
	}
	placed, err := w.orders.Place(w.ctx, p)
	w.must(err)
	return placed
}

func (w *world) status(o models.Order) models.OrderStatus {
	w.Helper()
	now, found, err := w.orders.ByID(w.ctx, o.AccountID, o.ID)
	w.must(err)
	if !found {
		w.Fatal("order gone")
	}
	return now.Status
}

func cny(minor int64) money.Money { return money.New(minor, "CNY") }

// bill is a funding: so much from the balance, so much through a channel, or all of it by the partner where both are zero.
func bill(balance, online int64, ch models.PaymentChannel) (f payment.Funding) {
	if balance > 0 || online == 0 {
		m := cny(balance)
		f.Balance = &m
	}
	if online > 0 {
		f.Online = &payment.Online{Channel: ch, Amount: cny(online)}
	}
	return f
}

// paid pays orders in one payment, and plays the payer where it takes one.
func (w *world) paid(f payment.Funding, orders []models.Order, coupons ...string) models.Payment {
	w.Helper()
	in := payment.MergeInput{Agreed: payment.Agreed{Funding: f, CouponIDs: coupons}}
	for _, o := range orders {
		in.OrderIDs = append(in.OrderIDs, o.ID)
	}
	p, err := w.payments.MergePay(w.ctx, w.payer, in)
	w.must(err)
	if f.Online != nil {
		w.play(p)
	}
	w.until("paid", func() bool {
		p, err = w.payments.ByID(w.ctx, p.AccountID, p.ID)
		return err == nil && p.Status == models.PaymentSucceeded
	})
	return p
}

// play is the payer, who pays at the provider's page.
func (w *world) play(p models.Payment) {
	w.Helper()
	r, err := http.PostForm(p.ActionContent, url.Values{"outcome": {"succeed"}})
	w.must(err)
	_ = r.Body.Close()
	if r.StatusCode >= 300 {
		w.Fatalf("payer's page: %s", r.Status)
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

// refund sends an amount of a payment back, in fen; zero is what is left. The zero order takes from all.
func (w *world) refund(p models.Payment, o models.ID, minor int64) (models.Payment, error) {
	in := refund.Input{PaymentID: p.ID, OrderID: o, Reason: "the server is broken", By: "operator"}
	if minor != 0 {
		m := cny(minor)
		in.Amount = &m
	}
	return w.refunds.Refund(w.ctx, in)
}

func (w *world) mustRefund(p models.Payment, o models.ID, minor int64) models.Payment {
	w.Helper()
	p, err := w.refund(p, o, minor)
	w.must(err)
	return p
}

// of are the refunds of a payment, newest first.
func (w *world) of(p models.Payment) []models.Refund {
	w.Helper()
	all, err := w.refunds.OfPayments(w.ctx, p.AccountID, []models.ID{p.ID})
	w.must(err)
	return all[p.ID]
}

// ends waits for the newest refund's end.
func (w *world) ends(p models.Payment, want models.RefundStatus) models.Refund {
	w.Helper()
	w.until("a refund that is "+string(want), func() bool { return w.of(p)[0].Status == want })
	return w.of(p)[0]
}

// wentBack is what the provider has sent back of a payment, in how many refunds.
func (w *world) wentBack(p models.Payment) (sum, count int64) {
	w.Helper()
	_, err := w.DB.QueryRow(w.ctx, []any{&sum, &count}, "SELECT COALESCE(SUM(amount), 0), COUNT(*) FROM sandbox_refunds WHERE number = ? AND outcome = 'SUCCEEDED'", p.Number)
	w.must(err)
	return sum, count
}

// book is what stands in a platform book.
func (w *world) book(name string) (sum int64) {
	w.Helper()
	_, err := w.DB.QueryRow(w.ctx, []any{&sum}, "SELECT COALESCE(SUM(amount), 0) FROM postings WHERE book = ?", name)
	w.must(err)
	return sum
}

func (w *world) lineCount(of payment.Payer, kinds ...models.TransactionKind) int64 {
	w.Helper()
	n, err := w.ledger.Count(w.ctx, of.AccountID, ledger.Filter{Kinds: kinds})
	w.must(err)
	return n
}

// told counts messages of an account with this text in them.
func (w *world) told(of payment.Payer, text string) (n int) {
	w.Helper()
	all, err := notify.New(w.DB).Of(w.ctx, of.AccountID)
	w.must(err)
	for _, m := range all {
		if strings.Contains(m.Body, text) {
			n++
		}
	}
	return n
}

// arrive lets the refunds that a provider is late with be done now, with their notifications.
func (w *world) arrive() {
	w.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, q := range []string{"UPDATE sandbox_refunds SET ready_at = ? WHERE ready_at > ?", "UPDATE sandbox_notifications SET next_at = ? WHERE next_at > ?"} {
		_, err := w.DB.Exec(w.ctx, q, now, now)
		w.must(err)
	}
}
