package input

import (
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/money"
)

// Amount is a MoneyInput as it came: a decimal text and a currency code.
type Amount struct{ Decimal, Currency string }

// Parse reads the amount in the currency it has to have: CURRENCY_MISMATCH for another one, AMOUNT_INVALID for negative
// or finer than the currency, AMOUNT_OUT_OF_RANGE where it does not fit at all. Zero is fine here.
func (a Amount) Parse(want string, field ...string) (money.Money, error) {
	if a.Currency != want {
		return money.Money{}, fault.New("CURRENCY_MISMATCH", field...).With("currency", want)
	}
	m, err := money.Parse(a.Decimal, money.Currency(a.Currency))
	switch {
	case errors.Is(err, money.ErrOverflow):
		return money.Money{}, fault.New("AMOUNT_OUT_OF_RANGE", field...)
	case err != nil || m.Negative():
		return money.Money{}, fault.New("AMOUNT_INVALID", field...)
	}
	return m, nil
}
