package notify

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"paydesk/internal/platform/crew"
	"paydesk/internal/platform/failpoint"
	"paydesk/models"
)

// Sender delivers one message. It returns nil only once somebody else answers for it; else an error that may be logged, which
// therefore has no address, text or code in it: a *Failure where it knows whether trying again makes sense.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Failure is why a message was not delivered.
type Failure struct {
	Reason string // fit for a log
	Final  bool   // trying again will not help
}

// Error is the reason.
func (f *Failure) Error() string { return f.Reason }

// What becomes of a try to deliver.
const (
	Sent    = "SENT"
	Later   = "LATER"   // it failed and is tried again
	Failed  = "FAILED"  // it failed for good
	Useless = "USELESS" // its time had passed
)

const (
	// maxTries with their pauses are about twelve hours.
	maxTries   = 20
	firstPause = 5 * time.Second
	longest    = time.Hour
	// lease is how long a try may take before another instance tries as well; senders are configured to at most half of it.
	lease   = 2 * time.Minute
	workers = 8 // of each kind
	// markWithin bounds noting down what was sent while the process ends.
	markWithin = 5 * time.Second
)

// pause is how long after its n-th try (from 1) a message is tried again: 5 s, 10 s, 20 s, …, at most an hour.
func pause(n int64) time.Duration { return min(firstPause<<min(n-1, 12), longest) }

type delivery struct {
	row
	account models.ID
	tries   int64 // before this one
	useless *time.Time
}

// Sweep delivers what is due of one kind, at most limit messages, and returns how many it tried. Each kind has its own sweep and its
// own hands: a mail server that falls silent keeps no SMS waiting. Messages with a deadline come first: a code waits behind no backlog.
// A message is sent at least once: a crash after it was sent and before that was noted sends it again two minutes later, under the
// same id (Message-ID, Idempotency-Key).
func (d *Desk) Sweep(ctx context.Context, kind string, limit int) (int, error) {
	if d.Mail == nil && d.SMS == nil {
		return 0, nil
	}
	due, err := d.due(ctx, kind, limit)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	var errs []error
	n, err := crew.Do(ctx, workers, due, func(one delivery) bool {
		if err := d.deliver(ctx, one); err != nil {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		}
		return true
	})
	return n, errors.Join(append(errs, err)...)
}

// queues are what is due of a kind: what has a deadline, then the rest.
var queues = []bool{true, false}

func (d *Desk) due(ctx context.Context, kind string, limit int) (out []delivery, err error) {
	now := d.Clock.Now()
	for _, urgent := range queues {
		if limit-len(out) <= 0 {
			break
		}
		err = d.DB.Query(ctx, func(rows *sql.Rows) error {
			var one delivery
			err := rows.Scan(append([]any{&one.account, &one.tries, &one.useless}, one.into()...)...)
			out = append(out, one)
			return err
		}, "SELECT d.account_id, d.tries, d.useless_at, "+messageColumns+" FROM deliveries d JOIN messages m ON m.account_id = d.account_id AND m.id = d.message_id "+
			"WHERE d.kind = ? AND d.urgent = ? AND d.due_at <= ? ORDER BY d.due_at LIMIT ?", kind, urgent, now, limit-len(out))
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// deliver tries one message; the error is the database's.
func (d *Desk) deliver(ctx context.Context, one delivery) error {
	now := d.Clock.Now()
	mine, err := d.DB.Exec(ctx, "UPDATE deliveries SET tries = tries + 1, due_at = ? WHERE account_id = ? AND message_id = ? AND tries = ? AND due_at <= ?",
		now.Add(lease), one.account, one.id, one.tries, now)
	if err != nil || mine == 0 { // another instance has it
		return err
	}
	one.tries++
	if one.useless != nil && !one.useless.After(now) {
		return d.end(ctx, one, Useless, "its time had passed")
	}
	err = d.send(ctx, one)
	failpoint.Hit(failpoint.MessageSent)
	var failure *Failure
	switch {
	case err == nil:
		return d.end(ctx, one, Sent, "")
	case ctx.Err() != nil:
		return nil // the process ends; the lease runs out
	case errors.As(err, &failure) && failure.Final, one.tries >= maxTries:
		return d.end(ctx, one, Failed, err.Error())
	}
	d.Log.WarnContext(ctx, "a message was not delivered and is tried again", "message", one.id.String(), "kind", one.Kind, "try", one.tries, "reason", err.Error())
	d.told(one.Kind, Later)
	_, err = d.DB.Exec(ctx, "UPDATE deliveries SET due_at = ? WHERE account_id = ? AND message_id = ? AND tries = ?", d.Clock.Now().Add(pause(one.tries)), one.account, one.id, one.tries)
	return err
}

func (d *Desk) send(ctx context.Context, one delivery) error {
	sender := d.sender(one.Kind)
	if sender == nil {
		return &Failure{Reason: "no way to send it is configured any more"}
	}
	m, err := d.opened(one.row)
	if err != nil {
		return &Failure{Reason: "its code was sealed with another key", Final: true}
	}
	return sender.Send(ctx, m)
}

// end notes that a message is not tried any more, also while the process ends: what was sent should not be sent again.
func (d *Desk) end(ctx context.Context, one delivery, outcome, reason string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	var delivered *time.Time
	if now := d.Clock.Now(); outcome == Sent {
		delivered = &now
	} else {
		d.Log.ErrorContext(ctx, "a message is given up", "message", one.id.String(), "kind", one.Kind, "try", one.tries, "reason", reason)
	}
	d.told(one.Kind, outcome)
	_, err := d.DB.Exec(ctx, "UPDATE deliveries SET due_at = NULL, delivered_at = ? WHERE account_id = ? AND message_id = ? AND tries = ?", delivered, one.account, one.id, one.tries)
	return err
}

func (d *Desk) told(kind, outcome string) {
	if d.Told != nil {
		d.Told(kind, outcome)
	}
}

// Lag is how long the message of a kind that has waited longest has been due; zero where none is.
func (d *Desk) Lag(ctx context.Context, kind string) (lag time.Duration, err error) {
	if d.Mail == nil && d.SMS == nil {
		return 0, nil
	}
	now := d.Clock.Now()
	for _, urgent := range queues {
		var due time.Time
		found, err := d.DB.QueryRow(ctx, []any{&due}, "SELECT due_at FROM deliveries WHERE kind = ? AND urgent = ? AND due_at <= ? ORDER BY due_at LIMIT 1", kind, urgent, now)
		if err != nil {
			return 0, err
		}
		if found {
			lag = max(lag, now.Sub(due))
		}
	}
	return lag, nil
}
