package model

import "sync"

// Cohort is what was read together. When one member is asked for something that needs a query, it is fetched for all of them: they are
// elements of one list, so all will be asked. That makes the number of statements constant in the page size, without a loader's wait.
type Cohort[T any] struct {
	Members []T
	mu      sync.Mutex
	fields  map[string]*fetched
}

type fetched struct {
	once  sync.Once
	value any
	err   error
}

// Cohorts of the types that have fields of that kind.
type (
	Orders       = Cohort[*Order]
	Payments     = Cohort[*Payment]
	Transactions = Cohort[*Transaction]
)

// Together gives a field of a cohort, fetched once for all its members.
func Together[T, V any](c *Cohort[T], field string, fetch func(members []T) (V, error)) (V, error) {
	c.mu.Lock()
	if c.fields == nil {
		c.fields = map[string]*fetched{}
	}
	f := c.fields[field]
	if f == nil {
		f = new(fetched)
		c.fields[field] = f
	}
	c.mu.Unlock()
	f.once.Do(func() { f.value, f.err = fetch(c.Members) })
	value, _ := f.value.(V)
	return value, f.err
}
