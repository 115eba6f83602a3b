package checkout

import (
	"context"
	"slices"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// FundingKind is where a payment's money comes from (HW-22).
type FundingKind string

// Kinds of funding.
const (
	FundingBalance  FundingKind = "BALANCE"
	FundingOnline   FundingKind = "ONLINE"
	FundingCombined FundingKind = "COMBINED"
	FundingPartner  FundingKind = "PARTNER"
)

// Reasons for which a kind of funding or a channel is closed for these orders: keys of messages.
const (
	ReasonBalanceOff    = "funding.reason.balance"    // the policy has no payments from the balance
	ReasonPostpaid      = "funding.reason.postpaid"   // a POSTPAID order is frozen from the balance alone (contract §5)
	ReasonZero          = "funding.reason.zero"       // nothing has to be paid: a balance part of zero does it (contract §7)
	ReasonEntity        = "funding.reason.entity"     // the signing entity has no online payment (HW-27)
	ReasonNoChannel     = "funding.reason.channel"    // no channel is open
	ReasonAmount        = "funding.reason.amount"     // no channel takes as much, or as little
	ReasonNoBalance     = "funding.reason.no_balance" // nothing to combine with
	ReasonChannelAmount = "channel.reason.amount"     // outside the channel's limits
	ReasonChannelWhole  = "channel.reason.whole"      // it takes whole units only
)

// FundingOption is one way to fund a payment. Closed says why it is not open: its Code, and an argument reason where the message of
// the code alone does not say it.
type FundingOption struct {
	Kind         FundingKind
	Closed       *fault.Fault // nil: open
	Channels     []policy.ChannelOption
	Verification models.VerificationScene // of the code that it needs; empty for none (D2, HW-34)
}

// Closed fundings with a reason of their own.
func shut(code, reason string) *fault.Fault {
	return fault.New(code).With("reason", messages.Key(reason))
}

// funding says how the quote can be paid; payments are held to the same (C5).
func (s *Service) funding(ctx context.Context, v *View) ([]FundingOption, error) {
	f := funder{Service: s, c: policy.CustomerOf(&v.Account), v: v, total: v.Total(), spendable: v.Balance.Spendable()}
	f.account = s.Policy.CheckAccount(f.c, models.PurposeOrders)
	for _, o := range v.Orders {
		f.postpaid = f.postpaid || o.ChargingMode == models.Postpaid
	}
	f.channels = s.Policy.Channels(f.c, models.PurposeOrders, s.Health)
	partner, err := f.partner(ctx)
	return []FundingOption{f.balance(), f.online(), f.combined(), partner}, err
}

// funder looks at one quote.
type funder struct {
	*Service
	c         policy.Customer
	v         *View
	total     money.Money
	spendable int64
	account   *fault.Fault // against paying anything
	postpaid  bool
	channels  []policy.ChannelOption
}

// balance: enough of it has to be there (HW-23, HW-24).
func (f funder) balance() FundingOption {
	o := FundingOption{Kind: FundingBalance}
	switch {
	case f.account != nil:
		o.Closed = f.account
	case !f.Policy.BalancePayment && !f.total.IsZero():
		o.Closed = shut("FUNDING_NOT_ALLOWED", ReasonBalanceOff)
	case f.spendable < f.total.Minor:
		c := f.total.Currency
		o.Closed = fault.New("INSUFFICIENT_BALANCE").With("available", money.New(f.spendable, c)).With("required", f.total).
			With("shortfall", money.New(f.total.Minor-f.spendable, c))
	}
	return o
}

// barred says what stands against everything but the balance.
func (f funder) barred() *fault.Fault {
	switch {
	case f.account != nil:
		return f.account
	case f.postpaid:
		return shut("FUNDING_NOT_ALLOWED", ReasonPostpaid)
	case f.total.IsZero():
		return shut("FUNDING_NOT_ALLOWED", ReasonZero)
	}
	return nil
}

// online: a channel takes the total (HW-26 to HW-29).
func (f funder) online() FundingOption {
	return f.throughChannel(FundingOnline, f.total.Minor, f.total.Minor, f.barred())
}

// combined: the balance pays a part, a channel exactly the rest; both are above zero (HW-33).
func (f funder) combined() FundingOption {
	bar := f.barred()
	switch {
	case bar != nil:
	case !f.Policy.BalancePayment:
		bar = shut("FUNDING_NOT_ALLOWED", ReasonBalanceOff)
	case f.spendable <= 0:
		bar = shut("INSUFFICIENT_BALANCE", ReasonNoBalance)
	}
	o := f.throughChannel(FundingCombined, max(1, f.total.Minor-f.spendable), f.total.Minor-1, bar)
	if o.Closed == nil && f.Verifier != nil && f.Verifier.Wanted(f.v.Account) {
		o.Verification = models.SceneCombinedPayment
	}
	return o
}

// throughChannel is a funding with an online part from least to most.
func (f funder) throughChannel(kind FundingKind, least, most int64, bar *fault.Fault) FundingOption {
	o := FundingOption{Kind: kind, Closed: bar, Channels: slices.Clone(f.channels)}
	open, fits := false, false
	for i := range o.Channels {
		if ch := &o.Channels[i]; ch.Available {
			open = true
			if ch.Code, ch.Reason = barredBy(bar); bar == nil {
				ch.Code, ch.Reason = fit(ch, least, most)
			}
			ch.Available = ch.Code == ""
			fits = fits || ch.Available
		}
	}
	switch {
	case bar != nil:
	case !f.Policy.OnlineAllowed(f.c):
		o.Closed = shut("FUNDING_NOT_ALLOWED", ReasonEntity)
	case !open:
		o.Closed = shut("CHANNEL_NOT_AVAILABLE", ReasonNoChannel)
	case !fits:
		o.Closed = shut("AMOUNT_OUT_OF_RANGE", ReasonAmount)
	}
	return o
}

// barredBy is why a channel takes nothing: what stands against the whole kind of funding.
func barredBy(bar *fault.Fault) (code, reason string) {
	if bar == nil {
		return "", ""
	}
	key, _ := bar.Args["reason"].(messages.Key)
	return bar.Code, string(key)
}

// fit says why a channel can take no part from least to most; empty where it can.
func fit(ch *policy.ChannelOption, least, most int64) (code, reason string) {
	least, most = max(least, ch.Minimum.Minor), min(most, ch.Maximum.Minor)
	if least > most {
		return "AMOUNT_OUT_OF_RANGE", ReasonChannelAmount
	}
	if ch.WholeUnitsOnly && !holdsWhole(least, most, ch.Minimum.Currency) {
		return "AMOUNT_INVALID", ReasonChannelWhole
	}
	return "", ""
}

// holdsWhole reports whether there is a whole unit from least to most.
func holdsWhole(least, most int64, c money.Currency) bool {
	unit := int64(1)
	for digits, _ := c.Exponent(); digits > 0; digits-- {
		unit *= 10
	}
	return most/unit*unit >= least
}

// partner: the account has one who can be asked now (HW-35).
func (f funder) partner(ctx context.Context) (FundingOption, error) {
	o, a := FundingOption{Kind: FundingPartner, Closed: f.barred()}, f.v.Account
	if o.Closed != nil {
		return o, nil
	}
	o.Closed = fault.New("PARTNER_NOT_AVAILABLE")
	if a.PartnerID.IsZero() || a.PartnerID == a.ID {
		return o, nil
	}
	partner, found, err := f.Accounts.ByID(ctx, a.PartnerID)
	if found && partner.Status == models.AccountActive && partner.Currency == a.Currency {
		o.Closed = nil
	}
	return o, err
}
