package policy

import (
	"slices"
	"strings"
	"time"

	"paydesk/internal/billing/fault"
)

// CheckCard judges a card by what its provider tells of it; nil allows it. Faults: CARD_BRAND_NOT_SUPPORTED (C1, TX-9, AL-10),
// CARD_COUNTRY_NOT_SUPPORTED (TX-10, AL-70), CARD_FUNDING_NOT_SUPPORTED (AL-11), CARD_EXPIRES_TOO_SOON (AL-18: in this month, by the
// site's time zone, or before).
func (p *Policy) CheckCard(c Customer, brand, funding, country string, year, month int, now time.Time) *fault.Fault {
	local := now.In(p.location)
	switch {
	case !slices.Contains(p.Cards.Brands[c.Region], CardBrand(brand)):
		return fault.New("CARD_BRAND_NOT_SUPPORTED")
	case slices.Contains(p.Cards.BlockedCountries, country):
		return fault.New("CARD_COUNTRY_NOT_SUPPORTED")
	case slices.Contains(p.Cards.BlockedFundings, strings.ToLower(funding)):
		return fault.New("CARD_FUNDING_NOT_SUPPORTED")
	case year*12+month <= local.Year()*12+int(local.Month()):
		return fault.New("CARD_EXPIRES_TOO_SOON")
	}
	return nil
}

// ChallengeWanted reports whether the customer's region wants 3-D Secure whatever the issuer thinks (AL-17).
func (p *Policy) ChallengeWanted(c Customer) bool {
	return slices.Contains(p.Cards.ThreeDSecure, c.Region)
}
