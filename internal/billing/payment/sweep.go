package payment

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/platform/crew"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// While a payer may still be paying, the channel is asked every 13 seconds: a refusal that the channel does not notify is
// then told within 15, the sweep's own pace and the answer's time included (contract.md §6), and a lost notification found (channels.md §4, TX-6). Validity ends that after an hour
// at most; a channel that cannot be closed, or that reviews the payer's money, is asked on, ever more seldom.
const (
	askEvery   = 13 * time.Second
	askLater   = 5 * time.Minute
	askSeldom  = time.Hour
	askLaterAt = 10 * time.Minute // after the end
	silence    = time.Hour        // after the end: a payment whose channel has not answered since expires
)

// longReview is how many days after its end a payment under review is reported: no provider needs that long.
const longReview = 30

// lateAfter is when a payment that ended unpaid is looked at again: a payer may have been just paying.
var lateAfter = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour}

// lease is how long one instance has for a payment before another may take it up.
const lease = time.Minute

// schedule is when to look next at a payment that has not ended, but at its end in any case.
func schedule(now, end time.Time) time.Time {
	switch over := now.Sub(end); {
	case over > askLaterAt && over < silence:
		return end.Add(silence)
	case over > askLaterAt:
		return now.Add(askSeldom)
	case over > 0:
		return now.Add(askLater)
	}
	if at := now.Add(askEvery); at.Before(end) || !now.Before(end) {
		return at
	}
	return end
}

// lateWatch is when an ended payment is looked at again; nil for one that succeeded, had no channel, or was watched enough.
func (s *Service) lateWatch(p models.Payment, now time.Time, count int64) *time.Time {
	if p.Status == models.PaymentSucceeded || p.Channel == "" || p.LateAmount != 0 || count >= int64(len(lateAfter)) {
		return nil
	}
	at := now.Add(lateAfter[count])
	return &at
}

// Lag is how long the payment that is longest due has waited to be looked at; zero when none is due.
func (s *Service) Lag(ctx context.Context) (time.Duration, error) {
	var due time.Time
	now := s.Clock.Now()
	found, err := s.DB.QueryRow(ctx, []any{&due}, "SELECT sweep_at FROM payments WHERE sweep_at <= ? ORDER BY sweep_at LIMIT 1", now)
	if err != nil || !found {
		return 0, err
	}
	return now.Sub(due), nil
}

// workers is how many payments one instance looks at at a time: a channel that is slow to answer costs one answer's time,
// not one for each open payment.
const workers = 16

// Sweep asks channels about payments that are due, at most limit of them, and ends those whose time is over. It returns how
// many it looked at. Several instances may sweep at once: a payment is taken by moving its time.
func (s *Service) Sweep(ctx context.Context, limit int) (int, error) {
	var due []models.Payment
	if err := s.DB.Gorm(ctx).Where("sweep_at <= ?", s.Clock.Now()).Order("sweep_at").Limit(limit).Find(&due).Error; err != nil {
		return 0, err
	}
	return crew.Do(ctx, workers, due, func(p models.Payment) bool { return s.takeUp(ctx, p) })
}

// takeUp looks at a due payment unless another instance has it; false where it has, or where the database does not answer.
func (s *Service) takeUp(ctx context.Context, p models.Payment) bool {
	n, err := s.DB.Exec(ctx, "UPDATE payments SET sweep_at = ? WHERE account_id = ? AND id = ? AND sweep_at = ?", s.Clock.Now().Add(lease), p.AccountID, p.ID, *p.SweepAt)
	if err == nil && n == 1 {
		err = s.look(ctx, p)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "sweep: payment left for later", "payment", p.ID, "account", p.AccountID, "error", err)
	}
	return n == 1
}

// look brings one due payment further. One that makes the code panic is left for later like any other failure.
func (s *Service) look(ctx context.Context, due models.Payment) (err error) {
	ctx, span := trace.Work(ctx, "look at payment")
	seen(span, due)
	defer span.End()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	said, err := s.ask(ctx, due)
	if err != nil {
		// A channel that stays silent must not keep orders for ever. Its money, should it come, is found by the late watch. Money that it
		// reviews has come: that is waited for.
		if !due.Status.Terminal() && s.Clock.Now().Sub(*due.ExpiresAt) >= silence {
			err = errors.Join(err, s.end(ctx, due, evExpired, ""))
		}
		return errors.Join(err, s.reschedule(ctx, due, "", false))
	}
	p, err := s.ByID(ctx, due.AccountID, due.ID)
	if err == nil && !p.Status.Terminal() {
		switch {
		case undecided(p, said): // it ends as the provider says, and when
		case !s.Clock.Now().Before(*p.ExpiresAt):
			err = s.expire(ctx, p)
		case p.Status == models.PaymentProcessing && p.ActionKind == "" && !p.InReview():
			err = s.restart(ctx, p) // never reached the channel, or its answer was lost
		}
	}
	return errors.Join(err, s.reschedule(ctx, due, said, true))
}

// undecided reports whether the provider still reviews the payer's money: as it says, or has said and not taken back. Only an answer that
// knows what became of the money does that: not one that knows no such trade, and not that nobody can be asked.
func undecided(p models.Payment, said channel.State) bool {
	switch said {
	case channel.StatePaid, channel.StatePending, channel.StateClosed, channel.StateDeclined:
		return false
	}
	return said == channel.StateInReview || p.InReview()
}

// expire closes the trade, asks once more, and only then ends the payment: a payer may have paid in between. What the
// channel says may leave it open (another amount): its time is over all the same. A review that has ended with nothing taken is a refusal.
func (s *Service) expire(ctx context.Context, p models.Payment) error {
	if err := s.close(ctx, p); err != nil {
		return err
	}
	said, err := s.ask(ctx, p)
	if err != nil || undecided(p, said) {
		return err
	}
	if p.InReview() {
		return s.end(ctx, p, evDeclined, "PAYMENT_DECLINED")
	}
	return s.end(ctx, p, evExpired, "")
}

// ask queries the channel, applies what it says and returns that; nothing where there is nobody to ask. An unknown answer leaves
// everything as it is.
func (s *Service) ask(ctx context.Context, p models.Payment) (channel.State, error) {
	adapter, ok := s.Channels[p.Channel]
	if !ok {
		return "", nil
	}
	ev, err := adapter.Query(ctx, RefOf(p))
	if err != nil {
		return "", err
	}
	_, err = s.Apply(ctx, p.Channel, ev)
	return ev.State, err
}

// reschedule says when the sweep looks next at the payment that was due; one that has ended since keeps what its end set. A
// look counts where the channel has answered, and has decided: money must not be missed because it did not.
func (s *Service) reschedule(ctx context.Context, due models.Payment, said channel.State, answered bool) error {
	p, err := s.ByID(ctx, due.AccountID, due.ID)
	if err != nil || p.SweepAt == nil || (p.Status.Terminal() && !due.Status.Terminal()) {
		return err
	}
	now, count := s.Clock.Now(), p.SweepCount
	if answered {
		count++
	}
	var at *time.Time
	if p.Status.Terminal() {
		if said == channel.StateInReview { // it may still become ours
			count = min(count, int64(len(lateAfter))-1)
		}
		at = s.lateWatch(p, now, count)
	} else {
		s.remind(ctx, p, due.SweepAt.Add(-askSeldom), now)
		t := schedule(now, *p.ExpiresAt)
		at = &t
	}
	_, err = s.DB.Exec(ctx, "UPDATE payments SET sweep_at = ?, sweep_count = ? WHERE account_id = ? AND id = ? AND version = ?", at, count, p.AccountID, p.ID, p.Version)
	return err
}

// remind tells, once a day, of a payment whose review has lasted for a month: a provider that does not decide keeps its orders for ever.
// Before is when it was looked at before, now when it is looked at again.
func (s *Service) remind(ctx context.Context, p models.Payment, before, now time.Time) {
	days := func(t time.Time) int64 { return int64(t.Sub(*p.ExpiresAt) / (24 * time.Hour)) }
	if n := days(now); p.InReview() && n >= longReview && n != days(before) {
		s.Log.ErrorContext(ctx, "channel still reviews the payer's money after a month", "payment", p.ID, "account", p.AccountID, "channel", p.Channel, "days", n)
	}
}
