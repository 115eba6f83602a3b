// Package alipay takes money through Alipay: a QR code made by alipay.trade.precreate that the payer scans with the Alipay app (PA-9,
// PA-10, HW-28), or Alipay's own page in a desktop browser or a phone's. It stands on github.com/smartwalle/alipay/v3.
package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/smartwalle/alipay/v3"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/models"
)

// currency is the only one the domestic gateway settles; its notifications name none.
const currency = money.Currency("CNY")

// beijing is the zone of every time in the protocol.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

// faceToFace is the product of codes that most merchants have signed up for (当面付).
const faceToFace = "FACE_TO_FACE_PAYMENT"

const timeLayout = "2006-01-02 15:04:05"

// Config is what a merchant gets from Alipay's open platform. Keys are PEM or the bare base64 of Alipay's key tool.
type Config struct {
	BaseURL         string // the gateway, production: https://openapi.alipay.com/gateway.do
	PageURL         string // the same for a payer's browser; empty: BaseURL
	AppID           string
	SellerID        string // the merchant's account (PID, 2088…); notifications for another one are refused
	PrivateKey      string // the application's RSA key (RSA2), PKCS#1 or PKCS#8
	AlipayPublicKey string // Alipay's key, not the application's own
	QRProduct       string // the product that codes are sold under, as signed up for; empty: FACE_TO_FACE_PAYMENT
	Mode            guard.Mode
	HTTPClient      *http.Client // nil: an own one
}

// Adapter is the ALIPAY channel.
type Adapter struct {
	channel.Automatic
	client   *sdk.Client
	files    *http.Client // fetches bills
	pages    *url.URL     // the gateway, for a browser
	mode     guard.Mode
	appID    string
	sellerID string
	product  string // of codes
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent. Errors name the setting, never its value where
// that is a key.
func New(c Config) (*Adapter, error) {
	u, err := guard.BaseURL(c.Mode, c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("alipay: %w", err)
	}
	pages, err := guard.Page(c.Mode, c.PageURL, u)
	if err != nil {
		return nil, fmt.Errorf("alipay: %w", err)
	}
	if c.AppID == "" || c.SellerID == "" {
		return nil, errors.New("alipay: app id and seller id are wanted")
	}
	// The SDK's own production flag does nothing but choose the address and download unknown certificates, which would
	// let a notification make us call out while a lock is held. So it stays off, in production too.
	client, err := sdk.New(c.AppID, strings.TrimSpace(c.PrivateKey), false,
		sdk.WithSandboxGateway(u.String()),
		sdk.WithTimeLocation(beijing),
		sdk.WithHTTPClient(guard.Client(c.Mode, c.HTTPClient)))
	if err != nil {
		return nil, errors.New("alipay: the private key is not an RSA key in PEM or base64")
	}
	if err := client.LoadAliPayPublicKey(strings.TrimSpace(c.AlipayPublicKey)); err != nil {
		return nil, errors.New("alipay: Alipay's public key is not an RSA key in PEM or base64")
	}
	if c.QRProduct == "" {
		c.QRProduct = faceToFace
	}
	return &Adapter{client: client, files: guard.FileClient(c.Mode, c.HTTPClient), pages: pages, mode: c.Mode, appID: c.AppID, sellerID: c.SellerID, product: c.QRProduct}, nil
}

// Channel is ALIPAY.
func (a *Adapter) Channel() models.PaymentChannel { return models.ChannelAlipay }

// Start makes the QR code, or the signed address of Alipay's page. The number is the provider's idempotency key: asking again gives a
// way to the same trade. The trade ends at ExpiresAt, to the second.
func (a *Adapter) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	if r.Amount.Currency != currency {
		return channel.Started{}, fmt.Errorf("%w: alipay takes CNY only, not %s", channel.ErrDeclined, r.Amount.Currency)
	}
	t := sdk.Trade{NotifyURL: r.NotifyURL, OutTradeNo: r.Number, Subject: plain(r.Subject), TotalAmount: r.Amount.Decimal(), SellerId: a.sellerID}
	if !r.ExpiresAt.IsZero() {
		t.TimeExpire = r.ExpiresAt.In(beijing).Format(timeLayout)
	}
	switch r.Display {
	case channel.DisplayPage, channel.DisplayMobile:
		return a.page(t, r)
	}
	return a.code(ctx, t)
}

// plain is a text as it may stand in a bill, whose cells commas part and nothing quotes.
func plain(text string) string { return strings.ReplaceAll(text, ",", "，") }

// code is alipay.trade.precreate.
func (a *Adapter) code(ctx context.Context, t sdk.Trade) (channel.Started, error) {
	t.ProductCode = a.product
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	res, err := a.client.TradePreCreate(ctx, sdk.TradePreCreate{Trade: t})
	if err != nil {
		return channel.Started{}, callError(err)
	}
	if res.Code != sdk.CodeSuccess {
		return channel.Started{}, startError(res.Error)
	}
	if res.OutTradeNo != t.OutTradeNo || res.QRCode == "" {
		return channel.Started{}, fmt.Errorf("%w: alipay answered for another trade", channel.ErrUnknown)
	}
	return channel.Started{Action: channel.Action{QR: res.QRCode}}, nil
}

// page is alipay.trade.page.pay or alipay.trade.wap.pay: nothing is sent, the payer's browser brings the signed request. Until then
// Alipay knows no trade.
func (a *Adapter) page(t sdk.Trade, r channel.StartRequest) (channel.Started, error) {
	t.ReturnURL = r.ReturnURL
	var u *url.URL
	var err error
	if r.Display == channel.DisplayMobile {
		t.ProductCode = "QUICK_WAP_WAY"
		u, err = a.client.TradeWapPay(sdk.TradeWapPay{Trade: t, TimeExpire: t.TimeExpire, QuitURL: r.ReturnURL})
	} else {
		t.ProductCode = "FAST_INSTANT_TRADE_PAY"
		u, err = a.client.TradePagePay(sdk.TradePagePay{Trade: t})
	}
	if err != nil {
		return channel.Started{}, fmt.Errorf("%w: alipay: the request could not be signed", channel.ErrUnavailable)
	}
	u.Scheme, u.Host, u.Path = a.pages.Scheme, a.pages.Host, a.pages.Path
	return channel.Started{Action: channel.Action{URL: u.String(), Method: http.MethodGet}}, nil
}

// Query asks for the state of a number. A code that nobody has scanned yet is a trade that does not exist yet.
func (a *Adapter) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	number := p.Number
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	res, err := a.client.TradeQuery(ctx, sdk.TradeQuery{OutTradeNo: number})
	if err != nil {
		return channel.Event{}, callError(err)
	}
	if res.Code != sdk.CodeSuccess {
		if res.SubCode == tradeNotExist {
			return channel.Event{Number: number, State: channel.StateNotFound, Detail: res.SubCode}, nil
		}
		return channel.Event{}, queryError(res.Error)
	}
	if res.OutTradeNo != number {
		return channel.Event{}, fmt.Errorf("%w: alipay answered for another trade", channel.ErrUnknown)
	}
	if res.TransCurrency != "" && res.TransCurrency != string(currency) {
		return channel.Event{}, fmt.Errorf("%w: alipay answered in %s", channel.ErrUnknown, res.TransCurrency)
	}
	e := channel.Event{Number: number, Reference: res.TradeNo, Detail: string(res.TradeStatus)}
	return complete(e, res.TradeStatus, res.TotalAmount, res.SendPayDate)
}

// Close ends an unpaid trade. Where Alipay refuses because of the trade's state, the state itself decides.
func (a *Adapter) Close(ctx context.Context, p channel.Ref) error {
	number := p.Number
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	res, err := a.client.TradeClose(ctx, sdk.TradeClose{OutTradeNo: number})
	switch {
	case err != nil:
		return callError(err)
	case res.Code == sdk.CodeSuccess, res.SubCode == tradeNotExist, res.SubCode == tradeHasClose:
		return nil
	case res.Code != sdk.CodeBusinessFailed || undecided(res.Error):
		return queryError(res.Error)
	}
	e, err := a.Query(ctx, p)
	switch {
	case err != nil:
		return err
	case e.State == channel.StatePaid:
		return channel.ErrAlreadyPaid
	case e.State == channel.StatePending:
		return fmt.Errorf("%w: alipay does not close the trade: %s", channel.ErrUnknown, res.SubCode)
	}
	return nil
}

// complete turns a trade's status into an event's state and reads the amount and time of a payment.
func complete(e channel.Event, status sdk.TradeStatus, amount, paidAt string) (channel.Event, error) {
	switch status {
	default: // WAIT_BUYER_PAY, and what Alipay may invent: nothing to book
		e.State = channel.StatePending
		return e, nil
	case sdk.TradeStatusClosed:
		if paidAt == "" {
			e.State = channel.StateClosed
			return e, nil
		}
		// Closed after it was paid means refunded in full: the money did come.
	case sdk.TradeStatusSuccess, sdk.TradeStatusFinished:
	}
	m, err := money.Parse(amount, currency)
	if err != nil {
		return channel.Event{}, fmt.Errorf("%w: alipay total amount %q: %v", channel.ErrUnknown, amount, err)
	}
	e.State, e.Amount = channel.StatePaid, m
	if t, err := time.ParseInLocation(timeLayout, paidAt, beijing); err == nil {
		e.PaidAt = t.UTC()
	}
	return e, nil
}
