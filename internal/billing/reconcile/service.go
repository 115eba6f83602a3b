// Package reconcile compares what a channel says of one of its days with the ledger's clearing book, movement by movement: payments that
// came in and refunds that went back. What the channel has and we have not heard of is asked for and booked by the payment's own rules,
// never from the statement; what stays different waits for a person, with evidence (lessons 6, 7, 21).
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/blob"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Config is what a Service is made of; every field but Always is needed.
type Config struct {
	DB       *database.DB
	Channels channel.Registry
	Payments Applier // books what a channel says of a payment
	Refunds  Applier // and of a refund
	Files    *blob.Store
	Clock    clock.Clock
	Log      *slog.Logger
	// Always: this channel's days are compared by themselves even where no money has come through it yet. Nil: none.
	Always func(models.PaymentChannel) bool
}

// Applier takes a verified statement of a channel into a payment or a refund: payment.Service, refund.Service.
type Applier interface {
	Apply(ctx context.Context, ch models.PaymentChannel, ev channel.Event) (payment.Verdict, error)
}

// Service compares days. Safe for concurrent use, by several instances.
type Service struct {
	Config
	pace pace
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// Errors of Run that leave no trace.
var (
	// ErrNotOver: the channel's day is not over.
	ErrNotOver = errors.New("reconcile: the day is not over")
	// ErrNoChannel: the channel is not configured.
	ErrNoChannel = errors.New("reconcile: this channel is not configured")
)

// Report is a comparison as it ended.
type Report struct {
	models.Reconciliation
	Open  []models.Difference // what waits for a person, oldest first
	Cause error               // why it failed: channel.ErrNoStatement, channel.ErrUnavailable, channel.ErrUnknown; nil where it did not
}

// lease is how long one instance has for a day before another may take it up: longer than the largest day takes, since it is not renewed.
const lease = time.Hour

// Run compares a channel's day with the ledger, again where that was done before. A statement that cannot be had makes it FAILED, with
// the cause in the report; while another instance compares the day, the report is RUNNING. Errors: ErrNotOver, ErrNoChannel, the
// database's.
func (s *Service) Run(ctx context.Context, ch models.PaymentChannel, day channel.Day) (Report, error) {
	r, err := s.run(ctx, ch, day)
	if err != nil || r.CompletedAt == nil {
		return r, err
	}
	// What the day before awaited may stand in this statement.
	if before := day.Next(-1); s.undecided(ctx, ch, before) {
		if _, err := s.run(ctx, ch, before); err != nil {
			s.Log.ErrorContext(ctx, "the day before was not compared again", "channel", ch, "day", before, "error", err)
		}
	}
	return r, nil
}

func (s *Service) run(ctx context.Context, ch models.PaymentChannel, day channel.Day) (Report, error) {
	adapter, ok := s.Channels[ch]
	if !ok {
		return Report{}, ErrNoChannel
	}
	if _, to := adapter.StatementDay(day); s.Clock.Now().Before(to) {
		return Report{}, ErrNotOver
	}
	rec, mine, err := s.take(ctx, ch, day)
	if err != nil || !mine {
		return Report{Reconciliation: rec}, err
	}
	c := &comparison{Service: s, adapter: adapter, rec: rec, day: day}
	cause, err := c.compare(ctx)
	switch {
	case errors.Is(err, errLost):
		err = nil
	case err != nil:
		err = errors.Join(err, s.failed(context.WithoutCancel(ctx), rec, "it broke off; see the log"))
	case cause != nil:
		err = s.failed(ctx, rec, noteOf(cause))
	}
	if err != nil {
		return Report{}, err
	}
	return s.report(ctx, rec.ID, cause)
}

// notThere is the note of a day whose statement the channel does not have.
const notThere = "the statement is not there yet"

func noteOf(cause error) string {
	switch {
	case errors.Is(cause, channel.ErrNoStatement):
		return notThere
	case errors.Is(cause, channel.ErrUnavailable):
		return "the channel is not available"
	}
	return "the channel did not give its statement"
}

const columns = "id, channel, day, status, started_at, completed_at, runs, file_hash, theirs_count, ours_count, note, counts"

func into(r *models.Reconciliation) []any {
	return []any{&r.ID, &r.Channel, &r.Day, &r.Status, &r.StartedAt, &r.CompletedAt, &r.Runs, &r.FileHash, &r.TheirsCount, &r.OursCount, &r.Note, &r.Counts}
}

// find reads a day's row; found false where it was never compared.
func (s *Service) find(ctx context.Context, ch models.PaymentChannel, day channel.Day) (r models.Reconciliation, found bool, err error) {
	found, err = s.DB.QueryRow(ctx, into(&r), "SELECT "+columns+" FROM reconciliations WHERE channel = ? AND day = ?", string(ch), string(day))
	return r, found, err
}

// take makes the day ours to compare; false where another instance is at it. Runs counts, and tells later whether it is still ours.
func (s *Service) take(ctx context.Context, ch models.PaymentChannel, day channel.Day) (r models.Reconciliation, mine bool, err error) {
	now := s.Clock.Now()
	r, found, err := s.find(ctx, ch, day)
	if err != nil {
		return r, false, err
	}
	if !found {
		r = models.Reconciliation{ID: models.NewID(), Channel: ch, Day: string(day), Status: models.ReconciliationRunning, StartedAt: now, Runs: 1}
		_, err = s.DB.Exec(ctx, "INSERT INTO reconciliations (id, channel, day, status, started_at, runs) VALUES (?,?,?,?,?,1)", r.ID, string(ch), string(day), string(r.Status), now)
		if !database.IsDuplicate(err) {
			return r, err == nil, err
		}
		if r, _, err = s.find(ctx, ch, day); err != nil {
			return r, false, err
		}
	}
	n, err := s.DB.Exec(ctx, "UPDATE reconciliations SET status = 'RUNNING', started_at = ?, runs = runs + 1 WHERE id = ? AND runs = ? AND (status <> 'RUNNING' OR started_at < ?)",
		now, r.ID, r.Runs, now.Add(-lease))
	if err != nil || n == 0 {
		r.Status, r.CompletedAt = models.ReconciliationRunning, nil
		return r, false, err
	}
	r.Runs++
	r.Status, r.StartedAt = models.ReconciliationRunning, now
	return r, true, nil
}

// errLost: another instance has taken the day over meanwhile.
var errLost = errors.New("reconcile: taken over by another instance")

// failed ends a comparison without a result; what an earlier one found stays.
func (s *Service) failed(ctx context.Context, r models.Reconciliation, note string) error {
	s.Log.WarnContext(ctx, "a channel's day was not compared", "channel", r.Channel, "day", r.Day, "note", note)
	_, err := s.DB.Exec(ctx, "UPDATE reconciliations SET status = 'FAILED', completed_at = NULL, note = ? WHERE id = ? AND runs = ?", note, r.ID, r.Runs)
	return err
}

// report reads a comparison as it now stands.
func (s *Service) report(ctx context.Context, id models.ID, cause error) (out Report, err error) {
	found, err := s.DB.QueryRow(ctx, into(&out.Reconciliation), "SELECT "+columns+" FROM reconciliations WHERE id = ?", id)
	if err == nil && !found {
		err = fmt.Errorf("reconcile: row %s is gone", id)
	}
	if err != nil {
		return out, err
	}
	out.Cause = cause
	err = s.DB.Gorm(ctx).Where("channel = ? AND day = ? AND "+open, string(out.Channel), out.Day).Order("found_at, id").Find(&out.Open).Error
	return out, err
}
