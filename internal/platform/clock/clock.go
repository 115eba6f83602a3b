// Package clock is the product's time: expiries, validity, sweeps and working days read it. Tokens, signatures and
// protocol timestamps live on the wall clock instead (contract, chapter 6).
package clock

import "time"

// Clock tells the product's time in UTC, in whole microseconds: what the databases keep.
type Clock interface{ Now() time.Time }

// System is the wall clock.
type System struct{}

// Now is the wall clock's time.
func (System) Now() time.Time { return wall() }

func wall() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
