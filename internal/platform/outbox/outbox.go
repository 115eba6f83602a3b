// Package outbox tells the rest of the world what a transaction changed: the row is written with the change, published
// right after the commit, and found by the sweep if that did not happen. Whoever listens re-reads and is idempotent.
package outbox

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"time"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// Publisher wakes whoever watches a topic, here and in other instances.
type Publisher interface {
	Publish(ctx context.Context, topics ...string) error
}

// Outbox is safe for concurrent use. Run must be running for anything to be told.
type Outbox struct {
	db    *database.DB
	clock clock.Clock
	out   Publisher
	log   *slog.Logger
	queue chan message
}

type message struct {
	id     models.ID
	topics []string
	by     trace.Link // whose change it is
}

const (
	queueLength  = 4096 // beyond it the sweep tells, later
	batchLength  = 64
	overdueAfter = 5 * time.Second
)

// New makes an outbox on a database.
func New(db *database.DB, c clock.Clock, out Publisher, log *slog.Logger) *Outbox {
	return &Outbox{db, c, out, log, make(chan message, queueLength)}
}

// Add writes, in the transaction of ctx, that these topics changed. Account is whose change it is, zero for nobody's.
func (o *Outbox) Add(ctx context.Context, account models.ID, topics ...string) error {
	m := message{models.NewID(), topics, trace.Here(ctx)}
	if _, err := o.db.Exec(ctx, "INSERT INTO outbox (id, account_id, topics, created_at) VALUES (?,?,?,?)",
		m.id, account, strings.Join(topics, " "), o.clock.Now()); err != nil {
		return err
	}
	o.db.AfterCommit(ctx, func() {
		select {
		case o.queue <- m:
		default: // the sweep finds the row
		}
	})
	return nil
}

// Run publishes what was committed, many at a time, until ctx ends; what is then left is told by the next sweep.
func (o *Outbox) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-o.queue:
			batch := append(make([]message, 0, batchLength), first)
			for len(batch) < batchLength {
				select {
				case m := <-o.queue:
					batch = append(batch, m)
					continue
				default:
				}
				break
			}
			if err := o.tell(ctx, batch); err != nil && ctx.Err() == nil {
				o.log.WarnContext(ctx, "outbox: not told, the sweep will", "rows", len(batch), "error", err)
			}
		}
	}
}

// tell publishes and then deletes: a crash between the two tells twice, which is harmless.
func (o *Outbox) tell(ctx context.Context, batch []message) error {
	ctx, span := told(ctx, batch)
	defer span.End()
	var topics []string
	for _, m := range batch {
		topics = append(topics, m.topics...)
	}
	if err := o.out.Publish(ctx, topics...); err != nil {
		return err
	}
	// The list is padded to a few lengths, so that few statements are prepared.
	n := 1
	for n < len(batch) {
		n *= 4
	}
	ids := make([]any, 0, n)
	for i := range n {
		ids = append(ids, batch[min(i, len(batch)-1)].id)
	}
	_, err := o.db.Exec(ctx, "DELETE FROM outbox WHERE id IN ("+database.Marks(n)+")", ids...)
	return err
}

// told begins the span of a batch, beneath the requests that made its changes.
func told(ctx context.Context, batch []message) (context.Context, trace.Span) {
	if !trace.On() {
		return ctx, trace.Span{}
	}
	by := make([]trace.Link, len(batch))
	for i, m := range batch {
		by[i] = m.by
	}
	ctx, span := trace.After(ctx, "outbox publish", by...)
	span.Count("messaging.batch.message_count", len(batch))
	return ctx, span
}

// Sweep tells what was missed: rows older than five seconds, at most 1,000 a call. It returns how many
// it told.
func (o *Outbox) Sweep(ctx context.Context) (int, error) {
	var rows []message
	err := o.db.Query(ctx, func(r *sql.Rows) error {
		var m message
		var topics string
		if err := r.Scan(&m.id, &topics); err != nil {
			return err
		}
		m.topics = strings.Fields(topics)
		rows = append(rows, m)
		return nil
	}, "SELECT id, topics FROM outbox WHERE created_at < ? ORDER BY created_at LIMIT 1000", o.clock.Now().Add(-overdueAfter))
	if err != nil {
		return 0, err
	}
	for told := 0; told < len(rows); {
		batch := rows[told:min(told+batchLength, len(rows))]
		if err := o.tell(ctx, batch); err != nil {
			return told, err
		}
		told += len(batch)
	}
	return len(rows), nil
}

// Lag is the age of the oldest row that still has to be told; zero when there is none.
func (o *Outbox) Lag(ctx context.Context) (time.Duration, error) {
	var oldest time.Time
	found, err := o.db.QueryRow(ctx, []any{&oldest}, "SELECT created_at FROM outbox ORDER BY created_at LIMIT 1")
	if err != nil || !found {
		return 0, err
	}
	return o.clock.Now().Sub(oldest), nil
}
