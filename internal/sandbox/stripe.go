package sandbox

import (
	"context"
	"errors"
	"net/http"

	"paydesk/models"
)

// StripePath is the gateway's, under the address the process listens on.
const StripePath = "/sandbox/stripe"

// CardsPath is the hosted card field: the page (GET) and the call that makes a token of a card (POST, contract.md §6).
const CardsPath = "/sandbox/cards"

func stripeProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelBankCard},
		mount:    func(s *Sandbox, mux *http.ServeMux) {},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			return letter{}, errors.New("not yet")
		},
		acknowledged: succeeded2xx,
		page:         payerView{App: "Card", AppZH: "银行卡", Look: "blue"},
	}
}

// StripeCredentials configure the adapter.
type StripeCredentials struct {
	SecretKey, PublishableKey, WebhookSecret string
}

// Stripe is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) Stripe(ctx context.Context) (StripeCredentials, error) {
	return StripeCredentials{}, errors.New("not yet")
}
