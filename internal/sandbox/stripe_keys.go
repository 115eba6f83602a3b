package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"paydesk/internal/platform/settings"
	"paydesk/models"
)

// StripeCredentials configure the adapter.
type StripeCredentials struct {
	SecretKey, PublishableKey, WebhookSecret string
}

type stripeStored struct{ Secret, Publishable, Webhook, Salt string }

type stripeKeys struct{ stripeStored }

// tag is 24 characters that stand for a text and do not tell it.
func (k *stripeKeys) tag(text string) string {
	mac := hmac.New(sha256.New, []byte(k.Salt))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))[:24]
}

func (s *Sandbox) stripeKeys(ctx context.Context) (*stripeKeys, error) {
	return keysOf(ctx, s, "stripe", func() (stripeStored, error) {
		return stripeStored{Secret: "sk_test_" + upperHex(16), Publishable: "pk_test_" + upperHex(16), Webhook: "whsec_" + upperHex(16), Salt: upperHex(16)}, nil
	}, func(k stripeStored) (*stripeKeys, error) {
		if k.Secret == "" || k.Salt == "" {
			return nil, errors.New("no secret")
		}
		return &stripeKeys{k}, nil
	})
}

// Stripe is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) Stripe(ctx context.Context) (StripeCredentials, error) {
	k, err := s.stripeKeys(ctx)
	if err != nil {
		return StripeCredentials{}, err
	}
	return StripeCredentials{SecretKey: k.Secret, PublishableKey: k.Publishable, WebhookSecret: k.Webhook}, nil
}

// endpointSetting is the row of table settings with the address that the merchant has registered for events.
const endpointSetting = "sandbox.stripe.endpoint"

// stripeTells is where events go: Stripe has one address for a merchant, not one for each payment. It is our own webhook, as if somebody
// had entered it in the dashboard, until another is registered.
func (s *Sandbox) stripeTells(ctx context.Context) (string, error) {
	url, found, err := settings.Get(ctx, s.db, endpointSetting)
	if err == nil && !found {
		url = strings.TrimSuffix(s.publicURL(), "/") + "/webhooks/" + string(models.ChannelBankCard)
	}
	return url, err
}

// stripeEndpoint is POST /v1/webhook_endpoints; the sandbox has one endpoint, and its secret is that of the credentials.
func (s *Sandbox) stripeEndpoint(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("url", "enabled_events[]", "api_version", "description"); err != nil {
		return nil, err
	}
	to, err := url.Parse(c.form.Get("url"))
	if err != nil || to.Host == "" {
		return nil, stripeBad("url", "Invalid URL")
	}
	old, found, err := settings.Get(ctx, s.db, endpointSetting)
	if err != nil {
		return nil, err
	}
	if found {
		_, err = settings.Replace(ctx, s.db, endpointSetting, old, to.String())
	} else {
		_, err = settings.Create(ctx, s.db, endpointSetting, to.String())
	}
	return map[string]any{"id": "we_sandbox", "object": "webhook_endpoint", "api_version": stripeVersion, "enabled_events": c.form["enabled_events[]"],
		"livemode": false, "secret": c.keys.Webhook, "status": "enabled", "url": to.String()}, err
}
