package policy

import (
	"slices"

	"paydesk/internal/billing/fault"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// Customer is what the rules look at of an account.
type Customer struct {
	Kind                           models.AccountKind
	Status                         models.AccountStatus
	Identity                       models.IdentityStatus
	SigningEntity, Region, Country string
	Currency                       money.Currency
}

// CustomerOf takes from an account what the rules look at.
func CustomerOf(a *models.Account) Customer {
	return Customer{a.Kind, a.Status, a.Identity, a.SigningEntity, a.Region, a.Country, money.Currency(a.Currency)}
}

// ChannelOption is a channel as it stands for one customer and purpose.
type ChannelOption struct {
	Channel          models.PaymentChannel
	Available        bool
	Code             string // a UserErrorCode where it is closed
	Reason           string // key of a message where it is closed
	Minimum, Maximum money.Money
	WholeUnitsOnly   bool
	QuickPay         bool
	Banks            []Bank
}

// Reasons for which a channel is closed: keys of messages.
const (
	ReasonUnknown  = "channel.reason.unknown"
	ReasonAccount  = "channel.reason.account"
	ReasonEntity   = "channel.reason.entity"
	ReasonRegion   = "channel.reason.region"
	ReasonKind     = "channel.reason.kind"
	ReasonCurrency = "channel.reason.currency"
	ReasonPurpose  = "channel.reason.purpose"
	ReasonHealth   = "channel.reason.health"
)

// Health tells whether a channel can take payments now: it has an adapter and answers. Nil means that all do.
type Health = func(models.PaymentChannel) bool

// Channels are all channels of the policy, in its order, as they stand for a customer; the closed ones say why (PA-2, AL-8, HW-27).
func (p *Policy) Channels(c Customer, purpose models.PaymentPurpose, healthy Health) []ChannelOption {
	account := p.CheckAccount(c, purpose)
	options := make([]ChannelOption, len(p.ChannelRules))
	for i := range p.ChannelRules {
		ch := &p.ChannelRules[i]
		limit := ch.limit(p, c.Currency)
		o := ChannelOption{
			Channel: ch.Channel, Minimum: limit.Minimum, Maximum: limit.Maximum,
			WholeUnitsOnly: ch.WholeUnits, QuickPay: ch.QuickPay, Banks: p.banksOf(ch),
		}
		if account != nil {
			o.Code, o.Reason = account.Code, ReasonAccount
		} else if o.Reason = ch.closed(c, purpose, healthy); o.Reason != "" {
			o.Code = "CHANNEL_NOT_AVAILABLE"
		}
		o.Available = o.Reason == ""
		options[i] = o
	}
	return options
}

// OnlineAllowed reports whether the customer's signing entity takes online payments at all (HW-27).
func (p *Policy) OnlineAllowed(c Customer) bool {
	return slices.ContainsFunc(p.ChannelRules, func(ch Channel) bool { return slices.Contains(ch.SigningEntities, c.SigningEntity) })
}

// CheckOnline judges an online payment; nil allows it. Faults, with paths relative to the online funding: ACCOUNT_NOT_ACTIVE and
// IDENTITY_REQUIRED (CheckAccount), FUNDING_NOT_ALLOWED (the entity has no online payment at all, HW-27), CHANNEL_NOT_AVAILABLE,
// CURRENCY_MISMATCH, AMOUNT_INVALID (zero, negative, or not whole where it has to be, TX-5), AMOUNT_OUT_OF_RANGE (args minimum,
// maximum), BANK_NOT_SUPPORTED. No bank named: the provider's page lists them.
func (p *Policy) CheckOnline(c Customer, purpose models.PaymentPurpose, channel models.PaymentChannel, amount money.Money, bankCode string, healthy Health) *fault.Fault {
	if f := p.CheckAccount(c, purpose); f != nil {
		return f
	}
	if !p.OnlineAllowed(c) {
		return fault.New("FUNDING_NOT_ALLOWED", "channel")
	}
	ch, reason := p.channel(channel), ReasonUnknown
	if ch != nil {
		reason = ch.closed(c, purpose, healthy)
	}
	if reason != "" {
		return fault.New("CHANNEL_NOT_AVAILABLE", "channel").With("channel", channel).With("reason", messages.Key(reason))
	}
	if f := ch.checkAmount(c.Currency, amount); f != nil {
		return f
	}
	if bankCode != "" && !slices.Contains(ch.Banks, bankCode) {
		return fault.New("BANK_NOT_SUPPORTED", "bankCode").With("channel", channel).With("bank", bankCode)
	}
	return nil
}

func (p *Policy) channel(name models.PaymentChannel) *Channel {
	for i := range p.ChannelRules {
		if p.ChannelRules[i].Channel == name {
			return &p.ChannelRules[i]
		}
	}
	return nil
}

// closed is the reason why a channel cannot be used; empty where it can. What the customer cannot change comes first.
func (ch *Channel) closed(c Customer, purpose models.PaymentPurpose, healthy Health) string {
	_, takes := ch.Limits[c.Currency]
	switch {
	case !slices.Contains(ch.SigningEntities, c.SigningEntity):
		return ReasonEntity
	case len(ch.Regions) > 0 && !slices.Contains(ch.Regions, c.Region):
		return ReasonRegion
	case len(ch.AccountKinds) > 0 && !slices.Contains(ch.AccountKinds, c.Kind):
		return ReasonKind
	case !takes:
		return ReasonCurrency
	case !slices.Contains(ch.Purposes, purpose):
		return ReasonPurpose
	case healthy != nil && !healthy(ch.Channel):
		return ReasonHealth
	}
	return ""
}

func (ch *Channel) checkAmount(account money.Currency, amount money.Money) *fault.Fault {
	limit := ch.Limits[account]
	switch {
	case amount.Currency != account:
		return fault.New("CURRENCY_MISMATCH", "amount").With("currency", string(account))
	case amount.IsZero() || amount.Negative():
		return fault.New("AMOUNT_INVALID", "amount")
	case ch.WholeUnits && !amount.WholeUnits():
		return fault.New("AMOUNT_INVALID", "amount").With("case", "whole")
	case amount.Minor < limit.Minimum.Minor || amount.Minor > limit.Maximum.Minor:
		return fault.New("AMOUNT_OUT_OF_RANGE", "amount").With("minimum", limit.Minimum).With("maximum", limit.Maximum)
	}
	return nil
}

// limit is what the channel takes in the customer's currency; where it does not take that, in the first of its own.
func (ch *Channel) limit(p *Policy, c money.Currency) Limit {
	if l, ok := ch.Limits[c]; ok {
		return l
	}
	for _, own := range p.Currencies {
		if l, ok := ch.Limits[own]; ok {
			return l
		}
	}
	return Limit{money.Zero(c), money.Zero(c)}
}

func (p *Policy) banksOf(ch *Channel) []Bank {
	banks := make([]Bank, 0, len(ch.Banks))
	for _, code := range ch.Banks {
		for _, b := range p.Banks {
			if b.Code == code {
				banks = append(banks, b)
			}
		}
	}
	return banks
}
