package main

import (
	"context"
	"time"

	"paydesk/internal/billing/verification"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/seal"
)

// openDesk makes what tells customers by SMS and e-mail; where no way to send is configured, messages are kept and nothing more.
func (a *app) openDesk(ctx context.Context) (err error) {
	if a.seal, err = seal.Load(ctx, a.db, a.cfg.SealingKey); err != nil {
		return err
	}
	c := notify.Config{DB: a.db, Clock: a.clock, Log: a.log, Seal: a.seal, Development: a.cfg.Dev, Told: a.metrics.told}
	if m := a.cfg.Mail; m.Address != "" {
		server, err := notify.NewMail(notify.MailConfig{Address: m.Address, TLS: m.TLS, User: m.User, Password: m.Password, From: m.From, Timeout: m.Timeout})
		if err != nil {
			return config.Unusable("PAYDESK_SMTP_ADDRESS", m.Address, err)
		}
		c.Mail = server
	}
	if s := a.cfg.SMS; s.URL != "" {
		c.SMS = notify.NewHook(notify.HookConfig{URL: s.URL, Secret: s.Secret, Timeout: s.Timeout})
	}
	for kind, sender := range map[string]notify.Sender{notify.SMS: c.SMS, notify.Email: c.Mail} {
		a.metrics.openMessages(kind)
		if sender == nil && !a.cfg.Dev {
			a.log.Warn("messages of this kind are kept and not sent: no way to send them is configured", "kind", kind)
		}
	}
	a.messages = notify.Open(c)
	return nil
}

// Messages of each kind have a sweep of their own: where the one way is silent, the other goes on.
const (
	smsJob  = "sms"
	mailJob = "mail"
)

// messageBatch is how many messages a round of either takes: few enough for a round to end soon where a server lets each of them wait.
const messageBatch = 40

// inDevelopment is how much wider limits are there, guards on guessing codes excepted (contract §6).
const inDevelopment = 100

func (a *app) openCodes() {
	sends := a.cfg.Rates.Codes
	if a.cfg.Dev {
		sends *= inDevelopment
	}
	a.codes = verification.New(verification.Config{DB: a.db, Accounts: a.accounts, Orders: a.orders, Policy: a.policy, Messages: a.messages, Guesses: a.limiter, Seal: a.seal,
		Clock: a.clock, Log: a.log, SendsPerDay: sends, Wall: time.Now})
}

// messageLag is how long messages of a kind have waited.
func (a *app) messageLag(kind string) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) { return a.messages.Lag(ctx, kind) }
}

// told counts what became of a try to deliver a message.
func (m *metrics) told(kind, outcome string) { m.messages.WithLabelValues(kind, outcome).Inc() }

// openMessages shows a kind at zero, so that its first trouble is seen as an increase.
func (m *metrics) openMessages(kind string) {
	for _, outcome := range []string{notify.Sent, notify.Later, notify.Failed, notify.Useless} {
		m.messages.WithLabelValues(kind, outcome)
	}
}
