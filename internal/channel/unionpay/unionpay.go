// Package unionpay takes money through China UnionPay's online gateway (ACP 5.1.0): personal and enterprise banks, chosen before or on its
// page (PA-15 to PA-18, HW-30 to HW-32).
package unionpay

import (
	"context"
	"net/http"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// Config is what a merchant gets from UnionPay.
type Config struct {
	BaseURL          string // the gateway, production: https://gateway.95516.com
	FileURL          string // daily files, production: https://filedownload.95516.com
	MerchantID       string // merId, 15 characters
	Keystore         []byte // our certificate and key, .pfx
	KeystorePassword string
	Roots            string // UnionPay's root and intermediate certificates, PEM
	Mode             guard.Mode
	HTTPClient       *http.Client // nil: an own one
}

// Adapter is the channel.
type Adapter struct {
	channel.Automatic
	name models.PaymentChannel
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent.
func New(name models.PaymentChannel, c Config) (*Adapter, error) {
	return &Adapter{name: name}, nil
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
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is not here yet.
func (a *Adapter) Statement(context.Context, channel.Day) (channel.Statement, error) {
	return channel.Statement{}, channel.ErrNoStatement
}
