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

// QQ is the QQ_WALLET channel.
type QQ struct {
	channel.Automatic
	base, refunds          *url.URL
	client, certified      *http.Client // certified: for refunds
	files                  *http.Client
	mchID, key             string
	operator, operatorPass string
	now                    func() time.Time
}

var _ channel.Adapter = (*QQ)(nil)

// NewQQ checks the configuration and makes the adapter; nothing is sent. Errors name what is wrong, never a key.
func NewQQ(c QQConfig) (*QQ, error) {
	base, refunds, err := addresses(c.Mode, c.BaseURL, c.RefundURL)
	if err != nil {
		return nil, fmt.Errorf("qq wallet: %w", err)
	}
	if c.MchID == "" || c.APIKey == "" || c.Operator == "" || c.OperatorPass == "" {
		return nil, errors.New("qq wallet: merchant number, API key, operator and the operator's password are wanted")
	}
	certified, err := withCertificate(c.Mode, c.HTTPClient, c.Certificate, c.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("qq wallet: %w", err)
	}
	return &QQ{base: base, refunds: refunds, client: guard.Client(c.Mode, c.HTTPClient), files: guard.FileClient(c.Mode, c.HTTPClient),
		certified: guard.Client(c.Mode, certified), mchID: c.MchID, key: c.APIKey, operator: c.Operator, operatorPass: c.OperatorPass, now: clockOr(c.Now)}, nil
}

// Channel is QQ_WALLET.
func (a *QQ) Channel() models.PaymentChannel { return models.ChannelQQWallet }

// call signs and posts fields, and gives the answer once it is proven to be QQ Wallet's for us; a refusal is one too.
func (a *QQ) call(ctx context.Context, client *http.Client, base *url.URL, path string, f fields) (fields, error) {
	f["mch_id"], f["nonce_str"] = a.mchID, nonce()
	body, err := post(ctx, client, base, path, xmlType, f.signed(a.key).xml())
	if err != nil {
		return nil, fmt.Errorf("qq wallet: %w", err)
	}
	out, err := parseXML(body)
	if err != nil {
		return nil, fmt.Errorf("%w: qq wallet: %v", channel.ErrUnknown, err)
	}
	return out, a.proven(out)
}

// proven: return_code FAIL comes without a signature and tells of the door only.
func (a *QQ) proven(out fields) error {
	switch {
	case out["return_code"] != success:
		return doorError(out)
	case !out.verified(a.key):
		return fmt.Errorf("%w: qq wallet: an answer with a wrong signature", channel.ErrUnknown)
	case out["mch_id"] != a.mchID:
		return fmt.Errorf("%w: qq wallet: an answer for another merchant", channel.ErrUnknown)
	}
	return nil
}

// Start is qpay_unified_order.cgi with trade_type NATIVE: code_url is what the payer scans. The number is the idempotency key.
func (a *QQ) Start(ctx context.Context, r channel.StartRequest) (channel.Started, error) {
	if err := payable(r); err != nil {
		return channel.Started{}, err
	}
	out, err := a.call(ctx, a.client, a.base, "/cgi-bin/pay/qpay_unified_order.cgi", fields{
		"body": cut(r.Subject, 128), "out_trade_no": r.Number, "fee_type": string(currency), "total_fee": strconv.FormatInt(r.Amount.Minor, 10),
		"spbill_create_ip": payerIP(r.PayerIP), "time_start": at(r.MadeAt), "time_expire": until(r.ExpiresAt), "trade_type": "NATIVE", "notify_url": r.NotifyURL,
	})
	if err != nil {
		return channel.Started{}, err
	}
	if why := refused(out); why != "" {
		return channel.Started{}, startError(why)
	}
	if out["code_url"] == "" {
		return channel.Started{}, fmt.Errorf("%w: qq wallet: no code_url", channel.ErrUnknown)
	}
	return channel.Started{Action: channel.Action{QR: out["code_url"]}}, nil
}

// named asks for a payment: QQ Wallet's own number goes first, and trades of 30 days ago want it.
func named(p channel.Ref) fields {
	return fields{"out_trade_no": p.Number, "transaction_id": p.Reference}
}

// Query is qpay_order_query.cgi.
func (a *QQ) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	out, err := a.call(ctx, a.client, a.base, "/cgi-bin/pay/qpay_order_query.cgi", named(p))
	if err != nil {
		return channel.Event{}, err
	}
	if why := refused(out); why != "" {
		if same(why, "ORDERNOTEXIST") {
			return channel.Event{Number: p.Number, State: channel.StateNotFound, Detail: why}, nil
		}
		return channel.Event{}, askError(why)
	}
	if out["out_trade_no"] != p.Number {
		return channel.Event{}, fmt.Errorf("%w: qq wallet answered for another trade", channel.ErrUnknown)
	}
	return qqEvent(out)
}

// qqEvent reads a trade. REFUND is one that was paid; REVOKED belongs to payment codes that a cashier scans.
func qqEvent(f fields) (channel.Event, error) {
	e := channel.Event{Number: f["out_trade_no"], Reference: f["transaction_id"], Detail: code(f["trade_state"])}
	switch f["trade_state"] {
	case success, "REFUND":
	case "CLOSED", "REVOKED":
		e.State = channel.StateClosed
		return e, nil
	case "PAYERROR":
		e.State = channel.StateDeclined
		return e, nil
	default: // NOTPAY, USERPAYING, and what QQ Wallet may invent
		e.State = channel.StatePending
		return e, nil
	}
	if f["fee_type"] != "" && f["fee_type"] != string(currency) || e.Reference == "" {
		return channel.Event{}, fmt.Errorf("%w: qq wallet: paid without a number, or not in CNY", channel.ErrUnknown)
	}
	amount, err := fen(f["total_fee"])
	e.State, e.Amount, e.PaidAt = channel.StatePaid, amount, when(f["time_end"])
	return e, err
}

// Close is qpay_close_order.cgi.
func (a *QQ) Close(ctx context.Context, p channel.Ref) error {
	out, err := a.call(ctx, a.client, a.base, "/cgi-bin/pay/qpay_close_order.cgi", fields{"out_trade_no": p.Number})
	if err != nil {
		return err
	}
	switch why := refused(out); {
	case why == "", same(why, "ORDERCLOSED"), same(why, "ORDERNOTEXIST"):
		return nil
	case same(why, "ORDERPAID"):
		return channel.ErrAlreadyPaid
	default:
		return askError(why)
	}
}
