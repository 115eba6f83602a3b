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

// fit reads a funding of these orders: a part from the balance and one through a channel, both above zero, together not above what
// the orders cost. Fault: INVALID_INPUT.
func (f *Funding) fit(orders []models.Order) (balance, online money.Money, err error) {
	wrong := func(part ...string) error {
		return fault.New("INVALID_INPUT", append([]string{"input", "funding"}, part...)...)
	}
	if f.Partner || f.Balance == nil || f.Online == nil {
		return balance, online, wrong()
	}
	currency := orders[0].Currency
	if balance, err = f.Balance.Parse(currency); err != nil || balance.IsZero() {
		return balance, online, wrong("balance")
	}
	if online, err = f.Online.Parse(currency); err != nil || online.IsZero() {
		return balance, online, wrong("online", "amount")
	}
	cost := money.Zero(money.Currency(currency))
	for _, o := range orders {
		if cost, err = cost.Add(money.New(o.AmountDue, money.Currency(o.Currency))); err != nil {
			return balance, online, wrong()
		}
	}
	total, err := balance.Add(online)
	if err != nil || total.Minor > cost.Minor {
		return balance, online, wrong()
	}
	return balance, online, nil
}

func mask(a models.Account, kind models.VerificationKind) string {
	if kind == models.CodeBySMS {
		return maskPhone(a.Phone)
	}
	return maskEmail(a.Email)
}

// maskPhone shows the first three and the last four digits, fewer of a short number, and no more than half of any: 138****5678. A
// country's code of a number with + is left out where the rest is long enough to be told by.
func maskPhone(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
	if country, rest, spaced := strings.Cut(strings.TrimSpace(phone), " "); spaced && strings.HasPrefix(country, "+") {
		if own := strings.TrimPrefix(digits, strings.Trim(country, "+-()")); len(own) >= 8 && strings.ContainsAny(rest, "0123456789") {
			digits = own
		}
	}
	head, tail := 3, 4
	if len(digits) < 11 {
		head, tail = len(digits)/5, len(digits)/4
	}
	return digits[:head] + "****" + digits[len(digits)-tail:]
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
