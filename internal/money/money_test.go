package money_test

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	iso "github.com/bojanz/currency"
	"pgregory.net/rapid"

	"paydesk/internal/money"
)

// Lesson 17: ISO 4217 exponents 0, 2, 3 and 4.
func TestParseByExponent(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency money.Currency
		minor    int64
		decimal  string
		err      error
	}{
		{"500", "JPY", 500, "500", nil},
		{"500.0", "JPY", 0, "", money.ErrScale},
		{"0", "KRW", 0, "0", nil},
		{"1234.5", "CNY", 123450, "1234.50", nil},
		{"1234.50", "USD", 123450, "1234.50", nil},
		{"-0.05", "USD", -5, "-0.05", nil},
		{"-0", "USD", 0, "0.00", nil},
		{"0.001", "CNY", 0, "", money.ErrScale},
		{"100.000", "CNY", 0, "", money.ErrScale},
		{"1.234", "KWD", 1234, "1.234", nil},
		{"1.2345", "KWD", 0, "", money.ErrScale},
		{"7", "BHD", 7000, "7.000", nil},
		{"1.2345", "CLF", 12345, "1.2345", nil},
		{"1.23456", "CLF", 0, "", money.ErrScale},
		{"92233720368547758.07", "CNY", math.MaxInt64, "92233720368547758.07", nil},
		{"92233720368547758.08", "CNY", 0, "", money.ErrOverflow},
		{"-92233720368547758.08", "CNY", math.MinInt64, "-92233720368547758.08", nil},
		{"-92233720368547758.09", "CNY", 0, "", money.ErrOverflow},
		{"9223372036854775807", "JPY", math.MaxInt64, "9223372036854775807", nil},
		{"92233720368547759", "CNY", 0, "", money.ErrOverflow},
		{strings.Repeat("9", 400), "CNY", 0, "", money.ErrOverflow},
		{"1", "XXY", 0, "", money.ErrCurrency},
		{"1", "cny", 0, "", money.ErrCurrency},
		{"1", "", 0, "", money.ErrCurrency},
	} {
		got, err := money.Parse(c.text, c.currency)
		if !errors.Is(err, c.err) {
			t.Errorf("Parse(%q, %s): error %v, want %v", c.text, c.currency, err, c.err)
		}
		if err == nil && (got.Minor != c.minor || got.Decimal() != c.decimal) {
			t.Errorf("Parse(%q, %s) = %d %q, want %d %q", c.text, c.currency, got.Minor, got.Decimal(), c.minor, c.decimal)
		}
	}
}

// TX-5, TX-R3 and the contract's Decimal: no sign +, no exponent, no leading zero, no other digits, nothing around it.
func TestParseRefusesWhatIsNotDecimal(t *testing.T) {
	for _, text := range []string{
		"", "-", "+5", "1e3", "05", "00", "-01", ".5", "5.", "5.-1", "--1", "1,000", " 1", "1 ", "1\n", "0x10", "１２", "٣", "1.２", "∞", "NaN", "1_000", "1.2.3",
	} {
		if _, err := money.Parse(text, "CNY"); !errors.Is(err, money.ErrSyntax) {
			t.Errorf("Parse(%q): %v, want ErrSyntax", text, err)
		}
	}
}

var grammar = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

func TestDecimalGrammar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[-+]?[0-9]{0,3}[.e]?[0-9]{0,3}`).Draw(t, "text")
		if got, want := money.ValidDecimal(text), grammar.MatchString(text); got != want {
			t.Fatalf("ValidDecimal(%q) = %v, want %v", text, got, want)
		}
	})
}

func anyMoney(t *rapid.T) money.Money {
	c := rapid.SampledFrom(iso.GetCurrencyCodes()).Draw(t, "currency")
	return money.New(rapid.Int64().Draw(t, "minor"), money.Currency(c))
}

func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMoney(t)
		got, err := money.Parse(m.Decimal(), m.Currency)
		if err != nil || got != m {
			t.Fatalf("%v came back as %v, %v", m, got, err)
		}
	})
}

func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyMoney(t), money.New(rapid.Int64().Draw(t, "other"), "CNY")
		a.Currency = "CNY"
		sum, err := a.Add(b)
		if overflow := (b.Minor > 0 && a.Minor > math.MaxInt64-b.Minor) || (b.Minor < 0 && a.Minor < math.MinInt64-b.Minor); overflow != (err != nil) {
			t.Fatalf("%v + %v: %v", a, b, err)
		} else if overflow {
			return
		}
		back, err := sum.Sub(b)
		if err != nil || back != a {
			t.Fatalf("%v - %v = %v, %v; want %v", sum, b, back, err, a)
		}
		if order, _ := sum.Cmp(a); (order > 0) != (b.Minor > 0) || (order < 0) != (b.Minor < 0) {
			t.Fatalf("Cmp(%v, %v) = %d", sum, a, order)
		}
	})
}

func TestSubOverflow(t *testing.T) {
	if _, err := money.New(math.MinInt64, "CNY").Sub(money.New(1, "CNY")); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
	if _, err := money.New(0, "CNY").Sub(money.New(math.MinInt64, "CNY")); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
}

// Lesson 17: amounts of different currencies never mix.
func TestCurrenciesNeverMix(t *testing.T) {
	yuan, dollar := money.New(100, "CNY"), money.New(100, "USD")
	_, addErr := yuan.Add(dollar)
	_, subErr := yuan.Sub(dollar)
	_, cmpErr := yuan.Cmp(dollar)
	for _, err := range []error{addErr, subErr, cmpErr} {
		if !errors.Is(err, money.ErrCurrency) {
			t.Error(err)
		}
	}
}

// TX-5: whole units go by value.
func TestWholeUnits(t *testing.T) {
	for text, want := range map[string]bool{"100.00": true, "100.50": false, "0.01": false, "1": true} {
		m, _ := money.Parse(text, "CNY")
		if m.WholeUnits() != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	if !money.New(7, "JPY").WholeUnits() || money.New(1001, "KWD").WholeUnits() {
		t.Error("exponents 0 and 3")
	}
}
