// Package money has amounts as whole minor units with a currency. Never a float.
package money

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	iso "github.com/bojanz/currency"
)

// Currency is an ISO 4217 code, in capitals.
type Currency string

// Exponent is the number of digits of the currency's minor unit (ISO 4217): 0 for JPY, 2 for CNY, 3 for KWD, 4 for CLF.
// False: the currency is unknown.
func (c Currency) Exponent() (int, bool) {
	digits, ok := iso.GetDigits(string(c))
	return int(digits), ok
}

// Errors of amounts.
var (
	// ErrCurrency: the currency is unknown, or two amounts have different ones.
	ErrCurrency = errors.New("money: currency unknown or not the same")
	// ErrSyntax: the text is not a Decimal of the contract.
	ErrSyntax = errors.New("money: not a decimal number")
	// ErrScale: the text is finer than the currency's minor unit; it is never rounded silently.
	ErrScale = errors.New("money: finer than the currency")
	// ErrOverflow: the amount does not fit 64 bits of minor units.
	ErrOverflow = errors.New("money: too large")
)

// Money is an amount in minor units of its currency.
type Money struct {
	Minor    int64
	Currency Currency
}

// New makes an amount from minor units.
func New(minor int64, c Currency) Money { return Money{minor, c} }

// Zero is nothing of a currency.
func Zero(c Currency) Money { return Money{0, c} }

// IsZero reports whether the amount is nothing.
func (m Money) IsZero() bool { return m.Minor == 0 }

// Negative reports whether the amount is below zero.
func (m Money) Negative() bool { return m.Minor < 0 }

// Add is m + o. Errors: ErrCurrency, ErrOverflow.
func (m Money) Add(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, mismatch(m, o)
	}
	sum := m.Minor + o.Minor
	if (sum > m.Minor) != (o.Minor > 0) && o.Minor != 0 {
		return Money{}, ErrOverflow
	}
	return Money{sum, m.Currency}, nil
}

// Sub is m - o. Errors: ErrCurrency, ErrOverflow.
func (m Money) Sub(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, mismatch(m, o)
	}
	difference := m.Minor - o.Minor
	if (difference < m.Minor) != (o.Minor > 0) && o.Minor != 0 {
		return Money{}, ErrOverflow
	}
	return Money{difference, m.Currency}, nil
}

// Cmp is -1, 0 or 1 as m is less than, equal to or more than o. Errors: ErrCurrency.
func (m Money) Cmp(o Money) (int, error) {
	switch {
	case m.Currency != o.Currency:
		return 0, mismatch(m, o)
	case m.Minor < o.Minor:
		return -1, nil
	case m.Minor > o.Minor:
		return 1, nil
	}
	return 0, nil
}

// WholeUnits reports whether the amount has no fraction of a unit: 100.00 is whole, 100.50 is not (TX-5).
func (m Money) WholeUnits() bool {
	exponent, _ := m.Currency.Exponent()
	return m.Minor%int64(powers[exponent]) == 0
}

// Decimal is the plain number with the currency's full scale: "1234.50", "-0.05", "500" (JPY).
func (m Money) Decimal() string {
	exponent, _ := m.Currency.Exponent()
	var buf [24]byte
	return string(appendDecimal(buf[:0], m.Minor, exponent))
}

// String is for logs and tests: "1234.50 CNY".
func (m Money) String() string { return m.Decimal() + " " + string(m.Currency) }

// powers of ten up to the finest minor unit.
var powers = [...]uint64{1, 10, 100, 1000, 10000}

func appendDecimal(dst []byte, minor int64, exponent int) []byte {
	if minor < 0 {
		dst = append(dst, '-')
	}
	return appendFraction(strconv.AppendUint(dst, magnitude(minor)/powers[exponent], 10), minor, exponent, ".")
}

// appendFraction writes the separator and the digits below one unit; nothing for a currency without a minor unit.
func appendFraction(dst []byte, minor int64, exponent int, separator string) []byte {
	if exponent == 0 {
		return dst
	}
	dst = append(dst, separator...)
	fraction := magnitude(minor) % powers[exponent]
	for i := exponent - 1; i >= 0; i-- {
		dst = append(dst, byte('0'+fraction/powers[i]%10))
	}
	return dst
}

// magnitude is the absolute value; it holds for the smallest int64 too.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func mismatch(a, b Money) error {
	return fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency, b.Currency)
}

// mulDiv is a*b/c with its remainder, through 128 bits; a*b/c must fit 64 bits.
func mulDiv(a, b, c uint64) (quotient, remainder uint64) {
	high, low := bits.Mul64(a, b)
	return bits.Div64(high, low, c)
}
