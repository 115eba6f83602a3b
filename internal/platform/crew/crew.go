// Package crew works through due items with a bounded number of hands: what is slow to answer costs one answer's time, not one for
// each item.
package crew

import (
	"context"
	"sync"
	"sync/atomic"
)

// Do hands items to do, at most hands of them at a time, and returns how many it did when all it began are done. do reports whether
// it took the item. Once ctx is over no further item is begun, and its error is returned.
func Do[T any](ctx context.Context, hands int, items []T, do func(T) bool) (int, error) {
	var did atomic.Int64
	var all sync.WaitGroup
	next := make(chan T)
	for range min(hands, len(items)) {
		all.Go(func() {
			for item := range next {
				if do(item) {
					did.Add(1)
				}
			}
		})
	}
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		next <- item
	}
	close(next)
	all.Wait()
	return int(did.Load()), ctx.Err()
}
