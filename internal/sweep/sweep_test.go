package sweep_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/sweep"
)

var quiet = slog.New(slog.DiscardHandler)

func run(t *testing.T, s *sweep.Sweeper) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

func arrives(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("never came: ", what)
	}
}

// A job that hangs, fails or panics keeps neither the others nor the process from working.
func TestJobsDoNotWaitForEachOther(t *testing.T) {
	worked, panicked := make(chan struct{}, 1000), make(chan struct{}, 1000)
	s := sweep.New(time.Millisecond, quiet, nil,
		sweep.Job{Name: "hangs", Run: func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }},
		sweep.Job{Name: "panics", Run: func(context.Context) (int, error) {
			select {
			case panicked <- struct{}{}:
			default:
			}
			panic("boom")
		}},
		sweep.Job{Name: "fails", Run: func(context.Context) (int, error) { return 0, errors.New("no") }},
		sweep.Job{Name: "works", Run: func(context.Context) (int, error) {
			select {
			case worked <- struct{}{}:
			default:
			}
			return 1, nil
		}})
	run(t, s)
	for range 3 {
		arrives(t, worked, "work beside a job that hangs")
		arrives(t, panicked, "another run after a panic")
	}
}

// RunDue works until nothing is due, and never beside the same job's own run.
func TestRunDueEndsAndIsAlone(t *testing.T) {
	var left, inside atomic.Int64
	left.Store(5)
	s := sweep.New(time.Millisecond, quiet, nil, sweep.Job{Name: "counts", Run: func(context.Context) (int, error) {
		if inside.Add(1) != 1 {
			t.Error("two runs of one job at once")
		}
		defer inside.Add(-1)
		if left.Load() <= 0 {
			return 0, nil
		}
		left.Add(-1)
		return 1, nil
	}})
	run(t, s)
	if err := s.RunDue(t.Context()); err != nil || left.Load() > 0 {
		t.Fatal(err, left.Load())
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.RunDue(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
