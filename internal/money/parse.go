package money

import "math"

// Parse reads a Decimal of the contract, `-?(0|[1-9][0-9]*)(\.[0-9]+)?` as ASCII, as an amount of the currency.
// Errors: ErrCurrency, ErrSyntax, ErrScale (digits beyond the currency's minor unit, zeros included), ErrOverflow.
func Parse(text string, c Currency) (Money, error) {
	exponent, ok := c.Exponent()
	if !ok {
		return Money{}, ErrCurrency
	}
	negative, whole, fraction, ok := split(text)
	if !ok {
		return Money{}, ErrSyntax
	}
	if len(fraction) > exponent {
		return Money{}, ErrScale
	}
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	value, ok := digits(0, whole, limit)
	if ok {
		value, ok = digits(value, fraction, limit)
	}
	for range exponent - len(fraction) {
		if ok {
			value, ok = digits(value, "0", limit)
		}
	}
	if !ok {
		return Money{}, ErrOverflow
	}
	if negative {
		return Money{int64(-value), c}, nil
	}
	return Money{int64(value), c}, nil
}

// ValidDecimal reports whether the text is a Decimal of the contract, whatever its size and scale.
func ValidDecimal(text string) bool {
	_, _, _, ok := split(text)
	return ok
}

// split takes a Decimal apart: sign, digits before and after the point.
func split(text string) (negative bool, whole, fraction string, ok bool) {
	if len(text) > 0 && text[0] == '-' {
		negative, text = true, text[1:]
	}
	n := digitCount(text)
	whole, text = text[:n], text[n:]
	if n == 0 || (n > 1 && whole[0] == '0') {
		return false, "", "", false
	}
	if text == "" {
		return negative, whole, "", true
	}
	fraction = text[1:]
	if text[0] != '.' || fraction == "" || digitCount(fraction) != len(fraction) {
		return false, "", "", false
	}
	return negative, whole, fraction, true
}

// digitCount is the length of the leading run of ASCII digits.
func digitCount(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

// digits appends decimal digits to a value; false when it grows beyond the limit.
func digits(value uint64, text string, limit uint64) (uint64, bool) {
	for i := range len(text) {
		d := uint64(text[i] - '0')
		if value > (limit-d)/10 {
			return 0, false
		}
		value = value*10 + d
	}
	return value, true
}
