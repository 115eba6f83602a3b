package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/policy"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// channels shows every channel of the policy as it stands for one customer (PA-2, HW-27).
func (v view) channels(options []policy.ChannelOption) []*model.ChannelOption {
	out := make([]*model.ChannelOption, len(options))
	for i, o := range options {
		out[i] = &model.ChannelOption{
			Channel: model.PaymentChannel(o.Channel), Name: messages.Channel(v.locale, o.Channel), Available: o.Available,
			Minimum: v.amount(o.Minimum), Maximum: v.amount(o.Maximum), WholeUnitsOnly: o.WholeUnitsOnly, Banks: v.banks(o.Banks),
		}
		for _, d := range channel.Displays(o.Channel) {
			out[i].Displays = append(out[i].Displays, model.PaymentDisplay(d))
		}
		if o.Channel == models.ChannelBankCard && o.Available && v.r.s.CardField != nil {
			out[i].CardField = v.cardField()
		}
		if !o.Available {
			code, reason := model.UserErrorCode(o.Code), messages.Text(v.locale, o.Reason, nil)
			out[i].Code, out[i].Reason = &code, &reason
		}
	}
	return out
}

// cardField is where a browser turns a card into a token; null where the provider cannot be asked now.
func (v view) cardField() *model.CardField {
	f, err := v.r.s.CardField(context.Background())
	if err != nil || f == nil {
		return nil
	}
	return &model.CardField{Provider: f.Provider, PublishableKey: f.PublishableKey, URL: f.URL}
}

func (v view) banks(banks []policy.Bank) []*model.Bank {
	out := make([]*model.Bank, len(banks))
	for i, b := range banks {
		out[i] = &model.Bank{Code: b.Code, Name: b.Name.In(v.locale)}
	}
	return out
}

// topUpOptions is what an account can be topped up with, and what it was topped up with last (TX-7).
func (r *Resolver) topUpOptions(ctx context.Context, a models.Account) (*model.TopUpOptions, error) {
	v := r.view(ctx)
	out := &model.TopUpOptions{Channels: v.channels(r.s.Policy.Channels(policy.CustomerOf(&a), models.PurposeTopUp, r.s.Health))}
	for _, m := range r.s.Policy.SuggestedTopUps(money.Currency(a.Currency)) {
		amount := v.amount(m)
		out.Suggested = append(out.Suggested, &amount)
	}
	if !selects(ctx, "lastAmount") {
		return out, nil
	}
	last, err := r.s.Payments.LastTopUp(ctx, a.ID)
	if last != nil {
		amount := v.amount(*last)
		out.LastAmount = &amount
	}
	return out, err
}
