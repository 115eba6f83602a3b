package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/paymentrequest"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/reconcile"
	"paydesk/internal/billing/refund"
	"paydesk/internal/billing/verification"
	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/blob"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/persisted"
	"paydesk/internal/platform/ratelimit"
	"paydesk/internal/platform/redisx"
	"paydesk/internal/platform/seal"
	"paydesk/internal/platform/telemetry"
	"paydesk/internal/sandbox"
	"paydesk/internal/sweep"
	"paydesk/internal/webhook"
	"paydesk/models"
)

// app is the assembled product: this file is the only place that knows everybody.
type app struct {
	cfg      *config.Config
	log      *slog.Logger
	own      string // http://127.0.0.1:port, where this very process answers
	public   string // where people and providers reach it
	db       *database.DB
	redis    redis.UniversalClient
	clock    clock.Clock
	shifted  *clock.Shifted // nil outside development
	hub      *live.Hub
	limiter  *ratelimit.Limiter
	issuer   *auth.Issuer // nil outside development
	verifier *auth.Verifier
	policy   *policy.Policy
	accounts *account.Service
	orders   *order.Service
	ledger   *ledger.Ledger
	benefits *benefit.Service
	codes    *verification.Service
	checkout *checkout.Service
	payments *payment.Service
	refunds  *refund.Service
	days     *reconcile.Service
	files    *blob.Store
	requests *paymentrequest.Service
	outbox   *outbox.Outbox
	messages *notify.Desk
	seal     *seal.Box
	registry *prometheus.Registry
	metrics  *metrics
	keys     *idempotency.Store
	channels channel.Registry
	sandbox  *sandbox.Sandbox    // nil outside development
	given    persisted.Documents // of PAYDESK_PERSISTED_DOCUMENTS
	inbox    *webhook.Inbox
	sweeper  *sweep.Sweeper
	closers  []func() error
}

// openDatabase opens the home of the data, making the folder of an embedded one.
func openDatabase(ctx context.Context, cfg *config.Config) (*database.DB, error) {
	if cfg.Embedded {
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("PAYDESK_DATA_DIR: %w", err)
		}
	}
	db, err := database.Open(ctx, cfg.DatabaseURL, database.Options{MaxOpen: cfg.Database.Pool, Readers: cfg.Database.Readers, LockWait: cfg.Database.LockWait})
	if err != nil {
		return nil, config.Unusable("PAYDESK_DATABASE_URL", cfg.DatabaseURL, err)
	}
	return db, nil
}

// assemble builds the product on a listener that is already open, for its address is part of many others. The caller closes it.
func assemble(ctx context.Context, cfg *config.Config, log *slog.Logger, listener net.Listener) (*app, error) {
	a := &app{cfg: cfg, log: log, registry: telemetry.NewRegistry()}
	a.metrics = newMetrics(a.registry)
	a.own, a.public = addresses(cfg, listener)
	for _, step := range []func(context.Context) error{a.manifests, a.traces, a.stores, a.time, a.tokens, a.business, a.providers, a.work} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, a.close())
		}
	}
	return a, nil
}

func addresses(cfg *config.Config, listener net.Listener) (own, public string) {
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	host := "127.0.0.1"
	if ip := listener.Addr().(*net.TCPAddr).IP; ip.IsLoopback() {
		host = ip.String()
	}
	own = "http://" + net.JoinHostPort(host, port)
	if public = cfg.PublicURL; public == "" {
		public = own
	}
	return own, public
}

func (a *app) onClose(f func() error) { a.closers = append(a.closers, f) }

// close ends what assemble opened, last first.
func (a *app) close() (err error) {
	for _, f := range slices.Backward(a.closers) {
		err = errors.Join(err, f())
	}
	a.closers = nil
	return err
}

// flushWithin bounds, at the end, the wait for a collector of traces: the drain has had its time (contract §1: 15 s in all).
const flushWithin = time.Second

func (a *app) traces(ctx context.Context) error {
	stop, err := telemetry.StartTracing(ctx, a.cfg.Trace, version(), a.registry, a.log)
	if err != nil {
		return err
	}
	a.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
		defer cancel()
		if err := stop(ctx); err != nil { // nobody's loss but the operator's
			a.log.Warn("the last traces were not delivered", "error", err)
		}
		return nil
	})
	return nil
}

func (a *app) stores(ctx context.Context) (err error) {
	if a.db, err = openDatabase(ctx, a.cfg); err != nil {
		return err
	}
	a.onClose(a.db.Close)
	if err = database.Migrate(ctx, a.db); err != nil {
		return err
	}
	client, end, err := redisx.Open(a.cfg.RedisURL)
	if err != nil {
		return err
	}
	a.redis = client
	redisx.Watch(client, a.metrics.asked)
	a.onClose(end)
	if err := client.Ping(ctx).Err(); err != nil { // not a reason to stop: everything works without it, only slower
		a.log.Warn("Redis does not answer", "error", err)
	}
	a.hub = live.New(client, a.log)
	a.limiter = ratelimit.New(client, a.cfg.Rates, a.cfg.Dev, a.log)
	return nil
}

// time: in development the product's clock can be moved forward, for all instances.
func (a *app) time(ctx context.Context) (err error) {
	a.clock = clock.System{}
	if a.cfg.Dev {
		a.shifted, err = clock.NewShifted(ctx, a.db, a.hub, a.log)
		a.clock = a.shifted
	}
	return err
}

func (a *app) tokens(ctx context.Context) (err error) {
	c := auth.Config{JWKSURL: a.cfg.JWT.JWKSURL, KeyFile: a.cfg.JWT.KeyFile, Issuer: a.cfg.JWT.Issuer, Audience: a.cfg.JWT.Audience, Leeway: a.cfg.JWT.Leeway}
	if a.cfg.Dev {
		if a.issuer, err = auth.NewIssuer(ctx, a.db); err != nil {
			return err
		}
		c.DevelopmentKey = a.issuer.Key()
	}
	if a.verifier, err = auth.NewVerifier(ctx, c); err != nil {
		if c.KeyFile != "" {
			return config.Unusable("PAYDESK_JWT_KEY_FILE", c.KeyFile, err)
		}
		return err
	}
	a.onClose(a.verifier.Close)
	return nil
}

func (a *app) business(ctx context.Context) (err error) {
	if a.policy, err = policy.Load(a.cfg.Policy); err != nil {
		return fmt.Errorf("PAYDESK_POLICY: %w", err)
	}
	a.keys = idempotency.New(a.db, a.redis, a.clock)
	a.outbox = outbox.New(a.db, a.clock, a.hub, a.log)
	if err = a.openDesk(ctx); err != nil {
		return err
	}
	a.ledger = ledger.New(a.db)
	a.benefits = benefit.New(a.db, a.clock, a.keys, benefit.Rules{ReturnCoupons: a.policy.Refunds.ReturnCoupons})
	a.accounts = account.New(a.db, a.clock, a.keys, a.policy)
	a.orders = order.New(a.db, a.messages, a.clock, a.keys, order.Rules{Validity: a.policy.OrderValidity()})
	return nil
}

func (a *app) providers(ctx context.Context) (err error) {
	if a.cfg.Dev {
		a.sandbox = sandbox.New(sandbox.Config{DB: a.db, Clock: a.clock, PublicURL: func() string { return a.public }, Log: a.log})
	}
	if a.channels, err = a.adapters(ctx); err != nil {
		return err
	}
	a.openCodes()
	a.checkout = checkout.New(checkout.Config{Orders: a.orders, Accounts: a.accounts, Benefits: a.benefits, Verifier: a.codes, Policy: a.policy, Health: a.channels.Healthy, Clock: a.clock})
	a.payments = payment.New(payment.Config{
		DB: a.db, Ledger: a.ledger, Orders: a.orders, Accounts: a.accounts, Checkout: a.checkout, Benefits: a.benefits, Codes: a.codes, Policy: a.policy, Channels: a.channels, Keys: a.keys, Outbox: a.outbox, Messages: a.messages, Clock: a.clock, Log: a.log,
		NotifyURL: a.notifyURL, ReturnURL: a.returnURL, ReturnOrigins: a.returnOrigins, Moved: a.metrics.moved,
	})
	a.files = blob.New(a.db)
	a.requests = paymentrequest.New(paymentrequest.Config{DB: a.db, Keys: a.keys, Quotes: a.checkout, Accounts: a.accounts, Files: a.files, Policy: a.policy, Clock: a.clock})
	a.refunds = refund.New(refund.Config{DB: a.db, Ledger: a.ledger, Payments: a.payments, Orders: a.orders, Benefits: a.benefits, Accounts: a.accounts, Policy: a.policy, Channels: a.channels, Keys: a.keys,
		Outbox: a.outbox, Messages: a.messages, Clock: a.clock, Log: a.log, NotifyURL: a.notifyURL})
	a.days = reconcile.New(reconcile.Config{DB: a.db, Channels: a.channels, Payments: a.payments, Refunds: a.refunds, Files: a.files, Clock: a.clock, Log: a.log,
		Always: func(c models.PaymentChannel) bool { return fleet.Configured(a.cfg, c) }})
	a.inbox = &webhook.Inbox{DB: a.db, Payments: a.payments, Refunds: a.refunds, Channels: a.channels, Clock: a.clock, Log: a.log, Heard: a.metrics.notified}
	a.metrics.open(balance)
	return nil
}

// notifyURL is where a channel reports, the sandbox like any other (contract.md §1).
func (a *app) notifyURL(c models.PaymentChannel) string {
	return a.public + "/webhooks/" + string(c)
}

// returnURL is where a channel's page sends the payer's browser: the channel is asked at once, then the browser goes on.
func (a *app) returnURL(number string) string { return a.public + "/return/" + number }

func (a *app) returnOrigins() []string {
	if len(a.cfg.ReturnURLs) > 0 {
		return a.cfg.ReturnURLs
	}
	u, err := url.Parse(a.public)
	if err != nil {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// sweepEvery is how often due work is looked for; sweepBatch how much of it a round takes.
const (
	sweepEvery = time.Second
	sweepBatch = 100
)

func (a *app) work(context.Context) error {
	a.sweeper = sweep.New(sweepEvery, a.log, a.metrics.sweep,
		sweep.Job{Name: "payments", Run: func(ctx context.Context) (int, error) { return a.payments.Sweep(ctx, sweepBatch) }},
		sweep.Job{Name: "refunds", Run: func(ctx context.Context) (int, error) { return a.refunds.Sweep(ctx, sweepBatch) }},
		sweep.Job{Name: "orders", Run: func(ctx context.Context) (int, error) {
			n, err := a.orders.ExpireDue(ctx, a.clock.Now(), sweepBatch)
			return int(n), err
		}},
		sweep.Job{Name: "coupons", Run: func(ctx context.Context) (int, error) { return a.benefits.Repair(ctx, sweepBatch) }},
		sweep.Job{Name: "inbox", Run: func(ctx context.Context) (int, error) { return a.inbox.Sweep(ctx, sweepBatch) }},
		sweep.Job{Name: "evidence", Run: func(ctx context.Context) (int, error) { return a.inbox.Clean(ctx, sweepBatch) }},
		sweep.Job{Name: "outbox", Run: a.outbox.Sweep},
		sweep.Job{Name: smsJob, Run: func(ctx context.Context) (int, error) { return a.messages.Sweep(ctx, notify.SMS, messageBatch) }},
		sweep.Job{Name: mailJob, Run: func(ctx context.Context) (int, error) { return a.messages.Sweep(ctx, notify.Email, messageBatch) }},
		sweep.Job{Name: "files", Run: func(ctx context.Context) (int, error) { return a.files.Sweep(ctx, a.clock.Now(), sweepBatch) }},
		sweep.Job{Name: "reconcile", Run: a.days.Sweep},
		sweep.Job{Name: "idempotency", Run: func(ctx context.Context) (int, error) {
			n, err := a.keys.Sweep(ctx)
			return int(n), err
		}},
	)
	return nil
}
