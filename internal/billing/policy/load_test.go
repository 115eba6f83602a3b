package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paydesk/internal/billing/policy"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vendor.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A vendor's own profile says only what differs: lists are replaced whole, mappings key by key.
func TestExtends(t *testing.T) {
	p := load(t, write(t, `
extends: default
name: mine
payments: {validity: 30m}
top_up:
  suggested: {CNY: [8, 88.80]}
channels:
  - channel: ALIPAY
    purposes: [TOP_UP]
    signing_entities: [MAINLAND]
    limits: {CNY: {minimum: 5, maximum: 50}}
`))
	if p.Name != "mine" || len(p.ChannelRules) != 1 || p.ChannelRules[0].Limits["CNY"].Minimum.Decimal() != "5.00" {
		t.Errorf("channels %+v", p.ChannelRules)
	}
	if p.TopUp.Suggested["CNY"][1].Decimal() != "88.80" || len(p.TopUp.Suggested["USD"]) == 0 {
		t.Errorf("suggested %v", p.TopUp.Suggested)
	}
	if p.Payments.PartnerValidity == 0 || p.MergeMaximum() != 30 {
		t.Error("what is not named is inherited")
	}
	if other := load(t, "default"); len(other.TopUp.Suggested["CNY"]) != 5 || len(other.ChannelRules) != 9 {
		t.Error("a profile changed the one it extends")
	}
}

// What is wrong is told with file, line and key.
func TestBrokenProfiles(t *testing.T) {
	const head = "extends: default\nname: mine\n"
	for _, c := range []struct{ text, want string }{
		{head + "orders:\n  merge_maximun: 5\n", "line 4, orders.merge_maximun: no key of a profile is called merge_maximun"},
		{head + "surprise: 1\n", "line 3, surprise: no key of a profile is called surprise"},
		{head + "orders:\n  merge_maximum: many\n", `line 4, orders.merge_maximum: the text "many" does not fit here, a whole number is needed`},
		{head + "orders:\n  merge_maximum: 500\n", "line 4, orders.merge_maximum: 500 does not fit; what fits: 1 to 100"},
		{head + "orders: [1]\n", "line 3, orders: a list does not fit here, a mapping is needed"},
		{head + "payments:\n  validity: 2h\n", "line 4, payments.validity: 2h0m0s does not fit; what fits: 1m to 1h"},
		{head + "payments:\n  validity: soon\n", `line 4, payments.validity: "soon" is not a span of time; what fits: 15m, 72h, 7d`},
		{head + "payments: {validity: soon, partner_validity: 72h}\n", `line 3, payments.validity: "soon" is not a span`},
		{head + "time_zone: Mars/Olympus\n", `line 3, time_zone: "Mars/Olympus" is not a time zone`},
		{head + "currencies: [CNY, USD, XXY]\n", `line 3, currencies[2]: unknown currency "XXY"`},
		{head + "cards:\n  preauthorization: {USD: 1.005}\n", `line 4, cards.preauthorization.USD: "1.005" is not an amount in USD`},
		{head + "cards:\n  brands:\n    US: [VISA, DISCOVER]\n", `line 5, cards.brands.US[1]: "DISCOVER" is unknown; what fits: VISA, MASTERCARD, AMERICAN_EXPRESS, JCB`},
		{head + "cards:\n  blocked_countries: [China]\n", `line 4, cards.blocked_countries[0]: "China" is not a country`},
		{head + "regions: [{key: A, countries: [CN]}, {key: B, countries: [CN]}]\n", "line 3, regions[1].countries[0]: CN is in region A already"},
		{head + "top_up: {suggested: {BTC: [1]}}\n", `line 3, top_up.suggested.BTC: unknown currency "BTC"`},
		{head + "bills: {tax_percent: 6.555}\n", `line 3, bills.tax_percent: "6.555" is not a percentage`},
		{head + "refunds: {online_to: MOON}\n", `line 3, refunds.online_to: "MOON" is unknown; what fits: CHANNEL, BALANCE`},
		{head + "coupons:\n  maximum_per_order: 21\n", "line 4, coupons.maximum_per_order: 21 does not fit; what fits: 0 to 20"},
		{head + "payment_request:\n  kept: 30d\n", `line 4, payment_request.kept: at least 31d is needed: as long as a repeated request is answered with the same document`},
		{head + "payment_request:\n  kinds: [ENTERPRISE, PARTNER]\n", `line 4, payment_request.kinds[1]: "PARTNER" is unknown; what fits: INDIVIDUAL, ENTERPRISE`},
		{head + "operation_protection:\n  scenes: [TOP_UP]\n", `line 4, operation_protection.scenes[0]: "TOP_UP" is unknown; what fits: COMBINED_PAYMENT, WITHDRAWAL, SETTINGS`},
		{head + "operation_protection:\n  codes: {digits: 3}\n", "line 4, operation_protection.codes.digits: 3 does not fit; what fits: 4 to 10"},
		{head + "payments:\n  partner_validity: 0h\n", `line 4, payments.partner_validity: "0h" is not a span of time`},
		{head + "name: twice\n", "line 3, name: the key name stands twice, first at line 2"},
		{head + "orders:\n\tvalidity: 7d\n", "line 4: found character that cannot start any token"},
		{"extends: nobody\n", `line 1, extends: "nobody" is not a built-in profile; what fits: default, pingan`},
		{"", "line 1: a profile is a mapping of keys"},
		{"name: alone\n", "line 1, time_zone: \"\" is not a time zone"},
		{head + "channels:\n  - channel: CASH\n    purposes: [TOP_UP]\n    signing_entities: [MAINLAND]\n    limits: {CNY: {minimum: 1, maximum: 2}}\n",
			`line 4, channels[0].channel: "CASH" is unknown; what fits: ALIPAY`},
		{head + "channels:\n  - channel: ALIPAY\n    purposes: [GIFT]\n    signing_entities: [NOBODY]\n    limits: {CNY: {minimum: 1, maximum: 2}}\n",
			`line 6, channels[0].signing_entities[0]: "NOBODY" is unknown; what fits: MAINLAND, MAINLAND_SOFTWARE`},
		{head + "channels:\n  - channel: ALIPAY\n    purposes: [TOP_UP]\n    signing_entities: [MAINLAND]\n    limits:\n      CNY: {minimum: 3, maximum: 2}\n",
			"line 8, channels[0].limits.CNY: the minimum has to be above zero and the maximum not below it"},
		{head + "channels:\n  - channel: ALIPAY\n    purposes: [TOP_UP]\n    signing_entities: [MAINLAND]\n    whole_units: true\n    limits:\n      CNY: {minimum: 0.10, maximum: 2}\n",
			"line 9, channels[0].limits.CNY: a channel with whole_units needs whole limits"},
		{head + "channels:\n  - channel: ALIPAY\n    purposes: [TOP_UP]\n    signing_entities: [MAINLAND]\n    limits: {CNY: {minimum: 1, maximum: 2, step: 1}}\n",
			"line 7, channels[0].limits.CNY.step: unknown key \"step\"; what fits: minimum, maximum"},
	} {
		path := write(t, c.text)
		_, err := policy.Load(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestNoSuchProfile(t *testing.T) {
	_, err := policy.Load("amazon")
	if err == nil || !strings.Contains(err.Error(), "default, pingan, tencent, alibaba-intl, huawei, or the path of a YAML file") {
		t.Error(err)
	}
	if _, err = policy.Load("/no/such/file.yaml"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
