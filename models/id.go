// Package models holds the rows of the database: columns, table names and typed statuses. No queries, no hooks, no GraphQL.
package models

import (
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ID is a UUIDv7 (RFC 9562) made by this process: time-ordered, BINARY(16) in the database. Outside it is shown as a
// prefixed TypeID ("pay_…", see Encode). The zero ID means "none" and is stored as NULL.
type ID [16]byte

// NewID makes a new, unique, time-ordered id.
func NewID() ID { return ID(uuid.Must(uuid.NewV7())) }

// Time is when the id was made, by the wall clock, to the millisecond.
func (id ID) Time() time.Time {
	ms := int64(0)
	for _, b := range id[:6] { // RFC 9562 §5.7: the first 48 bits
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms).UTC()
}

// IsZero reports whether the id is absent.
func (id ID) IsZero() bool { return id == ID{} }

// Value stores the id as 16 bytes, the zero id as NULL.
func (id ID) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id[:], nil
}

// Scan reads 16 bytes or NULL.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case []byte:
		if len(v) != len(id) {
			return fmt.Errorf("models: an id has 16 bytes, not %d", len(v))
		}
		copy(id[:], v)
		return nil
	case string:
		return id.Scan([]byte(v))
	}
	return fmt.Errorf("models: cannot read an id from %T", src)
}

// GormDataType tells gorm that an id is bytes.
func (ID) GormDataType() string { return "bytes" }

// String is the hexadecimal form, for logs and topics.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// crockford is the TypeID alphabet: base32 without i, l, o, u.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

var crockfordIndex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(crockford) {
		t[crockford[i]] = byte(i)
	}
	return t
}()

// ErrBadID says that a text is not an id of the wanted type.
var ErrBadID = errors.New("models: not an id of this type")

// Prefixes of the types that have ids outside.
const (
	PrefixAccount  = "acc"
	PrefixOrder    = "ord"
	PrefixPayment  = "pay"
	PrefixPosting  = "txn"
	PrefixItem     = "itm"
	PrefixSettings = "set"
	PrefixBalance  = "bal"
	PrefixCoupon   = "cpn"
	PrefixDiscount = "dsc"
	PrefixRefund   = "rfd"
	PrefixFile     = "fil"

	PrefixSuspense     = "sus"
	PrefixNotification = "ntf"
)

// Encode writes the id in TypeID form (typeid.io spec 0.3): prefix, underscore, 26 base32 characters.
func (id ID) Encode(prefix string) string {
	out := make([]byte, len(prefix)+27)
	copy(out, prefix)
	out[len(prefix)] = '_'
	dst := out[len(prefix)+1:]
	// 128 bits as 26 groups of 5, the first group has 3 bits: walk a 130-bit number from the right.
	var acc uint64
	bits, n := 0, 25
	for i := 15; i >= 0; i-- {
		acc |= uint64(id[i]) << bits
		bits += 8
		for bits >= 5 {
			dst[n] = crockford[acc&31]
			acc >>= 5
			bits -= 5
			n--
		}
	}
	dst[0] = crockford[acc&31]
	return string(out)
}

// Decode reads an id of the given type; anything else is ErrBadID.
func Decode(prefix, text string) (ID, error) {
	p, id, err := DecodeAny(text)
	if err != nil || p != prefix {
		return ID{}, ErrBadID
	}
	return id, nil
}

// DecodeAny reads an id of any type and tells its prefix.
func DecodeAny(text string) (prefix string, id ID, err error) {
	if len(text) < 28 || text[len(text)-27] != '_' {
		return "", ID{}, ErrBadID
	}
	prefix, body := text[:len(text)-27], text[len(text)-26:]
	if body[0] > '7' { // more than 128 bits
		return "", ID{}, ErrBadID
	}
	var acc uint64
	bits, n := 0, 15
	for i := 25; i >= 0; i-- {
		v := crockfordIndex[body[i]]
		if v == 0xff {
			return "", ID{}, ErrBadID
		}
		acc |= uint64(v) << bits
		bits += 5
		if bits >= 8 && n >= 0 {
			id[n] = byte(acc)
			acc >>= 8
			bits -= 8
			n--
		}
	}
	if id.IsZero() {
		return "", ID{}, ErrBadID
	}
	return prefix, id, nil
}
