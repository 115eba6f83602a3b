package main

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"paydesk/internal/platform/notify"
)

// scrapeTimeout bounds what a scrape waits for the database and Redis. What they do not say in time is not shown.
const scrapeTimeout = time.Second

// watcher reads at a scrape what nobody counts.
type watcher struct {
	a     *app
	mu    sync.Mutex
	descs map[string]*prometheus.Desc
}

// watched are its metrics: name, help, labels.
var watched = []struct {
	name, help string
	labels     []string
}{
	{"paydesk_database_up", "1 where both pools of the database answer within a second.", nil},
	{"paydesk_database_connections", "Connections to the database, by pool and state (in_use, idle).", []string{"pool", "state"}},
	{"paydesk_database_connections_max", "Most connections of a pool.", []string{"pool"}},
	{"paydesk_database_waits_total", "Times that a connection was waited for, by pool.", []string{"pool"}},
	{"paydesk_database_wait_seconds_total", "Time that connections were waited for, by pool.", []string{"pool"}},
	{"paydesk_database_round_trips_total", "Round trips to the database.", nil},
	{"paydesk_database_prepares_total", "Statements prepared on a connection, one more round trip each.", nil},
	{"paydesk_database_retries_total", "Transactions run again after a conflict.", nil},
	{"paydesk_redis_up", "1 where Redis answers within a second.", nil},
	{"paydesk_redis_connections", "Connections to Redis, by state (in_use, idle).", []string{"state"}},
	{"paydesk_redis_pool_timeouts_total", "Times that no connection to Redis came free in time.", nil},
	{"paydesk_live_watchers", "Subscriptions that wait for a wake-up.", nil},
	{"paydesk_outbox_lag_seconds", "Age of the oldest change that still has to be told.", nil},
	{"paydesk_sweep_lag_seconds", "How long the oldest piece of due work has waited, by job.", []string{"sweep"}},
	{"paydesk_channel_breaker_state", "Circuit breakers of a channel, of calls (paying), queries and refunds: 0 closed, 1 half-open (one call tries), 2 open (no call is made).", []string{"channel", "of"}},
}

// watch registers what is read when somebody scrapes.
func (a *app) watch(r prometheus.Registerer) {
	w := &watcher{a: a, descs: map[string]*prometheus.Desc{}}
	for _, m := range watched {
		w.descs[m.name] = prometheus.NewDesc(m.name, m.help, m.labels, nil)
	}
	r.MustRegister(w)
}

// Describe names the metrics.
func (w *watcher) Describe(out chan<- *prometheus.Desc) {
	for _, d := range w.descs {
		out <- d
	}
}

// Collect reads them, one scrape at a time: a database that hangs is asked once.
func (w *watcher) Collect(out chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	values := show(func(kind prometheus.ValueType, name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(w.descs[name], kind, value, labels...)
	})
	for _, read := range []func(context.Context, show){w.database, w.redis} { // each has its own time: one that hangs says nothing of the other
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		read(ctx, values)
		cancel()
	}
	values.gauge("paydesk_live_watchers", float64(w.a.hub.Watching()))
	w.breakers(values)
}

// show hands out one value.
type show func(kind prometheus.ValueType, name string, value float64, labels ...string)

func (s show) gauge(name string, value float64, labels ...string) {
	s(prometheus.GaugeValue, name, value, labels...)
}

func (s show) counter(name string, value float64, labels ...string) {
	s(prometheus.CounterValue, name, value, labels...)
}

func (w *watcher) database(ctx context.Context, show show) {
	stats := w.a.db.Stats()
	for pool, s := range map[string]sql.DBStats{"read": stats.Reads, "transaction": stats.Transactions} {
		show.gauge("paydesk_database_connections", float64(s.InUse), pool, "in_use")
		show.gauge("paydesk_database_connections", float64(s.Idle), pool, "idle")
		show.gauge("paydesk_database_connections_max", float64(s.MaxOpenConnections), pool)
		show.counter("paydesk_database_waits_total", float64(s.WaitCount), pool)
		show.counter("paydesk_database_wait_seconds_total", s.WaitDuration.Seconds(), pool)
	}
	show.counter("paydesk_database_round_trips_total", float64(stats.RoundTrips))
	show.counter("paydesk_database_prepares_total", float64(stats.Prepares))
	show.counter("paydesk_database_retries_total", float64(stats.Retries))
	if w.a.db.Ping(ctx) != nil {
		show.gauge("paydesk_database_up", 0)
		return
	}
	show.gauge("paydesk_database_up", 1)
	for _, of := range []struct {
		name   string
		read   func(context.Context) (time.Duration, error)
		labels []string
	}{
		{"paydesk_outbox_lag_seconds", w.a.outbox.Lag, nil},
		{"paydesk_sweep_lag_seconds", w.a.payments.Lag, []string{"payments"}},
		{"paydesk_sweep_lag_seconds", w.a.refunds.Lag, []string{"refunds"}},
		{"paydesk_sweep_lag_seconds", w.a.inbox.Lag, []string{"inbox"}},
		{"paydesk_sweep_lag_seconds", w.a.days.Lag, []string{"reconcile"}},
		{"paydesk_sweep_lag_seconds", w.a.messageLag(notify.SMS), []string{smsJob}},
		{"paydesk_sweep_lag_seconds", w.a.messageLag(notify.Email), []string{mailJob}},
	} {
		if lag, err := of.read(ctx); err == nil {
			show.gauge(of.name, lag.Seconds(), of.labels...)
		}
	}
}

func (w *watcher) redis(ctx context.Context, show show) {
	up := 0.0
	if w.a.redis.Ping(ctx).Err() == nil {
		up = 1
	}
	show.gauge("paydesk_redis_up", up)
	s := w.a.redis.PoolStats()
	show.gauge("paydesk_redis_connections", float64(s.TotalConns-s.IdleConns), "in_use")
	show.gauge("paydesk_redis_connections", float64(s.IdleConns), "idle")
	show.counter("paydesk_redis_pool_timeouts_total", float64(s.Timeouts))
}

var breakerStates = map[string]float64{"closed": 0, "half-open": 1, "open": 2}

func (w *watcher) breakers(show show) {
	for name, adapter := range w.a.channels {
		b, ok := adapter.(interface{ States() map[string]string })
		if !ok {
			continue
		}
		for of, state := range b.States() {
			show.gauge("paydesk_channel_breaker_state", breakerStates[state], string(name), of)
		}
	}
}
