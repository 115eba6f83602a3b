package sandbox_test

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
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/money"
	"paydesk/internal/platform/settings"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// world is a sandbox behind a real listener, all channels' adapters configured for it, and a merchant's addresses: of notifications, and
// of payers who come back.
type world struct {
	t        *testing.T
	home     testenv.Home
	url      string
	sandbox  *sandbox.Sandbox
	clock    *handClock
	adapters channel.Registry
	heard    chan heard
	deaf     *atomic.Bool // the merchant answers 500
	refs     *sync.Map    // what was started, by number: channel.Ref
}

// heard is a notification as it reached the merchant.
type heard struct {
	channel.Notification
	path string
}

// handClock is a product's clock moved by hand.
type handClock struct{ ahead atomic.Int64 }

func (c *handClock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(c.ahead.Load())).Truncate(time.Microsecond)
}
func (c *handClock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// each runs a test on both homes and with the two great wallets.
func each(t *testing.T, fn func(t *testing.T, w *world, a channel.Adapter)) {
	eachOf(t, []models.PaymentChannel{models.ChannelAlipay, models.ChannelWeChatPay}, fn)
}

// eachOf runs a test on both homes and with the adapters of these channels, which share a world. Tests wait for notifications more than
// they work, so they run beside one another.
func eachOf(t *testing.T, channels []models.PaymentChannel, fn func(t *testing.T, w *world, a channel.Adapter)) {
	t.Parallel()
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		for _, c := range channels {
			t.Run(string(c), func(t *testing.T) {
				w := *w
				w.t = t
				fn(t, &w, w.adapters[c])
			})
		}
	})
}

func newWorld(t *testing.T, home testenv.Home) *world {
	t.Helper()
	w := &world{t: t, home: home, clock: &handClock{}, deaf: new(atomic.Bool), refs: &sync.Map{}, heard: make(chan heard, 1000)}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	w.url = server.URL
	w.sandbox = sandbox.New(sandbox.Config{DB: home.DB, Clock: w.clock, PublicURL: func() string { return w.url },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	mux.Handle(sandbox.Prefix, w.sandbox)
	mux.HandleFunc("/notify/", w.hear)
	mux.HandleFunc("/return/", func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "welcome back") })

	testenv.Keep(t, home, sandbox.KeysSetting)
	// Stripe and PayPal have one address for a merchant, as entered in the dashboard.
	for name, ch := range map[string]models.PaymentChannel{"sandbox.stripe.endpoint": models.ChannelBankCard, "sandbox.paypal.webhook": models.ChannelPayPal} {
		if _, err := settings.Create(t.Context(), home.DB, name, w.url+"/notify/"+string(ch)); err != nil {
			t.Fatal(err)
		}
	}
	w.adapters = fleet.Sandbox(w.sandbox, func() string { return w.url }, nil)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.sandbox.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		server.CloseClientConnections()
		server.Close()
	})
	return w
}

// hear is the merchant: it keeps what came and acknowledges what is not forged.
func (w *world) hear(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	n := channel.Notification{Header: r.Header.Clone(), Body: body}
	w.heard <- heard{n, r.URL.Path}
	if w.deaf.Load() {
		http.Error(rw, "not now", http.StatusInternalServerError)
		return
	}
	a := w.adapters[models.PaymentChannel(strings.TrimPrefix(r.URL.Path, "/notify/"))]
	k := a.Acknowledge()
	if _, err := a.ParseNotification(r.Context(), n); err != nil {
		k = a.Refuse()
	}
	if k.ContentType != "" {
		rw.Header().Set("Content-Type", k.ContentType)
	}
	rw.WriteHeader(k.Status)
	io.WriteString(rw, k.Body)
}

var numbers atomic.Int64

func freshNumber() string {
	return fmt.Sprintf("P%s%08d", time.Now().UTC().Format("060102150405"), numbers.Add(1))
}

// visa is a card that pays without questions.
const visa = "4242424242424242"

// request is a fresh payment of 12.34 in the channel's currency that ends in 30 minutes. Where cards pay, it has the token of a card:
// visa unless another is given.
func (w *world) request(a channel.Adapter, card ...string) channel.StartRequest {
	w.t.Helper()
	number, currency, token := freshNumber(), money.Currency("CNY"), ""
	switch a.Channel() {
	case models.ChannelBankCard:
		currency, token = "USD", w.cardToken(append(card, visa)[0])
	case models.ChannelPayPal:
		currency = "USD"
	}
	return channel.StartRequest{Ref: channel.Ref{Number: number, Amount: money.New(1234, currency), MadeAt: time.Now()}, Subject: "充值 <Top-up> & 100%",
		ExpiresAt: w.clock.Now().Add(30 * time.Minute), ValidFor: 30 * time.Minute, CardToken: token,
		ReturnURL: w.url + "/return/" + number, NotifyURL: w.url + "/notify/" + string(a.Channel())}
}

// cardToken is the hosted field's call (contract, chapter 6).
func (w *world) cardToken(number string) string {
	w.t.Helper()
	res, err := http.Post(w.url+sandbox.CardsPath, "application/json", strings.NewReader(
		`{"number":"`+number+`","expiryMonth":12,"expiryYear":2030,"cvc":"123","holderName":"Zhang San"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Token == "" {
		w.t.Fatalf("no token for a card: HTTP %d, %v", res.StatusCode, err)
	}
	return out.Token
}

// start begins a payment and gives its number and the payer's page; no page where there is nothing to do.
func (w *world) start(a channel.Adapter, card ...string) (number, page string) {
	w.t.Helper()
	r := w.request(a, card...)
	page, _ = w.begin(a, r)
	return r.Number, page
}

// begin starts a payment as it is asked for, follows the payer's browser to the page where it ends, and remembers its Ref.
func (w *world) begin(a channel.Adapter, r channel.StartRequest) (page string, s channel.Started) {
	w.t.Helper()
	s, err := a.Start(w.t.Context(), r)
	if err != nil {
		w.t.Fatal("start: ", err)
	}
	r.Reference = s.Reference
	w.refs.Store(r.Number, r.Ref)
	return w.follow(s.Action), s
}

// follow goes where an action sends the payer: a QR code as it is, a page opened with GET or POST and followed to its final address.
func (w *world) follow(act channel.Action) string {
	w.t.Helper()
	if act.QR != "" || act.URL == "" {
		return act.QR
	}
	var res *http.Response
	var err error
	if act.Method == http.MethodPost {
		form := url.Values{}
		for _, f := range act.Fields {
			form.Set(f.Name, f.Value)
		}
		res, err = http.PostForm(act.URL, form)
	} else {
		res, err = http.Get(act.URL)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		w.t.Fatalf("the payer's page: HTTP %d %s", res.StatusCode, body)
	}
	return res.Request.URL.String()
}

// ref is how a payment that was begun is named to its channel.
func (w *world) ref(number string) channel.Ref {
	if r, ok := w.refs.Load(number); ok {
		return r.(channel.Ref)
	}
	return channel.Ref{Number: number, MadeAt: time.Now()}
}

func (w *world) query(a channel.Adapter, number string) channel.Event {
	w.t.Helper()
	e, err := a.Query(w.t.Context(), w.ref(number))
	if err != nil {
		w.t.Fatal("query: ", err)
	}
	return e
}

// get opens a page as a phone does.
func (w *world) get(page string) (int, string) {
	w.t.Helper()
	res, err := http.Get(page)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// play is the payer's choice; fields as in outcome=succeed&late=true.
func (w *world) play(page, fields string) int {
	w.t.Helper()
	form, err := url.ParseQuery(fields)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.PostForm(page, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func (w *world) mustPlay(page, fields string) {
	w.t.Helper()
	if code := w.play(page, fields); code != http.StatusOK {
		w.t.Fatalf("%s: HTTP %d", fields, code)
	}
}

func (w *world) behave(json string) int {
	w.t.Helper()
	res, err := http.Post(w.url+"/sandbox/behaviour", "application/json", strings.NewReader(json))
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// treat sets a behaviour for the rest of the test.
func (w *world) treat(a channel.Adapter, field, value string) {
	w.t.Helper()
	set := func(v string) int {
		return w.behave(fmt.Sprintf(`{"channel":%q,%q:%q}`, a.Channel(), field, v))
	}
	if code := set(value); code != http.StatusNoContent {
		w.t.Fatalf("behaviour %s: HTTP %d", value, code)
	}
	w.t.Cleanup(func() { set("normal") })
}

// hears waits for the next notification.
func (w *world) hears() channel.Notification {
	w.t.Helper()
	select {
	case h := <-w.heard:
		return h.Notification
	case <-time.After(20 * time.Second):
		w.t.Fatal("no notification came")
		return channel.Notification{}
	}
}

// hearsNothing waits until every notification in the books is settled and none has come.
func (w *world) hearsNothing() {
	w.t.Helper()
	w.settled()
	select {
	case h := <-w.heard:
		w.t.Fatalf("a notification came: %s", h.Body)
	default:
	}
}

// settled waits until nothing is left to deliver.
func (w *world) settled() {
	w.t.Helper()
	w.until("all notifications settled", func() bool {
		return w.count("SELECT COUNT(*) FROM sandbox_notifications WHERE next_at IS NOT NULL") == 0
	})
}

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	if _, err := w.home.DB.QueryRow(w.t.Context(), []any{&n}, query, args...); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatal("waited in vain: ", what)
		}
	}
}
