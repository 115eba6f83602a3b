package sandbox

import (
	"context"
	"errors"
	"net/http"

	"paydesk/models"
)

// UnionPayPath is the gateway's, under the address the process listens on.
const UnionPayPath = "/sandbox/unionpay"

func unionpayProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise},
		mount:    func(s *Sandbox, mux *http.ServeMux) {},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			return letter{}, errors.New("not yet")
		},
		acknowledged: succeeded2xx,
		page:         payerView{App: "UnionPay", AppZH: "中国银联", Look: "blue"},
	}
}

// UnionPayCredentials configure the adapter.
type UnionPayCredentials struct {
	MerchantID       string
	Keystore         []byte // .pfx
	KeystorePassword string
	Roots            string // PEM
}

// UnionPay is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) UnionPay(ctx context.Context) (UnionPayCredentials, error) {
	return UnionPayCredentials{}, errors.New("not yet")
}
