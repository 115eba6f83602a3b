package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// What a row says beside the verdicts of payments: stored and not yet applied, and kept as evidence alone.
const (
	received payment.Verdict = "RECEIVED"
	refused  payment.Verdict = "REFUSED"
)

// applyWithin bounds what a provider waits for its acknowledgement beyond the storing: WeChat Pay gives up after five seconds. What is
// not done by then, as where the money has still to be taken from the channel, is tried again from the inbox, which waits as long as it
// takes; the channel is not blamed for our hurry.
const applyWithin = 4 * time.Second

// retryAfter is when an unapplied notification is tried again: an unknown reference may be known a moment later. One that
// could not be applied for a reason of ours is tried on and on, at the last of these.
var retryAfter = []time.Duration{5 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour, 24 * time.Hour}

const insert = "INSERT INTO inbox (id, channel, dedup_key, headers, body, event, verdict, number, attempts, next_at, received_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)"

// take stores a verified notification and applies it. Only a failure to store is an error: what is stored is tried again.
func (i *Inbox) take(ctx context.Context, name models.PaymentChannel, h http.Header, body []byte, ev channel.Event) error {
	event, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	id := models.NewID()
	_, err = i.DB.Exec(ctx, insert, id, string(name), dedupKey(ev, body), evidence(h), body, string(event), string(received), ev.Number, 1, i.later(0), i.Clock.Now())
	if database.IsDuplicate(err) {
		i.heard(name, "REPEATED")
		return nil // stored before; if it is not yet applied, its row is tried again
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), applyWithin, channel.ErrHurried) // who hangs up does not break it off
	defer cancel()
	if err := i.apply(ctx, id, name, ev, 1); err != nil {
		i.Log.ErrorContext(ctx, "notification stored, not yet applied", "channel", name, "number", ev.Number, "error", err)
		i.heard(name, "LATER")
	}
	return nil
}

// later is when a notification that has been tried before so often is tried again.
func (i *Inbox) later(tries int) time.Time {
	return i.Clock.Now().Add(retryAfter[min(tries, len(retryAfter)-1)])
}

// apply tries a notification for the attempts-th time; when it is tried next has been written before. An unknown reference
// is given up in the end.
func (i *Inbox) apply(ctx context.Context, id models.ID, name models.PaymentChannel, ev channel.Event, attempts int) error {
	applier := i.Payments
	if ev.RefundNumber != "" && ev.State != channel.StateDisputed { // a dispute is of a payment, whatever it names
		applier = i.Refunds
	}
	verdict, err := applier.Apply(ctx, name, ev)
	if err != nil {
		return err
	}
	trace.Current(ctx).Set("paydesk.verdict", string(verdict))
	i.heard(name, string(verdict))
	done := ", next_at = NULL"
	if verdict == payment.UnknownReference && attempts <= len(retryAfter) {
		done = ""
	}
	_, err = i.DB.Exec(ctx, "UPDATE inbox SET verdict = ?"+done+" WHERE id = ? AND attempts = ?", string(verdict), id, attempts)
	return err
}

type row struct {
	id       models.ID
	channel  models.PaymentChannel
	event    string
	attempts int
}

// Sweep tries again what is stored and not yet applied, at most limit notifications. It returns how many.
func (i *Inbox) Sweep(ctx context.Context, limit int) (int, error) {
	var rows []row
	err := i.DB.Query(ctx, func(r *sql.Rows) error {
		var x row
		if err := r.Scan(&x.id, &x.channel, &x.event, &x.attempts); err != nil {
			return err
		}
		rows = append(rows, x)
		return nil
	}, "SELECT id, channel, event, attempts FROM inbox WHERE next_at <= ? ORDER BY next_at LIMIT ?", i.Clock.Now(), limit)
	if err != nil {
		return 0, err
	}
	for _, x := range rows {
		if err := i.again(ctx, x); err != nil {
			i.Log.ErrorContext(ctx, "inbox: left for later", "inbox", x.id, "error", err)
		}
	}
	return len(rows), nil
}

// Lag is how long the notification that is longest due has waited to be tried again; zero when none is due.
func (i *Inbox) Lag(ctx context.Context) (time.Duration, error) {
	var due time.Time
	now := i.Clock.Now()
	found, err := i.DB.QueryRow(ctx, []any{&due}, "SELECT next_at FROM inbox WHERE next_at <= ? ORDER BY next_at LIMIT 1", now)
	if err != nil || !found {
		return 0, err
	}
	return now.Sub(due), nil
}

// again tries one stored notification. Its time is moved on first: one that cannot be handled, whatever it does, does not
// stand in the way of the others, and only one instance has it.
func (i *Inbox) again(ctx context.Context, x row) error {
	ctx, span := trace.Work(ctx, "notification again")
	defer span.End()
	span.Set("paydesk.channel", string(x.channel))
	n, err := i.DB.Exec(ctx, "UPDATE inbox SET attempts = ?, next_at = ? WHERE id = ? AND attempts = ?", x.attempts+1, i.later(x.attempts), x.id, x.attempts)
	if err != nil || n == 0 {
		return err
	}
	var ev channel.Event
	if err := json.Unmarshal([]byte(x.event), &ev); err != nil {
		return err
	}
	return i.apply(ctx, x.id, x.channel, ev, x.attempts+1)
}
