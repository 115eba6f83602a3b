package tenpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/models"
)

// Tenpay is the TENPAY channel: its gateway for payments on the web, which takes no new merchants.
type Tenpay struct {
	channel.Automatic
	base, merchant, pages  *url.URL // pages is base, for a browser
	client                 *http.Client
	certified, files       *http.Client // both show the certificate
	partner, key           string
	operator, operatorPass string
	now                    func() time.Time
}

var _ channel.Adapter = (*Tenpay)(nil)

// New checks the configuration and makes the adapter; nothing is sent. Errors name what is wrong, never a key.
func New(c Config) (*Tenpay, error) {
	base, merchant, err := addresses(c.Mode, c.BaseURL, c.MerchantURL)
	if err != nil {
		return nil, fmt.Errorf("tenpay: %w", err)
	}
	pages, err := guard.Page(c.Mode, c.PageURL, base)
	if err != nil {
		return nil, fmt.Errorf("tenpay: %w", err)
	}
	if c.Partner == "" || c.Key == "" {
		return nil, errors.New("tenpay: partner and key are wanted")
	}
	certified := c.HTTPClient
	if c.Certificate != "" || c.PrivateKey != "" { // without one, what wants it is refused by Tenpay
		if certified, err = withCertificate(c.Mode, c.HTTPClient, c.Certificate, c.PrivateKey); err != nil {
			return nil, fmt.Errorf("tenpay: %w", err)
		}
	}
	return &Tenpay{base: base, merchant: merchant, pages: pages, client: guard.Client(c.Mode, c.HTTPClient), certified: guard.Client(c.Mode, certified),
		files: guard.FileClient(c.Mode, certified), partner: c.Partner, key: c.Key, operator: c.Operator, operatorPass: c.OperatorPass, now: clockOr(c.Now)}, nil
}

// Channel is TENPAY.
func (a *Tenpay) Channel() models.PaymentChannel { return models.ChannelTenpay }

// Start signs the address of pay.htm; nothing is sent, Tenpay knows of the trade once the payer's browser gets there. The same payment has
// the same address, and its number is the idempotency key.
func (a *Tenpay) Start(_ context.Context, r channel.StartRequest) (channel.Started, error) {
	if err := payable(r); err != nil {
		return channel.Started{}, err
	}
	f := fields{
		"sign_type": "MD5", "service_version": "1.0", "input_charset": "UTF-8", "sign_key_index": "1", "trade_mode": "1",
		"partner": a.partner, "out_trade_no": r.Number, "total_fee": strconv.FormatInt(r.Amount.Minor, 10), "fee_type": "1",
		"bank_type": bankType(r.BankCode), "subject": cut(r.Subject, 32), "body": cut(r.Subject, 128), "spbill_create_ip": payerIP(r.PayerIP),
		"time_start": at(r.MadeAt), "time_expire": until(r.ExpiresAt), "return_url": r.ReturnURL, "notify_url": r.NotifyURL,
	}
	u := a.pages.JoinPath("/gateway/pay.htm")
	u.RawQuery = f.signed(a.key).form()
	return channel.Started{Action: channel.Action{URL: u.String(), Method: http.MethodGet}}, nil
}

// bankType is Tenpay's code of a bank that was chosen (TX-22); without one its page asks.
func bankType(bank string) string {
	switch bank {
	case "":
		return "DEFAULT"
	case "BOCOM":
		return "COMM"
	case "PSBC":
		return "POSTGC"
	case "CGB":
		return "GDB"
	}
	return bank
}

// Refusals of Tenpay. They come without a signature.
const (
	noTrade  = "88221009" // no such trade, or one that is older than half a year
	noRefund = "88222014" // the trade has no such refund
)

// refusal is an answer with a retcode other than 0.
type refusal struct{ code, message string }

// call signs and posts fields, and gives the answer once it is proven to be Tenpay's for us, or what it refused with.
func (a *Tenpay) call(ctx context.Context, client *http.Client, base *url.URL, path string, f fields) (fields, refusal, error) {
	f["sign_type"], f["input_charset"], f["partner"] = "MD5", "UTF-8", a.partner
	body, err := post(ctx, client, base, path, formType, f.signed(a.key).form())
	if err != nil {
		return nil, refusal{}, fmt.Errorf("tenpay: %w", err)
	}
	out, err := parseXML(body)
	switch {
	case err != nil:
		return nil, refusal{}, fmt.Errorf("%w: tenpay: %v", channel.ErrUnknown, err)
	case out["retcode"] != "0":
		return nil, refusal{code(out["retcode"]), out["retmsg"]}, nil
	case !out.verified(a.key):
		return nil, refusal{}, fmt.Errorf("%w: tenpay: an answer with a wrong signature", channel.ErrUnknown)
	case out["partner"] != a.partner:
		return nil, refusal{}, fmt.Errorf("%w: tenpay: an answer for another merchant", channel.ErrUnknown)
	}
	return out, refusal{}, nil
}

// askError judges a refusal that decides nothing.
func (r refusal) askError() error {
	if unsigned(r.message) {
		return fmt.Errorf("%w: tenpay %s", channel.ErrUnavailable, r.code)
	}
	return fmt.Errorf("%w: tenpay %s", channel.ErrUnknown, r.code)
}

// Query is normalorderquery.xml.
func (a *Tenpay) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	out, no, err := a.call(ctx, a.client, a.base, "/gateway/normalorderquery.xml", named(p))
	switch {
	case err != nil:
		return channel.Event{}, err
	case no.code == noTrade:
		return channel.Event{Number: p.Number, State: channel.StateNotFound, Detail: no.code}, nil
	case out == nil:
		return channel.Event{}, no.askError()
	case out["out_trade_no"] != p.Number:
		return channel.Event{}, fmt.Errorf("%w: tenpay answered for another trade", channel.ErrUnknown)
	}
	return tenpayEvent(out)
}

// tenpayEvent reads a trade. States after 0 (paid) are those of trades that Tenpay guards; of them a paid one may show what became of its
// money (5 received, 8 to 10 refunds), and 6 is closed unpaid.
func tenpayEvent(f fields) (channel.Event, error) {
	e := channel.Event{Number: f["out_trade_no"], Reference: f["transaction_id"], Detail: "trade_state " + code(f["trade_state"])}
	switch f["trade_state"] {
	case "0", "4", "5", "8", "9", "10":
	case "6":
		e.State = channel.StateClosed
		return e, nil
	default: // 1 made, 2, 7, and what may be invented
		e.State = channel.StatePending
		return e, nil
	}
	if f["fee_type"] != "" && f["fee_type"] != "1" || e.Reference == "" {
		return channel.Event{}, fmt.Errorf("%w: tenpay: paid without a number, or not in CNY", channel.ErrUnknown)
	}
	amount, err := fen(f["total_fee"])
	e.State, e.Amount, e.PaidAt = channel.StatePaid, amount, when(f["time_end"])
	return e, err
}

// Close cannot end a trade: the protocol has no word for it, a trade ends by itself, at time_expire. It asks, so that one which is paid is
// not cancelled.
func (a *Tenpay) Close(ctx context.Context, p channel.Ref) error {
	e, err := a.Query(ctx, p)
	if err == nil && e.State == channel.StatePaid {
		err = channel.ErrAlreadyPaid
	}
	return err
}
