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
// and ErrUnavailable; a refusal by the provider is a healthy answer. Notifications always pass. What brings money in has a
// breaker of its own: a provider that limits how often it is asked, or that refuses refunds in words nobody knows, must not
// close the channel to people who want to pay. So has the look at a card, which comes before each charge: its successes would
// hide that no charge succeeds. Statements have none: who fetches them paces that, and one that is slow keeps nobody waiting.
type Breaker struct {
	Adapter
	calls, inspects, queries, refunds *gobreaker.CircuitBreaker[any]
	around                            func(ctx context.Context, channel models.PaymentChannel, call string) (context.Context, func(error))
}

// ErrHurried is the cause (context.WithTimeoutCause) of a time-out shorter than what a provider may take (guard.Timeout): its caller cannot
// wait, and what is broken off says nothing about the provider.
var ErrHurried = errors.New("channel: the caller cannot wait")

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
		IsExcluded:   func(err error) bool { return errors.Is(err, errGivenUp) },
	}
	if o.OnChange != nil {
		s.OnStateChange = func(name string, from, to gobreaker.State) { o.OnChange(name, from.String(), to.String()) }
	}
	made := func(of string) *gobreaker.CircuitBreaker[any] {
		s := s
		s.Name += of
		return gobreaker.NewCircuitBreaker[any](s)
	}
	return &Breaker{Adapter: a, calls: made(""), inspects: made(" inspects"), queries: made(" queries"), refunds: made(" refunds"), around: o.Around}
}

// States are those of the breakers, closed, half-open or open: of calls (start, complete), inspects (of cards), queries (with closes) and
// refunds.
func (b *Breaker) States() map[string]string {
	return map[string]string{"calls": b.calls.State().String(), "inspects": b.inspects.State().String(), "queries": b.queries.State().String(), "refunds": b.refunds.State().String()}
}

func answered(err error) bool {
	return errors.Is(err, ErrDeclined) || errors.Is(err, ErrAlreadyPaid) || errors.Is(err, ErrNoStatement)
}

// Available reports whether payments can be started; it decides ChannelOption.available.
func (b *Breaker) Available() bool {
	return b.calls.State() != gobreaker.StateOpen && b.inspects.State() != gobreaker.StateOpen
}

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
	_, err := guarded(ctx, b, b.queries, "close", func(ctx context.Context) (struct{}, error) { return struct{}{}, b.Adapter.Close(ctx, p) })
	return err
}

// Refund is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) Refund(ctx context.Context, r RefundRequest) (Event, error) {
	return guarded(ctx, b, b.refunds, "refund", func(ctx context.Context) (Event, error) { return b.Adapter.Refund(ctx, r) })
}

// QueryRefund is the adapter's, or ErrUnavailable while the breaker is open.
func (b *Breaker) QueryRefund(ctx context.Context, p, refund Ref) (Event, error) {
	return guarded(ctx, b, b.refunds, "query_refund", func(ctx context.Context) (Event, error) { return b.Adapter.QueryRefund(ctx, p, refund) })
}

// Statement is the adapter's; no breaker stands before it.
func (b *Breaker) Statement(ctx context.Context, day Day) (out Statement, err error) {
	ctx, done := b.watch(ctx, "statement")
	defer func() { done(err) }()
	return b.Adapter.Statement(ctx, day)
}

// Inspect is the adapter's, where it reads cards.
func (b *Breaker) Inspect(ctx context.Context, token string) (Card, error) {
	reader, ok := b.Adapter.(CardReader)
	if !ok {
		return Card{}, fmt.Errorf("%w: %s reads no cards", ErrUnavailable, b.Channel())
	}
	return guarded(ctx, b, b.inspects, "inspect", func(ctx context.Context) (Card, error) { return reader.Inspect(ctx, token) })
}

// watch begins what surrounds a call; what it returns is told the call's error.
func (b *Breaker) watch(ctx context.Context, call string) (context.Context, func(error)) {
	if b.around == nil {
		return ctx, func(error) {}
	}
	return b.around(ctx, b.Channel(), call)
}

func guarded[T any](ctx context.Context, b *Breaker, breaker *gobreaker.CircuitBreaker[any], name string, call func(context.Context) (T, error)) (out T, err error) {
	ctx, done := b.watch(ctx, name)
	defer func() { done(err) }()
	_, opened := breaker.Execute(func() (any, error) {
		out, err = call(ctx)
		if err != nil && gaveUp(ctx, err) {
			return nil, errGivenUp
		}
		return nil, err
	})
	if errors.Is(opened, gobreaker.ErrOpenState) || errors.Is(opened, gobreaker.ErrTooManyRequests) {
		err = fmt.Errorf("%w: %s rests after failures", ErrUnavailable, b.Channel())
	}
	return out, err
}

// errGivenUp: a call that was broken off by us. It is neither a failure nor a success of the provider.
var errGivenUp = errors.New("channel: given up")

func gaveUp(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(ctx.Err(), context.Canceled) || errors.Is(context.Cause(ctx), ErrHurried)
}
