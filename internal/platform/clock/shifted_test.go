package clock_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/testenv"
)

var quiet = slog.New(slog.DiscardHandler)

func near(t *testing.T, got time.Time, want time.Time) {
	t.Helper()
	if d := got.Sub(want); d < -time.Minute || d > time.Minute {
		t.Fatalf("%s, wanted about %s", got, want)
	}
}

func TestSystemIsUTCAndMicroseconds(t *testing.T) {
	now := clock.System{}.Now()
	if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Fatal(now)
	}
}

func TestShifted(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx := t.Context()
		a, err := clock.NewShifted(ctx, home.DB, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		near(t, a.Now(), time.Now())
		if err := a.Advance(ctx, 72*time.Hour); err != nil {
			t.Fatal(err)
		}
		near(t, a.Now(), time.Now().Add(72*time.Hour))
		if a.Now().Location() != time.UTC || a.Now().Nanosecond()%1000 != 0 {
			t.Fatal(a.Now())
		}

		b, err := clock.NewShifted(ctx, home.DB, nil, quiet) // a restart, or another instance
		if err != nil {
			t.Fatal(err)
		}
		near(t, b.Now(), time.Now().Add(72*time.Hour))
		at := time.Now().Add(1000 * time.Hour)
		if err := b.Set(ctx, at); err != nil {
			t.Fatal(err)
		}
		near(t, b.Now(), at)
		for name, err := range map[string]error{"advance": b.Advance(ctx, -time.Second), "set": b.Set(ctx, at.Add(-time.Hour))} {
			if !errors.Is(err, clock.ErrBackwards) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := b.Advance(ctx, 1<<62); err == nil {
			t.Error("centuries ahead")
		}
		near(t, b.Now(), at)
	})
}

// Instances that move it at once all count.
func TestConcurrentMoves(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		var all sync.WaitGroup
		for range 4 {
			c, err := clock.NewShifted(t.Context(), home.DB, nil, quiet)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if err := c.Advance(t.Context(), time.Hour); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		c, err := clock.NewShifted(t.Context(), home.DB, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.Now(), time.Now().Add(4*time.Hour))
	})
}

// Another instance sees the move through package live, or a second later.
func TestRunFollows(t *testing.T) {
	home := testenv.Embedded(t)
	hub := live.New(nil, quiet)
	a, err := clock.NewShifted(t.Context(), home.DB, hub, quiet)
	if err != nil {
		t.Fatal(err)
	}
	b, err := clock.NewShifted(t.Context(), home.DB, hub, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { b.Run(ctx) })
	defer func() { stop(); run.Wait() }()
	if err := a.Advance(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for b.Now().Before(time.Now().Add(30 * time.Minute)) {
		if time.Now().After(deadline) {
			t.Fatal("it does not follow")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
