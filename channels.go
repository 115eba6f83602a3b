package main

import (
	"context"
	"net"
	"net/url"

	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/platform/config"
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
	if u, err := url.Parse(a.public); err == nil && len(made) > 0 && config.Loopback(net.JoinHostPort(u.Hostname(), "0")) {
		a.log.Warn("real channels are configured, and their providers cannot reach this address to notify us: set PAYDESK_PUBLIC_URL", "address", a.public)
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
