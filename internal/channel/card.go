package channel

import "context"

// Card is what a provider tells of a card behind a token: never its number.
type Card struct {
	Brand       string // VISA, MASTERCARD, AMERICAN_EXPRESS, JCB; what else the provider calls it in upper case: UNIONPAY, DISCOVER
	Last4       string
	ExpiryMonth int
	ExpiryYear  int
	Funding     string // credit, debit, prepaid or unknown
	Country     string // of the issuer, ISO 3166-1 alpha-2
	Fingerprint string // the same for the same number within our merchant account
	HolderName  string
}

// CardReader is a channel that tells of a card before anything is taken from it. Errors: ErrDeclined (no such token, or one that was
// used), ErrUnknown, ErrUnavailable.
type CardReader interface {
	Inspect(ctx context.Context, token string) (Card, error)
}

// CardField is where a browser turns a card into a token; the number never comes to us (TX-11).
type CardField struct {
	Provider       string
	PublishableKey string
	URL            string
}
