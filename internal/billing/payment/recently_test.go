package payment

import (
	"testing"
	"time"

	"paydesk/models"
)

// Whoever comes back again and again makes us ask once in two seconds; others are not held up by him, and the memory is bounded.
func TestRecently(t *testing.T) {
	var r recently
	at, one, other := time.Now(), models.NewID(), models.NewID()
	for _, step := range []struct {
		id    models.ID
		after time.Duration
		first bool
	}{{one, 0, true}, {one, 0, false}, {other, time.Second, true}, {one, returnEvery - 1, false}, {one, returnEvery, true}, {one, returnEvery + time.Second, false}, {one, 10 * returnEvery, true}} {
		if got := r.first(step.id, at.Add(step.after)); got != step.first {
			t.Errorf("after %s: %v", step.after, got)
		}
	}
	for range 3 * returnsKept {
		r.first(models.NewID(), at)
	}
	if len(r.seen) > returnsKept {
		t.Errorf("%d are remembered", len(r.seen))
	}
}
