package tenpay

import (
	"context"
	"net/http"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// QQ is the channel.
type QQ struct {
	channel.Automatic
	name models.PaymentChannel
}

var _ channel.Adapter = (*QQ)(nil)

// NewQQ checks the configuration and makes the adapter; nothing is sent.
func NewQQ(c QQConfig) (*QQ, error) {
	return &QQ{name: models.ChannelQQWallet}, nil
}

// Channel names it.
func (a *QQ) Channel() models.PaymentChannel { return a.name }

// Start is not here yet.
func (a *QQ) Start(context.Context, channel.StartRequest) (channel.Started, error) {
	return channel.Started{}, channel.ErrUnavailable
}

// Query is not here yet.
func (a *QQ) Query(context.Context, channel.Ref) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// Close is not here yet.
func (a *QQ) Close(context.Context, channel.Ref) error { return channel.ErrUnavailable }

// Refund is not here yet.
func (a *QQ) Refund(context.Context, channel.RefundRequest) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// QueryRefund is not here yet.
func (a *QQ) QueryRefund(context.Context, channel.Ref, channel.Ref) (channel.Event, error) {
	return channel.Event{}, channel.ErrUnavailable
}

// ParseNotification is not here yet.
func (a *QQ) ParseNotification(context.Context, channel.Notification) (channel.Event, error) {
	return channel.Event{}, channel.ErrForged
}

// Acknowledge is what the provider wants for a stored notification.
func (a *QQ) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK}
}

// Refuse answers a forged one.
func (a *QQ) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest}
}

// StatementDay is a calendar day.
func (a *QQ) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is not here yet.
func (a *QQ) Statement(context.Context, channel.Day) (channel.Statement, error) {
	return channel.Statement{}, channel.ErrNoStatement
}
