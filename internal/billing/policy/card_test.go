package policy_test

import (
	"slices"
	"testing"
	"time"

	"paydesk/internal/billing/policy"
)

// a card that every profile takes from a customer abroad.
type card struct {
	brand, funding, country string
	year, month             int
}

var good = card{"VISA", "credit", "US", 2030, 1}

// codeOf is why a customer of the region may not pay with the card; empty: the customer may.
func codeOf(p *policy.Policy, region string, c card, now time.Time) string {
	if f := p.CheckCard(policy.Customer{Region: region}, c.brand, c.funding, c.country, c.year, c.month, now); f != nil {
		return f.Code
	}
	return ""
}

var november = time.Date(2026, 11, 15, 4, 0, 0, 0, time.UTC)

// C1, TX-9, AL-10: which brands a region takes. American Express never under tencent, not for Malaysia elsewhere; JCB for other countries
// alone, everywhere under tencent; UnionPay and what else there is never.
func TestCardBrandsByRegion(t *testing.T) {
	classic, three := []string{"VISA", "MASTERCARD", "AMERICAN_EXPRESS"}, []string{"VISA", "MASTERCARD", "JCB"}
	others := append(slices.Clone(classic), "JCB")
	for name, want := range map[string]map[string][]string{
		"default":      {"CN": classic, "US": classic, "EU": classic, "EUROPE_NON_EU": classic, "MY": {"VISA", "MASTERCARD"}, "OTHER": others, "NOWHERE": nil},
		"alibaba-intl": {"CN": classic, "US": classic, "EU": classic, "EUROPE_NON_EU": classic, "MY": {"VISA", "MASTERCARD"}, "OTHER": others},
		"tencent":      {"CN": three, "US": three, "EU": three, "EUROPE_NON_EU": three, "MY": three, "OTHER": three},
	} {
		p := load(t, name)
		for region, brands := range want {
			for _, brand := range []string{"VISA", "MASTERCARD", "AMERICAN_EXPRESS", "JCB", "UNIONPAY", "DISCOVER", "visa", ""} {
				code := ""
				if !slices.Contains(brands, brand) {
					code = "CARD_BRAND_NOT_SUPPORTED"
				}
				c := good
				c.brand = brand
				if got := codeOf(p, region, c, november); got != code {
					t.Errorf("%s, %s, %s: %q, not %q", name, region, brand, got, code)
				}
			}
		}
	}
}

// TX-10, AL-70, C2: cards issued in the mainland are refused, whoever shows them; of Hong Kong and anywhere else they are taken. AL-11: no
// card that was paid for before.
func TestCardCountriesAndFundings(t *testing.T) {
	for _, name := range []string{"default", "tencent", "alibaba-intl"} {
		p := load(t, name)
		for _, x := range []struct {
			change func(*card)
			want   string
		}{
			{func(*card) {}, ""},
			{func(c *card) { c.country = "CN" }, "CARD_COUNTRY_NOT_SUPPORTED"},
			{func(c *card) { c.country = "HK" }, ""},
			{func(c *card) { c.country = "" }, ""}, // the provider does not know
			{func(c *card) { c.funding = "debit" }, ""},
			{func(c *card) { c.funding = "unknown" }, ""},
			{func(c *card) { c.funding = "prepaid" }, "CARD_FUNDING_NOT_SUPPORTED"},
			{func(c *card) { c.funding = "PREPAID" }, "CARD_FUNDING_NOT_SUPPORTED"},
			{func(c *card) { c.funding = "virtual" }, "CARD_FUNDING_NOT_SUPPORTED"},
			{func(c *card) { c.funding = "gift" }, "CARD_FUNDING_NOT_SUPPORTED"},
			{func(c *card) { c.country, c.funding = "CN", "prepaid" }, "CARD_COUNTRY_NOT_SUPPORTED"}, // what cannot be changed comes first
			{func(c *card) { c.brand, c.country = "UNIONPAY", "CN" }, "CARD_BRAND_NOT_SUPPORTED"},
		} {
			for _, region := range []string{"CN", "US", "OTHER"} {
				c := good
				x.change(&c)
				if got := codeOf(p, region, c, november); got != x.want {
					t.Errorf("%s, %s, %+v: %q, not %q", name, region, c, got, x.want)
				}
			}
		}
	}
}

// AL-18: a card has to outlast the month, and the month ends at midnight where the site is.
func TestCardExpiry(t *testing.T) {
	p := load(t, "default") // Asia/Shanghai: eight hours ahead
	for _, x := range []struct {
		now         string
		year, month int
		want        string
	}{
		{"2026-11-15T04:00:00Z", 2026, 12, ""},
		{"2026-11-15T04:00:00Z", 2026, 11, "CARD_EXPIRES_TOO_SOON"},
		{"2026-11-15T04:00:00Z", 2025, 12, "CARD_EXPIRES_TOO_SOON"},
		{"2026-11-15T04:00:00Z", 2027, 1, ""},
		{"2026-11-30T15:59:59Z", 2026, 12, ""},                      // the last second of November in Shanghai
		{"2026-11-30T16:00:00Z", 2026, 12, "CARD_EXPIRES_TOO_SOON"}, // December there, November in Greenwich
		{"2026-12-31T15:59:59Z", 2027, 1, ""},
		{"2026-12-31T16:00:00Z", 2027, 1, "CARD_EXPIRES_TOO_SOON"},
		{"2026-12-31T16:00:00Z", 2027, 2, ""},
		{"2026-11-15T04:00:00Z", 0, 0, "CARD_EXPIRES_TOO_SOON"}, // not told
	} {
		now, err := time.Parse(time.RFC3339, x.now)
		if err != nil {
			t.Fatal(err)
		}
		c := good
		c.year, c.month = x.year, x.month
		if got := codeOf(p, "US", c, now); got != x.want {
			t.Errorf("%s, %d/%d: %q, not %q", x.now, x.month, x.year, got, x.want)
		}
	}
}

// AL-17: Malaysia and the Union want 3-D Secure.
func TestChallengeWanted(t *testing.T) {
	p := load(t, "default")
	for region, want := range map[string]bool{"MY": true, "EU": true, "US": false, "CN": false, "EUROPE_NON_EU": false, "OTHER": false} {
		if p.ChallengeWanted(policy.Customer{Region: region}) != want {
			t.Errorf("%s: %v", region, !want)
		}
	}
}
