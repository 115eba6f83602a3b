package sandbox

import (
	"context"
	"errors"
	"net/http"

	"paydesk/models"
)

// PayPalPath is the gateway's, under the address the process listens on.
const PayPalPath = "/sandbox/paypal"

func paypalProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelPayPal},
		mount:    func(s *Sandbox, mux *http.ServeMux) {},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			return letter{}, errors.New("not yet")
		},
		acknowledged: succeeded2xx,
		page:         payerView{App: "PayPal", AppZH: "PayPal", Look: "blue"},
	}
}

// PayPalCredentials configure the adapter.
type PayPalCredentials struct {
	ClientID, ClientSecret, WebhookID, MerchantID string
}

// PayPal is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) PayPal(ctx context.Context) (PayPalCredentials, error) {
	return PayPalCredentials{}, errors.New("not yet")
}
