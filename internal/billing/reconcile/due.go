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
	reachDays  = 90                         // days back that are compared by themselves: providers have statements about that long (channels.md §5)
	reach      = reachDays * 24 * time.Hour // and so long a line that is on its way may wait for its end
	lookBack   = 7                          // days that come first, and those of a channel that no money has come through yet
	older      = 5                          // days before those that are compared in one run, of a channel
	readyAfter = 10 * time.Hour             // after the channel's day ended: providers have their statements by then (channels.md §5)
	lookEvery  = time.Minute
	tryAgain   = time.Hour
	trySeldom  = 24 * time.Hour // what is older than lookBack, and what a channel has not decided
	together   = 3              // channels that are compared at a time
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
	ready   time.Time // since when its statement may be there
	at      time.Time // when it is to be compared, or again
	done    bool      // it was compared before
	old     bool      // it is older than lookBack
	absent  bool      // the channel has no statement of it
}

// Sweep compares the days that are due, and returns how many those were: those that are over for ten hours and were not compared yet; every
// hour again those whose statement could not be had, or of which the channel did not answer everything. The last seven days come first,
// then some of the older ones, of which the oldest first: that is lost first.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	if !s.pace.allows(now) {
		return 0, nil
	}
	due, err := s.due(ctx, now)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var mu sync.Mutex
	var failed error
	_, err = crew.Do(ctx, together, slices.Collect(maps.Values(due)), func(days []dueDay) bool {
		err := s.runAll(ctx, days)
		mu.Lock()
		defer mu.Unlock()
		failed = errors.Join(failed, err)
		return true
	})
	n := 0
	for _, days := range due {
		n += len(days)
	}
	return n, errors.Join(err, failed)
}

// runAll compares days of one channel, in their order, until it does not answer.
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

// due are the days to compare now, by channel.
func (s *Service) due(ctx context.Context, now time.Time) (map[models.PaymentChannel][]dueDay, error) {
	days, err := s.outstanding(ctx, now)
	if err != nil {
		return nil, err
	}
	out, before := map[models.PaymentChannel][]dueDay{}, map[models.PaymentChannel]int{}
	for _, d := range days {
		if now.Before(d.at) {
			continue
		}
		if d.old {
			if before[d.channel]++; before[d.channel] > older {
				continue
			}
		}
		out[d.channel] = append(out[d.channel], d)
	}
	return out, nil
}

// outstanding are the days within reach that were not compared, or are to be compared again: the last week's first, then the oldest first.
func (s *Service) outstanding(ctx context.Context, now time.Time) (out []dueDay, err error) {
	rows, awaited, err := s.recent(ctx, now)
	if err != nil {
		return nil, err
	}
	for ch, adapter := range s.Channels {
		since, used, err := s.used(ctx, ch, now)
		if err != nil {
			return nil, err
		}
		if !used {
			continue
		}
		today := channel.DayOf(adapter, now)
		for n := -reachDays; n < 0; n++ {
			d := dueDay{channel: ch, day: today.Next(n), old: n < -lookBack}
			_, to := adapter.StatementDay(d.day)
			d.ready = to.Add(readyAfter)
			r := rows[id{ch, d.day}]
			if !now.Before(d.ready) && (r.Status != "" || since.Before(to)) && d.wanted(r, awaited[id{ch, d.day}], to) {
				out = append(out, d)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dueDay) int {
		if a.old != b.old {
			if b.old {
				return -1
			}
			return 1
		}
		return a.ready.Compare(b.ready)
	})
	return out, nil
}

// wanted tells whether the day is to be compared, or compared again, and sets from when on. Undecided: a later comparison may say more.
func (d *dueDay) wanted(r models.Reconciliation, undecided bool, to time.Time) bool {
	d.absent = r.Note == notThere
	pause := tryAgain
	if d.old {
		pause = trySeldom
	}
	switch d.at = d.ready; {
	case r.Status == "":
	case r.Status == models.ReconciliationRunning:
		d.at = r.StartedAt.Add(lease)
	case r.Status == models.ReconciliationFailed:
		d.at = r.StartedAt.Add(pause)
	case r.Note != "":
		d.done, d.at = true, r.StartedAt.Add(pause)
	case undecided:
		d.done, d.at = true, r.StartedAt.Add(trySeldom)
		if decided := to.Add(patience); d.at.Before(decided) {
			d.at = decided
		}
	default:
		return false
	}
	return true
}

// id names a channel's day.
type id struct {
	channel models.PaymentChannel
	day     channel.Day
}

// recent reads how the days within reach stand, and which have movements that wait for a later statement.
func (s *Service) recent(ctx context.Context, now time.Time) (rows map[id]models.Reconciliation, awaited map[id]bool, err error) {
	rows, awaited = map[id]models.Reconciliation{}, map[id]bool{}
	since := channel.DayIn(now, time.UTC).Next(-reachDays - 1)
	err = s.DB.Query(ctx, func(r *sql.Rows) error {
		var one models.Reconciliation
		err := r.Scan(&one.Channel, &one.Day, &one.Status, &one.StartedAt, &one.Note)
		rows[id{one.Channel, channel.Day(one.Day)}] = one
		return err
	}, "SELECT channel, day, status, started_at, note FROM reconciliations WHERE day >= ?", string(since))
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

// used tells since when a channel is compared by itself: since money has come through it. One that is always compared is so for a week
// before that; any other that was never used is left alone.
func (s *Service) used(ctx context.Context, ch models.PaymentChannel, now time.Time) (since time.Time, used bool, err error) {
	since, used, err = s.first(ctx, ch)
	if week := now.AddDate(0, 0, -lookBack); s.Always != nil && s.Always(ch) && (!used || week.Before(since)) {
		return week, true, err
	}
	return since, used, err
}

// first is when money first came through a channel; found false where none has.
func (s *Service) first(ctx context.Context, ch models.PaymentChannel) (at time.Time, found bool, err error) {
	s.pace.mu.Lock()
	at, found = s.pace.since[ch]
	s.pace.mu.Unlock()
	if found {
		return at, true, nil
	}
	found, err = s.DB.QueryRow(ctx, []any{&at}, "SELECT posted_at FROM postings WHERE book = ? ORDER BY posted_at LIMIT 1", models.BookClearing+string(ch))
	if err == nil && found {
		s.pace.mu.Lock()
		defer s.pace.mu.Unlock()
		if s.pace.since == nil {
			s.pace.since = map[models.PaymentChannel]time.Time{}
		}
		s.pace.since[ch] = at
	}
	return at, found, err
}

// undecided: the day has movements that a later statement may decide.
func (s *Service) undecided(ctx context.Context, ch models.PaymentChannel, day channel.Day) bool {
	var n int64
	_, err := s.DB.QueryRow(ctx, []any{&n}, "SELECT COUNT(*) FROM differences WHERE channel = ? AND day = ? AND resolved_at IS NULL AND class IN ('LATE','ONLY_OURS')", string(ch), string(day))
	return err == nil && n > 0
}

// Lag is how long the day that is longest due has waited to be compared; zero when none is due. A day whose statement could not be had is
// counted between two tries as well once it is a day old: nobody else tells of it. One of which nobody has anything, neither the ledger nor the
// channel a statement, is none for longer than patience.
func (s *Service) Lag(ctx context.Context) (longest time.Duration, err error) {
	now := s.Clock.Now()
	days, err := s.outstanding(ctx, now)
	for _, d := range days {
		waited := now.Sub(d.ready)
		if d.done {
			waited = now.Sub(d.at)
		}
		if waited <= longest || now.Before(d.at) && (d.done || waited <= trySeldom) {
			continue
		}
		told := true
		if d.absent && waited > patience {
			if told, err = s.moved(ctx, d); err != nil {
				return longest, err
			}
		}
		if told {
			longest = waited
		}
	}
	return longest, err
}

// moved: the ledger has something of the day.
func (s *Service) moved(ctx context.Context, d dueDay) (bool, error) {
	var at time.Time
	from, to := s.Channels[d.channel].StatementDay(d.day)
	return s.DB.QueryRow(ctx, []any{&at}, "SELECT posted_at FROM postings WHERE book = ? AND posted_at >= ? AND posted_at < ? LIMIT 1", models.BookClearing+string(d.channel), from, to)
}

// LastDay is a channel's last day that is over; false where the channel is not configured.
func (s *Service) LastDay(ch models.PaymentChannel) (channel.Day, bool) {
	adapter, ok := s.Channels[ch]
	if !ok {
		return "", false
	}
	return channel.DayOf(adapter, s.Clock.Now()).Next(-1), true
}
