package outbox_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

type ticking struct{ now time.Time }

func (c *ticking) Now() time.Time { return c.now }

// ear remembers what it was told; while deaf it refuses.
type ear struct {
	mu     sync.Mutex
	heard  map[string]int
	deaf   bool
	told   int // refusals while deaf
	change chan struct{}
}

func (e *ear) Publish(_ context.Context, topics ...string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf {
		e.told++
		select {
		case e.change <- struct{}{}:
		default:
		}
		return errors.New("deaf")
	}
	for _, t := range topics {
		e.heard[t]++
	}
	select {
	case e.change <- struct{}{}:
	default:
	}
	return nil
}

func (e *ear) refusals() int { e.mu.Lock(); defer e.mu.Unlock(); return e.told }

func (e *ear) times(topic string) int { e.mu.Lock(); defer e.mu.Unlock(); return e.heard[topic] }

// Lesson 6: what was committed is told; what was rolled back is not; what could not be told is told by the sweep.
func TestWhatWasCommittedIsTold(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx, stop := context.WithCancel(context.Background())
		c := &ticking{time.Now().UTC().Truncate(time.Microsecond)}
		e := &ear{heard: map[string]int{}, change: make(chan struct{}, 1)}
		o := outbox.New(home.DB, c, e, slog.New(slog.NewTextHandler(io.Discard, nil)))
		var running sync.WaitGroup
		running.Go(func() { o.Run(ctx) })
		t.Cleanup(func() { stop(); running.Wait() })
		add := func(topic string, fail error) {
			err := home.DB.InTx(ctx, func(ctx context.Context) error {
				return errors.Join(o.Add(ctx, models.NewID(), topic, topic+"'"), fail)
			})
			if !errors.Is(err, fail) {
				t.Fatal(err)
			}
		}
		add("rolled back", errors.New("no"))
		add("a", nil)
		for e.times("a") == 0 {
			<-e.change
		}
		e.mu.Lock()
		e.deaf = true
		e.mu.Unlock()
		add("b", nil)
		for e.refusals() == 0 { // the telling after the commit is over, and failed
			<-e.change
		}
		c.now = c.now.Add(time.Minute)
		if n, err := o.Sweep(ctx); err == nil || n != 0 { // a number would let RunDue try again and again
			t.Errorf("a deaf listener was told %d (%v)", n, err)
		}
		if lag, err := o.Lag(ctx); err != nil || lag != time.Minute {
			t.Errorf("lag %v %v", lag, err)
		}
		e.mu.Lock()
		e.deaf = false
		e.mu.Unlock()
		if n, err := o.Sweep(ctx); err != nil || n != 1 || e.times("b") != 1 || e.times("b'") != 1 || e.times("rolled") != 0 {
			t.Errorf("swept %d (%v), heard %v", n, err, e.heard)
		}
		if n, err := o.Sweep(ctx); err != nil || n != 0 {
			t.Errorf("told again: %d %v", n, err)
		}
	})
}
