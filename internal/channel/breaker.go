package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"

	"paydesk/models"
)

// Breaker stands around an adapter: after several failures in a row it answers ErrUnavailable at once for a while, so
// that a provider's outage costs nobody's time; then one call tries whether the provider is back. It counts ErrUnknown
// and ErrUnavailable; a refusal by the provider is a healthy answer. Notifications always pass. Queries have a breaker of
// their own: a provider that limits how often it is asked must not close the channel to people who want to pay.
type Breaker struct {
	Adapter
	calls, queries *gobreaker.CircuitBreaker[any]
	around         func(ctx context.Context, channel models.PaymentChannel, call string) (context.Context, func(error))
}

// BreakerOptions are the breaker's limits; zero values mean 5 failures and 10 seconds.
type BreakerOptions struct {
	Failures uint32        // in a row until it opens
	Rest     time.Duration // how long it stays open
	OnChange func(channel string, from, to string)
	// Around surrounds each call (start, query, complete, close, refund, query_refund, statement, inspect) for whoever watches; it returns the context for the call and what is
	// told its error. It may be nil.
	Around func(ctx context.Context, channel models.PaymentChannel, call string) (context.Context, func(error))
}

// WithBreaker puts a circuit breaker around an adapter.
func WithBreaker(a Adapter, o BreakerOptions) *Breaker {
	if o.Failures == 0 {
		o.Failures = 5
	}
	if o.Rest <= 0 {
		o.Rest = 10 * time.Second
	}
	s := gobreaker.Settings{
		Name:         string(a.Channel()),
		Timeout:      o.Rest,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= o.Failures },
		IsSuccessful: func(err error) bool { return err == nil || answered(err) },
		// Our own caller gave up: this says nothing about the provider.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	}
	if o.OnChange != nil {
		s.OnStateChange = func(name string, from, to gobreaker.State) { o.OnChange(name, from.String(), to.String()) }
	}
	b := &Breaker{Adapter: a, calls: gobreaker.NewCircuitBreaker[any](s), around: o.Around}
	s.Name += " queries"
	b.queries = gobreaker.NewCircuitBreaker[any](s)
	return b
}

// States are those of the two breakers, of calls and of queries: closed, half-open or open.
func (b *Breaker) States() (calls, queries string) {
	return b.calls.State().String(), b.queries.State().String()
}

func answered(err error) bool {
	return errors.Is(err, ErrDeclined) || errors.Is(err, ErrAlreadyPaid) || errors.Is(err, ErrNoStatement)
}

// Available reports whether calls are let through; it decides ChannelOption.available.
func (b *Breaker) Available() bool { return b.calls.State() != gobreaker.StateOpen }

// Start is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Start(ctx context.Context, r StartRequest) (Started, error) {
	return guarded(ctx, b, b.calls, "start", func(ctx context.Context) (Started, error) { return b.Adapter.Start(ctx, r) })
}

// Query is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Query(ctx context.Context, p Ref) (Event, error) {
	return guarded(ctx, b, b.queries, "query", func(ctx context.Context) (Event, error) { return b.Adapter.Query(ctx, p) })
}

// Complete is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Complete(ctx context.Context, p Ref) (Event, error) {
	return guarded(ctx, b, b.calls, "complete", func(ctx context.Context) (Event, error) { return b.Adapter.Complete(ctx, p) })
}

// Close is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Close(ctx context.Context, p Ref) error {
	_, err := guarded(ctx, b, b.calls, "close", func(ctx context.Context) (struct{}, error) { return struct{}{}, b.Adapter.Close(ctx, p) })
	return err
}

// Refund is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Refund(ctx context.Context, r RefundRequest) (Event, error) {
	return guarded(ctx, b, b.calls, "refund", func(ctx context.Context) (Event, error) { return b.Adapter.Refund(ctx, r) })
}

// QueryRefund is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) QueryRefund(ctx context.Context, p, refund Ref) (Event, error) {
	return guarded(ctx, b, b.queries, "query_refund", func(ctx context.Context) (Event, error) { return b.Adapter.QueryRefund(ctx, p, refund) })
}

// Statement is the adapter's, or ErrUnavailable while the breaker is open. One that is not ready is a healthy answer.
func (b *Breaker) Statement(ctx context.Context, day Day) (Statement, error) {
	return guarded(ctx, b, b.queries, "statement", func(ctx context.Context) (Statement, error) { return b.Adapter.Statement(ctx, day) })
}

// Inspect is the adapter's, where it reads cards.
func (b *Breaker) Inspect(ctx context.Context, token string) (Card, error) {
	reader, ok := b.Adapter.(CardReader)
	if !ok {
		return Card{}, fmt.Errorf("%w: %s reads no cards", ErrUnavailable, b.Channel())
	}
	return guarded(ctx, b, b.queries, "inspect", func(ctx context.Context) (Card, error) { return reader.Inspect(ctx, token) })
}

func guarded[T any](ctx context.Context, b *Breaker, breaker *gobreaker.CircuitBreaker[any], name string, call func(context.Context) (T, error)) (out T, err error) {
	if b.around != nil {
		var done func(error)
		ctx, done = b.around(ctx, b.Channel(), name)
		defer func() { done(err) }()
	}
	_, err = breaker.Execute(func() (any, error) {
		var err error
		out, err = call(ctx)
		return nil, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = fmt.Errorf("%w: %s rests after failures", ErrUnavailable, b.Channel())
	}
	return out, err
}
