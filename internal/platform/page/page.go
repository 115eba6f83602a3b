// Package page reads the pagination arguments of a connection and turns them into keyset conditions: a page costs the
// same at any depth, and rows that come or go in between neither repeat nor hide others.
package page

import "fmt"

// Limits of a page (contract.md §7).
const (
	DefaultSize = 20
	MaxSize     = 100
)

// Invalid is a malformed pagination argument; its text may be shown to the client. The GraphQL face answers it with
// BAD_USER_INPUT. (It lives here because platform packages know nothing of billing's faults.)
type Invalid string

func (i Invalid) Error() string { return string(i) }

// Page is what a client asked for: how many rows, from which end, between which cursors.
type Page struct {
	Size     int
	Backward bool // last/before: the end of the range, still answered in the list's order
	After    *Cursor
	Before   *Cursor
}

// First is the first page with n rows, for callers inside; n is not checked.
func First(n int) Page { return Page{Size: n} }

// Parse reads the four arguments of a connection. Without first and last it is the first DefaultSize rows. first or last
// below 1 or above MaxSize, both at once, and cursors that were not made here are Invalid. As in the Relay specification
// both cursors may be given, with either count.
func Parse(first *int, after *string, last *int, before *string) (Page, error) {
	p := Page{Size: DefaultSize}
	switch {
	case first != nil && last != nil:
		return Page{}, Invalid("first and last cannot be used together")
	case first != nil:
		p.Size = *first
	case last != nil:
		p.Size, p.Backward = *last, true
	}
	if p.Size < 1 || p.Size > MaxSize {
		name := "first"
		if p.Backward {
			name = "last"
		}
		return Page{}, Invalid(fmt.Sprintf("%s must be between 1 and %d", name, MaxSize))
	}
	var err error
	if p.After, err = parseCursor("after", after); err != nil {
		return Page{}, err
	}
	if p.Before, err = parseCursor("before", before); err != nil {
		return Page{}, err
	}
	return p, nil
}
