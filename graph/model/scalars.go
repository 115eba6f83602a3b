// Package model holds the API's Go types: what gqlgen makes of the schema, its scalars, and Money. Rows of the database are in
// package models; resolvers/mapping_*.go alone converts between the two.
package model

import (
	"encoding/json"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// CodeBadUserInput is the extensions.code of a request that is malformed in itself (contract §2).
const CodeBadUserInput = "BAD_USER_INPUT"

// badInput says what a scalar looks like; the value itself is never repeated, it may be card data.
func badInput(text string) error {
	return &gqlerror.Error{Message: text, Extensions: map[string]any{"code": CodeBadUserInput}}
}

// quoted writes text that needs no escaping between quotes.
func quoted(text string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		buf := make([]byte, 0, 40)
		buf = append(buf, '"')
		buf = append(buf, text...)
		_, _ = w.Write(append(buf, '"'))
	})
}

const dateTimeLayout = "2006-01-02T15:04:05.999999Z07:00"

// MarshalDateTime writes a moment as RFC 3339 in UTC with at most microseconds.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		buf := make([]byte, 0, 32)
		_, _ = w.Write(AppendDateTime(buf, t))
	})
}

// AppendDateTime appends the quoted form of a moment.
func AppendDateTime(buf []byte, t time.Time) []byte {
	buf = append(buf, '"')
	buf = t.UTC().Truncate(time.Microsecond).AppendFormat(buf, dateTimeLayout)
	return append(buf, '"')
}

// UnmarshalDateTime reads RFC 3339 with any offset; fractions beyond microseconds are cut.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if ok && len(text) <= 64 {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC().Truncate(time.Microsecond), nil
		}
	}
	return time.Time{}, badInput(`a DateTime is RFC 3339 text such as "2026-11-21T08:30:00Z"`)
}

// MarshalDate writes a calendar day, YYYY-MM-DD.
func MarshalDate(day string) graphql.Marshaler { return quoted(day) }

// UnmarshalDate reads a calendar day that exists, YYYY-MM-DD.
func UnmarshalDate(v any) (string, error) {
	text, ok := v.(string)
	if ok && len(text) == len(time.DateOnly) {
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			return text, nil
		}
	}
	return "", badInput(`a Date is a day such as "2026-11-21"`)
}

// decimal is the grammar of the contract, §7. ASCII digits alone.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// MarshalDecimal writes an exact number as a string.
func MarshalDecimal(text string) graphql.Marshaler { return quoted(text) }

// UnmarshalDecimal reads an exact number: a JSON string in the contract's grammar, nothing else (TX-5).
func UnmarshalDecimal(v any) (string, error) {
	text, ok := v.(string)
	if ok && decimal.MatchString(text) { // of any length: what is too much for an amount is AMOUNT_OUT_OF_RANGE (contract §7)
		return text, nil
	}
	return "", badInput(`a Decimal is a string such as "1234.50"`)
}

// MarshalInt writes a whole number of 32 bits.
func MarshalInt(n int) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = w.Write(strconv.AppendInt(make([]byte, 0, 12), int64(n), 10))
	})
}

// UnmarshalInt reads a whole number of 32 bits; gqlgen's own takes strings and 64 bits, and has no code for its errors.
func UnmarshalInt(v any) (int, error) {
	var text string
	switch n := v.(type) {
	case int:
		text = strconv.Itoa(n)
	case int64:
		text = strconv.FormatInt(n, 10)
	case json.Number:
		text = n.String()
	case float64: // of a decoder that knows no json.Number
		text = strconv.FormatFloat(n, 'f', -1, 64)
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, badInput("an Int is a whole number of 32 bits")
	}
	return int(n), nil
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// MarshalCurrencyCode writes an ISO 4217 code.
func MarshalCurrencyCode(code string) graphql.Marshaler { return quoted(code) }

// UnmarshalCurrencyCode reads three capital letters; whether it is a currency in use is for the business to say.
func UnmarshalCurrencyCode(v any) (string, error) {
	if text, ok := v.(string); ok && currencyCode.MatchString(text) {
		return text, nil
	}
	return "", badInput(`a CurrencyCode is three capital letters such as "CNY"`)
}

// MarshalBigInt writes a whole number as a string of digits.
func MarshalBigInt(n int64) graphql.Marshaler { return quoted(strconv.FormatInt(n, 10)) }

// UnmarshalBigInt reads a string of digits.
func UnmarshalBigInt(v any) (int64, error) {
	if text, ok := v.(string); ok {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
			return n, nil
		}
	}
	return 0, badInput(`a BigInt is a string of digits such as "42"`)
}

// MarshalURL writes an absolute address.
func MarshalURL(address string) graphql.Marshaler { return graphql.MarshalString(address) }

// maxURL is what browsers and providers take for sure.
const maxURL = 2048

// UnmarshalURL reads an absolute address with a host. Which origins are allowed is for the business to say.
func UnmarshalURL(v any) (string, error) {
	text, ok := v.(string)
	if ok && len(text) <= maxURL {
		if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Host != "" {
			return text, nil
		}
	}
	return "", badInput(`a URL is an absolute address such as "https://shop.example/return"`)
}

// Scalars judge a value of each custom scalar by the scalar's name: nil for one that its Unmarshal function takes.
func Scalars() map[string]func(value any) error {
	return map[string]func(any) error{
		"DateTime": judge(UnmarshalDateTime), "Date": judge(UnmarshalDate), "Decimal": judge(UnmarshalDecimal),
		"CurrencyCode": judge(UnmarshalCurrencyCode), "BigInt": judge(UnmarshalBigInt), "URL": judge(UnmarshalURL), "Upload": judge(UnmarshalUpload),
	}
}

func judge[T any](read func(any) (T, error)) func(any) error {
	return func(v any) error {
		_, err := read(v)
		return err
	}
}
