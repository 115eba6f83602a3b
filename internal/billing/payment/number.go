package payment

import (
	"crypto/rand"
	"time"
)

// base32 without look-alikes, upper case: what every channel takes as a merchant order number.
const numberAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newNumber is a merchant order number of 26 characters (contract.md §5): the second it was made and 60 random bits.
func newNumber(now time.Time) string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails (crypto/rand since Go 1.24)
	for i := range b {
		b[i] = numberAlphabet[b[i]&31]
	}
	return now.Format("20060102150405") + string(b)
}

// NewNumber is a number for what goes to a channel beside payments: refunds have theirs of the same kind.
func NewNumber(now time.Time) string { return newNumber(now) }
