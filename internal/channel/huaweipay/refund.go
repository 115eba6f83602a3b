package huaweipay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// maxReason is how many characters the payer may read of a reason.
const maxReason = 256

// Refund asks for a refund; mercRefundOrderNo is the idempotency key. An accepted one is on its way: what comes of it is told or asked
// for. The payment's number goes along as payload, for the callback names the refund only.
func (a *Adapter) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	if r.Refund.Amount.Currency != currency {
		return channel.Event{}, fmt.Errorf("%w: huaweipay takes CNY only, not %s", channel.ErrDeclined, r.Refund.Amount.Currency)
	}
	in := map[string]any{"mercOrderNo": r.Payment.Number, "mercRefundOrderNo": r.Refund.Number, "refundAmount": r.Refund.Amount.Minor,
		"callbackUrl": r.NotifyURL, "payload": r.Payment.Number}
	if r.Reason != "" {
		in["reason"] = shorten(r.Reason, maxReason)
	}
	var out struct {
		Number    string `json:"mercRefundOrderNo"`
		Reference string `json:"sysRefundOrderNo"`
	}
	if err := a.call(ctx, http.MethodPost, "/api/v1/aggr/transactions/refunds", in, &out); err != nil {
		return channel.Event{}, refundError(err)
	}
	if out.Number != "" && out.Number != r.Refund.Number {
		return channel.Event{}, fmt.Errorf("%w: huaweipay answered for another refund", channel.ErrUnknown)
	}
	return channel.Event{Number: r.Payment.Number, RefundNumber: r.Refund.Number, Reference: out.Reference, State: channel.StatePending, Detail: "accepted"}, nil
}

// refundOrder is what an answer tells of a refund.
type refundOrder struct {
	MercNo            string `json:"mercNo"`
	Number            string `json:"mercRefundOrderNo"`
	Reference         string `json:"sysRefundOrderNo"`
	RefundOrderStatus string `json:"refundOrderStatus"`
	Currency          string `json:"currency"`
	RefundAmount      *int64 `json:"refundAmount"` // in fen
	FinishTime        string `json:"finishTime"`
}

// QueryRefund asks for the state of a refund.
func (a *Adapter) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	o, err := a.askRefund(ctx, refund)
	if code, ok := refused(err); ok && notExist(code) {
		return channel.Event{Number: p.Number, RefundNumber: refund.Number, State: channel.StateNotFound, Detail: code}, nil
	}
	if err != nil {
		return channel.Event{}, askError(err)
	}
	return o.event(p.Number)
}

// refundPath is where a refund is asked for: by Huawei Pay's number, as it is documented; by ours, which is all we know of one whose
// acceptance was never heard, by analogy with orders (docs/channels/huawei-pay.md).
func refundPath(refund channel.Ref) string {
	if refund.Reference != "" {
		return "/api/v1/aggr/transactions/refunds/orders/" + url.PathEscape(refund.Reference)
	}
	return "/api/v1/aggr/transactions/refunds/merc-orders/" + url.PathEscape(refund.Number)
}

// askRefund gives what Huawei Pay says of that very refund to us. Both numbers may be left out of an answer; one has to be there.
func (a *Adapter) askRefund(ctx context.Context, refund channel.Ref) (refundOrder, error) {
	var o refundOrder
	if err := a.call(ctx, http.MethodGet, refundPath(refund), nil, &o); err != nil {
		return o, err
	}
	another := func(told, asked string) bool { return told != "" && asked != "" && told != asked }
	if another(o.Number, refund.Number) || another(o.Reference, refund.Reference) || another(o.MercNo, a.merchant) || (o.Number == "" && (o.Reference == "" || refund.Reference == "")) {
		return o, fmt.Errorf("%w: huaweipay answered for another merchant or refund", channel.ErrUnknown)
	}
	o.Number = refund.Number
	return o, nil
}

// event turns a refund, whose merchant is checked, into what the product knows.
func (o refundOrder) event(payment string) (channel.Event, error) {
	e := channel.Event{Number: payment, RefundNumber: o.Number, Reference: o.Reference, Detail: o.RefundOrderStatus}
	switch o.RefundOrderStatus {
	case "REFUND_SUCCESS":
	case "REFUND_FAILED":
		e.State = channel.StateRefundFailed
		return e, nil
	default: // REFUND_CHL_PROC
		e.State = channel.StatePending
		return e, nil
	}
	if o.RefundAmount == nil {
		return channel.Event{}, fmt.Errorf("%w: huaweipay tells of a refund without amount", channel.ErrUnknown)
	}
	code := currency
	if o.Currency != "" {
		code = money.Currency(o.Currency)
	}
	e.State, e.Amount, e.PaidAt = channel.StateRefunded, money.New(*o.RefundAmount, code), finished(o.FinishTime)
	return e, nil
}
