package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// metrics are what the whole process shows at /metrics beside the requests (contract.md §8).
type metrics struct {
	payments *prometheus.CounterVec
	swept    *prometheus.CounterVec
	took     *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		payments: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "paydesk_payments_total", Help: "Transitions of payments by channel (BALANCE without one) and the status they reached."}, []string{"channel", "status"}),
		swept:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "paydesk_sweep_done_total", Help: "Pieces of due work done, by job."}, []string{"job"}),
		took:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "paydesk_sweep_last_seconds", Help: "How long a job's last run took."}, []string{"job"}),
	}
	r.MustRegister(m.payments, m.swept, m.took)
	return m
}

func (m *metrics) moved(channel models.PaymentChannel, to models.PaymentStatus) {
	if channel == "" {
		channel = "BALANCE"
	}
	m.payments.WithLabelValues(string(channel), string(to)).Inc()
}

func (m *metrics) ran(job string, took time.Duration, done int) {
	m.took.WithLabelValues(job).Set(took.Seconds())
	m.swept.WithLabelValues(job).Add(float64(done))
}

// lagTimeout bounds what a scrape may wait for the database.
const lagTimeout = time.Second

// watch registers what is read when somebody scrapes.
func (a *app) watch(r prometheus.Registerer) {
	gauge := func(name, help string, read func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
	}
	for pool, of := range map[string]func(database.Stats) sql.DBStats{
		"read":        func(s database.Stats) sql.DBStats { return s.Reads },
		"transaction": func(s database.Stats) sql.DBStats { return s.Transactions },
	} {
		for state, read := range map[string]func(sql.DBStats) int{
			"in_use": func(s sql.DBStats) int { return s.InUse },
			"idle":   func(s sql.DBStats) int { return s.Idle },
		} {
			r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "paydesk_database_connections", Help: "Connections to the database, by pool and state.",
				ConstLabels: prometheus.Labels{"pool": pool, "state": state}}, func() float64 { return float64(read(of(a.db.Stats()))) }))
		}
	}
	gauge("paydesk_database_round_trips", "Round trips to the database since the start.", func() float64 { return float64(a.db.Stats().RoundTrips) })
	gauge("paydesk_database_retries", "Transactions run again after a conflict since the start.", func() float64 { return float64(a.db.Stats().Retries) })
	gauge("paydesk_live_watchers", "Subscriptions that wait for a wake-up.", func() float64 { return float64(a.hub.Watching()) })
	gauge("paydesk_outbox_lag_seconds", "Age of the oldest row that still has to be told; -1 where the database did not say.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), lagTimeout)
		defer cancel()
		lag, err := a.outbox.Lag(ctx)
		if err != nil {
			return -1
		}
		return lag.Seconds()
	})
}
