package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"paydesk/models"
)

// authenticationFailure is the code of a payment whose payer has not passed 3-D Secure.
const authenticationFailure = "payment_intent_authentication_failure"

// stripeCharge is POST /v1/payment_intents with confirm=true: the card is charged at once, or its issuer wants 3-D Secure first. A repeated
// Idempotency-Key gets the first answer again.
func (s *Sandbox) stripeCharge(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("amount", "currency", "confirm", "confirmation_method", "payment_method", "payment_method_types[]", "return_url", "description",
		"payment_method_options[card][request_three_d_secure]"); err != nil {
		return nil, err
	}
	amount, err := strconv.ParseInt(c.form.Get("amount"), 10, 64)
	switch wish := c.form.Get("payment_method_options[card][request_three_d_secure]"); {
	case err != nil || amount < 1:
		return nil, stripeBad("amount", "Invalid integer")
	case amount < stripeLeast[c.form.Get("currency")]:
		return nil, &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, code: "amount_too_small", param: "amount", about: "Amount must be at least the minimum of its currency"}
	case len(c.form.Get("currency")) != 3 || strings.ToLower(c.form.Get("currency")) != c.form.Get("currency"):
		return nil, stripeBad("currency", "Invalid currency")
	case c.form.Get("confirm") != "true":
		return nil, stripeBad("confirm", "The sandbox takes intents that are confirmed at once")
	case !slices.Contains([]string{"", "automatic", "manual"}, c.form.Get("confirmation_method")):
		return nil, stripeBad("confirmation_method", "automatic or manual is wanted")
	case c.form.Get("return_url") == "":
		return nil, stripeBad("return_url", "A return_url must be specified")
	case wish != "" && wish != "any" && wish != "automatic":
		return nil, stripeBad("payment_method_options[card][request_three_d_secure]", "any or automatic is wanted")
	}
	id, request := c.named("pi_"), digest(c.form)
	t, err := s.findByReference(ctx, models.ChannelBankCard, id)
	if errors.Is(err, errNoTrade) {
		t, err = s.stripeIntend(ctx, c, id, request, amount)
	}
	if err != nil {
		return nil, err
	}
	if t.Detail.Request != request {
		return nil, &stripeRefusal{status: http.StatusBadRequest, kind: stripeIdempotency, about: "Keys for idempotent requests can only be used with the same parameters they were first used with."}
	}
	return s.stripeOutcome(ctx, t)
}

// stripeLeast is the least that a charge may be, in minor units, where Stripe tells.
var stripeLeast = map[string]int64{"usd": 50, "eur": 50, "gbp": 30, "aud": 50, "cad": 50, "chf": 50, "nzd": 50, "sgd": 50, "jpy": 50, "hkd": 400, "myr": 200, "thb": 1000, "mxn": 1000}

func digest(form url.Values) string {
	sum := sha256.Sum256([]byte(form.Encode()))
	return hex.EncodeToString(sum[:])
}

// stripeIntend writes the intent and takes the card for it: a card that is bound to nobody is good for one payment.
func (s *Sandbox) stripeIntend(ctx context.Context, c stripeCall, id, request string, amount int64) (trade, error) {
	card, err := s.findCard(ctx, c.form.Get("payment_method"))
	if errors.Is(err, errNoCard) {
		return trade{}, stripeMissing("PaymentMethod", "payment_method")
	}
	to, err2 := s.stripeTells(ctx)
	if err = errors.Join(err, err2); err != nil {
		return trade{}, err
	}
	t := trade{Channel: models.ChannelBankCard, Number: c.form.Get("metadata[number]"), Reference: id, Amount: amount, Currency: strings.ToUpper(c.form.Get("currency")),
		Subject: c.form.Get("description"), Status: waiting, NotifyURL: to, Detail: detail{Token: card.Token, ReturnURL: c.form.Get("return_url"), Request: request, Payer: card.shown(),
			Manual: c.form.Get("confirmation_method") == "manual", Metadata: c.metadata(), Asked: card.challenged(c.form.Get("payment_method_options[card][request_three_d_secure]") == "any")}}
	if t.Number == "" {
		t.Number = id
	}
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.useCard(ctx, card.Token); err != nil {
			return err
		}
		made, err := s.register(ctx, t)
		if err == nil && made.Reference != id { // the merchant's number has an intent already: this is a second one, which Stripe does not mind
			t.Number = id
			made, err = s.register(ctx, t)
		}
		t = made
		return err
	})
	if errors.Is(err, errUsed) {
		if made, again := s.findByReference(ctx, t.Channel, id); again == nil {
			return made, nil // by the same call, which was quicker
		}
		return trade{}, stripeUsed()
	}
	return t, err
}

// stripeUsed has no code: of a payment method that was used Stripe tells in words alone.
func stripeUsed() *stripeRefusal {
	return &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, about: "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first."}
}

// stripeOutcome brings a new intent to where it waits for its payer or ends, and says so. One that waited says what it said first.
func (s *Sandbox) stripeOutcome(ctx context.Context, t trade) (any, error) {
	if t.Detail.Asked {
		t.Status = waiting
		return s.stripeIntent(ctx, t), nil
	}
	if t.Status == waiting {
		var err error
		if _, t, err = s.stripeTake(ctx, t); err != nil {
			return nil, err
		}
	}
	return s.stripeEnded(ctx, t)
}

// stripeTake charges an intent's card; false where somebody else was quicker.
func (s *Sandbox) stripeTake(ctx context.Context, t trade) (bool, trade, error) {
	card, err := s.findCard(ctx, t.Detail.Token)
	if err != nil {
		return false, t, err
	}
	done, err := s.stripeSettle(ctx, t, card.failure())
	if err == nil && done && cardBehaviours[card.Behaviour].disputed {
		_, err = s.dispute(ctx, t.Number, "open")
	}
	if err != nil {
		return false, t, err
	}
	t, err = s.find(ctx, t.Channel, t.Number)
	return done, t, err
}

// stripeEnded answers with an intent whose card was charged, or refused.
func (s *Sandbox) stripeEnded(ctx context.Context, t trade) (any, error) {
	if t.Status == declined {
		refusal := stripeFailure(t.Detail.Failure)
		refusal.intent = s.stripeIntent(ctx, t)
		return nil, refusal
	}
	return s.stripeIntent(ctx, t), nil
}

// stripeSettle charges the card, or declines it where there is a failure.
func (s *Sandbox) stripeSettle(ctx context.Context, t trade, failure string) (done bool, err error) {
	if failure == "" {
		return s.pay(ctx, t, false)
	}
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		t.Detail.Failure = failure
		if err := s.note(ctx, t); err != nil {
			return err
		}
		if done, err = s.decline(ctx, t); err == nil && !done {
			err = errEnded // and the note with it
		}
		return err
	})
	if errors.Is(err, errEnded) {
		err = nil
	}
	return done, err
}

var errEnded = errors.New("sandbox: the trade has ended")

// stripeAuthenticated: the payer has passed 3-D Secure; the card is charged, and may be declined all the same. An intent that only the
// merchant's server confirms waits for that. Late, the money comes whatever the card is.
func stripeAuthenticated(ctx context.Context, s *Sandbox, t trade, form url.Values) (bool, error) {
	if form.Get("late") == "true" {
		return s.pay(ctx, t, true)
	}
	if t.Detail.Manual {
		return s.approve(ctx, t)
	}
	done, _, err := s.stripeTake(ctx, t)
	return done, err
}

// stripeNotAuthenticated: the payer, or the issuer for him, has said no.
func stripeNotAuthenticated(ctx context.Context, s *Sandbox, t trade, _ url.Values) (bool, error) {
	return s.stripeSettle(ctx, t, authenticationFailure)
}

// stripeFind reads the intent that an address names.
func (s *Sandbox) stripeFind(ctx context.Context, c stripeCall) (trade, error) {
	t, err := s.findByReference(ctx, models.ChannelBankCard, c.PathValue("id"))
	if errors.Is(err, errNoTrade) {
		return t, stripeMissing("payment_intent", "intent")
	}
	return t, err
}

func (s *Sandbox) stripeRetrieve(ctx context.Context, c stripeCall) (any, error) {
	t, err := s.stripeFind(ctx, c)
	if err = errors.Join(c.knows(), err); err != nil {
		return nil, err
	}
	return s.stripeIntent(ctx, t), nil
}

var stripeQuery = regexp.MustCompile(`^metadata\[['"]number['"]\]:['"]([0-9A-Za-z_-]+)['"]$`)

// stripeSearch finds intents by metadata number. Stripe's index is up to a minute late; this one is not.
func (s *Sandbox) stripeSearch(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("query", "limit", "page"); err != nil {
		return nil, err
	}
	asked := stripeQuery.FindStringSubmatch(c.form.Get("query"))
	if asked == nil {
		return nil, stripeBad("query", "The sandbox searches by metadata['number'] only")
	}
	found := []map[string]any{}
	t, err := s.find(ctx, models.ChannelBankCard, asked[1])
	if err == nil {
		found = append(found, s.stripeIntent(ctx, t))
	} else if !errors.Is(err, errNoTrade) {
		return nil, err
	}
	return map[string]any{"object": "search_result", "url": "/v1/payment_intents/search", "has_more": false, "next_page": nil, "data": found}, nil
}

// stripeCancel ends an intent that has not succeeded.
func (s *Sandbox) stripeCancel(ctx context.Context, c stripeCall) (any, error) {
	t, err := s.stripeFind(ctx, c)
	if err = errors.Join(c.knows("cancellation_reason"), err); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if t.Status == declined { // it waits for another payment method
			if _, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET status = 'WAITING' WHERE channel = ? AND number = ? AND status = 'DECLINED'", string(t.Channel), t.Number); err != nil {
				return err
			}
		}
		done, err := s.closeTrade(ctx, t)
		if err == nil && !done {
			err = errEnded
		}
		if err != nil {
			return err
		}
		t.Detail.Failure = c.form.Get("cancellation_reason")
		if err := s.note(ctx, t); err != nil {
			return err
		}
		if t, err = s.find(ctx, t.Channel, t.Number); err != nil || t.Status != closed {
			return err
		}
		return s.notify(ctx, t, closed)
	})
	if err == nil && t.Status == closed {
		s.wakeUp()
		return s.stripeIntent(ctx, t), nil
	}
	if err != nil && !errors.Is(err, errEnded) {
		return nil, err
	}
	if t, err = s.find(ctx, t.Channel, t.Number); err != nil {
		return nil, err
	}
	return nil, s.stripeNotNow(ctx, t, "cancel")
}

// stripeNotNow refuses what an intent's status does not allow.
func (s *Sandbox) stripeNotNow(ctx context.Context, t trade, what string) *stripeRefusal {
	return &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, code: "payment_intent_unexpected_state", intent: s.stripeIntent(ctx, t),
		about: "You cannot " + what + " this PaymentIntent because of its status."}
}
