package fleet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
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

// names are the channels that are played: all, or those of PAYDESK_TEST_CHANNELS (ALIPAY,PAYPAL), for whoever looks for a fault in one.
var names = func() (out []models.PaymentChannel) {
	only := os.Getenv("PAYDESK_TEST_CHANNELS")
	if only == "" {
		return fleet.Names
	}
	for name := range strings.SplitSeq(only, ",") {
		out = append(out, models.PaymentChannel(name))
	}
	return out
}()

// patience is how long an adapter of these tests waits for an answer: a channel that hangs costs this, not ten seconds.
const patience = time.Second

// shiftedClock is the product's clock: real time plus what the test has moved it by.
type shiftedClock struct{ shift atomic.Int64 }

func (c *shiftedClock) Now() time.Time {
	return time.Now().Add(time.Duration(c.shift.Load())).UTC().Truncate(time.Microsecond)
}

// unprotected asks nobody for a code.
type unprotected struct{ payment.Codes }

func (unprotected) Wanted(models.Account) bool { return false }
func (unprotected) Check(context.Context, verification.Use) (verification.Proof, error) {
	return verification.Proof{}, nil
}
func (unprotected) Spend(context.Context, verification.Proof) error { return nil }

// world is the product without its GraphQL face and all nine channels: real database, real Redis, real HTTP between adapters, sandbox and
// webhooks.
type world struct {
	testing.TB
	testenv.Home
	ctx      context.Context
	clock    *shiftedClock
	channels channel.Registry
	payments *payment.Service
	refunds  *refund.Service
	orders   *order.Service
	accounts *account.Service
	ledger   *ledger.Ledger
	inbox    *webhook.Inbox
	sweeper  *sweep.Sweeper
	server   *httptest.Server
	numbers  atomic.Int64
	yuan     payment.Payer // of a mainland entity
	dollars  payment.Payer // of the international one
}

func newWorld(t testing.TB, home testenv.Home) *world {
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &world{TB: t, Home: home, ctx: ctx, clock: &shiftedClock{}}
	rules, err := policy.Load("default")
	w.must(err)
	hub := live.New(home.Redis, log)
	keys := idempotency.New(home.DB, home.Redis, w.clock)
	box := outbox.New(home.DB, w.clock, hub, log)
	letters := notify.New(home.DB)
	w.ledger = ledger.New(home.DB)
	w.orders = order.New(home.DB, letters, w.clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.accounts = account.New(home.DB, w.clock, keys, rules)
	benefits := benefit.New(home.DB, w.clock, keys, benefit.Rules{ReturnCoupons: true})
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	sand := sandbox.New(sandbox.Config{DB: home.DB, Clock: w.clock, PublicURL: func() string { return w.server.URL }, Log: log})
	testenv.Keep(t, home, sandbox.KeysSetting)
	w.channels = fleet.Sandbox(sand, func() string { return w.server.URL }, &http.Client{Timeout: patience})
	notifyURL := func(c models.PaymentChannel) string { return w.server.URL + "/webhooks/" + string(c) }
	quotes := checkout.New(checkout.Config{Orders: w.orders, Accounts: w.accounts, Benefits: benefits, Verifier: unprotected{}, Policy: rules, Health: w.channels.Healthy, Clock: w.clock})
	w.payments = payment.New(payment.Config{DB: home.DB, Ledger: w.ledger, Orders: w.orders, Accounts: w.accounts, Checkout: quotes, Benefits: benefits, Codes: unprotected{}, Policy: rules, Channels: w.channels,
		Keys: keys, Outbox: box, Messages: letters, Clock: w.clock, Log: log, NotifyURL: notifyURL, ReturnURL: func(number string) string { return w.server.URL + "/return/" + number },
		ReturnOrigins: func() []string { return nil }})
	w.refunds = refund.New(refund.Config{DB: home.DB, Ledger: w.ledger, Payments: w.payments, Orders: w.orders, Benefits: benefits, Accounts: w.accounts, Policy: rules, Channels: w.channels, Keys: keys, Outbox: box,
		Messages: letters, Clock: w.clock, Log: log, NotifyURL: notifyURL})
	w.inbox = &webhook.Inbox{DB: home.DB, Payments: w.payments, Refunds: w.refunds, Channels: w.channels, Clock: w.clock, Log: log}
	mux.Handle(sandbox.Prefix, sand)
	mux.Handle("/return/", webhook.Return{Payments: w.payments, Log: log})
	mux.HandleFunc("/webhooks/{channel}", func(rw http.ResponseWriter, r *http.Request) {
		w.inbox.Serve(rw, r, models.PaymentChannel(r.PathValue("channel")))
	})
	w.sweeper = sweep.New(time.Second, log, nil,
		sweep.Job{Name: "payments", Run: func(ctx context.Context) (int, error) { return w.payments.Sweep(ctx, 500) }},
		sweep.Job{Name: "refunds", Run: func(ctx context.Context) (int, error) { return w.refunds.Sweep(ctx, 500) }},
		sweep.Job{Name: "inbox", Run: func(ctx context.Context) (int, error) { return w.inbox.Sweep(ctx, 500) }},
		sweep.Job{Name: "outbox", Run: box.Sweep})
	var running sync.WaitGroup
	for _, run := range []func(context.Context){hub.Run, box.Run, sand.Run} {
		running.Go(func() { run(ctx) })
	}
	t.Cleanup(func() { stop(); running.Wait(); w.server.CloseClientConnections(); w.server.Close() })
	w.yuan, w.dollars = w.newPayer("MAINLAND", "CN", "CNY"), w.newPayer("INTERNATIONAL", "US", "USD")
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) newPayer(entity, country, code string) payment.Payer {
	w.Helper()
	a, err := w.accounts.Open(w.ctx, account.Opening{Number: fmt.Sprint("A", w.numbers.Add(1)), Name: "Example", Kind: models.AccountIndividual, Region: country, Country: country,
		SigningEntity: entity, Currency: code, RealName: "Example", Email: "finance@example.com"})
	w.must(err)
	return payment.Payer{AccountID: a.ID, UserID: "user", Locale: "en"}
}

// payerOf is who pays through a channel, and in what currency.
func (w *world) payerOf(ch models.PaymentChannel) (payment.Payer, money.Currency) {
	if ch == models.ChannelBankCard || ch == models.ChannelPayPal {
		return w.dollars, "USD"
	}
	return w.yuan, "CNY"
}

// visa3DS always wants 3-D Secure: a payer has a page to play at.
const visa3DS = "4000002760003184"

// online is a funding through a channel; a card is a fresh one.
func (w *world) online(ch models.PaymentChannel, minor int64) (payment.Online, error) {
	_, currency := w.payerOf(ch)
	o := payment.Online{Channel: ch, Amount: money.New(minor, currency)}
	if ch != models.ChannelBankCard {
		return o, nil
	}
	body, _ := json.Marshal(map[string]any{"number": visa3DS, "expiryMonth": 12, "expiryYear": time.Now().Year() + 3, "cvc": "123", "holderName": "Lin"})
	res, err := http.Post(w.server.URL+sandbox.CardsPath, "application/json", bytes.NewReader(body))
	if err != nil {
		return o, err
	}
	defer res.Body.Close()
	var out struct{ Token string }
	err = json.NewDecoder(res.Body).Decode(&out)
	o.CardToken = out.Token
	return o, err
}

// give credits a payer's balance as an adjustment.
func (w *world) give(who payment.Payer, m money.Money) {
	w.Helper()
	w.must(w.DB.InTx(w.ctx, func(ctx context.Context) error {
		return w.ledger.Receive(ctx, ledger.Movement{AccountID: who.AccountID, Amount: m, Kind: models.KindAdjustment, Reference: fmt.Sprint("gift", w.numbers.Add(1)), Book: "clearing:TEST", At: w.clock.Now()})
	}))
}

// order places an order of the payer of a channel.
func (w *world) order(ch models.PaymentChannel, minor int64) (models.Order, error) {
	who, currency := w.payerOf(ch)
	placed, err := w.orders.Place(w.ctx, order.Placement{AccountID: who.AccountID, Orders: []order.NewOrder{{Number: fmt.Sprint("O", w.numbers.Add(1)), Type: "NEW_PURCHASE",
		ProductType: "ECS", Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: input.Amount{Decimal: money.New(minor, currency).Decimal(), Currency: string(currency)}}}}}})
	if err != nil {
		return models.Order{}, err
	}
	return placed[0], nil
}

// page opens what the payer has to do, as a browser or a phone does, and gives the final address.
func page(p models.Payment) (string, error) {
	var res *http.Response
	var err error
	if p.ActionMethod == http.MethodPost {
		form := url.Values{}
		for _, f := range p.ActionFields {
			form.Set(f.Name, f.Value)
		}
		res, err = http.PostForm(p.ActionContent, form)
	} else {
		res, err = http.Get(p.ActionContent)
	}
	if err != nil {
		return "", err
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("page of %s: %s %s", p.Channel, res.Status, body)
	}
	return res.Request.URL.String(), nil
}

// play is the payer's choice at a page; what is not possible any more is none.
func play(at, fields string) error {
	form, err := url.ParseQuery(fields)
	if err != nil {
		return err
	}
	res, err := http.PostForm(at, form)
	if err != nil {
		return err
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusConflict {
		return fmt.Errorf("payer's page: %s %s", res.Status, body)
	}
	return nil
}

func (w *world) behave(ch models.PaymentChannel, notify, call string) {
	w.Helper()
	res, err := http.Post(w.server.URL+"/sandbox/behaviour", "application/json", strings.NewReader(fmt.Sprintf(`{"channel":%q,"notify":%q,"call":%q}`, ch, notify, call)))
	w.must(err)
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		w.Fatal("behaviour:", res.Status)
	}
}

// advance moves the product's clock and does what is due, as POST /dev/clock does.
func (w *world) advance(d time.Duration) {
	w.Helper()
	w.clock.shift.Add(int64(d))
	w.must(w.sweeper.RunDue(w.ctx))
}

func (w *world) now(p models.Payment) models.Payment {
	w.Helper()
	p, err := w.payments.ByID(w.ctx, p.AccountID, p.ID)
	w.must(err)
	return p
}

func (w *world) until(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			w.Fatal("never came:", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// count is the figure that a statement gives.
func (w *world) count(query string, args ...any) int64 {
	w.Helper()
	var n int64
	_, err := w.DB.QueryRow(w.ctx, []any{&n}, query, args...)
	w.must(err)
	return n
}

// told waits until the sandbox has nothing left to deliver.
func (w *world) told() {
	w.Helper()
	w.until("all notifications delivered", func() bool {
		return w.count("SELECT COUNT(*) FROM sandbox_notifications WHERE next_at <= ?", time.Now().UTC().Add(2*time.Second)) == 0
	})
}

// clean wants the audit to find nothing.
func (w *world) clean() {
	w.Helper()
	r, err := audit.Run(w.ctx, w.DB, w.clock.Now())
	w.must(err)
	for _, f := range r.Findings {
		w.Errorf("audit: %+v", f)
	}
}

// books wants the ledger to hold for a channel what the provider's books say: paid, less what went back.
func (w *world) books(ch models.PaymentChannel) {
	w.Helper()
	paid := w.count("SELECT COALESCE(SUM(amount), 0) FROM sandbox_trades WHERE channel = ? AND status = 'PAID'", string(ch))
	back := w.count("SELECT COALESCE(SUM(amount), 0) FROM sandbox_refunds WHERE channel = ? AND outcome = 'SUCCEEDED'", string(ch))
	ours := -w.count("SELECT COALESCE(SUM(amount), 0) FROM postings WHERE book = ?", models.BookClearing+string(ch))
	if ours != paid-back {
		w.Errorf("%s: the ledger has %d, the provider's books %d (paid %d, back %d)", ch, ours, paid-back, paid, back)
	}
}
