package sandbox

import (
	"context"
	"errors"
	"net/http"

	"paydesk/models"
)

// HuaweiPayPath is the gateway's, under the address the process listens on.
const HuaweiPayPath = "/sandbox/huawei"

func huaweiProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelHuaweiPay},
		mount:    func(s *Sandbox, mux *http.ServeMux) {},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			return letter{}, errors.New("not yet")
		},
		acknowledged: succeeded2xx,
		page:         payerView{App: "Huawei Pay", AppZH: "花瓣支付", Look: "blue"},
	}
}

// HuaweiPayCredentials configure the adapter.
type HuaweiPayCredentials struct {
	MerchantNumber, AppID, AuthID, PrivateKey, PublicKey, PageURL string
}

// HuaweiPay is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) HuaweiPay(ctx context.Context) (HuaweiPayCredentials, error) {
	return HuaweiPayCredentials{}, errors.New("not yet")
}
