package verification_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/verification"
	"paydesk/internal/money"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/ratelimit"
	"paydesk/internal/platform/seal"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// standing is a clock that stands until it is moved.
type standing struct {
	mu  sync.Mutex
	now time.Time
}

func (c *standing) Now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *standing) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// world is verification on one of the homes with the real services beside it, and an enterprise to protect.
type world struct {
	*verification.Service
	testing.TB
	testenv.Home
	ctx      context.Context
	clock    *standing // the product's
	wall     *standing
	accounts *account.Service
	orders   *order.Service
	messages *notify.Desk
	log      *bytes.Buffer
	firm     models.Account
	user     string
}

func start() *standing { return &standing{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)} }

// each runs a test on both homes; guesses is how many the limiter lets pass in an hour.
func each(t *testing.T, guesses int, test func(t *testing.T, w *world)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) { test(t, newWorld(t, home, guesses)) })
}

func newWorld(t *testing.T, home testenv.Home, guesses int) *world {
	w := &world{TB: t, Home: home, ctx: t.Context(), clock: start(), wall: start(), log: &bytes.Buffer{}, user: "wang@example.com"}
	rules, err := policy.Load("default")
	w.must(err)
	box, err := seal.Load(w.ctx, home.DB, "")
	w.must(err)
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keys := idempotency.New(home.DB, home.Redis, w.clock)
	w.accounts = account.New(home.DB, w.clock, keys, rules)
	w.orders = order.New(home.DB, notify.New(home.DB), w.clock, keys, order.Rules{Validity: rules.OrderValidity()})
	w.messages = notify.Open(notify.Config{DB: home.DB, Clock: w.clock, Log: log, Seal: box, Development: true})
	limiter := ratelimit.New(home.Redis, config.Rates{User: 1, Account: 1, Money: 1, SignIn: 1, Guesses: guesses}, true, log)
	w.Service = verification.New(verification.Config{DB: home.DB, Accounts: w.accounts, Orders: w.orders, Policy: rules, Messages: w.messages, Guesses: limiter, Seal: box,
		Clock: w.clock, Log: log, SendsPerDay: 20, Wall: w.wall.Now})
	w.firm = w.open("+86 138 0013 8001", "finance@yuntu.example.com")
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open(phone, email string) models.Account {
	w.Helper()
	a, err := w.accounts.Open(w.ctx, account.Opening{Number: "A" + models.NewID().String(), Name: "Yuntu", Kind: models.AccountEnterprise, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", RealName: "云图", Phone: phone, Email: email})
	w.must(err)
	return a
}

// place places orders of these amounts, as one purchase or each for itself.
func (w *world) place(a models.Account, bundle bool, amounts ...string) (ids []models.ID) {
	w.Helper()
	p := order.Placement{AccountID: a.ID, Bundle: bundle}
	for _, amount := range amounts {
		p.Orders = append(p.Orders, order.NewOrder{Number: "O" + models.NewID().String(), Type: "NEW_PURCHASE", ProductType: "ecs",
			Items: []order.NewItem{{Name: "server", Quantity: 1, Amount: input.Amount{Decimal: amount, Currency: "CNY"}}}})
	}
	rows, err := w.orders.Place(w.ctx, p)
	w.must(err)
	for _, o := range rows {
		ids = append(ids, o.ID)
	}
	return ids
}

func yuan(text string) money.Money {
	m, err := money.Parse(text, "CNY")
	if err != nil {
		panic(err)
	}
	return m
}

func funding(balance, online string) *verification.Funding {
	return &verification.Funding{Balance: &input.Amount{Decimal: balance, Currency: "CNY"}, Online: &input.Amount{Decimal: online, Currency: "CNY"}}
}

// ask asks for a code by SMS.
func (w *world) ask(scene models.VerificationScene, ids []models.ID, f *verification.Funding) (verification.Sent, error) {
	return w.Send(w.ctx, verification.Sending{AccountID: w.firm.ID, UserID: w.user, Locale: "en", Scene: scene, Kind: models.CodeBySMS, OrderIDs: ids, Funding: f})
}

// code gets one, as the person reads it.
func (w *world) code(scene models.VerificationScene) string {
	w.Helper()
	_, err := w.ask(scene, nil, nil)
	w.must(err)
	return w.letter().Code
}

// letter is the newest message.
func (w *world) letter() notify.Message {
	w.Helper()
	all, err := w.messages.Of(w.ctx, w.firm.ID)
	w.must(err)
	if len(all) == 0 {
		w.Fatal("nothing was sent")
	}
	return all[0]
}

func (w *world) use(scene models.VerificationScene, code string) verification.Use {
	return verification.Use{AccountID: w.firm.ID, UserID: w.user, Scene: scene, Code: code}
}

// try uses a code up as a payment does: looked at before the transaction, spent in it.
func (w *world) try(u verification.Use) error {
	p, err := w.Check(w.ctx, u)
	if err != nil {
		return err
	}
	return w.DB.InTx(w.ctx, func(ctx context.Context) error { return w.Spend(ctx, p) })
}

// refused wants a fault with this code.
func (w *world) refused(what string, err error, code string) *fault.Fault {
	w.Helper()
	f, _ := fault.As(err)
	if f == nil || f.Code != code {
		w.Errorf("%s: %v, want %s", what, err, code)
		return &fault.Fault{}
	}
	return f
}

// told sees what a person reads of a fault.
func (w *world) told(f *fault.Fault, part string) {
	w.Helper()
	if text := messages.ForField("en", f.Code, f.Field, f.Args); !strings.Contains(text, part) {
		w.Errorf("%v is told %q, not %q", f, text, part)
	}
}

// other is a code of the same form that is not this one.
func other(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

func is(err error, code string) bool {
	var f *fault.Fault
	return errors.As(err, &f) && f.Code == code
}
