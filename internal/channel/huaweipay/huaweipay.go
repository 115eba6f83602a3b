// Package huaweipay takes money through Huawei Pay (Petal Pay, HW-29): a pre-order whose signed order string the Huawei wallet opens. Huawei
// documents no product for computers, so the QR code leads to a page of ours that hands the order string to the wallet. There is no Go
// SDK; what is spoken here is "Payment Kit, REST API, direct merchant, basic payment" of developer.huawei.com.
package huaweipay

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/models"
)

// currency is the only one that Huawei Pay takes.
const currency = money.Currency("CNY")

// timeLayout is that of expireTime and finishTime.
const timeLayout = "2006-01-02T15:04:05.000-0700"

// maxSummary is how many characters the payer may read.
const maxSummary = 128

// Config is what a merchant gets from Huawei Pay.
type Config struct {
	BaseURL        string // production: https://petalpay-developer.cloud.huawei.com.cn
	MerchantNumber string // mercNo
	AppID          string
	AuthID         string // of our public key there
	PrivateKey     string // RSA, 3072 bits or more: PEM or bare base64 of PKCS#8
	PublicKey      string // Huawei Pay's, SM2: hexadecimal, PEM or a certificate in PEM
	PageURL        string // page that the code leads to; the order stands in its parameter order
	Mode           guard.Mode
	HTTPClient     *http.Client // nil: an own one
}

// Adapter is the HUAWEI_PAY channel.
type Adapter struct {
	channel.Automatic
	base, page            *url.URL
	merchant, app, authID string
	private               *rsa.PrivateKey
	huawei                *ecdsa.PublicKey
	client, files         *http.Client
	mode                  guard.Mode
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the configuration and makes the adapter; nothing is sent. Errors name the setting, never its value where that is a key.
func New(c Config) (*Adapter, error) {
	base, err := guard.BaseURL(c.Mode, c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("huaweipay: %w", err)
	}
	page, err := pageURL(c.Mode, c.PageURL)
	if err != nil {
		return nil, fmt.Errorf("huaweipay: page: %w", err)
	}
	if c.MerchantNumber == "" || c.AppID == "" || c.AuthID == "" {
		return nil, errors.New("huaweipay: merchant number, app id and auth id are wanted")
	}
	private, err := parsePrivate(c.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("huaweipay: the private key %w", err)
	}
	huawei, err := parsePublic(c.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("huaweipay: Huawei Pay's public key %w", err)
	}
	return &Adapter{base: base, page: page, merchant: c.MerchantNumber, app: c.AppID, authID: c.AuthID, private: private, huawei: huawei,
		client: guard.Client(c.Mode, c.HTTPClient), files: guard.FileClient(c.Mode, c.HTTPClient), mode: c.Mode}, nil
}

// pageURL reads the page's address. We do not call it, the payer does: in sandbox mode it may be wherever people reach us.
func pageURL(mode guard.Mode, raw string) (*url.URL, error) {
	if mode == guard.Production {
		return guard.BaseURL(mode, raw)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, errors.New("an address is wanted")
	}
	return u, nil
}

// Channel is HUAWEI_PAY.
func (a *Adapter) Channel() models.PaymentChannel { return models.ChannelHuaweiPay }

// Start makes a pre-order and the code of its order string. The number is the provider's idempotency key: asking again makes an order
// string for the same order. It ends at ExpiresAt; the order string itself is good for ten minutes.
func (a *Adapter) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	if r.Amount.Currency != currency {
		return channel.Started{}, fmt.Errorf("%w: huaweipay takes CNY only, not %s", channel.ErrDeclined, r.Amount.Currency)
	}
	in := map[string]any{"appId": a.app, "mercNo": a.merchant, "mercOrderNo": r.Number, "tradeSummary": shorten(r.Subject, maxSummary),
		"totalAmount": r.Amount.Minor, "currency": string(currency), "callbackUrl": r.NotifyURL}
	if !r.ExpiresAt.IsZero() {
		in["expireTime"] = r.ExpiresAt.UTC().Format(timeLayout)
	}
	var out struct {
		PrepayID    string `json:"prepayId"`
		MercOrderNo string `json:"mercOrderNo"`
	}
	if err := a.call(ctx, http.MethodPost, "/api/v2/aggr/preorder/create/app", in, &out); err != nil {
		return channel.Started{}, startError(err)
	}
	if out.PrepayID == "" || (out.MercOrderNo != "" && out.MercOrderNo != r.Number) {
		return channel.Started{}, fmt.Errorf("%w: huaweipay answered without a pre-order, or for another one", channel.ErrUnknown)
	}
	order, err := a.orderString(out.PrepayID)
	if err != nil {
		return channel.Started{}, err
	}
	page := *a.page
	q := page.Query()
	q.Set("order", order)
	page.RawQuery = q.Encode()
	return channel.Started{Action: channel.Action{QR: page.String()}}, nil
}

func shorten(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// order is what Huawei Pay tells of an order, in answers and in callbacks.
type order struct {
	MercNo          string `json:"mercNo"`
	AppID           string `json:"appId"`
	MercOrderNo     string `json:"mercOrderNo"`
	SysTransOrderNo string `json:"sysTransOrderNo"`
	OrderStatus     string `json:"orderStatus"`
	Currency        string `json:"currency"`
	TotalAmount     *int64 `json:"totalAmount"` // in fen
	FinishTime      string `json:"finishTime"`
}

// Query asks for the state of a number. That the question succeeded (resultCode 000000) says nothing of the payment; orderStatus does. An
// order that no wallet has opened is not there yet.
func (a *Adapter) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	var o order
	err := a.call(ctx, http.MethodGet, "/api/v2/aggr/transactions/merc-orders/"+url.PathEscape(p.Number), nil, &o)
	if code, ok := refused(err); ok && notExist(code) {
		return channel.Event{Number: p.Number, State: channel.StateNotFound, Detail: code}, nil
	}
	if err != nil {
		return channel.Event{}, askError(err)
	}
	if o.MercOrderNo != p.Number || (o.MercNo != "" && o.MercNo != a.merchant) || (o.AppID != "" && o.AppID != a.app) {
		return channel.Event{}, fmt.Errorf("%w: huaweipay answered for another merchant or order", channel.ErrUnknown)
	}
	return o.event()
}

// event turns an order, whose merchant is checked, into what the product knows.
func (o order) event() (channel.Event, error) {
	e := channel.Event{Number: o.MercOrderNo, Reference: o.SysTransOrderNo, Detail: o.OrderStatus}
	switch o.OrderStatus {
	case "TRX_SUCCESS":
	case "TRX_FAILED":
		e.State = channel.StateDeclined
		return e, nil
	default: // TRX_APPLY, TRX_PROC, and what Huawei Pay may invent: nothing to book
		e.State = channel.StatePending
		return e, nil
	}
	if o.TotalAmount == nil || o.Currency == "" || o.SysTransOrderNo == "" {
		return channel.Event{}, fmt.Errorf("%w: huaweipay tells of a payment without amount or number", channel.ErrUnknown)
	}
	e.State, e.Amount, e.PaidAt = channel.StatePaid, money.New(*o.TotalAmount, money.Currency(o.Currency)), finished(o.FinishTime)
	return e, nil
}

func finished(text string) time.Time {
	at, err := time.Parse(timeLayout, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// Close ends an unpaid order. Where Huawei Pay refuses, the order's state decides.
func (a *Adapter) Close(ctx context.Context, p channel.Ref) error {
	err := a.call(ctx, http.MethodPost, "/api/v1/aggr/transactions/orders/close", map[string]any{"mercOrderNo": p.Number}, nil)
	code, ok := refused(err)
	switch {
	case err == nil, ok && notExist(code):
		return nil
	case !ok || !strings.HasPrefix(code, business):
		return askError(err)
	}
	e, queryErr := a.Query(ctx, p)
	switch {
	case queryErr != nil:
		return queryErr
	case e.State == channel.StatePaid:
		return channel.ErrAlreadyPaid
	case e.State == channel.StateDeclined:
		return nil
	}
	return askError(err)
}
