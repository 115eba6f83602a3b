// Package card takes international bank cards through Stripe: a fresh token from the card field, 3-D Secure by redirect (TX-8 to TX-11, AL-22).
// It stands on github.com/stripe/stripe-go.
package card

import (
	"context"
	"net/http"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// Config is what a merchant gets from Stripe.
type Config struct {
	BaseURL       string // production: https://api.stripe.com
	SecretKey     string
	WebhookSecret string
	Mode          guard.Mode
	HTTPClient    *http.Client
}

// Adapter is the channel.
type Adapter struct {
	channel.Automatic
	name models.PaymentChannel
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent.
func New(c Config) (*Adapter, error) {
	return &Adapter{name: models.ChannelBankCard}, nil
}

// Channel names it.
func (a *Adapter) Channel() models.PaymentChannel { return a.name }

// Start is not here yet.
func (a *Adapter) Start(context.Context, channel.StartRequest) (channel.Started, error) {
	return channel.Started{}, channel.ErrUnavailable
}

// Query is not here yet.
func (a *Adapter) Query(context.Context, channel.Ref) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// Close is not here yet.
func (a *Adapter) Close(context.Context, channel.Ref) error { return channel.ErrUnavailable }

// Refund is not here yet.
func (a *Adapter) Refund(context.Context, channel.RefundRequest) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// QueryRefund is not here yet.
func (a *Adapter) QueryRefund(context.Context, channel.Ref, channel.Ref) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// ParseNotification is not here yet.
func (a *Adapter) ParseNotification(context.Context, channel.Notification) (channel.Event, error) {
	return channel.Event{}, channel.ErrForged
}

// Acknowledge is what the provider wants for a stored notification.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK}
}

// Refuse answers a forged one.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest}
}

// StatementDay is a calendar day.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(time.UTC) }

// Statement is not here yet.
func (a *Adapter) Statement(context.Context, channel.Day) (channel.Statement, error) {
	return channel.Statement{}, channel.ErrNoStatement
}
