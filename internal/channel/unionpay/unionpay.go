// Package unionpay takes money through China UnionPay's online gateway (ACP 5.1.0): personal and enterprise banks, chosen before or on its
// page (PA-15 to PA-18, HW-30 to HW-32).
package unionpay

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/models"
)

// currency is the only one that the domestic gateway settles; currencyCode is its ISO number.
const (
	currency     = money.Currency("CNY")
	currencyCode = "156"
)

// stampLayout is every full time of the protocol, in Beijing.
const stampLayout = "20060102150405"

// bizTypes are UnionPay's names of the two kinds of bank.
var bizTypes = map[models.PaymentChannel]string{models.ChannelUnionPayPersonal: "000201", models.ChannelUnionPayEnterprise: "000202"}

// Config is what a merchant gets from UnionPay.
type Config struct {
	BaseURL          string // the gateway, production: https://gateway.95516.com
	PageURL          string // the same for a payer's browser; empty: BaseURL
	FileURL          string // daily files, production: https://filedownload.95516.com
	MerchantID       string // merId, 15 characters
	Keystore         []byte // our certificate and key, .pfx
	KeystorePassword string
	Roots            string // UnionPay's root and intermediate certificates, PEM
	Mode             guard.Mode
	HTTPClient       *http.Client // nil: an own one
}

// Adapter is one of the two channels.
type Adapter struct {
	channel.Automatic
	name     models.PaymentChannel
	bizType  string
	merchant string
	gateway  endpoint
	pages    *url.URL // the gateway, for a browser
	files    endpoint
	key      *rsa.PrivateKey
	certID   string // of our certificate: its serial in decimal
	trust    trust
}

// endpoint is an address, who may call it, and how long a call may take.
type endpoint struct {
	*url.URL
	client  *http.Client
	timeout time.Duration
}

var _ channel.Adapter = (*Adapter)(nil)

var merchantID = regexp.MustCompile(`^[0-9A-Za-z]{15}$`)

// New checks the configuration and makes the adapter; nothing is sent. Errors name the setting, never a key or a password.
func New(name models.PaymentChannel, c Config) (*Adapter, error) {
	bizType, ok := bizTypes[name]
	if !ok {
		return nil, fmt.Errorf("unionpay: %s is none of its channels", name)
	}
	gateway, err := guard.BaseURL(c.Mode, c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("unionpay: %w", err)
	}
	pages, err := guard.Page(c.Mode, c.PageURL, gateway)
	if err != nil {
		return nil, fmt.Errorf("unionpay: %w", err)
	}
	files, err := guard.BaseURL(c.Mode, c.FileURL)
	if err != nil {
		return nil, fmt.Errorf("unionpay, daily files: %w", err)
	}
	if !merchantID.MatchString(c.MerchantID) {
		return nil, errors.New("unionpay: a merchant id of 15 characters is wanted")
	}
	key, certificate, err := openKeystore(c.Keystore, c.KeystorePassword)
	if err != nil {
		return nil, err
	}
	trust, err := newTrust(c.Roots)
	if err != nil {
		return nil, err
	}
	return &Adapter{name: name, bizType: bizType, merchant: c.MerchantID, key: key, certID: certificate.SerialNumber.String(), trust: trust, pages: pages,
		gateway: endpoint{gateway, guard.Client(c.Mode, c.HTTPClient), guard.Timeout}, files: endpoint{files, guard.FileClient(c.Mode, c.HTTPClient), guard.FileTimeout}}, nil
}

// Channel names it.
func (a *Adapter) Channel() models.PaymentChannel { return a.name }

// Start signs the form that takes the payer's browser to UnionPay's page, or with a bank code straight to that bank. No call is made, so
// the provider knows nothing of the payment before the browser gets there. The same payment gives the same form, and the same trade: its
// name there is number and time (txnTime). It ends at ExpiresAt, to the second, never before.
func (a *Adapter) Start(_ context.Context, r channel.StartRequest) (channel.Started, error) {
	if r.Amount.Currency != currency {
		return channel.Started{}, fmt.Errorf("%w: unionpay takes CNY only, not %s", channel.ErrDeclined, r.Amount.Currency)
	}
	f := a.request("01", "01", a.bizType, stamp(r.MadeAt))
	f["orderId"], f["txnAmt"], f["currencyCode"] = r.Number, strconv.FormatInt(r.Amount.Minor, 10), currencyCode
	f["frontUrl"], f["backUrl"] = r.ReturnURL, r.NotifyURL
	f["orderDesc"], f["issInsCode"] = describe(r.Subject), r.BankCode
	if f["orderDesc"] != "" {
		f["riskRateInfo"] = "{commodityName=" + f["orderDesc"] + "}"
	}
	if !r.ExpiresAt.IsZero() {
		f["payTimeout"] = stamp(r.ExpiresAt.Add(time.Second - time.Nanosecond))
	}
	if err := a.sign(f); err != nil {
		return channel.Started{}, err
	}
	action := channel.Action{URL: a.pages.JoinPath("gateway/api/frontTransReq.do").String(), Method: http.MethodPost}
	for _, name := range names(f) {
		action.Fields = append(action.Fields, models.FormField{Name: name, Value: f[name]})
	}
	return channel.Started{Action: action}, nil
}

// Close cannot end a trade: the protocol has no word for it, a trade ends by itself at payTimeout. It asks, so that one which is paid is
// not cancelled.
func (a *Adapter) Close(ctx context.Context, p channel.Ref) error {
	e, err := a.Query(ctx, p)
	if err == nil && e.State == channel.StatePaid {
		err = channel.ErrAlreadyPaid
	}
	return err
}

// stamp writes a moment as the protocol does.
func stamp(t time.Time) string { return t.In(channel.Beijing).Format(stampLayout) }

// maxDescription is how many characters of orderDesc the page shows.
const maxDescription = 32

// describe leaves out what the protocol's own texts are made of.
func describe(subject string) string {
	text := []rune(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`&={}[]"'<>`, r) {
			return -1
		}
		return r
	}, subject))
	return strings.TrimSpace(string(text[:min(len(text), maxDescription)]))
}
