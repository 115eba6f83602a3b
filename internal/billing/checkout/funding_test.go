package checkout_test

import (
	"slices"
	"strings"
	"testing"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/policy"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func (w *world) funding(orders ...models.Order) map[checkout.FundingKind]checkout.FundingOption {
	w.Helper()
	out := map[checkout.FundingKind]checkout.FundingOption{}
	for _, o := range w.view(w.request(orders...)).Funding {
		out[o.Kind] = o
	}
	return out
}

// closedBy is the code and the reason of a closed way to fund; empty where it is open.
func closedBy(o checkout.FundingOption) string {
	if o.Closed == nil {
		return ""
	}
	reason, _ := o.Closed.Args["reason"].(messages.Key)
	return strings.TrimSpace(o.Closed.Code + " " + string(reason))
}

func open(channels []policy.ChannelOption) string {
	var out []string
	for _, ch := range channels {
		if ch.Available {
			out = append(out, string(ch.Channel))
		}
	}
	return strings.Join(out, " ")
}

// Which ways are open to whom, on the policy's words alone (C5, HW-22 to HW-29, HW-33): by signing entity, in the default profile and in
// Huawei's, whose entities abroad have no online payment at all.
func TestFundingByEntity(t *testing.T) {
	const (
		wallets = "ALIPAY WECHAT_PAY"
		banks   = "UNIONPAY_PERSONAL UNIONPAY_ENTERPRISE"
		none    = "FUNDING_NOT_ALLOWED funding.reason.entity"
	)
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		for _, c := range []struct {
			profile, entity, currency string
			channels, closed          string
		}{
			{"huawei", "MAINLAND", "CNY", wallets + " " + banks + " HUAWEI_PAY", ""}, // HW-26, HW-29
			{"huawei", "MAINLAND_SOFTWARE", "CNY", wallets + " " + banks, ""},        // HW-27, not HW-29
			{"huawei", "MAINLAND_OTHER", "CNY", "", none},                            // HW-27
			{"huawei", "INTERNATIONAL", "USD", "", none},                             // HW-27
			{"default", "MAINLAND", "CNY", wallets + " QQ_WALLET TENPAY " + banks + " HUAWEI_PAY", ""},
			{"default", "MAINLAND_SOFTWARE", "CNY", wallets + " QQ_WALLET TENPAY " + banks, ""},
			{"default", "MAINLAND_OTHER", "CNY", "", none},
			{"default", "INTERNATIONAL", "USD", "BANK_CARD", ""}, // region CN has no PayPal (C1)
		} {
			t.Run(c.profile+"/"+c.entity, func(t *testing.T) {
				w := newWorld(t, home, c.profile)
				partner := w.open(account.Opening{SigningEntity: c.entity, Currency: c.currency})
				w.me = w.open(account.Opening{SigningEntity: c.entity, Currency: c.currency, PartnerID: partner.ID})
				w.give(5_000)
				f := w.funding(w.place(false, w.one(10_000))...)
				if closedBy(f[checkout.FundingBalance]) != "INSUFFICIENT_BALANCE" || closedBy(f[checkout.FundingPartner]) != "" {
					t.Errorf("balance %q, partner %q", closedBy(f[checkout.FundingBalance]), closedBy(f[checkout.FundingPartner]))
				}
				for _, kind := range []checkout.FundingKind{checkout.FundingOnline, checkout.FundingCombined} {
					if closedBy(f[kind]) != c.closed || open(f[kind].Channels) != c.channels {
						t.Errorf("%s: %q with %s", kind, closedBy(f[kind]), open(f[kind].Channels))
					}
				}
				if f[checkout.FundingCombined].Verification != "" { // HW-34: protection is off for an individual
					t.Error("a code is wanted")
				}
				for _, ch := range f[checkout.FundingOnline].Channels {
					if !ch.Available && (ch.Code != "CHANNEL_NOT_AVAILABLE" || ch.Reason == "") {
						t.Errorf("%+v", ch)
					}
				}
			})
		}
	})
}

// HW-23, HW-24, HW-33, HW-34 and the balance, the amounts and the orders that decide.
func TestFundingByAmount(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		w.me = w.open(account.Opening{Kind: models.AccountEnterprise}) // protection is on (D2)
		o := w.place(false, w.one(10_000))
		f := w.funding(o...)
		if closedBy(f[checkout.FundingBalance]) != "INSUFFICIENT_BALANCE" || closedBy(f[checkout.FundingCombined]) != "INSUFFICIENT_BALANCE funding.reason.no_balance" ||
			closedBy(f[checkout.FundingOnline]) != "" || closedBy(f[checkout.FundingPartner]) != "PARTNER_NOT_AVAILABLE" {
			t.Errorf("no balance: %v", f)
		}
		w.give(4_000)
		f = w.funding(o...)
		missing := f[checkout.FundingBalance].Closed
		if got := messages.Text("en", missing.Code, missing.Args); got != "The balance is not enough: ¥40.00 available, ¥100.00 needed. Top up at least ¥60.00 first." { // HW-24
			t.Error(got)
		}
		if closedBy(f[checkout.FundingCombined]) != "" || f[checkout.FundingCombined].Verification != models.SceneCombinedPayment { // HW-33, HW-34
			t.Errorf("combined: %+v", f[checkout.FundingCombined])
		}
		if f[checkout.FundingOnline].Verification != "" || f[checkout.FundingBalance].Verification != "" || f[checkout.FundingPartner].Verification != "" {
			t.Error("only a combined payment needs a code")
		}
		w.give(6_000)
		if f = w.funding(o...); closedBy(f[checkout.FundingBalance]) != "" { // HW-23
			t.Error(closedBy(f[checkout.FundingBalance]))
		}
		for name, c := range map[string]struct {
			minor            int64
			online, combined string
			without          models.PaymentChannel // closed by the amount
		}{
			"below every channel":        {5, "AMOUNT_OUT_OF_RANGE funding.reason.amount", "AMOUNT_OUT_OF_RANGE funding.reason.amount", models.ChannelAlipay},
			"a wallet's least":           {10, "", "AMOUNT_OUT_OF_RANGE funding.reason.amount", models.ChannelUnionPayPersonal},
			"a wallet's least and a bit": {11, "", "", models.ChannelUnionPayPersonal},
			"above the wallets":          {30_000_001, "", "", models.ChannelAlipay},
			"above every channel":        {999_999_901, "AMOUNT_OUT_OF_RANGE funding.reason.amount", "", models.ChannelAlipay}, // the balance pays the rest
		} {
			f := w.funding(w.place(false, w.one(c.minor))...)
			i := slices.IndexFunc(f[checkout.FundingOnline].Channels, func(ch policy.ChannelOption) bool { return ch.Channel == c.without })
			if ch := f[checkout.FundingOnline].Channels[i]; closedBy(f[checkout.FundingOnline]) != c.online || closedBy(f[checkout.FundingCombined]) != c.combined || ch.Code != "AMOUNT_OUT_OF_RANGE" {
				t.Errorf("%s: %q, %q, %+v", name, closedBy(f[checkout.FundingOnline]), closedBy(f[checkout.FundingCombined]), ch)
			}
		}
	})
}

// What orders and the whole decide: a POSTPAID order is frozen from the balance alone (contract §5), nothing to pay is paid from the
// balance (§7), a partner has to be there to be asked (HW-35), and a channel that does not answer is closed.
func TestFundingByOrders(t *testing.T) {
	each(t, "default", func(t *testing.T, w *world) {
		partner := w.open(account.Opening{})
		w.me = w.open(account.Opening{PartnerID: partner.ID})
		w.give(100_000)
		for name, c := range map[string]struct {
			orders []models.Order
			closed string
		}{
			"postpaid":       {w.place(false, w.one(100, postpaid), w.one(100)), "FUNDING_NOT_ALLOWED funding.reason.postpaid"},
			"nothing to pay": {w.place(false, w.one(0)), "FUNDING_NOT_ALLOWED funding.reason.zero"},
		} {
			f := w.funding(c.orders...)
			if closedBy(f[checkout.FundingBalance]) != "" {
				t.Errorf("%s: balance %q", name, closedBy(f[checkout.FundingBalance]))
			}
			for _, kind := range []checkout.FundingKind{checkout.FundingOnline, checkout.FundingCombined, checkout.FundingPartner} {
				if closedBy(f[kind]) != c.closed || open(f[kind].Channels) != "" {
					t.Errorf("%s: %s %q with %s", name, kind, closedBy(f[kind]), open(f[kind].Channels))
				}
			}
		}
		for _, ch := range w.rules.ChannelRules {
			w.down[ch.Channel] = true
		}
		o := w.place(false, w.one(10_000))
		if f := w.funding(o...); closedBy(f[checkout.FundingOnline]) != "CHANNEL_NOT_AVAILABLE funding.reason.channel" || closedBy(f[checkout.FundingPartner]) != "" {
			t.Errorf("no channel answers: %v", f)
		}
		closing := models.AccountClosing
		_, err := w.accounts.Update(w.ctx, partner.ID, account.Update{Status: &closing})
		w.must(err)
		if f := w.funding(o...); closedBy(f[checkout.FundingPartner]) != "PARTNER_NOT_AVAILABLE" {
			t.Errorf("a partner that closes: %q", closedBy(f[checkout.FundingPartner]))
		}
		_, err = w.accounts.Update(w.ctx, w.me.ID, account.Update{Status: &closing})
		w.must(err)
		for kind, f := range w.funding(o...) {
			if closedBy(f) != "ACCOUNT_NOT_ACTIVE" {
				t.Errorf("%s of a closing account: %q", kind, closedBy(f))
			}
		}
	})
}

// A channel of whole units takes part where a whole part is possible (TX-5): alone only a whole total, beside the balance any.
func TestFundingInWholeUnits(t *testing.T) {
	each(t, "tencent", func(t *testing.T, w *world) {
		w.give(150)
		for minor, c := range map[int64]struct{ online, combined string }{
			10_000: {"", ""},
			10_050: {"AMOUNT_OUT_OF_RANGE funding.reason.amount", ""}, // 100.00 or 99.00 through the channel
			140:    {"AMOUNT_OUT_OF_RANGE funding.reason.amount", ""},
		} {
			f := w.funding(w.place(false, w.one(minor))...)
			if closedBy(f[checkout.FundingOnline]) != c.online || closedBy(f[checkout.FundingCombined]) != c.combined {
				t.Errorf("%d: online %q, combined %q", minor, closedBy(f[checkout.FundingOnline]), closedBy(f[checkout.FundingCombined]))
			}
			if c.online != "" && !slices.ContainsFunc(f[checkout.FundingOnline].Channels, func(ch policy.ChannelOption) bool { return ch.Reason == checkout.ReasonChannelWhole }) {
				t.Errorf("%d: nobody says whole", minor)
			}
		}
	})
}
