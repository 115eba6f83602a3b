package tenpay

import (
	"context"
	"fmt"
	"strings"
	"time"

	"paydesk/internal/channel"
)

// Refund is refund.xml, which wants a client certificate and an operator: out_refund_no is the idempotency key.
func (a *Tenpay) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	f, err := refundFields(r)
	if err != nil {
		return channel.Event{}, err
	}
	if a.operator == "" || a.operatorPass == "" {
		return channel.Event{}, fmt.Errorf("%w: tenpay: no operator for refunds is configured", channel.ErrUnavailable)
	}
	f["service_version"], f["op_user_id"], f["op_user_passwd"], f["notify_url"] = "1.1", a.operator, password(a.operatorPass), r.NotifyURL
	out, no, err := a.call(ctx, a.certified, a.merchant, "/refundapi/gateway/refund.xml", f)
	switch {
	case err != nil:
		return channel.Event{}, err
	case out == nil:
		return channel.Event{}, no.refundError()
	case out["out_trade_no"] != r.Payment.Number || out["out_refund_no"] != r.Refund.Number:
		return channel.Event{}, fmt.Errorf("%w: tenpay answered for another refund", channel.ErrUnknown)
	}
	e, err := tenpayRefund(out)
	if e.State == channel.StateNotFound { // received all the same; it is asked about before it is sent again
		e.State = channel.StatePending
	}
	return e, err
}

// refundError judges a refused refund: 8822… are Tenpay's codes for what is wrong with a trade or a refund, others are its own troubles.
func (r refusal) refundError() error {
	if unsigned(r.message) || !strings.HasPrefix(r.code, "8822") || r.code == differs {
		return r.askError()
	}
	return fmt.Errorf("%w: tenpay %s", channel.ErrDeclined, r.code)
}

// differs: the number is known there with another amount; only a query tells what became of that one.
const differs = "88222018"

// tenpayRefund reads a refund as answers and notifications tell of it.
func tenpayRefund(f fields) (channel.Event, error) {
	e := channel.Event{Number: f["out_trade_no"], RefundNumber: f["out_refund_no"], Reference: f["refund_id"], Detail: "refund_status " + code(f["refund_status"]),
		State: tenpayRefundState(f["refund_status"])}
	if e.State != channel.StateRefunded {
		return e, nil
	}
	amount, err := fen(f["refund_fee"])
	e.Amount, e.PaidAt = amount, time.Now().UTC().Truncate(time.Microsecond) // the protocol does not say when
	return e, err
}

// tenpayRefundState: 7 is a card that cannot take it, the money lies with the merchant again; 1 and 2 want the same number again.
func tenpayRefundState(status string) channel.State {
	switch status {
	case "4", "10":
		return channel.StateRefunded
	case "3", "5", "6", "7":
		return channel.StateRefundFailed
	case "1", "2":
		return channel.StateNotFound
	}
	return channel.StatePending // 8, 9, 11, and what may be invented
}

// QueryRefund is normalrefundquery.xml.
func (a *Tenpay) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	f := named(p)
	f["out_refund_no"], f["refund_id"] = refund.Number, refund.Reference
	out, no, err := a.call(ctx, a.client, a.base, "/gateway/normalrefundquery.xml", f)
	e := channel.Event{Number: p.Number, RefundNumber: refund.Number, State: channel.StateNotFound, Detail: no.code}
	switch {
	case err != nil:
		return channel.Event{}, err
	case no.code == noTrade, no.code == noRefund:
		return e, nil
	case out == nil:
		return channel.Event{}, no.askError()
	}
	return listed(out, e, "refund_state_", tenpayRefundState)
}
