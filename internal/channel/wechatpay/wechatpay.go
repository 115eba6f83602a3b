// Package wechatpay takes money through WeChat Pay: a QR code made by Native prepay that the payer scans with WeChat
// (PA-11, HW-28). It stands on the official github.com/wechatpay-apiv3/wechatpay-go in public-key mode: no certificate is
// downloaded and no goroutine runs.
package wechatpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/native"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/models"
)

// currency is the only one a mainland merchant is paid in.
const currency = money.Currency("CNY")

// maxDescription is how many characters the payer may read (Native prepay, description).
const maxDescription = 127

// Config is what a merchant gets from WeChat Pay's merchant platform. Keys are PEM.
type Config struct {
	BaseURL           string // production: https://api.mch.weixin.qq.com
	AppID             string
	MchID             string
	CertificateSerial string // of the merchant's API certificate
	PrivateKey        string // of the merchant's API certificate, PKCS#8
	PublicKeyID       string // PUB_KEY_ID_…
	PublicKey         string // WeChat Pay's public key
	APIv3Key          string // 32 bytes; opens notifications
	Mode              guard.Mode
	HTTPClient        *http.Client // nil: an own one
}

// Adapter is the WECHAT_PAY channel.
type Adapter struct {
	channel.Automatic
	api     native.NativeApiService
	refunds refunddomestic.RefundsApiService
	client  *core.Client
	files   *core.Client // fetches bills: its requests are signed, the answers are not
	mode    guard.Mode
	notify  *notify.Handler
	appID   string
	mchID   string
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent. Errors name the setting, never a key.
func New(c Config) (*Adapter, error) {
	base, err := guard.BaseURL(c.Mode, c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("wechatpay: %w", err)
	}
	if c.AppID == "" || c.MchID == "" || c.CertificateSerial == "" || c.PublicKeyID == "" {
		return nil, errors.New("wechatpay: app id, merchant id, certificate serial and public key id are wanted")
	}
	private, err := utils.LoadPrivateKey(c.PrivateKey)
	if err != nil {
		return nil, errors.New("wechatpay: the private key is not an RSA key in PEM (PKCS#8)")
	}
	public, err := utils.LoadPublicKey(c.PublicKey)
	if err != nil {
		return nil, errors.New("wechatpay: WeChat Pay's public key is not an RSA key in PEM")
	}
	if len(c.APIv3Key) != 32 {
		return nil, errors.New("wechatpay: the APIv3 key has 32 bytes")
	}
	handler, err := notify.NewRSANotifyHandler(c.APIv3Key, verifiers.NewSHA256WithRSAPubkeyVerifier(c.PublicKeyID, *public))
	if err != nil {
		return nil, errors.New("wechatpay: the APIv3 key does not fit")
	}
	h := guard.Client(c.Mode, c.HTTPClient)
	h.Transport = redirected{base, h.Transport}
	client, err := core.NewClient(context.Background(),
		option.WithWechatPayPublicKeyAuthCipher(c.MchID, c.CertificateSerial, private, c.PublicKeyID, public),
		option.WithHTTPClient(h))
	if err != nil {
		return nil, errors.New("wechatpay: the client could not be made of this configuration")
	}
	files, err := core.NewClient(context.Background(), option.WithMerchantCredential(c.MchID, c.CertificateSerial, private), option.WithoutValidator(),
		option.WithHTTPClient(guard.FileClient(c.Mode, c.HTTPClient)))
	if err != nil {
		return nil, errors.New("wechatpay: the client of bills could not be made of this configuration")
	}
	return &Adapter{api: native.NativeApiService{Client: client}, refunds: refunddomestic.RefundsApiService{Client: client}, client: client, files: files,
		mode: c.Mode, notify: handler, appID: c.AppID, mchID: c.MchID}, nil
}

// redirected sends the SDK's requests, whose host is a constant, to the configured address. The signature covers path
// and query as the SDK has them, which a prefix does not change.
type redirected struct {
	base *url.URL
	next http.RoundTripper
}

// RoundTrip sends a copy of the request to the configured address.
func (t redirected) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = t.base.Scheme, t.base.Host, ""
	if prefix := strings.TrimSuffix(t.base.Path, "/"); prefix != "" {
		r.URL.RawPath = ""
		r.URL.Path = prefix + r.URL.Path
	}
	return t.next.RoundTrip(r)
}

// Channel is WECHAT_PAY.
func (a *Adapter) Channel() models.PaymentChannel { return models.ChannelWeChatPay }

// Start makes the QR code. The number is the provider's idempotency key: asking again with the same values gives a code
// for the same trade. The code can be paid until ExpiresAt, to the second.
func (a *Adapter) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	if r.Amount.Currency != currency {
		return channel.Started{}, fmt.Errorf("%w: wechatpay takes CNY only, not %s", channel.ErrDeclined, r.Amount.Currency)
	}
	p := native.PrepayRequest{
		Appid: &a.appID, Mchid: &a.mchID, OutTradeNo: &r.Number, NotifyUrl: &r.NotifyURL,
		Description: core.String(shorten(r.Subject)),
		Amount:      &native.Amount{Total: &r.Amount.Minor, Currency: core.String(string(currency))},
	}
	if !r.ExpiresAt.IsZero() {
		end := r.ExpiresAt.UTC().Truncate(time.Second)
		p.TimeExpire = &end
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	res, _, err := a.api.Prepay(ctx, p)
	if err != nil {
		return channel.Started{}, startError(err)
	}
	if res.CodeUrl == nil || *res.CodeUrl == "" {
		return channel.Started{}, fmt.Errorf("%w: wechatpay answered without a code", channel.ErrUnknown)
	}
	return channel.Started{Action: channel.Action{QR: *res.CodeUrl}}, nil
}

func shorten(text string) string {
	if r := []rune(text); len(r) > maxDescription {
		return string(r[:maxDescription])
	}
	return text
}

// Query asks for the state of a number.
func (a *Adapter) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	number := p.Number
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	t, _, err := a.api.QueryOrderByOutTradeNo(ctx, native.QueryOrderByOutTradeNoRequest{OutTradeNo: &number, Mchid: &a.mchID})
	if code, ok := refusal(err); ok && notExist(code) {
		return channel.Event{Number: number, State: channel.StateNotFound, Detail: code}, nil
	}
	if err != nil {
		return channel.Event{}, askError(err)
	}
	if text(t.Mchid) != a.mchID || text(t.Appid) != a.appID || text(t.OutTradeNo) != number {
		return channel.Event{}, fmt.Errorf("%w: wechatpay answered for another merchant or trade", channel.ErrUnknown)
	}
	return event(t)
}

// Close ends an unpaid trade; one that is closed or unknown stays so.
func (a *Adapter) Close(ctx context.Context, p channel.Ref) error {
	number := p.Number
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	_, err := a.api.CloseOrder(ctx, native.CloseOrderRequest{OutTradeNo: &number, Mchid: &a.mchID})
	if err == nil {
		return nil
	}
	code, ok := refusal(err)
	switch {
	case !ok:
		return askError(err)
	case notExist(code) || same(code, "ORDER_CLOSED"):
		return nil
	case same(code, "ORDER_PAID"):
		return channel.ErrAlreadyPaid
	}
	return askError(err)
}

// event turns a transaction, whose merchant is checked, into what the product knows.
func event(t *payments.Transaction) (channel.Event, error) {
	e := channel.Event{Number: text(t.OutTradeNo), Reference: text(t.TransactionId), Detail: text(t.TradeState)}
	switch e.Detail {
	case "SUCCESS", "REFUND": // refunded later: the money did come
	case "CLOSED", "REVOKED":
		e.State = channel.StateClosed
		return e, nil
	case "PAYERROR":
		e.State = channel.StateDeclined
		return e, nil
	default: // NOTPAY, USERPAYING, ACCEPT, and what WeChat Pay may invent: nothing to book
		e.State = channel.StatePending
		return e, nil
	}
	if t.Amount == nil || t.Amount.Total == nil || t.Amount.Currency == nil || e.Reference == "" {
		return channel.Event{}, fmt.Errorf("%w: wechatpay tells of a payment without amount or number", channel.ErrUnknown)
	}
	e.State, e.Amount = channel.StatePaid, money.New(*t.Amount.Total, money.Currency(*t.Amount.Currency))
	if at, err := time.Parse(time.RFC3339, text(t.SuccessTime)); err == nil {
		e.PaidAt = at.UTC()
	}
	return e, nil
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
