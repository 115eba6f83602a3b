package wechatpay

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// maxReason is how many bytes of a reason the API takes; the payer reads it.
const maxReason = 80

// Refund is POST /v3/refund/domestic/refunds: out_refund_no is the idempotency key. The answer says that the refund is accepted;
// what comes of it is told by a notification, or when asked.
func (a *Adapter) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	if r.Refund.Amount.Currency != currency {
		return channel.Event{}, fmt.Errorf("%w: wechatpay takes CNY only, not %s", channel.ErrDeclined, r.Refund.Amount.Currency)
	}
	in := refunddomestic.CreateRequest{OutTradeNo: &r.Payment.Number, OutRefundNo: &r.Refund.Number,
		Amount: &refunddomestic.AmountReq{Refund: &r.Refund.Amount.Minor, Total: &r.Payment.Amount.Minor, Currency: core.String(string(currency))}}
	if reason := cut(r.Reason); reason != "" {
		in.Reason = &reason
	}
	if r.NotifyURL != "" {
		in.NotifyUrl = &r.NotifyURL
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	out, _, err := a.refunds.Create(ctx, in)
	if code, ok := refusal(err); ok && same(code, "FREQUENCY_LIMITED") {
		// WeChat Pay wants a minute between refunds of one trade. That is no outage: the refund waits, and the same number is asked for
		// again. It may also say that it is at it already.
		return channel.Event{Number: r.Payment.Number, RefundNumber: r.Refund.Number, State: channel.StatePending, Detail: code}, nil
	}
	if err != nil {
		return channel.Event{}, refundError(err)
	}
	return refunded(out, r.Payment.Number, r.Refund.Number)
}

// QueryRefund is GET /v3/refund/domestic/refunds/{out_refund_no}.
func (a *Adapter) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	number, refundNumber := p.Number, refund.Number
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	out, _, err := a.refunds.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: &refundNumber})
	if code, ok := refusal(err); ok && same(code, "RESOURCE_NOT_EXISTS") {
		return channel.Event{Number: number, RefundNumber: refundNumber, State: channel.StateNotFound, Detail: code}, nil
	}
	if err != nil {
		return channel.Event{}, askError(err)
	}
	return refunded(out, number, refundNumber)
}

// refunded turns a refund object into what the product knows; it must be the one that was asked about.
func refunded(r *refunddomestic.Refund, number, refundNumber string) (channel.Event, error) {
	e := channel.Event{Number: text(r.OutTradeNo), RefundNumber: text(r.OutRefundNo), Reference: text(r.RefundId)}
	if r.Status != nil {
		e.Detail = string(*r.Status)
	}
	if e.Number != number || e.RefundNumber != refundNumber {
		return channel.Event{}, fmt.Errorf("%w: wechatpay answered for another refund", channel.ErrUnknown)
	}
	var amount *int64
	if r.Amount != nil {
		amount = r.Amount.Refund
	}
	if r.SuccessTime != nil {
		e.PaidAt = r.SuccessTime.UTC()
	}
	return judged(e, amount)
}

// judged sets the state that the status in Detail means. CLOSED ends a refund: the money stays with the merchant. ABNORMAL does not: the
// payer's account cannot take it, the money has left the merchant and lies with WeChat Pay until somebody sends it on, on the merchant
// platform or by their API, under the same refund.
func judged(e channel.Event, amount *int64) (channel.Event, error) {
	switch e.Detail {
	case "SUCCESS":
		if amount == nil {
			return channel.Event{}, fmt.Errorf("%w: wechatpay tells of a refund without an amount", channel.ErrUnknown)
		}
		e.State, e.Amount = channel.StateRefunded, money.New(*amount, currency)
	case "CLOSED":
		e.State = channel.StateRefundFailed
	case "ABNORMAL":
		e.State = channel.StateHeld
	default: // PROCESSING, and what WeChat Pay may invent
		e.State = channel.StatePending
	}
	return e, nil
}

// refundNotice is the sealed content of a REFUND.* notification. It names no application, and no currency.
type refundNotice struct {
	MchID       string `json:"mchid"`
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	RefundID    string `json:"refund_id"`
	Status      string `json:"refund_status"`
	SuccessTime string `json:"success_time"`
	Amount      struct {
		Refund *int64 `json:"refund"`
	} `json:"amount"`
}

// refundEvent reads what a REFUND.* notification says.
func (a *Adapter) refundEvent(content json.RawMessage) (channel.Event, error) {
	var n refundNotice
	if err := json.Unmarshal(content, &n); err != nil {
		return channel.Event{}, forged("no refund in it")
	}
	if n.MchID != a.mchID {
		return channel.Event{}, forged("for another merchant")
	}
	if n.OutTradeNo == "" || n.OutRefundNo == "" {
		return channel.Event{}, forged("names no refund")
	}
	e := channel.Event{Number: n.OutTradeNo, RefundNumber: n.OutRefundNo, Reference: n.RefundID, Detail: n.Status}
	if at, err := time.Parse(time.RFC3339, n.SuccessTime); err == nil {
		e.PaidAt = at.UTC()
	}
	e, err := judged(e, n.Amount.Refund)
	if err != nil {
		return channel.Event{}, forged("unreadable: " + err.Error())
	}
	return e, nil
}

// refundError judges a refused refund. SYSTEM_ERROR wants the same number again; what is known there with other values is only told
// by a query.
func refundError(err error) error {
	code, ok := refusal(err)
	if !ok || unavailable(code) || same(code, "SYSTEM_ERROR") {
		return askError(err)
	}
	return fmt.Errorf("%w: wechatpay %s", channel.ErrDeclined, code)
}

// cut shortens a reason to what the API takes, at a character's end.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	end := 0
	for i := range reason {
		if i > maxReason {
			break
		}
		end = i
	}
	return reason[:end]
}
