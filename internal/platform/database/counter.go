package database

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

type counterKey struct{}

// counting is the number of counters ever made: while it is zero, as in production, a statement pays one atomic load.
var counting atomic.Int32

// Counter counts the round trips to the database that were made with a context: statements, BEGIN, COMMIT and ROLLBACK.
// On MySQL there is no BEGIN: the first statement begins the transaction. The preparation of a statement, once per
// connection, is not counted.
type Counter struct {
	mu         sync.Mutex
	statements []string
}

// WithCounter returns a context whose round trips are counted, through gorm or not, inside a transaction or not.
func WithCounter(ctx context.Context) (context.Context, *Counter) {
	counting.Add(1)
	c := &Counter{}
	return context.WithValue(ctx, counterKey{}, c), c
}

// N is the number of round trips so far.
func (c *Counter) N() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.statements)
}

// Statements are the texts of the round trips so far, in order.
func (c *Counter) Statements() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.statements)
}

func count(ctx context.Context, text string) {
	if counting.Load() == 0 || ctx == nil {
		return
	}
	if c, ok := ctx.Value(counterKey{}).(*Counter); ok {
		c.mu.Lock()
		c.statements = append(c.statements, text)
		c.mu.Unlock()
	}
}
