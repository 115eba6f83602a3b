package sandbox

import (
	"context"
	"errors"
	"net/http"

	"paydesk/models"
)

// TenpayPath is the gateway's, under the address the process listens on.
const TenpayPath = "/sandbox/tenpay"

func tenpayProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelTenpay},
		mount:    func(s *Sandbox, mux *http.ServeMux) {},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			return letter{}, errors.New("not yet")
		},
		acknowledged: succeeded2xx,
		page:         payerView{App: "Tenpay", AppZH: "财付通", Look: "blue"},
	}
}

// TenpayCredentials configure the adapter.
type TenpayCredentials struct {
	Partner, Key string
}

// Tenpay is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) Tenpay(ctx context.Context) (TenpayCredentials, error) {
	return TenpayCredentials{}, errors.New("not yet")
}
