package reconcile_test

import (
	"context"
	"encoding/json"
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
	"paydesk/internal/billing/reconcile"
	"paydesk/internal/billing/refund"
	"paydesk/internal/billing/verification"
	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/money"
	"paydesk/internal/platform/blob"
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

// qq is the channel of most tests; its statements are the sandbox's own.
const qq = models.ChannelQQWallet

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
	desk     *reconcile.Service
	config   reconcile.Config
	lines    map[models.PaymentChannel]*line
	sweeper  *sweep.Sweeper
	inbox    *webhook.Inbox
	server   *httptest.Server
	payers   map[string]payment.Payer // by currency
	numbers  int
}

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) { fn(t, newWorld(t, home)) })
}

func newWorld(t testing.TB, home testenv.Home) *world {
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &world{TB: t, Home: home, ctx: ctx, clock: &testClock{}, lines: map[models.PaymentChannel]*line{}, payers: map[string]payment.Payer{}}
	rules, err := policy.Load("default")
	w.must(err)
	w.rules = rules
	hub := live.New(home.Redis, log)
	keys := idempotency.New(home.DB, home.Redis, w.clock)
	box := outbox.New(home.DB, w.clock, hub, log)
	books := ledger.New(home.DB)
	w.orders = order.New(home.DB, notify.New(home.DB), w.clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.accounts = account.New(home.DB, w.clock, keys, rules)
	benefits := benefit.New(home.DB, w.clock, keys, benefit.Rules{ReturnCoupons: true})
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	sand := sandbox.New(sandbox.Config{DB: home.DB, Clock: w.clock, PublicURL: func() string { return w.server.URL }, Log: log})
	channels := w.channels(sand)
	notifyURL := func(c models.PaymentChannel) string { return w.server.URL + "/webhooks/" + string(c) }
	quotes := checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: benefits, Verifier: unprotected{}, Policy: rules, Health: channels.Healthy, Clock: w.clock})
	w.payments = payment.New(payment.Config{DB: home.DB, Ledger: books, Orders: w.orders, Accounts: w.accounts, Checkout: quotes, Benefits: benefits, Codes: unprotected{}, Policy: rules, Channels: channels, Keys: keys, Outbox: box,
		Messages: notify.New(home.DB), Clock: w.clock, Log: log, NotifyURL: notifyURL, ReturnURL: func(number string) string { return w.server.URL + "/return/" + number }, ReturnOrigins: func() []string { return nil }})
	w.refunds = refund.New(refund.Config{DB: home.DB, Ledger: books, Payments: w.payments, Orders: w.orders, Benefits: benefits, Accounts: w.accounts, Policy: rules, Channels: channels, Keys: keys, Outbox: box,
		Messages: notify.New(home.DB), Clock: w.clock, Log: log, NotifyURL: notifyURL})
	w.config = reconcile.Config{DB: home.DB, Channels: channels, Payments: w.payments, Refunds: w.refunds, Files: blob.New(home.DB), Clock: w.clock, Log: log}
	w.desk = reconcile.New(w.config)
	w.inbox = &webhook.Inbox{DB: home.DB, Payments: w.payments, Refunds: w.refunds, Channels: channels, Clock: w.clock, Log: log}
	mux.Handle(sandbox.Prefix, sand)
	mux.Handle("/return/", webhook.Return{Payments: w.payments, Log: log}) // Stripe sends a payer's browser back at once
	mux.HandleFunc("/webhooks/{channel}", func(rw http.ResponseWriter, r *http.Request) {
		w.inbox.Serve(rw, r, models.PaymentChannel(r.PathValue("channel")))
	})
	w.sweeper = sweep.New(time.Second, log, nil,
		sweep.Job{Name: "payments", Run: func(ctx context.Context) (int, error) { return w.payments.Sweep(ctx, 100) }},
		sweep.Job{Name: "refunds", Run: func(ctx context.Context) (int, error) { return w.refunds.Sweep(ctx, 100) }},
		sweep.Job{Name: "inbox", Run: func(ctx context.Context) (int, error) { return w.inbox.Sweep(ctx, 100) }},
		sweep.Job{Name: "outbox", Run: box.Sweep},
		sweep.Job{Name: "reconcile", Run: w.desk.Sweep})
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
	w.noon()
	return w
}

func (w *world) channels(sand *sandbox.Sandbox) channel.Registry {
	testenv.Keep(w.TB, w.Home, sandbox.KeysSetting)
	all := fleet.Sandbox(sand, func() string { return w.server.URL }, nil)
	for name, a := range all {
		w.lines[name] = &line{Adapter: a, edits: map[channel.Day]func([]channel.Line) []channel.Line{}, absent: map[channel.Day]bool{}, broken: map[channel.Day]bool{}}
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

// set moves the product's clock forward; nothing that is due is done.
func (w *world) set(at time.Time) {
	w.Helper()
	w.clock.mu.Lock()
	defer w.clock.mu.Unlock()
	shift := time.Until(at)
	if shift < w.clock.shift {
		w.Fatal("backwards")
	}
	w.clock.shift = shift
}

// noon moves to the next noon in Beijing; a whole day has passed in every zone after two.
func (w *world) noon() channel.Day {
	w.Helper()
	day := channel.DayIn(w.clock.Now(), channel.Beijing).Next(1)
	w.set(w.at(day, 12*time.Hour))
	return day
}

// at is a time of a Beijing day.
func (w *world) at(day channel.Day, clock time.Duration) time.Time {
	from, _ := day.In(channel.Beijing)
	return from.Add(clock)
}

func (w *world) payer(code string) payment.Payer {
	w.Helper()
	if p, ok := w.payers[code]; ok {
		return p
	}
	w.numbers++
	entity := map[string]string{"CNY": "MAINLAND", "USD": "INTERNATIONAL"}[code]
	region := map[string]string{"CNY": "CN", "USD": "US"}[code]
	a, err := w.accounts.Open(w.ctx, account.Opening{Number: fmt.Sprint("A", w.numbers), Name: "Example", Kind: models.AccountIndividual, Region: region, Country: region, SigningEntity: entity, Currency: code,
		RealName: "Example", Email: "finance@example.com", Phone: "+86 138 0000 0000"})
	w.must(err)
	w.payers[code] = payment.Payer{AccountID: a.ID, UserID: "user", Locale: "en"}
	return w.payers[code]
}

func cny(minor int64) money.Money { return money.New(minor, "CNY") }

// online is a funding through a channel, in minor units of its currency; a card is a fresh one that wants 3-D Secure.
func (w *world) online(ch models.PaymentChannel, minor int64) payment.Online {
	w.Helper()
	o := payment.Online{Channel: ch, Amount: cny(minor)}
	if ch == models.ChannelBankCard || ch == models.ChannelPayPal {
		o.Amount.Currency = "USD"
	}
	if ch != models.ChannelBankCard {
		return o
	}
	card := fmt.Sprintf(`{"number":"4000002760003184","expiryMonth":12,"expiryYear":%d,"cvc":"123","holderName":"Lin"}`, time.Now().Year()+3)
	res, err := http.Post(w.server.URL+sandbox.CardsPath, "application/json", strings.NewReader(card))
	w.must(err)
	defer res.Body.Close()
	var out struct{ Token string }
	w.must(json.NewDecoder(res.Body).Decode(&out))
	o.CardToken = out.Token
	return o
}

// begin starts a payment of an order of its own.
func (w *world) begin(ch models.PaymentChannel, minor int64) models.Payment {
	w.Helper()
	online := w.online(ch, minor)
	w.numbers++
	code := string(online.Amount.Currency)
	who := w.payer(code)
	placed, err := w.orders.Place(w.ctx, order.Placement{AccountID: who.AccountID, Orders: []order.NewOrder{{Number: fmt.Sprint("O", w.numbers), Type: "NEW_PURCHASE", ProductType: "ECS",
		Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: input.Amount{Decimal: online.Amount.Decimal(), Currency: code}}}}}})
	w.must(err)
	p, err := w.payments.Pay(w.ctx, who, payment.PayInput{OrderID: placed[0].ID, Agreed: payment.Agreed{Funding: payment.Funding{Online: &online}}})
	w.must(err)
	if p.Status != models.PaymentRequiresAction && p.Status != models.PaymentSucceeded {
		w.Fatalf("%s: %s %s", online.Channel, p.Status, p.FailureCode)
	}
	return p
}

// pay is a payment that succeeds and is notified.
func (w *world) pay(ch models.PaymentChannel, minor int64) models.Payment {
	w.Helper()
	p := w.begin(ch, minor)
	w.play(p, "outcome=succeed")
	return w.reaches(p, models.PaymentSucceeded)
}

// lost is a payment that succeeds at the provider; the notification is lost and nobody has asked yet.
func (w *world) lost(ch models.PaymentChannel, minor int64) models.Payment {
	w.Helper()
	w.behave(ch, `"notify":"drop"`)
	defer w.behave(ch, `"notify":"normal"`)
	w.lines[ch].with(func(l *line) { l.deaf = true })
	defer w.lines[ch].with(func(l *line) { l.deaf = false })
	p := w.begin(ch, minor)
	w.play(p, "outcome=succeed")
	if ch == models.ChannelPayPal || ch == models.ChannelBankCard { // the money is taken when we ask, and the answer is lost
		_, err := w.payments.Returned(w.ctx, p.Number)
		w.must(err)
	}
	return p
}

func (w *world) reaches(p models.Payment, s models.PaymentStatus) models.Payment {
	w.Helper()
	w.until(string(s), func() bool {
		var err error
		p, err = w.payments.ByID(w.ctx, p.AccountID, p.ID)
		return err == nil && p.Status == s
	})
	return p
}

// play is the payer at the provider's page.
func (w *world) play(p models.Payment, form string) {
	w.Helper()
	w.playAt(w.page(p), form)
}

func (w *world) playAt(page, form string) {
	w.Helper()
	values, err := url.ParseQuery(form)
	w.must(err)
	r, err := http.PostForm(page, values)
	w.must(err)
	_ = r.Body.Close()
	if r.StatusCode >= 300 {
		w.Fatalf("payer's page: %s", r.Status)
	}
}

// page is where the payer of a payment ends up.
func (w *world) page(p models.Payment) string {
	w.Helper()
	var r *http.Response
	var err error
	if p.ActionMethod == http.MethodPost {
		form := url.Values{}
		for _, f := range p.ActionFields {
			form.Set(f.Name, f.Value)
		}
		r, err = http.PostForm(p.ActionContent, form)
	} else {
		r, err = http.Get(p.ActionContent)
	}
	w.must(err)
	_ = r.Body.Close()
	if r.StatusCode >= 300 {
		w.Fatalf("%s: %s", p.ActionContent, r.Status)
	}
	return r.Request.URL.String()
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

// until waits for a condition that another goroutine brings about.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			w.Fatal("never came:", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// refund sends part of a payment back and gives the refund.
func (w *world) refund(p models.Payment, minor int64) models.Refund {
	w.Helper()
	m := money.New(minor, money.Currency(p.Currency))
	_, err := w.refunds.Refund(w.ctx, refund.Input{PaymentID: p.ID, Amount: &m, Reason: "the server is broken", By: "operator"})
	w.must(err)
	return w.newest(p)
}

func (w *world) newest(p models.Payment) models.Refund {
	w.Helper()
	all, err := w.refunds.OfPayments(w.ctx, p.AccountID, []models.ID{p.ID})
	w.must(err)
	return all[p.ID][0]
}

// refunded is a refund that has ended well.
func (w *world) refunded(p models.Payment, minor int64) models.Refund {
	w.Helper()
	r := w.refund(p, minor)
	w.set(w.clock.Now().Add(20 * time.Second)) // a provider that does not tell is asked
	w.until("refunded", func() bool {
		_, err := w.refunds.Sweep(w.ctx, 100)
		w.must(err)
		r = w.newest(p)
		return r.Status == models.RefundSucceeded
	})
	return r
}

// run compares a day.
func (w *world) run(ch models.PaymentChannel, day channel.Day) reconcile.Report {
	w.Helper()
	r, err := w.desk.Run(w.ctx, ch, day)
	w.must(err)
	return r
}

// all are the differences of a day by number; those of a refund by the refund's.
func (w *world) all(ch models.PaymentChannel, day channel.Day) map[string][]models.Difference {
	w.Helper()
	var rows []models.Difference
	w.must(w.DB.Gorm(w.ctx).Where("channel = ? AND day = ?", string(ch), string(day)).Order("line_key").Find(&rows).Error)
	out := map[string][]models.Difference{}
	for _, d := range rows {
		n := d.Number
		if d.RefundNumber != "" {
			n = d.RefundNumber
		}
		out[n] = append(out[n], d)
	}
	return out
}

func (w *world) resolve(id models.ID, reason string) {
	w.Helper()
	d, err := w.desk.Resolve(w.ctx, reconcile.Resolution{ID: id, Reason: reason, By: "operator"})
	w.must(err)
	if d.ResolvedAt == nil || d.Resolution != reason {
		w.Errorf("%+v", d)
	}
}
