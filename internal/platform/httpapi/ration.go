package httpapi

import (
	"errors"
	"io"
)

const (
	// smallBody of a request or a message, in bytes, is nobody's concern: nearly all are.
	smallBody = 16 << 10
	// largeBodies is what all that are being read may take together beyond that, in bytes: whoever sends thousands, each as long and as
	// slowly as one may be, would take gigabytes.
	largeBodies = 128 << 20
)

var errLargeBodies = errors.New("httpapi: too much is being sent")

// ration reads a body within the room for all of them. It has to be given back.
type ration struct {
	r     io.Reader
	room  *room
	small int // what still is
	taken int
}

func (a *API) ration(r io.Reader) *ration { return &ration{r: r, room: &a.large, small: smallBody} }

// Read fails with errLargeBodies where there is no room.
func (x *ration) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	if x.small -= n; x.small >= 0 {
		return n, err
	}
	more := -x.small
	x.small = 0
	if !x.room.take(more) {
		return 0, errLargeBodies
	}
	x.taken += more
	return n, err
}

func (x *ration) giveBack() { x.room.give(x.taken) }
