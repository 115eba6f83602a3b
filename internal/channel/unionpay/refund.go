package unionpay

import (
	"context"
	"fmt"
	"strconv"

	"paydesk/internal/channel"
)

// Refund is backTransReq.do with txnType 04: a trade of its own, named by its own number and time, that points at the payment by UnionPay's
// number. The answer says that it is accepted; what comes of it is told by a notification, or when asked. A number that is known there
// already is asked for. The payment's number goes along in reqReserved, which comes back with everything that is said of the refund.
func (a *Adapter) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	if r.Refund.Amount.Currency != currency {
		return channel.Event{}, fmt.Errorf("%w: unionpay takes CNY only, not %s", channel.ErrDeclined, r.Refund.Amount.Currency)
	}
	if r.Payment.Reference == "" {
		paid, err := a.Query(ctx, r.Payment)
		if err != nil {
			return channel.Event{}, err
		}
		if paid.State != channel.StatePaid {
			return channel.Event{}, fmt.Errorf("%w: unionpay: the payment is %s", channel.ErrDeclined, paid.State)
		}
		r.Payment.Reference = paid.Reference
	}
	f := a.request("04", "00", a.bizType, stamp(r.Refund.MadeAt))
	f["orderId"], f["origQryId"], f["reqReserved"] = r.Refund.Number, r.Payment.Reference, r.Payment.Number
	f["txnAmt"], f["currencyCode"], f["backUrl"] = strconv.FormatInt(r.Refund.Amount.Minor, 10), currencyCode, r.NotifyURL
	answer, err := a.call(ctx, a.gateway, "gateway/api/backTransReq.do", f)
	if err != nil {
		return channel.Event{}, err
	}
	if answer["orderId"] != f["orderId"] {
		return channel.Event{}, fmt.Errorf("%w: unionpay answered for another refund", channel.ErrUnknown)
	}
	switch code := answer["respCode"]; {
	case code == duplicate:
		return a.again(ctx, r)
	case !succeeded(code):
		return channel.Event{}, refundError(code)
	}
	return channel.Event{Number: r.Payment.Number, RefundNumber: r.Refund.Number, Reference: answer["queryId"], State: channel.StatePending, Detail: answer["respCode"]}, nil
}

// again tells of a refund that was asked for before; one with another amount is not this one.
func (a *Adapter) again(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	e, err := a.QueryRefund(ctx, r.Payment, r.Refund)
	if err == nil && (e.State == channel.StateNotFound || e.State == channel.StateRefunded && e.Amount != r.Refund.Amount) {
		return channel.Event{}, fmt.Errorf("%w: unionpay knows the refund's number with other values", channel.ErrUnknown)
	}
	return e, err
}

// QueryRefund is queryTrans.do for the refund's own number and time.
func (a *Adapter) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	f, err := a.ask(ctx, refund, "04")
	if err != nil {
		return channel.Event{}, err
	}
	if original := f["origQryId"]; original != "" && p.Reference != "" && original != p.Reference {
		return channel.Event{}, fmt.Errorf("%w: unionpay answered for a refund of another payment", channel.ErrUnknown)
	}
	e := channel.Event{Number: p.Number, RefundNumber: refund.Number, Reference: f["queryId"], Detail: f["origRespCode"]}
	if e.State = refundState(e.Detail); e.State != channel.StateRefunded {
		return e, nil
	}
	return paid(e, f)
}
