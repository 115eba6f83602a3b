// Package sweep does the work that time brings: expiry, lost notifications, what was not told after a commit. Every job may
// run in several instances at once and twice in a row (lesson 2).
package sweep

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"paydesk/internal/platform/telemetry/trace"
)

// Job does a bounded piece of due work and says how much it did; zero means that nothing is due.
type Job struct {
	Name string
	Run  func(ctx context.Context) (int, error)
}

// Sweeper runs jobs again and again, each at its own pace: one that waits for a slow provider does not keep the others from
// their work.
type Sweeper struct {
	jobs    []*job
	every   time.Duration
	log     *slog.Logger
	observe func(name string, took time.Duration, done int, err error)
}

type job struct {
	Job
	mu sync.Mutex // one run at a time in this process
}

// New makes a sweeper that looks for due work every so often, on the wall clock. Observe is told of each job's run, from
// several goroutines; it may be nil.
func New(every time.Duration, log *slog.Logger, observe func(name string, took time.Duration, done int, err error), jobs ...Job) *Sweeper {
	s := &Sweeper{every: every, log: log, observe: observe}
	for _, j := range jobs {
		s.jobs = append(s.jobs, &job{Job: j})
	}
	return s
}

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, j := range s.jobs {
		all.Go(func() { s.repeat(ctx, j) })
	}
	all.Wait()
}

func (s *Sweeper) repeat(ctx context.Context, j *job) {
	t := time.NewTicker(s.every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.run(ctx, j)
		}
	}
}

// maxRounds bounds RunDue: work that makes work for the same instant would never end.
const maxRounds = 1000

// RunDue works until nothing is due (POST /dev/clock answers when it has).
func (s *Sweeper) RunDue(ctx context.Context) error {
	for range maxRounds {
		done := 0
		for _, j := range s.jobs {
			done += s.run(ctx, j)
		}
		if done == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// run runs a job once; one that fails or panics is logged.
func (s *Sweeper) run(ctx context.Context, j *job) (done int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	begin := time.Now()
	done, err := protected(ctx, j.Job)
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "sweep", "job", j.Name, "error", err)
	}
	if s.observe != nil {
		s.observe(j.Name, time.Since(begin), done, err)
	}
	if done > 0 || err != nil { // jobs look every second: what they do is worth a span, that there is nothing to do is not
		span := trace.Did(ctx, "sweep "+j.Name, begin)
		span.Count("paydesk.sweep.done", done)
		if err != nil {
			span.Fail("failed")
		}
		span.End()
	}
	return done
}

func protected(ctx context.Context, j Job) (done int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return j.Run(ctx)
}
