package policy_test

import (
	"slices"
	"testing"
	"time"

	"paydesk/internal/billing/policy"
	"paydesk/models"
)

func load(t *testing.T, name string) *policy.Policy {
	t.Helper()
	p, err := policy.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What each profile offers under each signing entity. The keys of signing entities are the same in every profile.
// PA-2, TX-2, TX-6, TX-8, AL-1, AL-13, HW-26, HW-27, HW-29, HW-30 and the fine print of the contract.
func TestChannelsByEntity(t *testing.T) {
	const (
		ali, wechat, qq, tenpay = models.ChannelAlipay, models.ChannelWeChatPay, models.ChannelQQWallet, models.ChannelTenpay
		person, company         = models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise
		huawei, card, paypal    = models.ChannelHuaweiPay, models.ChannelBankCard, models.ChannelPayPal
	)
	type channels = []models.PaymentChannel
	for _, c := range []struct {
		profile, entity string
		want            channels
	}{
		{"default", "MAINLAND", channels{ali, wechat, qq, tenpay, person, company, huawei}},
		{"default", "MAINLAND_SOFTWARE", channels{ali, wechat, qq, tenpay, person, company}},
		{"default", "MAINLAND_OTHER", nil},
		{"default", "INTERNATIONAL", channels{card, paypal}},
		{"pingan", "MAINLAND", channels{ali, wechat, person, company}}, // PA-2, PA-15
		{"pingan", "MAINLAND_SOFTWARE", channels{ali, wechat, person, company}},
		{"pingan", "MAINLAND_OTHER", nil},
		{"pingan", "INTERNATIONAL", nil},
		{"tencent", "MAINLAND", channels{wechat, qq, tenpay, card}}, // TX-2, TX-8
		{"tencent", "MAINLAND_SOFTWARE", channels{wechat, qq, tenpay, card}},
		{"tencent", "MAINLAND_OTHER", nil},
		{"tencent", "INTERNATIONAL", channels{card}},
		{"alibaba-intl", "MAINLAND", nil}, // AL-13
		{"alibaba-intl", "MAINLAND_SOFTWARE", nil},
		{"alibaba-intl", "MAINLAND_OTHER", nil},
		{"alibaba-intl", "INTERNATIONAL", channels{card, paypal}},               // AL-1
		{"huawei", "MAINLAND", channels{ali, wechat, person, company, huawei}},  // HW-26
		{"huawei", "MAINLAND_SOFTWARE", channels{ali, wechat, person, company}}, // HW-29
		{"huawei", "MAINLAND_OTHER", nil},                                       // HW-27
		{"huawei", "INTERNATIONAL", nil},                                        // HW-27
	} {
		p := load(t, c.profile)
		for _, purpose := range []models.PaymentPurpose{models.PurposeTopUp, models.PurposeOrders, models.PurposeBills} {
			customer := customerOf(p, c.entity)
			var open channels
			for _, o := range p.Channels(customer, purpose, nil) {
				if o.Available != (o.Code == "") || o.Available != (o.Reason == "") {
					t.Errorf("%s %s %s: %+v", c.profile, c.entity, purpose, o)
				}
				if o.Available {
					open = append(open, o.Channel)
				} else if o.Code != "CHANNEL_NOT_AVAILABLE" {
					t.Errorf("%s %s %s: closed with %s", c.profile, c.entity, o.Channel, o.Code)
				}
			}
			if !slices.Equal(open, c.want) {
				t.Errorf("%s %s %s: open %v, want %v", c.profile, c.entity, purpose, open, c.want)
			}
			if p.OnlineAllowed(customer) != (c.want != nil) {
				t.Errorf("%s %s: OnlineAllowed", c.profile, c.entity)
			}
		}
	}
}

// customerOf is an active, verified customer of an entity, abroad where the entity is.
func customerOf(p *policy.Policy, entity string) policy.Customer {
	c := policy.Customer{
		Kind: models.AccountIndividual, Status: models.AccountActive, Identity: models.IdentityVerified,
		SigningEntity: entity, Region: "CN", Country: "CN", Currency: "CNY",
	}
	if entity == "INTERNATIONAL" {
		c.Region, c.Country, c.Currency = "OTHER", "SG", "USD"
	}
	return c
}

// PA-20, TX-5, D7 and the table of defaults: the limits of each channel, and whether amounts have to be whole.
func TestLimits(t *testing.T) {
	wallet, bank := []string{"0.10", "300000.00"}, []string{"1.00", "9999999.00"}
	for profile, want := range map[string]map[models.PaymentChannel][]string{
		"default": {"ALIPAY": wallet, "WECHAT_PAY": wallet, "QQ_WALLET": wallet, "TENPAY": wallet, "HUAWEI_PAY": wallet,
			"UNIONPAY_PERSONAL": bank, "UNIONPAY_ENTERPRISE": bank, "BANK_CARD": bank, "PAYPAL": bank},
		"pingan":       {"ALIPAY": wallet, "WECHAT_PAY": wallet, "UNIONPAY_PERSONAL": bank, "UNIONPAY_ENTERPRISE": bank},
		"tencent":      {"WECHAT_PAY": bank, "QQ_WALLET": bank, "TENPAY": bank, "BANK_CARD": bank},
		"alibaba-intl": {"BANK_CARD": bank, "PAYPAL": bank},
		"huawei":       {"ALIPAY": wallet, "WECHAT_PAY": wallet, "UNIONPAY_PERSONAL": bank, "UNIONPAY_ENTERPRISE": bank, "HUAWEI_PAY": wallet},
	} {
		p := load(t, profile)
		options := p.Channels(customerOf(p, "MAINLAND"), models.PurposeTopUp, nil)
		if len(options) != len(want) {
			t.Errorf("%s has %d channels, want %d", profile, len(options), len(want))
		}
		for _, o := range options {
			if got := []string{o.Minimum.Decimal(), o.Maximum.Decimal()}; !slices.Equal(got, want[o.Channel]) {
				t.Errorf("%s %s: %v, want %v", profile, o.Channel, got, want[o.Channel])
			}
			if o.WholeUnitsOnly != (profile == "tencent") { // TX-5
				t.Errorf("%s %s: whole units %v", profile, o.Channel, o.WholeUnitsOnly)
			}
		}
	}
}

// TX-6: the three channels of quick pay. PA-16, TX-22, HW-31, HW-32: the channels with a choice of banks, named in each language.
func TestQuickPayAndBanks(t *testing.T) {
	for _, profile := range policy.Profiles {
		p := load(t, profile)
		for _, o := range p.Channels(customerOf(p, "MAINLAND"), models.PurposeTopUp, nil) {
			quick := o.Channel == models.ChannelWeChatPay || o.Channel == models.ChannelQQWallet || o.Channel == models.ChannelTenpay
			if o.QuickPay != (quick && (profile == "tencent" || profile == "default")) {
				t.Errorf("%s %s: quick pay %v", profile, o.Channel, o.QuickPay)
			}
			banks := o.Channel == models.ChannelTenpay || o.Channel == models.ChannelUnionPayPersonal || o.Channel == models.ChannelUnionPayEnterprise
			if banks != (len(o.Banks) > 0) {
				t.Errorf("%s %s: %d banks", profile, o.Channel, len(o.Banks))
			}
			for _, b := range o.Banks {
				if b.Name.In("en") == "" || b.Name.In("zh-Hans") == b.Name.In("en") || b.Name.In("zh-Hant") == b.Name.In("zh-Hans") && b.Code != "BOC" && b.Code != "CITIC" {
					t.Errorf("%s: bank %s has no name of its own in a language", profile, b.Code)
				}
			}
		}
	}
}

// Values of the decisions that hold for every profile.
func TestDecisions(t *testing.T) {
	for _, profile := range policy.Profiles {
		p := load(t, profile)
		if p.Name != profile {
			t.Errorf("%s calls itself %s", profile, p.Name)
		}
		if p.Location().String() != "Asia/Shanghai" { // D8
			t.Errorf("%s: time zone %s", profile, p.Location())
		}
		if p.MergeMaximum() != 30 { // HW-13, D1
			t.Errorf("%s: merges %d orders", profile, p.MergeMaximum())
		}
		if p.OrderValidity().Hours() != 7*24 { // D4, HW-3
			t.Errorf("%s: order validity %s", profile, p.OrderValidity())
		}
		if p.OperationProtectionDefault(models.AccountIndividual) || !p.OperationProtectionDefault(models.AccountEnterprise) { // D2
			t.Errorf("%s: operation protection", profile)
		}
		if !p.BalancePayment { // HW-22, HW-23
			t.Errorf("%s: no payment from the balance", profile)
		}
		if !slices.Contains(p.Cards.BlockedCountries, "CN") { // C2
			t.Errorf("%s: cards issued in CN are accepted", profile)
		}
		if p.Coupons.MaximumPerOrder != 3 { // C7
			t.Errorf("%s: %d coupons", profile, p.Coupons.MaximumPerOrder)
		}
		if p.Support.Hotline == "" || p.Support.Email == "" || p.Support.Service == "" || p.Support.Tickets == "" { // PA-19
			t.Errorf("%s: support %+v", profile, p.Support)
		}
		for _, entity := range []string{"MAINLAND", "MAINLAND_SOFTWARE", "MAINLAND_OTHER", "INTERNATIONAL"} {
			if !p.EntityExists(entity) || p.CurrencyAllowed(entity, "CNY") == p.CurrencyAllowed(entity, "USD") {
				t.Errorf("%s: entity %s", profile, entity)
			}
		}
		for _, region := range []string{"CN", "US", "EU", "EUROPE_NON_EU", "MY", "OTHER"} {
			if !p.RegionExists(region) || len(p.Cards.Brands[region]) == 0 {
				t.Errorf("%s: region %s", profile, region)
			}
		}
	}
	if load(t, "huawei").Refunds.OnlineTo != policy.RefundToBalance || load(t, "default").Refunds.OnlineTo != policy.RefundToChannel { // D10, HW-R19
		t.Error("refund routes")
	}
	for profile, want := range map[string]policy.WorkingDays{"default": {From: 3, To: 3}, "pingan": {From: 2, To: 3}, "tencent": {From: 3, To: 3}, "alibaba-intl": {From: 2, To: 4}, "huawei": {From: 1, To: 5}} { // C8
		if got := load(t, profile).Remittance.WorkingDays; got != want {
			t.Errorf("%s: remittance takes %v", profile, got)
		}
	}
}

// C1 and TX-9: card networks by the account's region.
func TestCardBrands(t *testing.T) {
	for _, c := range []struct {
		profile, region string
		brand           policy.CardBrand
		want            bool
	}{
		{"default", "MY", policy.AmericanExpress, false}, {"default", "US", policy.AmericanExpress, true},
		{"default", "OTHER", policy.JCB, true}, {"default", "EU", policy.JCB, false}, {"alibaba-intl", "MY", policy.AmericanExpress, false},
		{"tencent", "US", policy.AmericanExpress, false}, {"tencent", "EU", policy.JCB, true},
	} {
		if got := slices.Contains(load(t, c.profile).Cards.Brands[c.region], c.brand); got != c.want {
			t.Errorf("%s %s %s: %v", c.profile, c.region, c.brand, got)
		}
	}
}

// What the Huawei document says of paying, as values of its profile: HW-3, HW-13, HW-22, HW-25, HW-34, HW-35 and the related
// HW-R2, HW-R3, HW-R4, HW-R18, HW-R19, HW-R25 (entities and channels: TestChannelsByEntity).
func TestHuawei(t *testing.T) {
	p := load(t, "huawei")
	codes := policy.VerificationCodes{Digits: 6, Validity: policy.Duration(10 * time.Minute), WrongTries: 5, ResendAfter: policy.Duration(time.Minute)}
	for _, c := range []struct {
		rule string
		ok   bool
	}{
		{"HW-3, HW-R2: an order waits 7 days", p.OrderValidity() == 7*24*time.Hour},
		{"HW-R3: a cashier page lives an hour at most", time.Duration(p.Payments.Validity) == policy.PaymentValidityMaximum},
		{"HW-13: 30 orders", p.MergeMaximum() == 30},
		{"HW-22: the balance pays", p.BalancePayment},
		{"HW-25: payment requests are for enterprises", p.PaymentRequestAllowed(models.AccountEnterprise) && !p.PaymentRequestAllowed(models.AccountIndividual)},
		{"HW-34: a combined payment is protected", slices.Contains(p.Protection.Scenes, models.SceneCombinedPayment) && p.OperationProtectionDefault(models.AccountEnterprise)},
		{"D2: codes", p.Protection.Codes == codes},
		{"HW-35: a partner has three days", p.PartnerValidity() == 72*time.Hour},
		{"HW-R4: three coupons", p.CouponMaximum() == 3},
		{"HW-R18: coupons come back", p.Refunds.ReturnCoupons},
		{"HW-R19: online money goes back to the balance", p.Refunds.OnlineTo == policy.RefundToBalance},
		{"HW-R25: a transfer takes 1 to 5 working days", p.Remittance.WorkingDays == policy.WorkingDays{From: 1, To: 5}},
	} {
		if !c.ok {
			t.Error(c.rule)
		}
	}
	if kinds := load(t, "default").PaymentRequest.Kinds; len(kinds) != 2 {
		t.Errorf("default: payment requests for %v", kinds)
	}
}
