package sandbox

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// cardBehaviour is what comes of a charge: whether the issuer wants 3-D Secure (always, onWish or never), and why the card is declined
// after it, as "code decline_code" in Stripe's words; empty: it is charged. Its holder may dispute the charge at once.
type cardBehaviour struct {
	secure, failure string
	disputed        bool
}

const (
	always = "always"
	onWish = "on wish"
)

var cardBehaviours = map[string]cardBehaviour{
	"pays":            {},
	"optional":        {secure: onWish},
	"secure":          {secure: always},
	"secure_declined": {secure: always, failure: "card_declined generic_decline"},
	"secure_poor":     {secure: always, failure: "card_declined insufficient_funds"},
	"secure_error":    {failure: "card_declined processing_error"}, // the issuer's 3-D Secure does not answer
	"declined":        {failure: "card_declined generic_decline"},
	"poor":            {failure: "card_declined insufficient_funds"},
	"lost":            {failure: "card_declined lost_card"},
	"stolen":          {failure: "card_declined stolen_card"},
	"expired":         {failure: "expired_card expired_card"},
	"wrong_cvc":       {failure: "incorrect_cvc incorrect_cvc"},
	"disputed":        {disputed: true},
	"later":           {failure: "card_declined generic_decline"}, // binds, and charges are declined
}

// sample is a documented test card (requirements.md, chapter 4). Any number of its length with its first eight and last four digits that
// passes Luhn is a card like it.
type sample struct{ number, brand, country, funding, behaviour string }

var samples = []sample{
	{"4242424242424242", "visa", "US", "credit", "pays"},
	{"5555555555554444", "mastercard", "US", "credit", "pays"},
	{"2223003122003222", "mastercard", "US", "credit", "pays"},
	{"378282246310005", "amex", "US", "credit", "pays"},
	{"3566002020360505", "jcb", "JP", "credit", "pays"},
	{"3530111333300000", "jcb", "JP", "credit", "pays"},
	{"5105105105105100", "mastercard", "US", "prepaid", "pays"},
	{"6200000000000005", "unionpay", "CN", "credit", "pays"},
	{"6011111111111117", "discover", "US", "credit", "pays"},
	{"4000001560000002", "visa", "CN", "credit", "pays"},
	{"4000003440000004", "visa", "HK", "credit", "pays"},
	{"4000001580000008", "visa", "TW", "credit", "pays"},
	{"4000003920000003", "visa", "JP", "credit", "pays"},
	{"4000007020000003", "visa", "SG", "credit", "pays"},
	{"4000004580000002", "visa", "MY", "credit", "pays"},
	{"4000008260000000", "visa", "GB", "credit", "pays"},
	{"4000002760000016", "visa", "DE", "credit", "pays"},
	{"4000002500000003", "visa", "FR", "credit", "pays"},
	{"4000002760003184", "visa", "DE", "credit", "secure"},
	{"4000008400001629", "visa", "US", "credit", "secure_declined"},
	{"4000008400001280", "visa", "US", "credit", "secure_error"},
	{"4000000000003055", "visa", "US", "credit", "optional"},
	{"4000002500003155", "visa", "FR", "credit", "secure"}, // unless it was set up, which comes with bound cards
	{"4000008260003178", "visa", "GB", "credit", "secure_poor"},
	{"4000000000000002", "visa", "US", "credit", "declined"},
	{"4000000000009995", "visa", "US", "credit", "poor"},
	{"4000000000009987", "visa", "US", "credit", "lost"},
	{"4000000000009979", "visa", "US", "credit", "stolen"},
	{"4000000000000069", "visa", "US", "credit", "expired"},
	{"4000000000000127", "visa", "US", "credit", "wrong_cvc"},
	{"4000000000000259", "visa", "US", "credit", "disputed"},
	{"4000000000000341", "visa", "US", "credit", "later"},
}

func sampleOf(number string) (sample, bool) {
	for _, s := range samples {
		if len(number) == len(s.number) && number[:8] == s.number[:8] && strings.HasSuffix(number, s.number[len(s.number)-4:]) {
			return s, true
		}
	}
	return sample{}, false
}

// luhn is the check digit's rule (ISO/IEC 7812-1).
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// typedCard is a card as somebody typed it. It lives as long as the request that brings it.
type typedCard struct{ number, month, year, cvc, holder string }

// String keeps the number out of whatever prints the card.
func (typedCard) String() string { return "a card" }

// badCard says what is wrong with a typed card; it never repeats what was typed.
type badCard struct{ field, about string }

// Error is both.
func (b *badCard) Error() string { return b.field + ": " + b.about }

var cardDigits = regexp.MustCompile(`^[0-9]{13,19}$`)

// keepCard checks a card and gives a token for it. Of the number only the last four digits and a fingerprint are kept. Errors: *badCard.
func (s *Sandbox) keepCard(ctx context.Context, c typedCard) (storedCard, error) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(c.number)
	if !cardDigits.MatchString(number) {
		return storedCard{}, &badCard{"number", "13 to 19 digits are wanted"}
	}
	if !luhn(number) {
		return storedCard{}, &badCard{"number", "the check digit is wrong"}
	}
	known, ok := sampleOf(number)
	if !ok {
		return storedCard{}, &badCard{"number", "this is not one of the sandbox's cards"}
	}
	month, year, err := expiry(c.month, c.year, wall())
	if err != nil {
		return storedCard{}, err
	}
	digits := 3
	if known.brand == "amex" {
		digits = 4
	}
	if len(c.cvc) != digits || strings.Trim(c.cvc, "0123456789") != "" {
		return storedCard{}, &badCard{"cvc", fmt.Sprintf("%d digits are wanted", digits)}
	}
	if c.holder = strings.TrimSpace(c.holder); len([]rune(c.holder)) > 100 {
		return storedCard{}, &badCard{"holderName", "100 characters at most"}
	}
	k, err := s.stripeKeys(ctx)
	if err != nil {
		return storedCard{}, err
	}
	kept := storedCard{Token: "pm_" + upperHex(12), Behaviour: known.behaviour, Brand: known.brand, Funding: known.funding, Country: known.country, Last4: number[len(number)-4:],
		Fingerprint: k.tag("card " + number)[:16], Month: month, Year: year, Holder: c.holder, Created: wall()}
	_, err = s.db.Exec(ctx, "INSERT INTO sandbox_cards ("+cardColumns+", created_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)", kept.Token, kept.Behaviour, kept.Brand, kept.Funding, kept.Country,
		kept.Last4, kept.Fingerprint, kept.Month, kept.Year, kept.Holder, kept.Created)
	return kept, err
}

// expiry reads month and year, of two digits or four; a card is good until its month ends.
func expiry(month, year string, now time.Time) (int, int, error) {
	m, err := strconv.Atoi(month)
	if err != nil || m < 1 || m > 12 {
		return 0, 0, &badCard{"expiryMonth", "1 to 12 is wanted"}
	}
	y, err := strconv.Atoi(year)
	if len(year) == 2 {
		y += 2000
	}
	if err != nil || y < 2000 || y > now.Year()+50 {
		return 0, 0, &badCard{"expiryYear", "a year is wanted"}
	}
	if y*12+m < now.Year()*12+int(now.Month()) {
		return 0, 0, &badCard{"expiryYear", "the card has expired"}
	}
	return m, y, nil
}

// storedCard is a row of sandbox_cards.
type storedCard struct {
	Token, Behaviour, Brand, Funding, Country, Last4, Fingerprint string
	Month, Year                                                   int
	Holder                                                        string
	Created                                                       time.Time
}

const cardColumns = "token, behaviour, brand, funding, country, last4, fingerprint, expiry_month, expiry_year, holder"

var (
	errNoCard = errors.New("sandbox: no such card")
	errUsed   = errors.New("sandbox: the card's token was used")
)

func (s *Sandbox) findCard(ctx context.Context, token string) (c storedCard, err error) {
	found, err := s.db.QueryRow(ctx, []any{&c.Token, &c.Behaviour, &c.Brand, &c.Funding, &c.Country, &c.Last4, &c.Fingerprint, &c.Month, &c.Year, &c.Holder, &c.Created},
		"SELECT "+cardColumns+", created_at FROM sandbox_cards WHERE token = ?", token)
	if err == nil && !found {
		err = errNoCard
	}
	return c, err
}

// useCard takes a token for a payment; errUsed where another has had it.
func (s *Sandbox) useCard(ctx context.Context, token string) error {
	n, err := s.db.Exec(ctx, "UPDATE sandbox_cards SET used_at = ? WHERE token = ? AND used_at IS NULL", wall(), token)
	if err == nil && n == 0 {
		err = errUsed
	}
	return err
}

// challenged: the issuer wants to see the payer before a charge.
func (c storedCard) challenged(wished bool) bool {
	b := cardBehaviours[c.Behaviour]
	return b.secure == always || b.secure == onWish && wished
}

// failure is why the card is declined; empty: it is not.
func (c storedCard) failure() string { return cardBehaviours[c.Behaviour].failure }

// shown is the card as its holder sees it.
func (c storedCard) shown() string {
	name := map[string]string{"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "discover": "Discover"}[c.Brand]
	return name + " •••• " + c.Last4
}
