package tenpay

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"paydesk/internal/channel"
)

// Refund is qpay_refund.cgi, which wants a client certificate and an operator: out_refund_no is the idempotency key. The answer says that it
// is accepted; QQ Wallet notifies no refunds, so what comes of it is told when asked.
func (a *QQ) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	f, err := refundFields(r)
	if err != nil {
		return channel.Event{}, err
	}
	f["refund_fee_type"], f["op_user_id"], f["op_user_passwd"] = string(currency), a.operator, password(a.operatorPass)
	out, err := a.call(ctx, a.certified, a.refunds, "/cgi-bin/pay/qpay_refund.cgi", f)
	if err != nil {
		return channel.Event{}, err
	}
	if why := refused(out); why != "" {
		return channel.Event{}, refundError(why)
	}
	if told := out["out_refund_no"]; out["out_trade_no"] != r.Payment.Number || told != "" && told != r.Refund.Number { // by some accounts it is not told
		return channel.Event{}, fmt.Errorf("%w: qq wallet answered for another refund", channel.ErrUnknown)
	}
	return channel.Event{Number: r.Payment.Number, RefundNumber: r.Refund.Number, Reference: out["refund_id"], State: channel.StatePending, Detail: "accepted"}, nil
}

// refundFields are what both protocols want of a refund.
func refundFields(r channel.RefundRequest) (fields, error) {
	if r.Refund.Amount.Currency != currency || r.Payment.Amount.Currency != currency || len(r.Refund.Number) > maxNumber {
		return nil, fmt.Errorf("%w: CNY only, and a number of at most %d characters", channel.ErrDeclined, maxNumber)
	}
	f := named(r.Payment)
	f["out_refund_no"] = r.Refund.Number
	f["total_fee"], f["refund_fee"] = strconv.FormatInt(r.Payment.Amount.Minor, 10), strconv.FormatInt(r.Refund.Amount.Minor, 10)
	return f, nil
}

// password is how both take an operator's password.
func password(clear string) string {
	sum := md5.Sum([]byte(clear))
	return hex.EncodeToString(sum[:])
}

// QueryRefund is qpay_refund_query.cgi.
func (a *QQ) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	f := named(p)
	f["out_refund_no"], f["refund_id"] = refund.Number, refund.Reference
	out, err := a.call(ctx, a.client, a.base, "/cgi-bin/pay/qpay_refund_query.cgi", f)
	if err != nil {
		return channel.Event{}, err
	}
	e := channel.Event{Number: p.Number, RefundNumber: refund.Number, State: channel.StateNotFound}
	if e.Detail = refused(out); e.Detail != "" {
		if same(e.Detail, "REFUNDNOTEXIST", "ORDERNOTEXIST") {
			return e, nil
		}
		return channel.Event{}, askError(e.Detail)
	}
	return listed(out, e, "refund_status_", qqRefundState)
}

// qqRefundState: CHANGE means that the payer's card cannot take it and the money lies with the merchant again; NOTSURE, that the same
// number has to be asked for again.
func qqRefundState(status string) channel.State {
	switch status {
	case success:
		return channel.StateRefunded
	case "FAIL", "CHANGE", "REFUNDCLOSE":
		return channel.StateRefundFailed
	case "NOTSURE":
		return channel.StateNotFound
	}
	return channel.StatePending // PROCESSING, and what may be invented
}

// listed finds a refund among those that an answer numbers: out_refund_no_0, refund_fee_0, … Tenpay counts them too, QQ Wallet does not; all
// that is read of them is signed, so nothing hangs on the count.
func listed(out fields, e channel.Event, status string, state func(string) channel.State) (channel.Event, error) {
	if out["out_trade_no"] != e.Number {
		return channel.Event{}, fmt.Errorf("%w: an answer for another trade", channel.ErrUnknown)
	}
	for i := range maxFields {
		n := strconv.Itoa(i)
		if out["out_refund_no_"+n] != e.RefundNumber {
			continue
		}
		e.Reference, e.Detail, e.State = out["refund_id_"+n], code(out[status+n]), state(out[status+n])
		if e.State != channel.StateRefunded {
			return e, nil
		}
		var err error
		if e.PaidAt = when(out["refund_time_"+n]); e.PaidAt.IsZero() { // QQ Wallet does not say when
			e.PaidAt = time.Now().UTC().Truncate(time.Microsecond)
		}
		e.Amount, err = fen(out["refund_fee_"+n])
		return e, err
	}
	return channel.Event{}, fmt.Errorf("%w: an answer without the refund that was asked about", channel.ErrUnknown)
}
