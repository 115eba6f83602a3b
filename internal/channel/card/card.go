// Package card takes international bank cards through Stripe: a fresh token from the card field, 3-D Secure by redirect (TX-8 to TX-11, AL-22).
// It stands on github.com/stripe/stripe-go.
package card

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/models"
)

// Config is what a merchant gets from Stripe.
type Config struct {
	BaseURL       string // production: https://api.stripe.com
	SecretKey     string // sk_… or rk_…; of live mode in production, of a test mode otherwise
	WebhookSecret string // whsec_…, of the endpoint that the events go to
	Mode          guard.Mode
	HTTPClient    *http.Client // nil: an own one
}

// Adapter is the BANK_CARD channel.
type Adapter struct {
	api, files *stripe.Client // files: for long answers
	secret     string
	live       bool
}

var (
	_ channel.Adapter    = (*Adapter)(nil)
	_ channel.CardReader = (*Adapter)(nil)
)

// New checks the configuration and makes the adapter; nothing is sent. Errors name the setting, never a key.
func New(c Config) (*Adapter, error) {
	base, err := guard.BaseURL(c.Mode, c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	live := c.Mode == guard.Production
	_, of, _ := strings.Cut(c.SecretKey, "_")
	if !strings.HasPrefix(of, map[bool]string{true: "live_", false: "test_"}[live]) {
		return nil, errors.New("card: a secret key of Stripe's live mode is wanted in production, one of a test mode in the sandbox")
	}
	if c.WebhookSecret == "" {
		return nil, errors.New("card: the webhook endpoint's secret is wanted")
	}
	return &Adapter{api: client(base, c.SecretKey, guard.Client(c.Mode, c.HTTPClient)), files: client(base, c.SecretKey, guard.FileClient(c.Mode, c.HTTPClient)),
		secret: c.WebhookSecret, live: live}, nil
}

// client is the SDK without its own retries, telemetry and log: what is unknown is asked for by whoever called.
func client(base *url.URL, key string, h *http.Client) *stripe.Client {
	h.Transport = below{strings.TrimSuffix(base.Path, "/"), h.Transport}
	return stripe.NewClient(key, stripe.WithBackends(stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(base.Scheme + "://" + base.Host), HTTPClient: h, MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})))
}

// below puts the configured address's path before the request's: the SDK wants paths that begin with the API's version.
type below struct {
	path string
	next http.RoundTripper
}

// RoundTrip sends a copy of the request.
func (t below) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = t.path+r.URL.Path, ""
	return t.next.RoundTrip(r)
}

// Channel is BANK_CARD.
func (a *Adapter) Channel() models.PaymentChannel { return models.ChannelBankCard }

// The metadata by which our objects are known. An intent has the payment's number and the token that was given, a refund has its own number
// and the payment's.
const (
	metaNumber  = "number"
	metaMethod  = "method"
	metaPayment = "payment"
)

// token is what a card field gives; a card's number is none and never gets further than this.
var token = regexp.MustCompile(`^pm_[0-9A-Za-z_]{1,250}$`)

// otherUnits are currencies whose smallest unit at Stripe is not that of ISO 4217, or which Stripe rounds.
var otherUnits = []money.Currency{"BHD", "ISK", "JOD", "KWD", "MGA", "OMR", "TND", "UGX"}

// Start charges the card, or says where its holder passes 3-D Secure. The number is the idempotency key: asking again with the same values
// finds the same intent. An intent has no end of its own: it is canceled at ExpiresAt by whoever started it.
//
// Each attempt to charge is confirmed by us: Stripe gives the payer's browser what a client needs to confirm an intent, also one whose card
// was refused, and with another card, which nobody would have looked at (TX-9, TX-10).
func (a *Adapter) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	if slices.Contains(otherUnits, r.Amount.Currency) {
		return channel.Started{}, fmt.Errorf("%w: card takes no %s", channel.ErrDeclined, r.Amount.Currency)
	}
	if !token.MatchString(r.CardToken) {
		return channel.Started{}, fmt.Errorf("%w: card wants a token", channel.ErrDeclined)
	}
	p := &stripe.PaymentIntentCreateParams{
		Amount: &r.Amount.Minor, Currency: stripe.String(strings.ToLower(string(r.Amount.Currency))), Description: &r.Subject, ReturnURL: &r.ReturnURL,
		PaymentMethod: &r.CardToken, PaymentMethodTypes: stripe.StringSlice([]string{"card"}), Confirm: stripe.Bool(true), ConfirmationMethod: stripe.String("manual"),
		Metadata: map[string]string{metaNumber: r.Number, metaMethod: r.CardToken},
	}
	if r.Challenge {
		p.PaymentMethodOptions = &stripe.PaymentIntentCreatePaymentMethodOptionsParams{Card: &stripe.PaymentIntentCreatePaymentMethodOptionsCardParams{RequestThreeDSecure: stripe.String("any")}}
	}
	p.SetIdempotencyKey("payment-" + r.Number)
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	i, err := a.api.V1PaymentIntents.Create(ctx, p)
	if err != nil {
		return channel.Started{}, startError(err)
	}
	return a.started(r.Ref, i)
}

// started reads the answer to a start.
func (a *Adapter) started(p channel.Ref, i *stripe.PaymentIntent) (channel.Started, error) {
	e, err := a.intent(p, i)
	if err != nil {
		return channel.Started{}, err
	}
	out := channel.Started{Reference: i.ID}
	switch {
	case e.State != channel.StatePending:
		out.Outcome = &e
	case i.Status == stripe.PaymentIntentStatusRequiresAction:
		if i.NextAction == nil || i.NextAction.RedirectToURL == nil || i.NextAction.RedirectToURL.URL == "" {
			return channel.Started{}, fmt.Errorf("%w: card wants an action without an address", channel.ErrUnknown)
		}
		out.Action = channel.Action{URL: i.NextAction.RedirectToURL.URL, Method: http.MethodGet}
	}
	return out, nil
}

// Complete charges the card whose holder has passed 3-D Secure. An intent is charged once, however often it is confirmed; Stripe wants that
// within an hour.
func (a *Adapter) Complete(ctx context.Context, p channel.Ref) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	i, err := a.find(ctx, p)
	if err != nil {
		return channel.Event{}, err
	}
	if i == nil {
		return channel.Event{}, fmt.Errorf("%w: card does not find the payment", channel.ErrUnknown)
	}
	e, err := a.intent(p, i)
	if err != nil || e.State != channel.StateApproved {
		return e, err
	}
	confirmed, err := a.confirm(ctx, i.ID)
	if unexpectedState(err) { // somebody was quicker
		p.Reference = i.ID
		return a.Query(ctx, p)
	}
	if err != nil {
		return channel.Event{}, startError(err)
	}
	return a.intent(p, confirmed)
}

func (a *Adapter) confirm(ctx context.Context, id string) (*stripe.PaymentIntent, error) {
	return a.api.V1PaymentIntents.Confirm(ctx, id, &stripe.PaymentIntentConfirmParams{})
}

// unexpectedState: the intent is not where the call could be done.
func unexpectedState(err error) bool {
	var e *stripe.Error
	return errors.As(err, &e) && e.Code == stripe.ErrorCodePaymentIntentUnexpectedState
}

// Query asks for the state of a payment: by Stripe's own number, or without it by ours, which Stripe's index may learn up to a minute late.
// Not found means in any case that a start with the same number finds what there is.
func (a *Adapter) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	i, err := a.find(ctx, p)
	if err != nil {
		return channel.Event{}, err
	}
	if i == nil {
		return channel.Event{Number: p.Number, State: channel.StateNotFound}, nil
	}
	return a.intent(p, i)
}

// find reads the intent of a payment; nil where there is none yet.
func (a *Adapter) find(ctx context.Context, p channel.Ref) (*stripe.PaymentIntent, error) {
	if p.Reference != "" {
		i, err := a.api.V1PaymentIntents.Retrieve(ctx, p.Reference, nil)
		if err != nil {
			return nil, askError(err)
		}
		return i, nil
	}
	q := &stripe.PaymentIntentSearchParams{SearchParams: stripe.SearchParams{Query: fmt.Sprintf("metadata['%s']:'%s'", metaNumber, p.Number), Limit: stripe.Int64(1), Single: true}}
	for i, err := range a.api.V1PaymentIntents.Search(ctx, q).All(ctx) {
		if err != nil {
			return nil, askError(err)
		}
		return i, nil
	}
	return nil, nil
}

// abandoned is why we cancel intents. An event that says so tells us nothing new.
const abandoned = stripe.PaymentIntentCancellationReasonAbandoned

// Close cancels the intent; one that is canceled or unknown stays so.
func (a *Adapter) Close(ctx context.Context, p channel.Ref) error {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	if p.Reference == "" {
		i, err := a.find(ctx, p)
		if err != nil || i == nil {
			return err
		}
		p.Reference = i.ID
	}
	_, err := a.api.V1PaymentIntents.Cancel(ctx, p.Reference, &stripe.PaymentIntentCancelParams{CancellationReason: stripe.String(string(abandoned))})
	if err == nil {
		return nil
	}
	if !unexpectedState(err) {
		return askError(err)
	}
	now, err := a.Query(ctx, p)
	switch {
	case err != nil:
		return err
	case now.State == channel.StatePaid:
		return channel.ErrAlreadyPaid
	case now.State == channel.StateClosed:
		return nil
	}
	return fmt.Errorf("%w: card intent is %s", channel.ErrUnknown, now.Detail)
}

// Inspect tells of the card behind a token; nothing is taken and the token stays good.
func (a *Adapter) Inspect(ctx context.Context, given string) (channel.Card, error) {
	if !token.MatchString(given) {
		return channel.Card{}, fmt.Errorf("%w: no card token", channel.ErrDeclined)
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	m, err := a.api.V1PaymentMethods.Retrieve(ctx, given, nil)
	var e *stripe.Error
	if errors.As(err, &e) && e.Code == stripe.ErrorCodeResourceMissing {
		return channel.Card{}, fmt.Errorf("%w: card %s", channel.ErrDeclined, e.Code)
	}
	if err != nil {
		return channel.Card{}, askError(err)
	}
	if m.Card == nil || m.Livemode != a.live {
		return channel.Card{}, fmt.Errorf("%w: the token is of no card", channel.ErrDeclined)
	}
	c := channel.Card{Brand: brand(m.Card.Brand), Last4: m.Card.Last4, ExpiryMonth: int(m.Card.ExpMonth), ExpiryYear: int(m.Card.ExpYear), Funding: string(m.Card.Funding),
		Country: m.Card.Country, Fingerprint: m.Card.Fingerprint}
	if m.BillingDetails != nil {
		c.HolderName = m.BillingDetails.Name
	}
	return c, nil
}

// brand is Stripe's name of a card network as ours.
func brand(b stripe.PaymentMethodCardBrand) string {
	if b == stripe.PaymentMethodCardBrandAmex {
		return "AMERICAN_EXPRESS"
	}
	return strings.ToUpper(string(b))
}
