// Package money has amounts as whole minor units with a currency. Never a float.
package money

// Currency is an ISO 4217 code.
type Currency string

// Money is an amount in minor units of its currency.
type Money struct {
	Minor    int64
	Currency Currency
}

// New makes an amount from minor units.
func New(minor int64, c Currency) Money { return Money{minor, c} }
