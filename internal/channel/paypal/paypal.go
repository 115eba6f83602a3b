// Package paypal takes money through PayPal: the payer approves an order on PayPal's page, we capture it (AL-26 to AL-28). It stands on
// github.com/plutov/paypal/v4 for tokens and transport; orders with a payment source, captures, refunds and the check of notifications on
// the bytes as they came are not in it and stand here.
package paypal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// Config is what a merchant gets from PayPal.
type Config struct {
	BaseURL                string // production: https://api-m.paypal.com
	ClientID, ClientSecret string
	WebhookID              string   // of the webhook in PayPal's developer dashboard; notifications are signed for it
	MerchantID             string   // of the payee
	CertificateHosts       []string // hosts from which the certificate of a notification may be fetched; empty: PayPal's own, or the sandbox's
	Roots                  string   // certificates that have to vouch for it, beside the system's, PEM; empty in production: PayPal's TLS may do it
	Mode                   guard.Mode
	HTTPClient             *http.Client
}

// Adapter is the PAYPAL channel.
type Adapter struct {
	api, reports *caller
	mode         guard.Mode
	merchantID   string
	webhookID    string
	certificates *certificates
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent. Errors name the setting, never a secret.
func New(c Config) (*Adapter, error) {
	u, err := guard.BaseURL(c.Mode, c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("paypal: %w", err)
	}
	if c.ClientID == "" || c.ClientSecret == "" || c.WebhookID == "" || c.MerchantID == "" {
		return nil, errors.New("paypal: client id, client secret, webhook id and merchant id are wanted")
	}
	base, client := strings.TrimSuffix(u.String(), "/"), guard.Client(c.Mode, c.HTTPClient)
	a := &Adapter{api: newCaller(c, base, client), reports: newCaller(c, base, guard.FileClient(c.Mode, c.HTTPClient)), mode: c.Mode, merchantID: c.MerchantID, webhookID: c.WebhookID}
	a.certificates, err = newCertificates(c, u, client)
	return a, err
}

// Channel is PAYPAL.
func (a *Adapter) Channel() models.PaymentChannel { return models.ChannelPayPal }

// Start makes an order and sends the payer to approve it. The number is the PayPal-Request-Id: asking again gives the same order. An order
// that is approved already is told as the outcome.
func (a *Adapter) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	total, ok := amountOf(r.Amount)
	if !ok {
		return channel.Started{}, fmt.Errorf("%w: paypal takes no %s", channel.ErrDeclined, r.Amount)
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	var o order
	if err := a.api.call(ctx, http.MethodPost, "/v2/checkout/orders", r.Number, newOrder(r, total), &o); err != nil {
		return channel.Started{}, startError(err)
	}
	e, err := a.event(o, r.Number)
	if err != nil {
		return channel.Started{}, err
	}
	s := channel.Started{Reference: o.ID}
	if e.State != channel.StatePending {
		s.Outcome = &e
		return s, nil
	}
	page := o.link("payer-action", "approve")
	if u, err := url.Parse(page); err != nil || u.Host == "" || u.Scheme != "https" && (a.mode != guard.Sandbox || u.Scheme != "http") {
		return channel.Started{}, fmt.Errorf("%w: paypal names no page for the payer", channel.ErrUnknown)
	}
	s.Action = channel.Action{URL: page, Method: http.MethodGet}
	return s, nil
}

// Query asks for the state of an order. One whose reference never reached us was approved by nobody: Start finds it again.
func (a *Adapter) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	if p.Reference == "" {
		return channel.Event{Number: p.Number, State: channel.StateNotFound}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	o, err := a.order(ctx, p.Reference)
	if notThere(err) {
		return channel.Event{Number: p.Number, State: channel.StateNotFound, Detail: "RESOURCE_NOT_FOUND"}, nil
	}
	if err != nil {
		return channel.Event{}, askError(err)
	}
	return a.event(o, p.Number)
}

// Complete captures an approved order. Its PayPal-Request-Id comes of the number, and an order is captured once: whatever was lost on the
// way, asking again takes nothing more.
func (a *Adapter) Complete(ctx context.Context, p channel.Ref) (channel.Event, error) {
	if p.Reference == "" {
		return channel.Event{}, fmt.Errorf("%w: paypal, an order without its id", channel.ErrUnknown)
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	var o order
	err := a.api.call(ctx, http.MethodPost, "/v2/checkout/orders/"+url.PathEscape(p.Reference)+"/capture", "capture-"+p.Number, struct{}{}, &o)
	if code, ok := refusal(err); ok && code == "ORDER_ALREADY_CAPTURED" {
		return a.Query(ctx, p)
	} else if ok && waits(code) {
		return channel.Event{Number: p.Number, Reference: p.Reference, State: channel.StatePending, Detail: code}, nil
	}
	if err != nil {
		return channel.Event{}, captureError(err)
	}
	return a.event(o, p.Number)
}

// Close cannot end an order: one that nobody approved lapses by itself, and what is approved after our end is never captured. It asks, so
// that one which is captured is not cancelled.
func (a *Adapter) Close(ctx context.Context, p channel.Ref) error {
	e, err := a.Query(ctx, p)
	if err == nil && (e.State == channel.StatePaid || e.State == channel.StateInReview) {
		err = channel.ErrAlreadyPaid
	}
	return err
}

func (a *Adapter) order(ctx context.Context, id string) (o order, err error) {
	err = a.api.call(ctx, http.MethodGet, "/v2/checkout/orders/"+url.PathEscape(id), "", nil, &o)
	return o, err
}
