// Package paypal takes money through PayPal: the payer approves on its page, we capture (AL-26 to AL-28). It stands on github.com/plutov/paypal.
package paypal

import (
	"context"
	"net/http"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// Config is what a merchant gets from PayPal.
type Config struct {
	BaseURL                string // production: https://api-m.paypal.com
	ClientID, ClientSecret string
	WebhookID              string
	MerchantID             string   // of the payee
	CertificateHosts       []string // hosts from which the certificate of a notification may be fetched; empty: PayPal's own
	Mode                   guard.Mode
	HTTPClient             *http.Client
}

// Adapter is the channel.
type Adapter struct {
	channel.Automatic
	name models.PaymentChannel
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent.
func New(c Config) (*Adapter, error) {
	return &Adapter{name: models.ChannelPayPal}, nil
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
