package money_test

import (
	"math"
	"testing"

	iso "github.com/bojanz/currency"
	"pgregory.net/rapid"

	"paydesk/internal/money"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency money.Currency
		locale   string
		want     string
	}{
		{123450, "CNY", "zh-Hans", "¥1,234.50"},
		{123450, "CNY", "zh-CN", "¥1,234.50"},
		{123450, "CNY", "en", "¥1,234.50"},
		{123450, "CNY", "zh-Hant", "¥1,234.50"},
		{-5, "CNY", "zh-Hans", "-¥0.05"},
		{100, "USD", "en", "$1.00"},
		{100, "USD", "fr", "$1.00"},
		{100, "USD", "zh-HK", "US$1.00"},
		{1234567, "JPY", "en", "¥1,234,567"},
		{1234567, "KWD", "en", "KWD\u00a01,234.567"},
		{1, "???", "en", "1 ???"},
	} {
		if got := money.New(c.minor, c.currency).Format(c.locale); got != c.want {
			t.Errorf("%d %s in %s: %q, want %q", c.minor, c.currency, c.locale, got, c.want)
		}
	}
}

// The fast way writes exactly what the CLDR formatter writes.
func TestFormatIsCLDR(t *testing.T) {
	formatters := map[string]*iso.Formatter{}
	for _, l := range []string{"en", "zh-Hans", "zh-Hant"} {
		formatters[l] = iso.NewFormatter(iso.NewLocale(l))
		formatters[l].SymbolMap["CNY"] = "¥"
	}
	check := func(t interface{ Fatalf(string, ...any) }, m money.Money) {
		amount, err := iso.NewAmountFromInt64(m.Minor, string(m.Currency))
		if err != nil {
			t.Fatalf("%v", err)
		}
		for locale, f := range formatters {
			if got, want := m.Format(locale), f.Format(amount); got != want {
				t.Fatalf("%v in %s: %q, CLDR has %q", m, locale, got, want)
			}
		}
	}
	for _, c := range iso.GetCurrencyCodes() {
		for _, minor := range []int64{0, 1, -1, 99, 100, 99999, 100000, -123456789, math.MaxInt64, math.MinInt64} {
			check(t, money.New(minor, money.Currency(c)))
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, anyMoney(t)) })
}

func BenchmarkFormat(b *testing.B) {
	m := money.New(123456789, "CNY")
	b.ReportAllocs()
	for b.Loop() {
		_ = m.Format("zh-Hans")
	}
}
