package refund

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/crew"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// A refund that goes through a channel is asked after until the channel says what became of it, ever more seldom: to a bank card it
// may take days.
const (
	askEvery  = 15 * time.Second
	askLater  = 5 * time.Minute // from askLaterAt on
	askSeldom = time.Hour       // from askSeldomAt on

	askLaterAt  = 10 * time.Minute
	askSeldomAt = 24 * time.Hour
)

// lease is how long one instance has for a refund before another may take it up.
const lease = time.Minute

// workers is how many refunds one instance looks at at a time.
const workers = 8

// next is when to look again at a refund that was made a while ago.
func next(now, made time.Time) time.Time {
	switch age := now.Sub(made); {
	case age >= askSeldomAt:
		return now.Add(askSeldom)
	case age >= askLaterAt:
		return now.Add(askLater)
	}
	return now.Add(askEvery)
}

// request is what the channel is asked.
func (s *Service) request(p models.Payment, r models.Refund) channel.RefundRequest {
	return channel.RefundRequest{Payment: payment.RefOf(p), Refund: refOf(r), Reason: r.Reason, NotifyURL: s.NotifyURL(r.Channel)}
}

// refOf names a refund to its channel.
func refOf(r models.Refund) channel.Ref {
	return channel.Ref{Number: r.Number, Reference: r.ChannelReference, Amount: money.New(r.OnlineAmount, money.Currency(r.Currency)), MadeAt: r.ID.Time()}
}

// send calls the channel with the refund's number and applies what it says. Only a certain refusal ends the refund, and only when the
// channel does not know the number: an earlier call may have taken effect. Whatever is not certain is left to the sweep (lesson 1).
func (s *Service) send(ctx context.Context, r models.Refund) error {
	adapter, ok := s.Channels[r.Channel]
	if !ok {
		return nil
	}
	p, err := s.Payments.ByID(ctx, r.AccountID, r.PaymentID)
	if err != nil {
		return err
	}
	ev, err := adapter.Refund(ctx, s.request(p, r))
	failpoint.Hit(failpoint.RefundCalled)
	if errors.Is(err, channel.ErrDeclined) {
		refusal := err
		if ev, err = adapter.QueryRefund(ctx, payment.RefOf(p), refOf(r)); err == nil && ev.State == channel.StateNotFound {
			ev.State, ev.Detail = channel.StateRefundFailed, refusal.Error()
		}
	}
	if err != nil {
		s.Log.WarnContext(ctx, "outcome of a refund unknown", "refund", r.ID, "channel", r.Channel, "error", err)
		return nil
	}
	_, err = s.Apply(context.WithoutCancel(ctx), r.Channel, ev)
	return err
}

// Sweep asks channels about refunds that are due, at most limit of them, and calls again for those that never arrived there. It returns
// how many it looked at. Several instances may sweep at once: a refund is taken by moving its time.
func (s *Service) Sweep(ctx context.Context, limit int) (int, error) {
	var due []models.Refund
	if err := s.DB.Gorm(ctx).Where("sweep_at <= ?", s.Clock.Now()).Order("sweep_at").Limit(limit).Find(&due).Error; err != nil {
		return 0, err
	}
	return crew.Do(ctx, workers, due, func(r models.Refund) bool { return s.takeUp(ctx, r) })
}

// takeUp looks at a due refund unless another instance has it; false where it has, or where the database does not answer.
func (s *Service) takeUp(ctx context.Context, r models.Refund) bool {
	n, err := s.DB.Exec(ctx, "UPDATE refunds SET sweep_at = ? WHERE account_id = ? AND id = ? AND sweep_at = ?", s.Clock.Now().Add(lease), r.AccountID, r.ID, *r.SweepAt)
	if err == nil && n == 1 {
		err = errors.Join(s.look(ctx, r), s.reschedule(ctx, r))
	}
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "sweep: refund left for later", "refund", r.ID, "account", r.AccountID, "error", err)
	}
	return n == 1
}

// look brings one refund further: what the channel does not know of was never sent, or got lost, and is sent with the same number.
func (s *Service) look(ctx context.Context, r models.Refund) (err error) {
	ctx, span := trace.Work(ctx, "look at refund")
	defer span.End()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	adapter, ok := s.Channels[r.Channel]
	if !ok { // it stays on its way until the channel is configured again: an operator has to see to it
		s.Log.WarnContext(ctx, "a refund waits for a channel that is not configured", "refund", r.ID, "account", r.AccountID, "channel", r.Channel)
		return nil
	}
	p, err := s.Payments.ByID(ctx, r.AccountID, r.PaymentID)
	if err != nil {
		return err
	}
	ev, err := adapter.QueryRefund(ctx, payment.RefOf(p), refOf(r))
	if err != nil {
		s.Log.WarnContext(ctx, "channel does not say what became of a refund", "refund", r.ID, "channel", r.Channel, "error", err)
		return nil
	}
	if ev.State == channel.StateNotFound {
		return s.send(ctx, r)
	}
	_, err = s.Apply(context.WithoutCancel(ctx), r.Channel, ev)
	return err
}

// reschedule says when the sweep looks next; a refund that has ended is looked at no more.
func (s *Service) reschedule(ctx context.Context, r models.Refund) error {
	now := s.Clock.Now()
	_, err := s.DB.Exec(ctx, "UPDATE refunds SET sweep_at = ?, sweep_count = sweep_count + 1 WHERE account_id = ? AND id = ? AND status = 'PROCESSING'", next(now, r.CreatedAt), r.AccountID, r.ID)
	return err
}

// Lag is how long the refund that is longest due has waited to be looked at; zero when none is due.
func (s *Service) Lag(ctx context.Context) (time.Duration, error) {
	var due time.Time
	now := s.Clock.Now()
	found, err := s.DB.QueryRow(ctx, []any{&due}, "SELECT sweep_at FROM refunds WHERE sweep_at <= ? ORDER BY sweep_at LIMIT 1", now)
	if err != nil || !found {
		return 0, err
	}
	return now.Sub(due), nil
}
