package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// lazy is an adapter that is made when it is first called: a provider's keys in the sandbox take a while to make, and most processes
// call few channels.
type lazy struct {
	name  models.PaymentChannel
	build func(ctx context.Context) (channel.Adapter, error)

	mu   sync.Mutex
	made channel.Adapter
}

func (l *lazy) get(ctx context.Context) (channel.Adapter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		return l.made, nil
	}
	a, err := l.build(context.WithoutCancel(ctx))
	if err != nil {
		return nil, errors.Join(channel.ErrUnavailable, err)
	}
	l.made = a
	return a, nil
}

var (
	_ channel.Adapter    = (*lazy)(nil)
	_ channel.CardReader = (*lazy)(nil)
)

// Channel names it.
func (l *lazy) Channel() models.PaymentChannel { return l.name }

// Start is the adapter's.
func (l *lazy) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Started, error) { return a.Start(ctx, r) })
}

// Query is the adapter's.
func (l *lazy) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Event, error) { return a.Query(ctx, p) })
}

// Complete is the adapter's.
func (l *lazy) Complete(ctx context.Context, p channel.Ref) (channel.Event, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Event, error) { return a.Complete(ctx, p) })
}

// Refund is the adapter's.
func (l *lazy) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Event, error) { return a.Refund(ctx, r) })
}

// QueryRefund is the adapter's.
func (l *lazy) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Event, error) { return a.QueryRefund(ctx, p, refund) })
}

// ParseNotification is the adapter's.
func (l *lazy) ParseNotification(ctx context.Context, n channel.Notification) (channel.Event, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Event, error) { return a.ParseNotification(ctx, n) })
}

// Statement is the adapter's.
func (l *lazy) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Statement, error) { return a.Statement(ctx, day) })
}

// Close is the adapter's.
func (l *lazy) Close(ctx context.Context, p channel.Ref) error {
	_, err := forward(l, ctx, func(a channel.Adapter) (struct{}, error) { return struct{}{}, a.Close(ctx, p) })
	return err
}

// Inspect is the adapter's, where it reads cards.
func (l *lazy) Inspect(ctx context.Context, token string) (channel.Card, error) {
	return forward(l, ctx, func(a channel.Adapter) (channel.Card, error) {
		reader, ok := a.(channel.CardReader)
		if !ok {
			return channel.Card{}, fmt.Errorf("%w: %s reads no cards", channel.ErrUnavailable, l.name)
		}
		return reader.Inspect(ctx, token)
	})
}

// Acknowledge is the adapter's; it has been made, for it has read the notification.
func (l *lazy) Acknowledge() channel.Acknowledgement { return l.answer(channel.Adapter.Acknowledge) }

// Refuse is the adapter's.
func (l *lazy) Refuse() channel.Acknowledgement { return l.answer(channel.Adapter.Refuse) }

func (l *lazy) answer(of func(channel.Adapter) channel.Acknowledgement) channel.Acknowledgement {
	a, err := l.get(context.Background())
	if err != nil {
		return channel.Acknowledgement{Status: http.StatusServiceUnavailable}
	}
	return of(a)
}

// StatementDay is the adapter's.
func (l *lazy) StatementDay(day channel.Day) (from, to time.Time) {
	a, err := l.get(context.Background())
	if err != nil {
		return day.In(time.UTC)
	}
	return a.StatementDay(day)
}

func forward[T any](l *lazy, ctx context.Context, call func(channel.Adapter) (T, error)) (T, error) {
	a, err := l.get(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return call(a)
}
