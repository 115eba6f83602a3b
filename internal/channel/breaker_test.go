package channel

import (
	"context"
	"errors"
	"fmt"
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
func (f *fake) Query(context.Context, Ref) (Event, error) { return Event{}, f.err }

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

// A provider that limits how often it is asked does not close the channel to people who want to pay.
func TestQueriesHaveABreakerOfTheirOwn(t *testing.T) {
	b := WithBreaker(&fake{err: ErrUnknown}, BreakerOptions{Failures: 2})
	for range 3 {
		b.Query(t.Context(), Ref{Number: "N"})
	}
	if _, err := b.Query(t.Context(), Ref{Number: "N"}); !errors.Is(err, ErrUnavailable) || !b.Available() {
		t.Errorf("queries: %v; available: %v", err, b.Available())
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
