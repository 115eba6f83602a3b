package channel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"testing"
	"time"

	"paydesk/models"
)

// fake answers queries with a scripted error.
type fake struct {
	Adapter
	err   error
	calls int
}

func (f *fake) Channel() models.PaymentChannel { return models.ChannelAlipay }
func (f *fake) Start(context.Context, StartRequest) (Started, error) {
	f.calls++
	return Started{Action: Action{QR: "N"}}, f.err
}
func (f *fake) Query(context.Context, Ref) (Event, error)    { return Event{}, f.err }
func (f *fake) Complete(context.Context, Ref) (Event, error) { return Event{}, f.err }
func (f *fake) Close(context.Context, Ref) error             { return f.err }
func (f *fake) Refund(context.Context, RefundRequest) (Event, error) {
	return Event{}, f.err
}
func (f *fake) QueryRefund(context.Context, Ref, Ref) (Event, error) { return Event{}, f.err }
func (f *fake) Statement(context.Context, Day) (Statement, error)    { return Statement{}, f.err }
func (f *fake) Inspect(context.Context, string) (Card, error)        { return Card{}, f.err }

func TestBreakerOpensAfterFailuresAndRecovers(t *testing.T) {
	f := &fake{err: fmt.Errorf("%w: x", ErrUnknown)}
	closedAgain := make(chan struct{}, 1)
	b := WithBreaker(f, BreakerOptions{Failures: 3, Rest: 20 * time.Millisecond, OnChange: func(_, _, to string) {
		if to == "closed" {
			closedAgain <- struct{}{}
		}
	}})
	for range 3 {
		if _, err := b.Start(t.Context(), StartRequest{Ref: Ref{Number: "N"}}); !errors.Is(err, ErrUnknown) {
			t.Fatalf("a failure is passed on as it is: %v", err)
		}
	}
	if b.Available() {
		t.Error("open after three failures")
	}
	if _, err := b.Start(t.Context(), StartRequest{Ref: Ref{Number: "N"}}); !errors.Is(err, ErrUnavailable) || f.calls != 3 {
		t.Errorf("an open breaker answers by itself: %v, %d calls", err, f.calls)
	}
	f.err = nil
	deadline := time.After(5 * time.Second)
	for {
		if e, err := b.Start(t.Context(), StartRequest{Ref: Ref{Number: "N"}}); err == nil && e.QR == "N" {
			break
		}
		select {
		case <-deadline:
			t.Fatal("never recovered")
		case <-time.After(time.Millisecond):
		}
	}
	<-closedAgain
	if !b.Available() {
		t.Error("closed again after a success")
	}
}

func TestBreakerDoesNotCountRefusalsAndImpatience(t *testing.T) {
	for _, err := range []error{ErrDeclined, ErrAlreadyPaid, fmt.Errorf("%w: %w", ErrUnknown, context.Canceled)} {
		b := WithBreaker(&fake{err: err}, BreakerOptions{Failures: 2})
		for range 10 {
			b.Start(t.Context(), StartRequest{Ref: Ref{Number: "N"}})
		}
		if !b.Available() {
			t.Errorf("%v opened the breaker", err)
		}
	}
}

// A provider that limits how often it is asked, or that does not let refunds through, does not close the channel to people who want to
// pay; only what they need for that does.
func TestOnlyPayingClosesTheChannel(t *testing.T) {
	for of, calls := range map[string][]func(*Breaker) error{
		"calls": {
			func(b *Breaker) error { _, err := b.Start(t.Context(), StartRequest{}); return err },
			func(b *Breaker) error { _, err := b.Complete(t.Context(), Ref{}); return err },
		},
		"inspects": {
			func(b *Breaker) error { _, err := b.Inspect(t.Context(), ""); return err },
		},
		"queries": {
			func(b *Breaker) error { _, err := b.Query(t.Context(), Ref{}); return err },
			func(b *Breaker) error { return b.Close(t.Context(), Ref{}) },
		},
		"refunds": {
			func(b *Breaker) error { _, err := b.Refund(t.Context(), RefundRequest{}); return err },
			func(b *Breaker) error { _, err := b.QueryRefund(t.Context(), Ref{}, Ref{}); return err },
		},
	} {
		for n, call := range calls {
			b := WithBreaker(&fake{err: ErrUnknown}, BreakerOptions{Failures: 2})
			for range 2 {
				if err := call(b); !errors.Is(err, ErrUnknown) {
					t.Fatalf("%s %d: %v", of, n, err)
				}
			}
			want := map[string]string{"calls": "closed", "inspects": "closed", "queries": "closed", "refunds": "closed"}
			want[of] = "open"
			if err := call(b); !errors.Is(err, ErrUnavailable) || !maps.Equal(b.States(), want) || b.Available() != (of != "calls" && of != "inspects") {
				t.Errorf("%s %d failed: %v, %v, available %v", of, n, err, b.States(), b.Available())
			}
		}
	}
}

// Each charge begins with a look at its card. That one succeeds says nothing of the other.
func TestALookAtTheCardDoesNotHideThatChargesFail(t *testing.T) {
	f := &fake{}
	b := WithBreaker(f, BreakerOptions{Failures: 2})
	for range 2 {
		f.err = nil
		if _, err := b.Inspect(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		f.err = ErrUnknown
		b.Start(t.Context(), StartRequest{})
	}
	if b.Available() {
		t.Error(b.States())
	}
}

// A statement takes minutes, and is fetched once a day: it neither waits for other calls nor makes them wait. It is watched as they are.
func TestStatementsHaveNoBreaker(t *testing.T) {
	f := &fake{err: ErrUnknown}
	var seen []string
	b := WithBreaker(f, BreakerOptions{Failures: 2, Rest: time.Hour, Around: func(ctx context.Context, _ models.PaymentChannel, call string) (context.Context, func(error)) {
		return ctx, func(err error) { seen = append(seen, fmt.Sprint(call, " ", err == ErrUnknown)) }
	}})
	for range 3 {
		if _, err := b.Statement(t.Context(), ""); err != ErrUnknown {
			t.Fatal(err)
		}
	}
	if _, err := b.Query(t.Context(), Ref{}); err != ErrUnknown {
		t.Errorf("failing statements stopped questions: %v", err)
	}
	b.Query(t.Context(), Ref{})
	if _, err := b.Statement(t.Context(), ""); err != ErrUnknown {
		t.Errorf("failing questions stopped statements: %v", err)
	}
	if fmt.Sprint(seen) != "[statement true statement true statement true query true query true statement true]" {
		t.Error(seen)
	}
}

// What we break off ourselves, because whoever waits cannot wait as long as a provider may take, is no failure of the provider; what takes
// all the time there is for a call is one.
func TestOurOwnHurryIsNoFailure(t *testing.T) {
	hurried, end := context.WithTimeoutCause(t.Context(), 0, ErrHurried)
	defer end()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, end := context.WithTimeout(t.Context(), 0)
	defer end()
	for _, c := range []struct {
		ctx  context.Context
		open bool
	}{{hurried, true}, {canceled, true}, {late, false}} {
		<-c.ctx.Done()
		b := WithBreaker(&fake{err: ErrUnknown}, BreakerOptions{Failures: 2})
		for range 5 {
			b.Complete(c.ctx, Ref{Number: "N"})
		}
		if b.Available() != c.open {
			t.Errorf("after %v: open %v", context.Cause(c.ctx), b.Available())
		}
	}
}

func TestTransportError(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	if err := TransportError(fmt.Errorf("post: %w", refused)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("never connected, nothing happened: %v", err)
	}
	broken := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset")}
	if err := TransportError(broken); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrUnavailable) {
		t.Errorf("sent, no answer: %v", err)
	}
	if err := TransportError(context.DeadlineExceeded); !errors.Is(err, ErrUnknown) {
		t.Errorf("time-out: %v", err)
	}
}
