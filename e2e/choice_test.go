package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// channelOption is what a customer may choose from.
type channelOption struct {
	Channel          string
	Name             string
	Available        bool
	Code, Reason     string
	Minimum, Maximum struct{ Amount, Currency string }
	WholeUnitsOnly   bool
	Banks            []struct{ Code, Name string }
	Displays         []string
}

func (o channelOption) banks() (codes []string) {
	for _, b := range o.Banks {
		codes = append(codes, b.Code)
	}
	return codes
}

const channelFields = `{ channel name available code reason minimum { amount currency } maximum { amount currency } wholeUnitsOnly banks { code name } displays }`

// askIn asks in a language, as Accept-Language has it.
func (u user) askIn(t testing.TB, language, query string, variables map[string]any, out any) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	r, err := http.NewRequest(http.MethodPost, u.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+u.token)
	r.Header.Set("Accept-Language", language)
	_, text := answerTo(t, r)
	var answer struct {
		Data   json.RawMessage
		Errors []any
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Errors) > 0 {
		t.Fatalf("%s", text)
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		t.Fatal(err)
	}
}

// topUpChannels are the options of a top-up, in their order.
func (c *customer) topUpChannels(t testing.TB, language string) []channelOption {
	t.Helper()
	var out struct {
		TopUpOptions struct{ Channels []channelOption }
	}
	c.askIn(t, language, `{ topUpOptions { channels `+channelFields+` } }`, nil, &out)
	return out.TopUpOptions.Channels
}

// orderChannels are those that a checkout of an order shows, and whether an online part is open at all.
func (c *customer) orderChannels(t testing.TB, language, order string) (open bool, channels []channelOption) {
	t.Helper()
	var out struct {
		Checkout struct {
			Funding []struct {
				Kind      string
				Available bool
				Channels  []channelOption
			}
		}
	}
	c.askIn(t, language, `query($input: CheckoutInput!) { checkout(input: $input) { funding { kind available channels `+channelFields+` } } }`,
		map[string]any{"input": map[string]any{"orderIds": []string{order}}}, &out)
	for _, f := range out.Checkout.Funding {
		if f.Kind == "ONLINE" {
			return f.Available, f.Channels
		}
	}
	t.Fatal("no online funding is shown")
	return false, nil
}

// customerOf opens an account with a signing entity.
func (s *server) customerOf(t testing.TB, entity, country, currency string) *customer {
	t.Helper()
	c := &customer{s: s, service: s.signIn(t, "SERVICE", "")}
	var out struct {
		OpenAccount struct {
			Account *struct{ ID string }
			Errors  []userError
		}
	}
	c.service.must(t, `mutation($input: OpenAccountInput!) { openAccount(input: $input) { account { id } errors { code message } } }`, map[string]any{"input": map[string]any{
		"idempotencyKey": unique("open"), "number": unique("CHOICE"), "name": "Li Na", "kind": "INDIVIDUAL", "region": country, "country": country,
		"signingEntity": entity, "currency": currency, "realName": "Li Na", "email": "li.na@example.com", "phone": "+8613800138000"}}, &out)
	if out.OpenAccount.Account == nil {
		t.Fatalf("openAccount: %v", out.OpenAccount.Errors)
	}
	c.AccountID = out.OpenAccount.Account.ID
	c.user = s.signIn(t, "CREATOR", c.AccountID)
	return c
}

// tryTopUp starts a top-up with what is given of an online part, and says what stands against it.
func (c *customer) tryTopUp(t testing.TB, online map[string]any) (code, message string) {
	t.Helper()
	var out struct{ Result result }
	if err := c.ask(`mutation($input: TopUpInput!) { result: topUp(input: $input) { payment `+paymentFields+` errors { code message } } }`,
		map[string]any{"input": map[string]any{"idempotencyKey": unique("try"), "online": online}}, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Result.Errors) == 0 {
		return "", ""
	}
	return out.Result.Errors[0].Code, out.Result.Errors[0].Message
}

// offer is what a profile offers through a channel.
type offer struct {
	limits string // minimum to maximum
	whole  bool
	banks  string
}

const (
	allBanks        = "ICBC ABC BOC CCB BOCOM PSBC CMB CITIC CEB CMBC SPDB CIB PAB CGB HXB"
	enterpriseBanks = "ICBC ABC BOC CCB BOCOM CMB CITIC CEB CMBC SPDB CIB PAB"
	wallet          = "0.10 to 300000.00"
	bank            = "1.00 to 9999999.00"
)

// profiles are what is offered by which company, and through what.
var profiles = map[string]struct {
	order    string            // of the channels, as they are shown
	offers   map[string]offer  // to an account in yuan
	closed   map[string]string // channels that a signing entity does not offer
	starting []string          // channels whose edges are tried from the inside, too
}{
	"default": {
		order: "ALIPAY WECHAT_PAY QQ_WALLET TENPAY UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE HUAWEI_PAY BANK_CARD PAYPAL",
		offers: map[string]offer{"ALIPAY": {limits: wallet}, "WECHAT_PAY": {limits: wallet}, "QQ_WALLET": {limits: wallet}, "TENPAY": {limits: wallet, banks: allBanks},
			"UNIONPAY_PERSONAL": {limits: bank, banks: allBanks}, "UNIONPAY_ENTERPRISE": {limits: bank, banks: enterpriseBanks}, "HUAWEI_PAY": {limits: wallet}},
		closed: map[string]string{"MAINLAND": "BANK_CARD PAYPAL", "MAINLAND_SOFTWARE": "HUAWEI_PAY BANK_CARD PAYPAL",
			"INTERNATIONAL": "ALIPAY WECHAT_PAY QQ_WALLET TENPAY UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE HUAWEI_PAY"},
		starting: []string{"QQ_WALLET", "TENPAY", "UNIONPAY_PERSONAL", "UNIONPAY_ENTERPRISE", "HUAWEI_PAY"},
	},
	"pingan": { // PA-2, PA-9 to PA-18
		order: "ALIPAY WECHAT_PAY UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE",
		offers: map[string]offer{"ALIPAY": {limits: wallet}, "WECHAT_PAY": {limits: wallet},
			"UNIONPAY_PERSONAL": {limits: bank, banks: "PAB ICBC ABC BOC CCB BOCOM PSBC CMB CITIC CEB CMBC SPDB CIB CGB HXB"}, "UNIONPAY_ENTERPRISE": {limits: bank, banks: "PAB ICBC ABC BOC CCB BOCOM CMB CITIC CEB CMBC SPDB CIB"}},
		closed: map[string]string{"MAINLAND": "", "MAINLAND_SOFTWARE": "", "INTERNATIONAL": "ALIPAY WECHAT_PAY UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE"},
	},
	"tencent": { // TX-2, TX-5 to TX-9, TX-22
		order: "WECHAT_PAY QQ_WALLET TENPAY BANK_CARD",
		offers: map[string]offer{"WECHAT_PAY": {limits: bank, whole: true}, "QQ_WALLET": {limits: bank, whole: true}, "BANK_CARD": {limits: bank, whole: true},
			"TENPAY": {limits: bank, whole: true, banks: "CMB ICBC ABC BOC CCB BOCOM PSBC CITIC CEB CMBC SPDB CIB PAB CGB HXB"}},
		closed:   map[string]string{"MAINLAND": "", "MAINLAND_SOFTWARE": "", "INTERNATIONAL": "WECHAT_PAY QQ_WALLET TENPAY"},
		starting: []string{"QQ_WALLET", "TENPAY"},
	},
	"huawei": { // HW-26 to HW-32
		order: "ALIPAY WECHAT_PAY UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE HUAWEI_PAY",
		offers: map[string]offer{"ALIPAY": {limits: wallet}, "WECHAT_PAY": {limits: wallet}, "UNIONPAY_PERSONAL": {limits: bank, banks: allBanks},
			"UNIONPAY_ENTERPRISE": {limits: bank, banks: enterpriseBanks}, "HUAWEI_PAY": {limits: wallet}},
		closed: map[string]string{"MAINLAND": "", "MAINLAND_SOFTWARE": "HUAWEI_PAY", "INTERNATIONAL": "ALIPAY WECHAT_PAY UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE HUAWEI_PAY"},
	},
}

// TestChoice: what a customer is shown of the channels is what holds, for each profile, company and language.
func TestChoice(t *testing.T) {
	for name := range profiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, homeEnv(testenv.Embedded(t)), options{env: []string{"PAYDESK_POLICY=" + name}})
			var outage time.Time
			if name == "default" {
				outage = breaksDown(t, s)
			}
			for entity := range profiles[name].closed {
				offered(t, s, name, entity)
			}
			nothingOnline(t, s)
			switch name {
			case "default":
				pictures(t, s)
				comesBack(t, s, outage)
			case "tencent":
				cardsFromAbroad(t, s)
			}
		})
	}
}

// offered compares the options of an account with the profile, and tries them.
func offered(t *testing.T, s *server, name, entity string) {
	t.Helper()
	p := profiles[name]
	country, currency := "CN", "CNY"
	if entity == "INTERNATIONAL" {
		country, currency = "US", "USD"
	}
	c := s.customerOf(t, entity, country, currency)
	closed := strings.Fields(p.closed[entity])
	shown := c.topUpChannels(t, "en")
	var order []string
	for _, o := range shown {
		order = append(order, o.Channel)
		if o.Code == "CHANNEL_NOT_AVAILABLE" && o.Reason == down["en"] {
			continue // the one that is out of order
		}
		if shut := slices.Contains(closed, o.Channel); shut == o.Available || shut != (o.Reason == byCompany["en"]) || shut != (o.Code == "CHANNEL_NOT_AVAILABLE") {
			t.Errorf("%s, %s: %+v", name, entity, o)
		}
		want, ok := p.offers[o.Channel]
		if ok && currency == "CNY" && (o.Minimum.Amount+" to "+o.Maximum.Amount != want.limits || o.WholeUnitsOnly != want.whole || strings.Join(o.banks(), " ") != want.banks) {
			t.Errorf("%s, %s: %+v is not %+v", name, entity, o, want)
		}
		holds(t, c, o, currency, len(closed) == len(shown), entity == "MAINLAND" && slices.Contains(p.starting, o.Channel))
	}
	if got := strings.Join(order, " "); got != p.order {
		t.Errorf("%s, %s: %s", name, entity, got)
	}
	if currency == "CNY" {
		sameAtCheckout(t, c, shown)
	}
	inThreeLanguages(t, c, shown)
}

// Reasons, in three languages.
var (
	byCompany = map[string]string{"en": "It is not offered by the company that your contract is with.", "zh-CN": "您的签约主体不支持该渠道。", "zh-TW": "您的簽約主體不支援該管道。"}
	down      = map[string]string{"en": "It is not available at the moment.", "zh-CN": "该渠道暂时不可用。", "zh-TW": "該管道暫時無法使用。"}
)

// holds tries an option: at its edges (inside, too, where it is asked for), beyond them, and with banks. Nothing says that the company takes
// nothing online at all.
func holds(t *testing.T, c *customer, o channelOption, currency string, nothing, inside bool) {
	t.Helper()
	with := func(amount string, more ...string) map[string]any {
		online := map[string]any{"channel": o.Channel, "amount": map[string]any{"amount": amount, "currency": currency}}
		for i := 0; i+1 < len(more); i += 2 {
			online[more[i]] = more[i+1]
		}
		return online
	}
	want := func(code string, online map[string]any) {
		t.Helper()
		if got, message := c.tryTopUp(t, online); got != code {
			t.Errorf("%v: %q (%s), not %q", online, got, message, code)
		}
	}
	if !o.Available {
		want(map[bool]string{true: "FUNDING_NOT_ALLOWED", false: "CHANNEL_NOT_AVAILABLE"}[nothing], with("100.00"))
		return
	}
	least, most := cents(o.Minimum.Amount), cents(o.Maximum.Amount)
	beyond := []string{decimal(least - 1), decimal(most + 1)}
	if o.WholeUnitsOnly {
		want("AMOUNT_INVALID", with(decimal(least+1)))
		want("AMOUNT_INVALID", with(decimal(most-1)))
		want("AMOUNT_INVALID", with(decimal(least-1)))
		beyond = []string{decimal(most + 100)}
	}
	for _, amount := range beyond {
		want("AMOUNT_OUT_OF_RANGE", with(amount))
	}
	want("AMOUNT_INVALID", with("0.00"))
	want("AMOUNT_INVALID", with("-1.00"))
	want("BANK_NOT_SUPPORTED", with(o.Maximum.Amount, "bankCode", "XXX"))
	if !inside {
		return
	}
	want("", with(o.Minimum.Amount))
	want("", with(o.Maximum.Amount))
	if banks := o.banks(); len(banks) > 0 {
		want("", with(o.Minimum.Amount, "bankCode", banks[len(banks)-1]))
	}
	if o.WholeUnitsOnly {
		want("", with("100")) // whole by value, however it is written
		want("", with("100.00"))
	}
}

func cents(amount string) (minor int64) {
	_, _ = fmt.Sscan(strings.Replace(amount, ".", "", 1), &minor)
	return minor
}

func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// sameAtCheckout: an order's checkout shows the channels as a top-up does, and pay takes what it shows.
func sameAtCheckout(t *testing.T, c *customer, shown []channelOption) {
	t.Helper()
	id := c.orders(t, 1, "50.00")[0]
	open, channels := c.orderChannels(t, "en", id)
	if a, b := fmt.Sprintf("%+v", channels), fmt.Sprintf("%+v", shown); !open || a != b {
		t.Errorf("checkout, open %v:\n%s\ntop-up:\n%s", open, a, b)
	}
	for _, o := range channels {
		if o.Available {
			continue
		}
		if r, err := c.pay(unique("closed"), id, onlineOf(o.Channel, "50.00")); err != nil || r.code() != "CHANNEL_NOT_AVAILABLE" {
			t.Errorf("%s is closed: %+v %v", o.Channel, r, err)
		}
	}
	// What a channel does not take in one payment is refused when it is tried.
	for _, amount := range []string{"0.01", "10000000.00", "50.50"} {
		id := c.orders(t, 1, amount)[0]
		_, channels := c.orderChannels(t, "en", id)
		for i, o := range shown {
			want, reason := "", ""
			switch minor := cents(amount); {
			case !o.Available, o.WholeUnitsOnly && minor < 100: // neither whole nor enough: either may be said
				continue
			case o.WholeUnitsOnly && minor%100 != 0:
				want, reason = "AMOUNT_INVALID", "It takes whole amounts only."
			case minor < cents(o.Minimum.Amount) || minor > cents(o.Maximum.Amount):
				want, reason = "AMOUNT_OUT_OF_RANGE", "It does not take an amount like this in one payment."
			}
			if channels[i].Available != (want == "") || channels[i].Reason != reason {
				t.Errorf("%s at checkout: %+v, not %s", amount, channels[i], want)
			}
			if want == "" {
				continue
			}
			if r, err := c.pay(unique("edge"), id, onlineOf(o.Channel, amount)); err != nil || r.code() != want {
				t.Errorf("%s through %s: %+v %v, not %s", amount, o.Channel, r, err, want)
			}
		}
	}
}

// inThreeLanguages: names, banks and reasons are the reader's; everything else is the same.
func inThreeLanguages(t *testing.T, c *customer, en []channelOption) {
	t.Helper()
	for _, language := range []string{"zh-CN", "zh-TW"} {
		for i, o := range c.topUpChannels(t, language) {
			e := en[i]
			reason := map[string]string{"": "", byCompany["en"]: byCompany[language], down["en"]: down[language]}[e.Reason]
			chinese := func(text string) bool { return strings.ContainsFunc(text, func(r rune) bool { return r >= 0x4e00 }) }
			if o.Channel != e.Channel || o.Available != e.Available || o.Code != e.Code || o.Reason != reason || o.Minimum != e.Minimum || !slices.Equal(o.banks(), e.banks()) {
				t.Errorf("%s: %+v\n%+v", language, o, e)
			}
			if chinese(e.Name) || (o.Channel != "PAYPAL" && !chinese(o.Name)) {
				t.Errorf("%s: %s, %s", language, e.Name, o.Name)
			}
			for k, b := range o.Banks {
				if !chinese(b.Name) || chinese(e.Banks[k].Name) {
					t.Errorf("%s: %+v", language, b)
				}
			}
		}
	}
}

// nothingOnline: HW-27, a company that takes nothing online. Every channel is closed, and so is the kind of funding.
func nothingOnline(t *testing.T, s *server) {
	t.Helper()
	c := s.customerOf(t, "MAINLAND_OTHER", "CN", "CNY")
	for _, o := range c.topUpChannels(t, "en") {
		if o.Available || o.Code != "CHANNEL_NOT_AVAILABLE" || o.Reason != byCompany["en"] {
			t.Errorf("%+v", o)
		}
		if code, _ := c.tryTopUp(t, map[string]any{"channel": o.Channel, "amount": money("100.00")}); code != "FUNDING_NOT_ALLOWED" {
			t.Errorf("%s: %s", o.Channel, code)
		}
	}
	if open, _ := c.orderChannels(t, "en", c.orders(t, 1, "50.00")[0]); open {
		t.Error("checkout offers online payment")
	}
}

// broken is the channel whose provider is down for a while.
const broken = "WECHAT_PAY"

// breaksDown lets a provider answer with errors until its breaker opens.
func breaksDown(t *testing.T, s *server) time.Time {
	t.Helper()
	s.behave(t, broken, map[string]string{"call": "error500"})
	c := s.customer(t)
	shown := c.optionsOf(t, "en")[broken]
	for tries := 0; shown.Available; tries++ {
		if code, message := c.tryTopUp(t, map[string]any{"channel": broken, "amount": money("1.00")}); code != "" || tries > 5 {
			t.Fatalf("an answer that says nothing is no refusal: %s %s", code, message)
		}
		shown = c.optionsOf(t, "en")[broken]
	}
	if shown.Code != "CHANNEL_NOT_AVAILABLE" || shown.Reason != down["en"] {
		t.Fatalf("after failures in a row: %+v", shown)
	}
	return time.Now()
}

func (c *customer) optionsOf(t testing.TB, language string) map[string]channelOption {
	t.Helper()
	out := map[string]channelOption{}
	for _, o := range c.topUpChannels(t, language) {
		out[o.Channel] = o
	}
	return out
}

// comesBack: the others were open all the while; once the provider answers, so is this one.
func comesBack(t *testing.T, s *server, since time.Time) {
	t.Helper()
	c := s.customer(t)
	for channel, o := range c.optionsOf(t, "en") {
		if o.Available == slices.Contains([]string{broken, "BANK_CARD", "PAYPAL"}, channel) && time.Since(since) < 9*time.Second {
			t.Errorf("%+v", o)
		}
	}
	s.behave(t, broken, map[string]string{"call": "normal"})
	await(t, 30*time.Second, "the channel is open again", func() (bool, error) {
		o := c.optionsOf(t, "en")[broken]
		return o.Available && o.Reason == "" && o.Code == "", fmt.Errorf("%+v", o)
	})
	c.charge(t, broken, "12.00")
}

// cardsFromAbroad: TX-8 to TX-10 under tencent; a card issued in the mainland, and a brand that is not taken, are refused before anything
// is asked of the issuer.
func cardsFromAbroad(t *testing.T, s *server) {
	t.Helper()
	c := s.customerOf(t, "MAINLAND", "CN", "CNY")
	cards := map[string]string{"4242424242424242": "", "3566002020360505": "", "378282246310005": "CARD_BRAND_NOT_SUPPORTED", "6200000000000005": "CARD_BRAND_NOT_SUPPORTED",
		"4000001560000002": "CARD_COUNTRY_NOT_SUPPORTED", "5105105105105100": "CARD_FUNDING_NOT_SUPPORTED"}
	for _, number := range slices.Sorted(maps.Keys(cards)) {
		var out struct{ Token string }
		cvc := map[bool]string{true: "1234", false: "123"}[len(number) == 15]
		post(t, s.URL+"/sandbox/cards", map[string]any{"number": number, "expiryMonth": 12, "expiryYear": time.Now().Year() + 3, "cvc": cvc, "holderName": "Li Na"}, &out)
		if code, message := c.tryTopUp(t, map[string]any{"channel": "BANK_CARD", "amount": money("100.00"), "cardToken": out.Token}); code != cards[number] {
			t.Errorf("%s: %q (%s), not %q", number, code, message, cards[number])
		}
	}
}
