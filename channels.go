package main

import (
	"context"

	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// adapters makes the channels that are configured; in development the sandbox stands in for the others. A channel with
// neither is not there, and options say that it is not available.
func (a *app) adapters(context.Context) (channel.Registry, error) {
	made, err := fleet.Production(a.cfg)
	if err != nil {
		return nil, err
	}
	if a.sandbox != nil {
		for name, adapter := range fleet.Sandbox(a.sandbox, func() string { return a.own }, nil) {
			if _, real := made[name]; !real {
				made[name] = adapter
			}
		}
	}
	out := channel.Registry{}
	for name, adapter := range made {
		out[name] = channel.WithBreaker(adapter, channel.BreakerOptions{Around: a.metrics.around, OnChange: func(name, from, to string) {
			a.log.Warn("circuit breaker", "channel", name, "from", from, "to", to)
		}})
		a.metrics.open(name)
	}
	return out, nil
}

// cardField is where a browser turns a card into a token; nil where cards are closed.
func (a *app) cardField(ctx context.Context) (*channel.CardField, error) {
	switch {
	case fleet.Configured(a.cfg, models.ChannelBankCard):
		return &channel.CardField{Provider: "stripe", PublishableKey: a.cfg.Stripe.PublishableKey, URL: a.cfg.Stripe.CardFieldURL}, nil
	case a.sandbox != nil:
		c, err := a.sandbox.Stripe(ctx)
		return &channel.CardField{Provider: "sandbox", PublishableKey: c.PublishableKey, URL: a.public + sandbox.CardsPath}, err
	}
	return nil, nil
}
