package clock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"paydesk/internal/platform/settings"
)

const (
	// setting is the row of table settings that holds the offset in microseconds.
	setting = "clock.offset"
	// topic of package live wakes the other instances when the offset changed.
	topic = "clock"
	// refreshEvery bounds how long an instance may lag behind when a wake-up was lost.
	refreshEvery = time.Second
)

// Waker is what it needs of package live; nil where there is one instance alone.
type Waker interface {
	Watch(topic string) (wake <-chan struct{}, stop func())
	Publish(ctx context.Context, topics ...string) error
}

// ErrBackwards: the clock only goes forward.
var ErrBackwards = errors.New("the clock only goes forward")

// maxOffset keeps the product's year within what DATETIME columns and people can hold: a hundred years.
const maxOffset = 100 * 365 * 24 * time.Hour

// Shifted is the development clock: the wall clock and an offset that all instances share through the database.
type Shifted struct {
	store  settings.Store
	live   Waker
	log    *slog.Logger
	offset atomic.Int64 // microseconds
}

// NewShifted reads the stored offset. live may be nil.
func NewShifted(ctx context.Context, store settings.Store, live Waker, log *slog.Logger) (*Shifted, error) {
	s := &Shifted{store: store, live: live, log: log}
	return s, s.Refresh(ctx)
}

// Now is the wall clock plus the offset; it reads memory only.
func (s *Shifted) Now() time.Time {
	return wall().Add(time.Duration(s.offset.Load()) * time.Microsecond)
}

// Advance moves the product's time on by d for every instance. A negative d is ErrBackwards.
func (s *Shifted) Advance(ctx context.Context, d time.Duration) error {
	if d < 0 {
		return ErrBackwards
	}
	return s.move(ctx, func(offset time.Duration) (time.Duration, error) {
		if d > maxOffset || offset+d > maxOffset {
			return 0, fmt.Errorf("clock: more than %s ahead", maxOffset)
		}
		return offset + d, nil
	})
}

// Set moves the product's time on to at, for every instance. A time that has passed is ErrBackwards.
func (s *Shifted) Set(ctx context.Context, at time.Time) error {
	return s.move(ctx, func(offset time.Duration) (time.Duration, error) {
		wanted := at.Sub(wall())
		if wanted < offset {
			return 0, ErrBackwards
		}
		if wanted > maxOffset {
			return 0, fmt.Errorf("clock: more than %s ahead", maxOffset)
		}
		return wanted, nil
	})
}

// Refresh reads the offset that another instance may have changed.
func (s *Shifted) Refresh(ctx context.Context) error {
	offset, _, err := s.read(ctx)
	if err != nil {
		return err
	}
	s.keep(offset)
	return nil
}

// Run follows the stored offset, at once on a wake-up and every second, until ctx ends.
func (s *Shifted) Run(ctx context.Context) {
	var wake <-chan struct{}
	if s.live != nil {
		w, stop := s.live.Watch(topic)
		defer stop()
		wake = w
	}
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
		if err := s.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("the clock's offset could not be read", "error", err)
		}
	}
}

// move changes the stored offset under a compare-and-set, so that two instances moving at once both count.
func (s *Shifted) move(ctx context.Context, next func(time.Duration) (time.Duration, error)) error {
	const tries = 10
	for range tries {
		done, err := s.tryMove(ctx, next)
		if err != nil {
			return err
		}
		if done {
			if s.live != nil {
				// The others look every second as well.
				_ = s.live.Publish(ctx, topic)
			}
			return nil
		}
	}
	return errors.New("clock: too many are moving it at once")
}

func (s *Shifted) tryMove(ctx context.Context, next func(time.Duration) (time.Duration, error)) (bool, error) {
	offset, stored, err := s.read(ctx)
	if err != nil {
		return false, err
	}
	moved, err := next(offset)
	if err != nil {
		return false, err
	}
	value := strconv.FormatInt(moved.Microseconds(), 10)
	var done bool
	if stored == "" {
		done, err = settings.Create(ctx, s.store, setting, value)
	} else {
		done, err = settings.Replace(ctx, s.store, setting, stored, value)
	}
	if err != nil || !done {
		return false, err
	}
	s.keep(moved)
	return true, nil
}

// keep never lets the offset shrink: a read that started before a move may end after it.
func (s *Shifted) keep(offset time.Duration) {
	for {
		old := s.offset.Load()
		if offset.Microseconds() <= old || s.offset.CompareAndSwap(old, offset.Microseconds()) {
			return
		}
	}
}

func (s *Shifted) read(ctx context.Context) (time.Duration, string, error) {
	value, found, err := settings.Get(ctx, s.store, setting)
	if err != nil || !found {
		return 0, "", err
	}
	micros, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, "", fmt.Errorf("clock: setting %s: %w", setting, err)
	}
	return time.Duration(micros) * time.Microsecond, value, nil
}
