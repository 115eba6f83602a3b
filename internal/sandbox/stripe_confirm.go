package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// stripeConfirm is POST /v1/payment_intents/{id}/confirm: another attempt, with the card that was given or with another. Whoever has an
// intent's client_secret confirms it in a browser, with whatever card, unless only the merchant's server may.
func (s *Sandbox) stripeConfirm(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("payment_method", "return_url", "client_secret"); err != nil {
		return nil, err
	}
	t, err := s.stripeFind(ctx, c)
	if err != nil {
		return nil, err
	}
	other := c.form.Get("payment_method")
	switch {
	case c.public && c.form.Get("client_secret") != clientSecret(t.Reference):
		return nil, stripeMissing("payment_intent", "intent")
	case c.public && t.Detail.Manual:
		return nil, stripeServerOnly(t)
	case t.Status == paid || t.Status == closed, t.Status == declined && other == "":
		return nil, s.stripeNotNow(ctx, t, "confirm")
	}
	if other != "" && other != t.Detail.Token {
		if t, err = s.stripeExchange(ctx, t, other); err != nil {
			return nil, err
		}
	}
	if t.Status == waiting && t.Detail.Asked {
		return s.stripeIntent(ctx, t), nil
	}
	done, t, err := s.stripeTake(ctx, t)
	if err != nil {
		return nil, err
	}
	if !done {
		return nil, s.stripeNotNow(ctx, t, "confirm")
	}
	return s.stripeEnded(ctx, t)
}

// stripeServerOnly is in Stripe's own words.
func stripeServerOnly(t trade) *stripeRefusal {
	return &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, about: "This PaymentIntent " + t.Reference + " cannot be confirmed using your publishable key because its `confirmation_method` is set to `manual`. Please use your secret key instead, or create a PaymentIntent with `confirmation_method` set to `automatic`."}
}

// stripeExchange gives an open intent another card.
func (s *Sandbox) stripeExchange(ctx context.Context, t trade, token string) (trade, error) {
	card, err := s.findCard(ctx, token)
	if errors.Is(err, errNoCard) {
		return t, stripeMissing("PaymentMethod", "payment_method")
	}
	if err != nil {
		return t, err
	}
	t.Detail.Token, t.Detail.Payer, t.Detail.Asked = token, card.shown(), card.challenged(false)
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.useCard(ctx, token); err != nil {
			return err
		}
		n, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET status = 'WAITING', detail = ? WHERE channel = ? AND number = ? AND status IN ('WAITING', 'APPROVED', 'DECLINED')", t.Detail, string(t.Channel), t.Number)
		if err == nil && n == 0 {
			err = s.stripeNotNow(ctx, t, "confirm")
		}
		return err
	})
	if errors.Is(err, errUsed) {
		err = stripeUsed()
	}
	t.Status = waiting
	return t, err
}

// metadata is what the merchant puts on an object.
func (c stripeCall) metadata() map[string]string {
	out := map[string]string{}
	for name, values := range c.form {
		if key, ok := strings.CutPrefix(name, "metadata["); ok {
			out[strings.TrimSuffix(key, "]")] = values[0]
		}
	}
	return out
}

// goesBack is where Stripe sends the payer's browser as soon as 3-D Secure has an end: the merchant's address, with what a client needs to go
// on. Empty where the payer stays on the page.
func goesBack(code int, v payerView) string {
	back, err := url.Parse(v.Return)
	if err != nil || v.Return == "" || code != http.StatusOK || !v.Leave || !slices.Contains([]status{approved, paid, declined}, v.Trade.Status) {
		return ""
	}
	q := back.Query()
	q.Set("payment_intent", v.Trade.Reference)
	q.Set("payment_intent_client_secret", clientSecret(v.Trade.Reference))
	back.RawQuery = q.Encode()
	return back.String()
}
