package crew_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"paydesk/internal/platform/crew"
)

func TestDo(t *testing.T) {
	var now, most atomic.Int64
	release := make(chan struct{})
	items := make([]int, 50)
	for i := range items {
		items[i] = i
	}
	n, err := crew.Do(t.Context(), 4, items, func(i int) bool {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		if i == 3 { // four are in hand: let them go
			close(release)
		}
		<-release
		return i%2 == 0
	})
	if n != 25 || err != nil || most.Load() > 4 {
		t.Errorf("%d done, %d at once, %v", n, most.Load(), err)
	}
	if n, err := crew.Do(t.Context(), 4, nil, func(int) bool { return true }); n != 0 || err != nil {
		t.Error("nothing to do:", n, err)
	}
}

// Work that has begun is ended; nothing is begun after the end.
func TestDoEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n, err := crew.Do(ctx, 1, []int{1, 2, 3, 4}, func(i int) bool {
		if i == 2 {
			cancel()
		}
		return true
	})
	if n < 2 || n > 3 || !errors.Is(err, context.Canceled) { // the third may have been handed over before
		t.Errorf("%d done, %v", n, err)
	}
}
