package model

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

func written(m graphql.Marshaler) string {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

func TestDateTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-21T08:30:00Z":              `"2026-11-21T08:30:00Z"`,
		"2026-11-21T16:30:00.5+08:00":       `"2026-11-21T08:30:00.5Z"`,
		"2026-11-21T08:30:00.123456789Z":    `"2026-11-21T08:30:00.123456Z"`,
		"2026-11-21T08:30:00.000001+00:00":  `"2026-11-21T08:30:00.000001Z"`,
		"2026-02-29T08:30:00Z":              "",
		"2026-11-21":                        "",
		"2026-11-21 08:30:00Z":              "",
		"2026-11-21T08:30:00":               "",
		"":                                  "",
		"2026-11-21T08:30:00Z; DROP TABLE ": "",
	} {
		got, err := UnmarshalDateTime(in)
		if (err != nil) != (want == "") || err == nil && written(MarshalDateTime(got)) != want {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
	if _, err := UnmarshalDateTime(json.Number("0")); err == nil {
		t.Error("a number is no time")
	}
	if got := written(MarshalDateTime(time.Unix(0, 1999).In(time.FixedZone("", 8*3600)))); got != `"1970-01-01T00:00:00.000001Z"` {
		t.Error(got)
	}
}

func TestSmallScalars(t *testing.T) {
	tests := []struct {
		name string
		read func(any) (any, error)
		good []any
		bad  []any
	}{
		{"Date", func(v any) (any, error) { return UnmarshalDate(v) }, []any{"2026-11-21", "2024-02-29"}, []any{"2026-02-29", "2026-1-2", "20261121", "", 5, nil}},
		{"Decimal", func(v any) (any, error) { return UnmarshalDecimal(v) }, []any{"0", "-5", "1234.50", "0.05", "-0.0"},
			[]any{"+5", "1e3", "05", "-05", ".5", "5.", "５", "1,000", " 1", "1 ", "1\n", "", "NaN", "0x1", 5, json.Number("5"), 5.0, true, nil}},
		{"CurrencyCode", func(v any) (any, error) { return UnmarshalCurrencyCode(v) }, []any{"CNY", "USD"}, []any{"cny", "CN", "CNYY", "ＣＮＹ", "", 5, nil}},
		{"BigInt", func(v any) (any, error) { return UnmarshalBigInt(v) }, []any{"0", "-1", "9223372036854775807"}, []any{"9223372036854775808", "01", "+1", "1.0", "", 5, nil}},
		{"URL", func(v any) (any, error) { return UnmarshalURL(v) }, []any{"https://shop.example/r?a=1", "http://127.0.0.1:8080/"}, []any{"/r", "shop.example", "https://", "javascript:alert(1)", "", "http://a b/", 5, nil}},
		{"Int", func(v any) (any, error) { return UnmarshalInt(v) }, []any{0, int64(-5), json.Number("2147483647"), 5.0}, []any{int64(2147483648), json.Number("1e3"), json.Number("1.5"), 1.5, "5", true, nil}},
	}
	for _, c := range tests {
		for _, v := range c.good {
			if _, err := c.read(v); err != nil {
				t.Errorf("%s refuses %v: %v", c.name, v, err)
			}
		}
		for _, v := range c.bad {
			if got, err := c.read(v); err == nil {
				t.Errorf("%s takes %v as %v", c.name, v, got)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	m, de, tw := NewMoney(-123450, "CNY", "zh-Hans"), "de", "zh-TW"
	if m.Amount() != "-1234.50" || m.Currency() != "CNY" {
		t.Error(m.Amount(), m.Currency())
	}
	if m.Formatted(nil) != m.Formatted(&de) || m.Formatted(&tw) != m.Value.Format("zh-Hant") {
		t.Error("an unknown locale reads the request's")
	}
	if got := NewMoney(500, "JPY", "en").Amount(); got != "500" {
		t.Error(got)
	}
}
