package resolvers

import (
	"context"
	"time"

	"paydesk/internal/platform/auth"
)

// recheck is how often a watched thing is read again without a wake-up: a lost one costs seconds, not truth.
const recheck = 10 * time.Second

// state is one reading of what is watched.
type state[T any] struct {
	value   T
	version int64
	last    bool // terminal: nothing comes after it
}

// watch sends what read gives, at once and then whenever its version has grown; never backwards. A slow reader gets the newest. It
// subscribes to the wake-up before it reads, so nothing falls in between, and ends after the last state, with ctx or with the token.
func watch[T any](ctx context.Context, r *Resolver, topic string, read func(context.Context) (state[T], error)) (<-chan T, error) {
	wake, stop := r.s.Live.Watch(topic)
	now, err := read(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	ctx, cancel := untilTokenEnds(ctx)
	out := make(chan T)
	go func() {
		defer cancel()
		defer stop()
		defer close(out)
		w := watcher[T]{r: r, topic: topic, wake: wake, read: read, out: out}
		w.run(ctx, now)
	}()
	return out, nil
}

func untilTokenEnds(ctx context.Context) (context.Context, context.CancelFunc) {
	if v := auth.From(ctx); v != nil && !v.Expires.IsZero() {
		return context.WithDeadline(ctx, v.Expires)
	}
	return context.WithCancel(ctx)
}

type watcher[T any] struct {
	r     *Resolver
	topic string
	wake  <-chan struct{}
	read  func(context.Context) (state[T], error)
	out   chan<- T
}

// run sends now and what follows, until the last state or the end of ctx.
func (w watcher[T]) run(ctx context.Context, now state[T]) {
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	sent := now.version - 1
	for {
		var out chan<- T
		if now.version > sent {
			out = w.out // only what is newer is offered
		} else if now.last {
			return
		}
		select {
		case <-ctx.Done():
			return
		case out <- now.value:
			sent = now.version
		case <-w.wake:
			now = w.newer(ctx, now)
		case <-tick.C:
			now = w.newer(ctx, now)
		}
	}
}

// newer reads again; what is not newer, or cannot be read just now, changes nothing.
func (w watcher[T]) newer(ctx context.Context, now state[T]) state[T] {
	next, err := w.read(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.r.s.Log.WarnContext(ctx, "a watched state could not be read; it is tried again", "topic", w.topic, "err", err)
		}
		return now
	}
	if next.version > now.version {
		return next
	}
	return now
}
