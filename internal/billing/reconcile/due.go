package reconcile

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/platform/crew"
	"paydesk/models"
)

const (
	lookBack   = 7              // days that are compared by themselves
	readyAfter = 10 * time.Hour // after the channel's day ended: providers have their statements by then (channels.md §5)
	lookEvery  = time.Minute
	tryAgain   = time.Hour
	together   = 3 // channels that are compared at a time
)

// pace bounds how often due days are looked for, and keeps since when a channel has moved money.
type pace struct {
	mu    sync.Mutex
	next  time.Time
	since map[models.PaymentChannel]time.Time
}

// allows reports whether it is time to look; then the next time is set.
func (p *pace) allows(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return false
	}
	p.next = now.Add(lookEvery)
	return true
}

// dueDay is a day that waits to be compared.
type dueDay struct {
	channel models.PaymentChannel
	day     channel.Day
	ready   time.Time // since when
}

// Sweep compares the days that are due, and returns how many those were: of the last seven days those that are over for ten hours and
// were not compared yet; every hour again those whose statement could not be had, or of which the channel did not answer everything.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	if !s.pace.allows(now) {
		return 0, nil
	}
	due, err := s.due(ctx, now)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	byChannel := map[models.PaymentChannel][]dueDay{}
	for _, d := range due {
		byChannel[d.channel] = append(byChannel[d.channel], d)
	}
	var mu sync.Mutex
	var failed error
	_, err = crew.Do(ctx, together, slices.Collect(maps.Values(byChannel)), func(days []dueDay) bool {
		err := s.runAll(ctx, days)
		mu.Lock()
		defer mu.Unlock()
		failed = errors.Join(failed, err)
		return true
	})
	return len(due), errors.Join(err, failed)
}

// runAll compares days of one channel, oldest first, until it does not answer.
func (s *Service) runAll(ctx context.Context, days []dueDay) error {
	for _, d := range days {
		r, err := s.Run(ctx, d.channel, d.day)
		if err != nil {
			return err
		}
		if r.Cause != nil && !errors.Is(r.Cause, channel.ErrNoStatement) {
			return nil // it is logged; the other days wait with this one
		}
	}
	return nil
}

// due are the days to compare, oldest first.
func (s *Service) due(ctx context.Context, now time.Time) (out []dueDay, err error) {
	rows, awaited, err := s.recent(ctx, now)
	if err != nil {
		return nil, err
	}
	for ch, adapter := range s.Channels {
		since, used, err := s.used(ctx, ch)
		if err != nil {
			return nil, err
		}
		if !used {
			continue
		}
		today := channel.DayOf(adapter, now)
		for n := -lookBack; n < 0; n++ {
			day := today.Next(n)
			_, to := adapter.StatementDay(day)
			if ready := to.Add(readyAfter); !now.Before(ready) && since.Before(to) && wants(rows[id{ch, day}], awaited[id{ch, day}] && now.After(to.Add(patience)), now) {
				out = append(out, dueDay{ch, day, ready})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dueDay) int { return a.ready.Compare(b.ready) })
	return out, nil
}

// wants: the day is to be compared, or compared again.
func wants(r models.Reconciliation, undecided bool, now time.Time) bool {
	switch r.Status {
	case "":
		return true
	case models.ReconciliationRunning:
		return r.StartedAt.Before(now.Add(-lease))
	case models.ReconciliationFailed:
		return !r.StartedAt.After(now.Add(-tryAgain))
	}
	return (r.Note != "" || undecided) && !r.StartedAt.After(now.Add(-tryAgain))
}

// id names a channel's day.
type id struct {
	channel models.PaymentChannel
	day     channel.Day
}

// recent reads the rows of the last days, and which days have movements that wait for the next statement.
func (s *Service) recent(ctx context.Context, now time.Time) (rows map[id]models.Reconciliation, awaited map[id]bool, err error) {
	rows, awaited = map[id]models.Reconciliation{}, map[id]bool{}
	since := channel.DayIn(now, time.UTC).Next(-lookBack - 1)
	err = s.DB.Query(ctx, func(r *sql.Rows) error {
		var one models.Reconciliation
		err := r.Scan(into(&one)...)
		rows[id{one.Channel, channel.Day(one.Day)}] = one
		return err
	}, "SELECT "+columns+" FROM reconciliations WHERE day >= ?", string(since))
	if err != nil {
		return nil, nil, err
	}
	err = s.DB.Query(ctx, func(r *sql.Rows) error {
		var one id
		err := r.Scan(&one.channel, &one.day)
		awaited[one] = true
		return err
	}, "SELECT channel, day FROM differences WHERE resolved_at IS NULL AND class = 'LATE' GROUP BY channel, day")
	return rows, awaited, err
}

// used tells since when a channel is compared by itself: since money has come through it, or ever. One that was never used is left alone.
func (s *Service) used(ctx context.Context, ch models.PaymentChannel) (since time.Time, used bool, err error) {
	if s.Always != nil && s.Always(ch) {
		return time.Time{}, true, nil
	}
	s.pace.mu.Lock()
	since, used = s.pace.since[ch]
	s.pace.mu.Unlock()
	if used {
		return since, true, nil
	}
	used, err = s.DB.QueryRow(ctx, []any{&since}, "SELECT posted_at FROM postings WHERE book = ? ORDER BY posted_at LIMIT 1", models.BookClearing+string(ch))
	if err == nil && used {
		s.pace.mu.Lock()
		defer s.pace.mu.Unlock()
		if s.pace.since == nil {
			s.pace.since = map[models.PaymentChannel]time.Time{}
		}
		s.pace.since[ch] = since
	}
	return since, used, err
}

// undecided: the day has movements that a later statement may decide.
func (s *Service) undecided(ctx context.Context, ch models.PaymentChannel, day channel.Day) bool {
	var n int64
	_, err := s.DB.QueryRow(ctx, []any{&n}, "SELECT COUNT(*) FROM differences WHERE channel = ? AND day = ? AND resolved_at IS NULL AND class IN ('LATE','ONLY_OURS')", string(ch), string(day))
	return err == nil && n > 0
}

// Lag is how long the day that is longest due has waited to be compared; zero when none is due.
func (s *Service) Lag(ctx context.Context) (time.Duration, error) {
	now := s.Clock.Now()
	due, err := s.due(ctx, now)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	return now.Sub(due[0].ready), nil
}

// LastDay is a channel's last day that is over; false where the channel is not configured.
func (s *Service) LastDay(ch models.PaymentChannel) (channel.Day, bool) {
	adapter, ok := s.Channels[ch]
	if !ok {
		return "", false
	}
	return channel.DayOf(adapter, s.Clock.Now()).Next(-1), true
}
