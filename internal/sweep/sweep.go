// Package sweep does the work that time brings: expiry, lost notifications, what was not told after a commit. Every job may
// run in several instances at once and twice in a row (lesson 2).
package sweep

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Job does a bounded piece of due work and says how much it did; zero means that nothing is due.
type Job struct {
	Name string
	Run  func(ctx context.Context) (int, error)
}

// Sweeper runs jobs again and again.
type Sweeper struct {
	jobs  []Job
	every time.Duration
	log   *slog.Logger
	mu    sync.Mutex // one round at a time in this process
	last  func(name string, took time.Duration, done int)
}

// New makes a sweeper that looks for due work every so often, on the wall clock. Observe is told of each job's run; it may be nil.
func New(every time.Duration, log *slog.Logger, observe func(name string, took time.Duration, done int), jobs ...Job) *Sweeper {
	return &Sweeper{jobs: jobs, every: every, log: log, last: observe}
}

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	t := time.NewTicker(s.every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.round(ctx)
		}
	}
}

// maxRounds bounds RunDue: work that makes work for the same instant would never end.
const maxRounds = 1000

// RunDue works until nothing is due (POST /dev/clock answers when it has).
func (s *Sweeper) RunDue(ctx context.Context) error {
	for range maxRounds {
		if s.round(ctx) == 0 || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// round runs every job once; a job that fails is logged and does not keep the others from running.
func (s *Sweeper) round(ctx context.Context) (done int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		begin := time.Now()
		n, err := j.Run(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "sweep", "job", j.Name, "error", err)
		}
		if s.last != nil {
			s.last(j.Name, time.Since(begin), n)
		}
		done += n
	}
	return done
}
