package load

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Source gives the requests of a run; it is called from all clients at once.
type Source interface {
	// Next writes a request into b and tells what to check of its answer; false when there are no more.
	Next(b []byte) (request []byte, check func(status int, body []byte) bool, ok bool)
}

// Result is what a run saw.
type Result struct {
	Requests int64
	Elapsed  time.Duration
	P50, P99 time.Duration
	Dry      bool // the source had no more requests: the run was cut short
}

// PerSecond is the throughput.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// Run sends requests from as many clients as are given, each waiting for its answer, for a time. The first wrong answer ends
// it with an error.
func Run(clients []*Conn, source Source, d time.Duration) (Result, error) {
	var requests atomic.Int64
	var stop, dry atomic.Bool
	errs := make(chan error, len(clients))
	samples := make([][]time.Duration, len(clients))
	var wait sync.WaitGroup
	begin := time.Now()
	for i, c := range clients {
		wait.Go(func() {
			seen, n, err := one(c, source, begin.Add(d), &stop, &dry)
			samples[i] = seen
			requests.Add(n)
			if err != nil {
				stop.Store(true)
				errs <- err
			}
		})
	}
	wait.Wait()
	r := Result{Requests: requests.Load(), Elapsed: time.Since(begin), Dry: dry.Load()}
	all := slices.Concat(samples...)
	slices.Sort(all)
	if len(all) > 0 {
		r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	}
	select {
	case err := <-errs:
		return r, err
	default:
		return r, nil
	}
}

func one(c *Conn, source Source, end time.Time, stop, dry *atomic.Bool) (seen []time.Duration, n int64, err error) {
	seen = make([]time.Duration, 0, 4096)
	var b []byte
	for begin := time.Now(); begin.Before(end) && !stop.Load(); n++ {
		request, check, ok := source.Next(b[:0])
		if !ok {
			dry.Store(true)
			return seen, n, nil
		}
		b = request
		status, body, err := c.Do(request)
		if err != nil {
			return seen, n, err
		}
		if !check(status, body) {
			return seen, n, fmt.Errorf("%w: %d %.1000s", errAnswer, status, body)
		}
		now := time.Now()
		seen = append(seen, now.Sub(begin))
		begin = now
	}
	return seen, n, nil
}
