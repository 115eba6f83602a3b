package model

import (
	"strings"

	"paydesk/internal/money"
)

// Money is an amount as the API shows it. The value stays in minor units until somebody asks for its text.
type Money struct {
	Value  money.Money
	Locale string // the request's language, for Formatted
}

// NewMoney shows minor units of a currency in the request's language.
func NewMoney(minor int64, currency, locale string) Money {
	return Money{money.New(minor, money.Currency(currency)), locale}
}

// Amount is the exact amount at the currency's full scale.
func (m Money) Amount() string { return m.Value.Decimal() }

// Currency is the ISO 4217 code.
func (m Money) Currency() string { return string(m.Value.Currency) }

// Formatted is the amount as people read it, in the named language or else in the request's.
func (m Money) Formatted(locale *string) string {
	if locale != nil {
		if known := knownLocale(*locale); known != "" {
			return m.Value.Format(known)
		}
	}
	return m.Value.Format(m.Locale)
}

// knownLocale maps a language tag to one of the three languages; "" for any other.
func knownLocale(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	switch {
	case tag == "en" || strings.HasPrefix(tag, "en-"):
		return "en"
	case strings.HasPrefix(tag, "zh-hant"), tag == "zh-tw", tag == "zh-hk", tag == "zh-mo":
		return "zh-Hant"
	case tag == "zh" || strings.HasPrefix(tag, "zh-"):
		return "zh-Hans"
	}
	return ""
}
