package tenpay

import (
	"context"
	"net/http"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// Tenpay is the channel.
type Tenpay struct {
	channel.Automatic
	name models.PaymentChannel
}

var _ channel.Adapter = (*Tenpay)(nil)

// New checks the configuration and makes the adapter; nothing is sent.
func New(c Config) (*Tenpay, error) {
	return &Tenpay{name: models.ChannelTenpay}, nil
}

// Channel names it.
func (a *Tenpay) Channel() models.PaymentChannel { return a.name }

// Start is not here yet.
func (a *Tenpay) Start(context.Context, channel.StartRequest) (channel.Started, error) {
	return channel.Started{}, channel.ErrUnavailable
}

// Query is not here yet.
func (a *Tenpay) Query(context.Context, channel.Ref) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// Close is not here yet.
func (a *Tenpay) Close(context.Context, channel.Ref) error { return channel.ErrUnavailable }

// Refund is not here yet.
func (a *Tenpay) Refund(context.Context, channel.RefundRequest) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// QueryRefund is not here yet.
func (a *Tenpay) QueryRefund(context.Context, channel.Ref, channel.Ref) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// ParseNotification is not here yet.
func (a *Tenpay) ParseNotification(context.Context, channel.Notification) (channel.Event, error) {
	return channel.Event{}, channel.ErrForged
}

// Acknowledge is what the provider wants for a stored notification.
func (a *Tenpay) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK}
}

// Refuse answers a forged one.
func (a *Tenpay) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest}
}

// StatementDay is a calendar day.
func (a *Tenpay) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is not here yet.
func (a *Tenpay) Statement(context.Context, channel.Day) (channel.Statement, error) {
	return channel.Statement{}, channel.ErrNoStatement
}
