package verification

import (
	"strings"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/money"
	"paydesk/models"
)

// Funding is what the person wants to pay from the balance and through a channel.
type Funding struct {
	Balance, Online *input.Amount
	Partner         bool
}

// agreed reads a funding: a part from the balance and one through a channel, both above zero, together not above what the orders cost,
// where orders are named. Faults: INVALID_INPUT, and for an amount those of input.Amount and AMOUNT_INVALID for zero.
func (f *Funding) agreed(currency string, orders []models.Order) (a agreed, err error) {
	wrong := fault.New("INVALID_INPUT", "input", "funding")
	if f.Partner || f.Balance == nil || f.Online == nil {
		return a, wrong
	}
	if a.balance, err = part(*f.Balance, currency, "input", "funding", "balance"); err != nil {
		return a, err
	}
	if a.online, err = part(*f.Online, currency, "input", "funding", "online", "amount"); err != nil {
		return a, err
	}
	total, err := a.balance.Add(a.online)
	if err != nil {
		return a, wrong
	}
	cost, ids := money.Zero(total.Currency), make([]models.ID, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
		if cost, err = cost.Add(money.New(o.AmountDue, money.Currency(o.Currency))); err != nil {
			return a, wrong
		}
	}
	if len(orders) > 0 && total.Minor > cost.Minor {
		return a, wrong
	}
	a.terms, a.total, a.orders = terms(ids, a.balance, a.online), &total, len(ids)
	return a, nil
}

func part(amount input.Amount, currency string, field ...string) (money.Money, error) {
	m, err := amount.Parse(currency, field...)
	if err == nil && m.IsZero() {
		err = fault.New("AMOUNT_INVALID", field...)
	}
	return m, err
}

func mask(a models.Account, kind models.VerificationKind) string {
	if kind == models.CodeBySMS {
		return maskPhone(a.Phone)
	}
	return maskEmail(a.Email)
}

// maskPhone shows the first three and the last four digits, fewer of a short number, and no more than half of any: 138****5678. A
// country's code of a number with + is left out where the rest is long enough to be told by; where it is not, the + stays: +861****8000.
func maskPhone(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
	plus := ""
	if strings.HasPrefix(strings.TrimSpace(phone), "+") {
		plus = "+"
	}
	if country, rest, spaced := strings.Cut(strings.TrimSpace(phone), " "); spaced && strings.HasPrefix(country, "+") {
		if own := strings.TrimPrefix(digits, strings.Trim(country, "+-()")); len(own) >= 8 && strings.ContainsAny(rest, "0123456789") {
			digits, plus = own, ""
		}
	}
	head, tail := 3, 4
	if len(digits) < 11 {
		head, tail = len(digits)/5, len(digits)/4
	}
	return plus + digits[:head] + "****" + digits[len(digits)-tail:]
}

// maskEmail shows the first letter and the domain: a***@example.com.
func maskEmail(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 1 {
		return "***"
	}
	first := []rune(email[:at])[:1]
	return string(first) + "***" + email[at:]
}
