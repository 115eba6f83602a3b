package payment

import (
	"context"
	"errors"

	"paydesk/internal/channel"
	"paydesk/models"
)

// complete takes what the payer has agreed to. Nothing is taken for a payment that has ended: the payer's consent lapses. A time-out is
// unknown: whoever asks next finds it taken, or asks for it again under the same number (lesson 1).
func (s *Service) complete(ctx context.Context, account, id models.ID) (Verdict, error) {
	p, err := s.ByID(ctx, account, id)
	if err != nil || p.Status.Terminal() {
		return Nothing, err
	}
	if p.ExpiresAt != nil && !s.Clock.Now().Before(*p.ExpiresAt) {
		return Nothing, nil // its time is over: the sweep ends it
	}
	adapter, ok := s.Channels[p.Channel]
	if !ok {
		return Nothing, nil
	}
	ev, err := adapter.Complete(ctx, RefOf(p))
	if errors.Is(err, channel.ErrDeclined) {
		return Applied, s.end(ctx, p, evDeclined, refusalOf(err))
	}
	if err != nil {
		return Nothing, err
	}
	if ev.State == channel.StateApproved { // still nothing taken: never in a circle
		return Nothing, nil
	}
	return s.Apply(context.WithoutCancel(ctx), p.Channel, ev)
}
