package policy_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

func amount(t *testing.T, text string, c money.Currency) money.Money {
	t.Helper()
	m, err := money.Parse(text, c)
	if err != nil {
		t.Fatal(text, err)
	}
	return m
}

func code(f *fault.Fault) string {
	if f == nil {
		return ""
	}
	return f.Code
}

func TestCheckOnline(t *testing.T) {
	for _, c := range []struct {
		rule, profile, entity string
		channel               models.PaymentChannel
		amount                string
		currency              money.Currency
		bank                  string
		code, field           string
	}{
		{"PA-9", "pingan", "MAINLAND", "ALIPAY", "100.50", "CNY", "", "", ""},
		{"PA-11", "pingan", "MAINLAND", "WECHAT_PAY", "0.10", "CNY", "", "", ""},
		{"PA-20", "pingan", "MAINLAND", "ALIPAY", "0.09", "CNY", "", "AMOUNT_OUT_OF_RANGE", "amount"},
		{"PA-20", "pingan", "MAINLAND", "ALIPAY", "300000.01", "CNY", "", "AMOUNT_OUT_OF_RANGE", "amount"},
		{"PA-20", "pingan", "MAINLAND", "ALIPAY", "300000", "CNY", "", "", ""},
		{"PA-15", "pingan", "MAINLAND", "UNIONPAY_ENTERPRISE", "1", "CNY", "ICBC", "", ""},
		{"PA-16", "pingan", "MAINLAND", "UNIONPAY_PERSONAL", "100", "CNY", "PAB", "", ""},
		{"PA-16", "pingan", "MAINLAND", "UNIONPAY_PERSONAL", "100", "CNY", "NOBANK", "BANK_NOT_SUPPORTED", "bankCode"},
		{"PA-16", "pingan", "MAINLAND", "UNIONPAY_PERSONAL", "100", "CNY", "", "", ""},
		{"PA-16", "pingan", "MAINLAND", "ALIPAY", "100", "CNY", "ICBC", "BANK_NOT_SUPPORTED", "bankCode"},
		{"PA-2", "pingan", "MAINLAND", "QQ_WALLET", "100", "CNY", "", "CHANNEL_NOT_AVAILABLE", "channel"},
		{"TX-2", "tencent", "MAINLAND", "ALIPAY", "100", "CNY", "", "CHANNEL_NOT_AVAILABLE", "channel"},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "1", "CNY", "", "", ""},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "9999999", "CNY", "", "", ""},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "100.00", "CNY", "", "", ""}, // whole by value
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "100.50", "CNY", "", "AMOUNT_INVALID", "amount"},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "0.99", "CNY", "", "AMOUNT_INVALID", "amount"},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "0", "CNY", "", "AMOUNT_INVALID", "amount"},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "-1", "CNY", "", "AMOUNT_INVALID", "amount"},
		{"TX-5", "tencent", "MAINLAND", "WECHAT_PAY", "10000000", "CNY", "", "AMOUNT_OUT_OF_RANGE", "amount"},
		{"TX-8", "tencent", "INTERNATIONAL", "BANK_CARD", "100", "USD", "", "", ""},
		{"TX-22", "tencent", "MAINLAND", "TENPAY", "100", "CNY", "CMB", "", ""},
		{"D7", "default", "MAINLAND", "WECHAT_PAY", "100.50", "CNY", "", "", ""},
		{"D7", "default", "MAINLAND", "UNIONPAY_PERSONAL", "0.99", "CNY", "", "AMOUNT_OUT_OF_RANGE", "amount"},
		{"D7", "default", "MAINLAND", "ALIPAY", "100", "USD", "", "CURRENCY_MISMATCH", "amount"},
		{"C5", "default", "INTERNATIONAL", "ALIPAY", "100", "USD", "", "CHANNEL_NOT_AVAILABLE", "channel"},
		{"C5", "default", "MAINLAND", "BANK_CARD", "100", "CNY", "", "CHANNEL_NOT_AVAILABLE", "channel"},
		{"AL-13", "alibaba-intl", "MAINLAND", "ALIPAY", "100", "CNY", "", "FUNDING_NOT_ALLOWED", "channel"},
		{"HW-27", "huawei", "MAINLAND_OTHER", "ALIPAY", "100", "CNY", "", "FUNDING_NOT_ALLOWED", "channel"},
		{"HW-27", "huawei", "INTERNATIONAL", "BANK_CARD", "100", "USD", "", "FUNDING_NOT_ALLOWED", "channel"},
		{"HW-27", "huawei", "MAINLAND_SOFTWARE", "ALIPAY", "100", "CNY", "", "", ""},
		{"HW-29", "huawei", "MAINLAND_SOFTWARE", "HUAWEI_PAY", "100", "CNY", "", "CHANNEL_NOT_AVAILABLE", "channel"},
		{"HW-29", "huawei", "MAINLAND", "HUAWEI_PAY", "100", "CNY", "", "", ""},
		{"HW-29", "default", "MAINLAND_SOFTWARE", "HUAWEI_PAY", "100", "CNY", "", "CHANNEL_NOT_AVAILABLE", "channel"},
	} {
		p := load(t, c.profile)
		f := p.CheckOnline(customerOf(p, c.entity), models.PurposeTopUp, c.channel, amount(t, c.amount, c.currency), c.bank, nil)
		if code(f) != c.code || (f != nil && !slices.Equal(f.Field, []string{c.field})) {
			t.Errorf("%s: %s %s %s %s %s %q: %v, want %s at %s", c.rule, c.profile, c.entity, c.channel, c.amount, c.currency, c.bank, f, c.code, c.field)
		}
	}
}

// C1: PayPal is offered in US, EUROPE_NON_EU and OTHER, not in EU and MY.
func TestPayPalByRegion(t *testing.T) {
	p := load(t, "alibaba-intl")
	for region, want := range map[string]bool{"US": true, "EUROPE_NON_EU": true, "OTHER": true, "EU": false, "MY": false, "CN": false} {
		c := customerOf(p, "INTERNATIONAL")
		c.Region = region
		i := slices.IndexFunc(p.Channels(c, models.PurposeOrders, nil), func(o policy.ChannelOption) bool { return o.Channel == models.ChannelPayPal })
		o := p.Channels(c, models.PurposeOrders, nil)[i]
		if o.Available != want || (!want && o.Reason != policy.ReasonRegion) {
			t.Errorf("PayPal in %s: %+v", region, o)
		}
	}
}

// A channel without an adapter, or whose provider does not answer, is closed for now; all else stays.
func TestHealth(t *testing.T) {
	p := load(t, "default")
	c := customerOf(p, "MAINLAND")
	onlyAlipay := func(ch models.PaymentChannel) bool { return ch == models.ChannelAlipay }
	for _, o := range p.Channels(c, models.PurposeTopUp, onlyAlipay) {
		if o.Available != (o.Channel == models.ChannelAlipay) {
			t.Errorf("%+v", o)
		}
		if o.Channel == models.ChannelWeChatPay && o.Reason != policy.ReasonHealth {
			t.Errorf("WeChat Pay is closed because of %s", o.Reason)
		}
	}
	f := p.CheckOnline(c, models.PurposeTopUp, models.ChannelWeChatPay, money.New(100, "CNY"), "", onlyAlipay)
	if code(f) != "CHANNEL_NOT_AVAILABLE" {
		t.Error(f)
	}
}

// The fine print: CLOSING pays bills and nothing else, CLOSED only reads; orders want an identity that is not in doubt (AL-67).
func TestCheckAccount(t *testing.T) {
	const orders, topUp, bills = models.PurposeOrders, models.PurposeTopUp, models.PurposeBills
	p := load(t, "default")
	for _, c := range []struct {
		status   models.AccountStatus
		identity models.IdentityStatus
		purpose  models.PaymentPurpose
		want     string
	}{
		{models.AccountActive, models.IdentityVerified, orders, ""},
		{models.AccountActive, models.IdentityUnverified, orders, ""},
		{models.AccountActive, models.IdentityRequired, orders, "IDENTITY_REQUIRED"},
		{models.AccountActive, models.IdentityInReview, orders, "IDENTITY_REQUIRED"},
		{models.AccountActive, models.IdentityRejected, orders, "IDENTITY_REQUIRED"},
		{models.AccountActive, models.IdentityRequired, topUp, ""},
		{models.AccountClosing, models.IdentityVerified, topUp, "ACCOUNT_NOT_ACTIVE"},
		{models.AccountClosing, models.IdentityVerified, orders, "ACCOUNT_NOT_ACTIVE"},
		{models.AccountClosing, models.IdentityVerified, bills, ""},
		{models.AccountClosed, models.IdentityVerified, bills, "ACCOUNT_NOT_ACTIVE"},
	} {
		customer := customerOf(p, "MAINLAND")
		customer.Status, customer.Identity = c.status, c.identity
		if got := code(p.CheckAccount(customer, c.purpose)); got != c.want {
			t.Errorf("%s %s %s: %q, want %q", c.status, c.identity, c.purpose, got, c.want)
		}
		if got := p.Channels(customer, c.purpose, nil)[0]; got.Code != c.want {
			t.Errorf("%s %s %s: Alipay is %+v", c.status, c.identity, c.purpose, got)
		}
	}
}

// C5: what is shown is what is enforced: a channel is open exactly where a payment within its limits is allowed.
func TestOptionsAgreeWithChecks(t *testing.T) {
	policies := map[string]*policy.Policy{}
	for _, name := range policy.Profiles {
		policies[name] = load(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := policies[rapid.SampledFrom(policy.Profiles).Draw(t, "profile")]
		c := policy.Customer{
			Kind:          rapid.SampledFrom([]models.AccountKind{models.AccountIndividual, models.AccountEnterprise}).Draw(t, "kind"),
			Status:        rapid.SampledFrom([]models.AccountStatus{models.AccountActive, models.AccountClosing, models.AccountClosed}).Draw(t, "status"),
			Identity:      rapid.SampledFrom([]models.IdentityStatus{models.IdentityVerified, models.IdentityUnverified, models.IdentityRequired}).Draw(t, "identity"),
			SigningEntity: rapid.SampledFrom([]string{"MAINLAND", "MAINLAND_SOFTWARE", "MAINLAND_OTHER", "INTERNATIONAL", "NONE"}).Draw(t, "entity"),
			Region:        rapid.SampledFrom([]string{"CN", "US", "EU", "EUROPE_NON_EU", "MY", "OTHER"}).Draw(t, "region"),
			Currency:      rapid.SampledFrom([]money.Currency{"CNY", "USD", "EUR"}).Draw(t, "currency"),
		}
		purpose := rapid.SampledFrom([]models.PaymentPurpose{models.PurposeTopUp, models.PurposeOrders, models.PurposeBills, models.PurposeUsage}).Draw(t, "purpose")
		ill := rapid.SampledFrom([]models.PaymentChannel{models.ChannelAlipay, models.ChannelBankCard}).Draw(t, "ill")
		healthy := func(ch models.PaymentChannel) bool { return ch != ill }
		for _, o := range p.Channels(c, purpose, healthy) {
			f := p.CheckOnline(c, purpose, o.Channel, o.Minimum, "", healthy)
			if o.Available != (f == nil) {
				t.Fatalf("%s: option %+v, check %v", o.Channel, o, f)
			}
			if o.Reason != "" && !messages.Has(o.Reason) {
				t.Fatalf("no message %s", o.Reason)
			}
			if !o.Available {
				continue
			}
			for _, bad := range []int64{0, -1, o.Minimum.Minor - 1, o.Maximum.Minor + 1} {
				if p.CheckOnline(c, purpose, o.Channel, money.New(bad, c.Currency), "", healthy) == nil {
					t.Fatalf("%s takes %d", o.Channel, bad)
				}
			}
		}
	})
}

// A fault carries what its message names.
func TestFaultsReadWell(t *testing.T) {
	p := load(t, "tencent")
	c := customerOf(p, "MAINLAND")
	for want, f := range map[string]*fault.Fault{
		"请输入 ¥1.00 至 ¥9,999,999.00 之间的金额。": p.CheckOnline(c, models.PurposeTopUp, "WECHAT_PAY", amount(t, "10000000", "CNY"), "", nil),
		"请输入大于零的整数金额，该支付渠道不支持小数。":          p.CheckOnline(c, models.PurposeTopUp, "WECHAT_PAY", amount(t, "1.50", "CNY"), "", nil),
		"无法使用支付宝：此处不提供该渠道。请选择其他支付方式。":      p.CheckOnline(c, models.PurposeTopUp, "ALIPAY", amount(t, "1", "CNY"), "", nil),
		"财付通不支持该银行，请从列表中选择，或留空并在下一页选择。":    p.CheckOnline(c, models.PurposeTopUp, "TENPAY", amount(t, "1", "CNY"), "X", nil),
		"币种不一致，请使用 CNY。":                   p.CheckOnline(c, models.PurposeTopUp, "TENPAY", amount(t, "1", "USD"), "", nil),
	} {
		if got := messages.Text("zh-Hans", f.Code, f.Args); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// D4: a payment ends after 15 minutes, and never later than one of its orders.
func TestPaymentValidity(t *testing.T) {
	p := load(t, "default")
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	soon, late := now.Add(5*time.Minute), now.Add(time.Hour)
	for _, c := range []struct {
		orders []*time.Time
		want   time.Duration
	}{
		{nil, 15 * time.Minute}, {[]*time.Time{nil}, 15 * time.Minute}, {[]*time.Time{&late}, 15 * time.Minute}, {[]*time.Time{nil, &late, &soon}, 5 * time.Minute},
	} {
		if got := p.PaymentValidity(now, c.orders...).Sub(now); got != c.want {
			t.Errorf("%v: %s, want %s", c.orders, got, c.want)
		}
	}
	for _, profile := range policy.Profiles {
		if v := time.Duration(load(t, profile).Payments.Validity); v > time.Hour {
			t.Errorf("%s: %s", profile, v)
		}
	}
}

// AL-8, AL-9: the region of a country; OTHER takes those that no other names.
func TestRegionOf(t *testing.T) {
	p := load(t, "default")
	for country, want := range map[string]string{"CN": "CN", "US": "US", "DE": "EU", "GB": "EUROPE_NON_EU", "NO": "EUROPE_NON_EU", "MY": "MY", "SG": "OTHER", "JP": "OTHER", "HK": "OTHER", "TW": "OTHER", "MO": "OTHER"} {
		if got, ok := p.RegionOf(country); got != want || !ok {
			t.Errorf("%s is in %s, want %s", country, got, want)
		}
	}
	for country, want := range map[string]bool{"CN": true, "SG": true, "cn": false, "XX": false, "EU": false, "UK": false, "": false, "USA": false} {
		if policy.CountryExists(country) != want {
			t.Errorf("%q", country)
		}
	}
}

func TestAccountRules(t *testing.T) {
	p := load(t, "default")
	if p.EntityExists("NONE") || p.RegionExists("MOON") || p.CurrencyAllowed("NONE", "CNY") || p.CurrencyAllowed("MAINLAND", "USD") || !p.CurrencyAllowed("INTERNATIONAL", "USD") {
		t.Error("entities, regions, currencies")
	}
	got := p.SuggestedTopUps("CNY")
	if len(got) == 0 || got[0] != money.New(10000, "CNY") || len(p.SuggestedTopUps("EUR")) != 0 {
		t.Errorf("suggested %v", got)
	}
}
