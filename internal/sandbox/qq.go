package sandbox

import (
	"context"
	"errors"
	"net/http"

	"paydesk/models"
)

// QQWalletPath is the gateway's, under the address the process listens on.
const QQWalletPath = "/sandbox/qq"

func qqProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelQQWallet},
		mount:    func(s *Sandbox, mux *http.ServeMux) {},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			return letter{}, errors.New("not yet")
		},
		acknowledged: succeeded2xx,
		page:         payerView{App: "QQ Wallet", AppZH: "QQ钱包", Look: "blue"},
	}
}

// QQWalletCredentials configure the adapter.
type QQWalletCredentials struct {
	MchID, APIKey, Operator, OperatorPass string
}

// QQWallet is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) QQWallet(ctx context.Context) (QQWalletCredentials, error) {
	return QQWalletCredentials{}, errors.New("not yet")
}
