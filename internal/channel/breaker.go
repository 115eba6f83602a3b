package channel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Breaker stands around an adapter: after several failures in a row it answers ErrUnavailable at once for a while, so
// that a provider's outage costs nobody's time; then one call tries whether the provider is back. It counts ErrUnknown
// and ErrUnavailable; a refusal by the provider is a healthy answer. Notifications always pass. Queries have a breaker of
// their own: a provider that limits how often it is asked must not close the channel to people who want to pay.
type Breaker struct {
	Adapter
	calls, queries *gobreaker.CircuitBreaker[any]
}

// BreakerOptions are the breaker's limits; zero values mean 5 failures and 10 seconds.
type BreakerOptions struct {
	Failures uint32        // in a row until it opens
	Rest     time.Duration // how long it stays open
	OnChange func(channel string, from, to string)
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
	b := &Breaker{Adapter: a, calls: gobreaker.NewCircuitBreaker[any](s)}
	s.Name += " queries"
	b.queries = gobreaker.NewCircuitBreaker[any](s)
	return b
}

func answered(err error) bool { return errors.Is(err, ErrDeclined) || errors.Is(err, ErrAlreadyPaid) }

// Available reports whether calls are let through; it decides ChannelOption.available.
func (b *Breaker) Available() bool { return b.calls.State() != gobreaker.StateOpen }

// Start is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Start(ctx context.Context, r StartRequest) (Action, error) {
	return guarded(b, b.calls, func() (Action, error) { return b.Adapter.Start(ctx, r) })
}

// Query is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Query(ctx context.Context, number string) (Event, error) {
	return guarded(b, b.queries, func() (Event, error) { return b.Adapter.Query(ctx, number) })
}

// Close is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Close(ctx context.Context, number string) error {
	_, err := guarded(b, b.calls, func() (struct{}, error) { return struct{}{}, b.Adapter.Close(ctx, number) })
	return err
}

func guarded[T any](b *Breaker, breaker *gobreaker.CircuitBreaker[any], call func() (T, error)) (T, error) {
	var out T
	_, err := breaker.Execute(func() (any, error) {
		var err error
		out, err = call()
		return nil, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = fmt.Errorf("%w: %s rests after failures", ErrUnavailable, b.Channel())
	}
	return out, err
}
