package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"paydesk/models"
)

// PaymentValidityMaximum is the longest a QR code or a cashier page may live (D4, HW-R3).
const PaymentValidityMaximum = time.Hour

// CouponMaximumLimit bounds coupons.maximum_per_order: a quote prices their combinations.
const CouponMaximumLimit = 20

// What fits where a profile names something of the contract.
var (
	channelsOfContract = []models.PaymentChannel{
		models.ChannelAlipay, models.ChannelWeChatPay, models.ChannelQQWallet, models.ChannelTenpay, models.ChannelUnionPayPersonal,
		models.ChannelUnionPayEnterprise, models.ChannelHuaweiPay, models.ChannelBankCard, models.ChannelPayPal,
	}
	purposesOfContract = []models.PaymentPurpose{models.PurposeOrders, models.PurposeTopUp, models.PurposeBills, models.PurposeUsage}
	accountKinds       = []models.AccountKind{models.AccountIndividual, models.AccountEnterprise}
	cardBrands         = []CardBrand{Visa, Mastercard, AmericanExpress, JCB}
	cardFundings       = []string{"credit", "debit", "prepaid", "virtual", "gift"}
	protectedScenes    = []models.VerificationScene{models.SceneCombinedPayment, models.SceneWithdrawal, models.SceneSettings}
	refundRoutes       = []RefundRoute{RefundToChannel, RefundToBalance}
)

// checker collects everything that is wrong, so that a profile is put right in one go.
type checker struct{ problems []problem }

func (c *checker) add(path []any, format string, args ...any) {
	c.problems = append(c.problems, problem{path, fmt.Sprintf(format, args...)})
}

func (c *checker) require(ok bool, path []any, format string, args ...any) {
	if !ok {
		c.add(path, format, args...)
	}
}

// oneOf wants every value among those that fit, none twice.
func oneOf[T ~string](c *checker, path []any, values, fits []T) {
	for i, v := range values {
		known(c, under(path, i), v, fits)
		c.require(slices.Index(values, v) == i, under(path, i), "%q stands twice", v)
	}
}

// known wants a value that fits.
func known[T ~string](c *checker, path []any, value T, fits []T) {
	c.require(slices.Contains(fits, value), path, "%q is unknown; what fits: %s", value, join(fits))
}

func under(path []any, steps ...any) []any { return append(slices.Clone(path), steps...) }

func join[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

func keys[T any](list []T, key func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = key(v)
	}
	return out
}

func (p *Policy) validate() []problem {
	c := &checker{}
	c.require(p.Name != "", []any{"name"}, "a profile needs a name")
	location, err := time.LoadLocation(p.TimeZone)
	c.require(err == nil && p.TimeZone != "" && p.TimeZone != "Local", []any{"time_zone"}, "%q is not a time zone; what fits: a name like Asia/Shanghai", p.TimeZone)
	p.location = location
	p.checkPlaces(c)
	for i, ch := range p.ChannelRules {
		p.checkChannel(c, []any{"channels", i}, ch)
		first := slices.IndexFunc(p.ChannelRules, func(o Channel) bool { return o.Channel == ch.Channel })
		c.require(first == i, []any{"channels", i, "channel"}, "%q stands twice", ch.Channel)
	}
	p.checkTimes(c)
	p.checkCards(c)
	p.checkMoneyOut(c)
	return c.problems
}

// checkPlaces checks currencies, regions, signing entities and banks: what everything else refers to.
func (p *Policy) checkPlaces(c *checker) {
	c.require(len(p.Currencies) > 0, []any{"currencies"}, "at least one currency is needed")
	for i, currency := range p.Currencies {
		_, ok := currency.Exponent()
		c.require(ok, []any{"currencies", i}, "unknown currency %q; what fits: an ISO 4217 code like CNY", currency)
	}
	distinct(c, []any{"regions"}, "key", keys(p.Regions, func(r Region) string { return r.Key }))
	rest := 0
	taken := map[string]string{}
	for i, r := range p.Regions {
		if len(r.Countries) == 0 {
			rest++
		}
		for j, country := range r.Countries {
			c.require(CountryExists(country), []any{"regions", i, "countries", j}, "%q is not a country; what fits: ISO 3166-1 alpha-2 like CN", country)
			if other, twice := taken[country]; twice {
				c.add([]any{"regions", i, "countries", j}, "%s is in region %s already", country, other)
			}
			taken[country] = r.Key
		}
	}
	c.require(rest <= 1, []any{"regions"}, "only one region may be without countries: it takes all others")
	distinct(c, []any{"signing_entities"}, "key", keys(p.SigningEntities, func(e SigningEntity) string { return e.Key }))
	for i, e := range p.SigningEntities {
		c.require(e.LegalName != Text{}, []any{"signing_entities", i, "legal_name"}, "a signing entity needs a legal name")
		c.require(len(e.Currencies) > 0, []any{"signing_entities", i, "currencies"}, "at least one currency is needed")
		oneOf(c, []any{"signing_entities", i, "currencies"}, e.Currencies, p.Currencies)
	}
	if len(p.Banks) > 0 {
		distinct(c, []any{"banks"}, "code", keys(p.Banks, func(b Bank) string { return b.Code }))
	}
	for i, b := range p.Banks {
		c.require(b.Name != Text{}, []any{"banks", i, "name"}, "a bank needs a name")
	}
}

// distinct wants keys, none empty and none twice.
func distinct(c *checker, path []any, field string, values []string) {
	c.require(len(values) > 0, path, "at least one is needed")
	for i, v := range values {
		c.require(v != "", under(path, i, field), "may not be empty")
		c.require(v == "" || slices.Index(values, v) == i, under(path, i, field), "%q stands twice", v)
	}
}

func (p *Policy) checkChannel(c *checker, path []any, ch Channel) {
	known(c, under(path, "channel"), ch.Channel, channelsOfContract)
	c.require(len(ch.Purposes) > 0, under(path, "purposes"), "at least one purpose is needed; what fits: %s", join(purposesOfContract))
	oneOf(c, under(path, "purposes"), ch.Purposes, purposesOfContract)
	c.require(len(ch.SigningEntities) > 0, under(path, "signing_entities"), "at least one signing entity is needed")
	oneOf(c, under(path, "signing_entities"), ch.SigningEntities, keys(p.SigningEntities, func(e SigningEntity) string { return e.Key }))
	oneOf(c, under(path, "regions"), ch.Regions, keys(p.Regions, func(r Region) string { return r.Key }))
	oneOf(c, under(path, "account_kinds"), ch.AccountKinds, accountKinds)
	oneOf(c, under(path, "banks"), ch.Banks, keys(p.Banks, func(b Bank) string { return b.Code }))
	c.require(len(ch.Limits) > 0, under(path, "limits"), "limits in at least one currency are needed")
	for _, currency := range sorted(ch.Limits) {
		here := under(path, "limits", string(currency))
		known(c, here, currency, p.Currencies)
		limit := ch.Limits[currency]
		whole := limit.Minimum.WholeUnits() && limit.Maximum.WholeUnits()
		c.require(!ch.WholeUnits || whole, here, "a channel with whole_units needs whole limits")
	}
}

func (p *Policy) checkTimes(c *checker) {
	c.require(p.Orders.Validity > 0, []any{"orders", "validity"}, "is needed")
	c.require(p.Orders.MergeMaximum >= 1 && p.Orders.MergeMaximum <= 100, []any{"orders", "merge_maximum"}, "%d does not fit; what fits: 1 to 100", p.Orders.MergeMaximum)
	validity := time.Duration(p.Payments.Validity)
	c.require(validity >= time.Minute && validity <= PaymentValidityMaximum, []any{"payments", "validity"}, "%s does not fit; what fits: 1m to 1h", validity)
	c.require(p.Payments.PartnerValidity > 0, []any{"payments", "partner_validity"}, "is needed")
	for _, currency := range sorted(p.TopUp.Suggested) {
		here := []any{"top_up", "suggested", string(currency)}
		known(c, here, currency, p.Currencies)
		for i, m := range p.TopUp.Suggested[currency] {
			c.require(!m.IsZero(), under(here, i), "a suggested amount is above zero")
		}
	}
	c.require(p.TopUp.Codes.WrongTriesPerHour >= 1, []any{"top_up", "codes", "wrong_tries_per_hour"}, "at least 1 is needed")
	oneOf(c, []any{"operation_protection", "on_for"}, p.Protection.OnFor, accountKinds)
	oneOf(c, []any{"operation_protection", "scenes"}, p.Protection.Scenes, protectedScenes)
	codes, path := p.Protection.Codes, []any{"operation_protection", "codes"}
	c.require(codes.Digits >= 4 && codes.Digits <= 10, under(path, "digits"), "%d does not fit; what fits: 4 to 10", codes.Digits)
	c.require(codes.WrongTries >= 1, under(path, "wrong_tries"), "at least 1 is needed")
	c.require(codes.Validity > 0, under(path, "validity"), "is needed")
	c.require(codes.ResendAfter > 0, under(path, "resend_after"), "is needed")
}

func (p *Policy) checkCards(c *checker) {
	regions := keys(p.Regions, func(r Region) string { return r.Key })
	for _, region := range sorted(p.Cards.Brands) {
		here := []any{"cards", "brands", region}
		known(c, here, region, regions)
		oneOf(c, here, p.Cards.Brands[region], cardBrands)
	}
	oneOf(c, []any{"cards", "three_d_secure_regions"}, p.Cards.ThreeDSecure, regions)
	oneOf(c, []any{"cards", "blocked_fundings"}, p.Cards.BlockedFundings, cardFundings)
	for _, list := range []struct {
		section   string
		countries []string
	}{{"cards", p.Cards.BlockedCountries}, {"paypal", p.PayPal.BlockedCountries}} {
		for i, country := range list.countries {
			c.require(CountryExists(country), []any{list.section, "blocked_countries", i}, "%q is not a country; what fits: ISO 3166-1 alpha-2 like CN", country)
		}
	}
	for currency, limit := range p.PayPal.ThresholdBounds {
		threshold := p.PayPal.ChargeThreshold[currency].Minor
		within := threshold >= limit.Minimum.Minor && threshold <= limit.Maximum.Minor
		c.require(within, []any{"paypal", "charge_threshold", string(currency)}, "is outside threshold_bounds")
	}
}

func (p *Policy) checkMoneyOut(c *checker) {
	c.require(p.Coupons.MaximumPerOrder >= 0 && p.Coupons.MaximumPerOrder <= CouponMaximumLimit, []any{"coupons", "maximum_per_order"},
		"%d does not fit; what fits: 0 to %d", p.Coupons.MaximumPerOrder, CouponMaximumLimit)
	oneOf(c, []any{"payment_request", "kinds"}, p.PaymentRequest.Kinds, accountKinds)
	c.require(p.PaymentRequestKept() >= leastKept, []any{"payment_request", "kept"}, "at least 31d is needed: as long as a repeated request is answered with the same document")
	known(c, []any{"refunds", "online_to"}, p.Refunds.OnlineTo, refundRoutes)
	days := p.Remittance.WorkingDays
	c.require(days.From >= 1 && days.To >= days.From, []any{"remittance", "working_days"}, "from has to be at least 1 and to not below it")
	c.require(p.Withdrawal.PerMonth >= 1, []any{"withdrawal", "per_month"}, "at least 1 is needed")
	c.require(p.Withdrawal.WorkingDays >= 1, []any{"withdrawal", "working_days"}, "at least 1 is needed")
	c.require(p.Bills.DueAfterDays >= 1, []any{"bills", "due_after_days"}, "at least 1 is needed")
}

// sorted are a mapping's keys in a fixed order, so that the same mistake always reads the same.
func sorted[K ~string, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// CountryExists reports whether the code is an ISO 3166-1 alpha-2 country, in capitals.
func CountryExists(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.Canonicalize().String() == code && region.IsCountry()
}
