package reconcile

import (
	"context"
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/channel"
	"paydesk/models"
)

// Reconcile is Run for an operator. Faults: INVALID_INPUT (the day is not over, or its statement is not there yet),
// CHANNEL_NOT_AVAILABLE (not configured, or it does not answer).
func (s *Service) Reconcile(ctx context.Context, ch models.PaymentChannel, text string) (models.Reconciliation, error) {
	day, err := channel.ParseDay(text)
	if err != nil {
		return models.Reconciliation{}, fault.New("INVALID_INPUT", "input", "day")
	}
	r, err := s.Run(ctx, ch, day)
	switch {
	case errors.Is(err, ErrNoChannel):
		return r.Reconciliation, fault.New("CHANNEL_NOT_AVAILABLE", "input", "channel")
	case errors.Is(err, ErrNotOver), errors.Is(r.Cause, channel.ErrNoStatement):
		return r.Reconciliation, fault.New("INVALID_INPUT", "input", "day")
	case err != nil:
		return r.Reconciliation, err
	case r.Cause != nil:
		return r.Reconciliation, fault.New("CHANNEL_NOT_AVAILABLE", "input", "channel")
	}
	return r.Reconciliation, nil
}

// Resolution is how a person closes a difference.
type Resolution struct {
	ID     models.ID
	Reason string
	By     string // the token's sub
}

// widthBy is the column's.
const widthBy = 187

// Resolve closes a difference that waits for a person; it moves no money. With the last one of a day the day is CLEAN. Faults:
// INVALID_INPUT (no such difference, or it is closed; no reason), CARD_DATA_NOT_ACCEPTED.
func (s *Service) Resolve(ctx context.Context, in Resolution) (models.Difference, error) {
	reason, err := input.Text(in.Reason, true, input.MaxReason, "input", "reason")
	if err != nil {
		return models.Difference{}, err
	}
	d, found, err := s.byID(ctx, in.ID)
	if err == nil && !found {
		err = fault.New("INVALID_INPUT", "input", "differenceId")
	}
	if err != nil {
		return d, err
	}
	now := s.Clock.Now()
	err = s.DB.InTx(ctx, func(ctx context.Context) error {
		n, err := s.DB.Exec(ctx, "UPDATE differences SET resolved_at = ?, resolved_by = ?, resolution = ? WHERE id = ? AND "+open, now, cut(in.By, widthBy), reason, d.ID)
		if err == nil && n == 0 {
			err = fault.New("INVALID_INPUT", "input", "differenceId")
		}
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "UPDATE reconciliations SET status = 'CLEAN' WHERE channel = ? AND day = ? AND status = 'DIFFERENT' AND NOT EXISTS (SELECT 1 FROM differences d WHERE d.channel = ? AND d.day = ? AND d.resolved_at IS NULL AND d.class <> 'LATE')",
			string(d.Channel), d.Day, string(d.Channel), d.Day)
		return err
	})
	if err != nil {
		return d, err
	}
	s.Log.InfoContext(ctx, "a difference was closed", "difference", d.ID, "channel", d.Channel, "day", d.Day, "class", d.Class)
	d, _, err = s.byID(ctx, d.ID)
	return d, err
}
