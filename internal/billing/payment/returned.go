package payment

import (
	"context"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// returnWithin bounds what a payer's browser waits for the channel's word; the sweep asks on.
const returnWithin = 5 * time.Second

// Returned is told that a payer has come back from a channel's page. That proves nothing: the channel is asked at once (contract §5).
// It gives where the browser goes next, empty where the client named no address; fault.ErrNotFound for a number that is not ours.
func (s *Service) Returned(ctx context.Context, number string) (to string, err error) {
	p, err := s.byNumberAnywhere(ctx, number)
	if err != nil {
		return "", err
	}
	if !p.Status.Terminal() {
		ctx, cancel := context.WithTimeout(ctx, returnWithin)
		defer cancel()
		if err := s.ask(ctx, p); err != nil {
			s.Log.WarnContext(ctx, "payer is back, channel does not answer", "payment", p.ID, "channel", p.Channel, "error", err)
		}
	}
	return p.ReturnURL, nil
}

func (s *Service) byNumberAnywhere(ctx context.Context, number string) (models.Payment, error) {
	var p models.Payment
	var account, id models.ID
	found, err := s.DB.QueryRow(ctx, []any{&account, &id}, "SELECT account_id, id FROM payments WHERE number = ?", number)
	if err == nil && !found {
		err = fault.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p, err = s.ByID(ctx, account, id)
	if err == nil && p.Channel == "" {
		err = fault.ErrNotFound
	}
	return p, err
}
