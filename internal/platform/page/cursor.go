package page

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"paydesk/models"
)

// Cursor is a row's place in an order: its sort key and, because keys may be equal, its id. Sort names the order it was
// made for; a cursor of another order is refused rather than understood wrongly.
type Cursor struct {
	Sort byte
	Key  int64 // Unix microseconds of a time, minor units of an amount, a sequence number
	ID   models.ID
}

// version stands before every cursor, so that its inside may change one day.
const version = "v1:"

const cursorBytes = 1 + 8 + 16

// String is the cursor as clients see it; opaque to them.
func (c Cursor) String() string {
	var raw [cursorBytes]byte
	raw[0] = c.Sort
	binary.BigEndian.PutUint64(raw[1:], uint64(c.Key))
	copy(raw[9:], c.ID[:])
	return version + base64.RawURLEncoding.EncodeToString(raw[:])
}

// ParseCursor reads what String wrote; anything else is Invalid.
func ParseCursor(text string) (Cursor, error) {
	body, ok := strings.CutPrefix(text, version)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if !ok || err != nil || len(raw) != cursorBytes {
		return Cursor{}, Invalid("this is not a cursor of this list")
	}
	c := Cursor{Sort: raw[0], Key: int64(binary.BigEndian.Uint64(raw[1:]))}
	copy(c.ID[:], raw[9:])
	return c, nil
}

func parseCursor(argument string, text *string) (*Cursor, error) {
	if text == nil {
		return nil, nil
	}
	c, err := ParseCursor(*text)
	if err != nil {
		return nil, Invalid(argument + ": " + err.Error())
	}
	return &c, nil
}
