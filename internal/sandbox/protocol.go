package sandbox

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"paydesk/models"
)

// protocol is one provider's side: its gateway, its notifications, and what it tells a merchant of.
type protocol struct {
	channels []models.PaymentChannel
	// mount puts the gateway's operations on the mux.
	mount func(s *Sandbox, mux *http.ServeMux)
	// write signs a notification for now; ctx carries the channel's behaviour.
	write func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error)
	// acknowledged judges a merchant's answer.
	acknowledged func(status int, body []byte) bool
	// tells: whether a trade's turn is notified; nil tells of all.
	tells func(to status) bool
	// comesBack: whether the merchant learns of a turn by the payer's browser alone, which is sent back to it; nil: of none. Where the payer
	// is played by a form, the sandbox is that browser; it treats such a visit like a notification.
	comesBack func(to status) bool
	// tellsRefund: whether a refund's end is notified; nil tells of all.
	tellsRefund func(to status) bool
	// refundsAtTrade: refunds are told at the trade's address, where the protocol names none for them.
	refundsAtTrade bool
	// page is what the payer sees.
	page payerView
	// succeed and decline are the payer's choice where it is more than paying or refusing; nil: s.pay, s.decline. form has the page's
	// fields. done false: the choice was not possible (409).
	succeed func(ctx context.Context, s *Sandbox, t trade, form url.Values) (done bool, err error)
	decline func(ctx context.Context, s *Sandbox, t trade, form url.Values) (done bool, err error)
	// render writes a page of the protocol's own (3-D Secure, consent) with writePage; nil: the common one.
	render func(w http.ResponseWriter, code int, v payerView)
}

// protocols are those that the sandbox speaks. Each stands in a file of its own.
func protocols() []protocol {
	return []protocol{alipayProtocol(), wechatProtocol(), unionpayProtocol(), qqProtocol(), tenpayProtocol(), huaweiProtocol(), stripeProtocol(), paypalProtocol()}
}

func (s *Sandbox) protocolOf(c models.PaymentChannel) (protocol, bool) {
	for _, p := range s.protocols {
		if slices.Contains(p.channels, c) {
			return p, true
		}
	}
	return protocol{}, false
}

// channels are those that the sandbox speaks.
func (s *Sandbox) channels() (all []models.PaymentChannel) {
	for _, p := range s.protocols {
		all = append(all, p.channels...)
	}
	return all
}

// succeeded2xx is how most providers judge an answer.
func succeeded2xx(status int, _ []byte) bool { return status/100 == 2 }
