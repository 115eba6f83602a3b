package sandbox

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// longestReserved is how much of reqReserved the sandbox keeps.
const longestReserved = 400

// unionpayBack is backTransReq.do: a refund, txnType 04, an order of its own that points at a payment by origQryId. It is accepted at
// once; how it ends is told later. An order that is known is refused as a repeat, whatever it says.
func (s *Sandbox) unionpayBack(ctx context.Context, r unionpayRequest) (unionpayAnswer, error) {
	f := r.fields
	amount, err := strconv.ParseInt(f["txnAmt"], 10, 64)
	if err != nil || !unionpayAmount.MatchString(f["txnAmt"]) || !unionpayNumber.MatchString(f["orderId"]) || len(f["reqReserved"]) > longestReserved ||
		f["txnType"] != "04" || f["txnSubType"] != "00" || f["bizType"] != r.kind.bizType || f["channelType"] != "07" && f["channelType"] != "08" || !unionpayURL(f["backUrl"]) {
		return unionpayRefusal("10"), nil
	}
	if known, err := s.unionpayKnown(ctx, r); err != nil || known {
		return unionpayRefusal("12"), err
	}
	t, err := s.findByReference(ctx, r.kind.channel, f["origQryId"])
	if errors.Is(err, errNoTrade) {
		return unionpayRefusal("35"), nil
	}
	if err != nil {
		return nil, err
	}
	made, fresh, err := s.giveBack(ctx, refund{Channel: r.kind.channel, Number: f["orderId"], Trade: t.Number, Reference: unionpayReference(), Amount: amount,
		Reason: f["txnTime"] + " " + f["reqReserved"], NotifyURL: f["backUrl"]})
	switch {
	case errors.Is(err, errUnpaid):
		return unionpayRefusal("35"), nil
	case errors.Is(err, errTooMuch):
		return unionpayRefusal("36"), nil
	case errors.Is(err, errDifferent), err == nil && !fresh:
		return unionpayRefusal("12"), nil
	case err != nil:
		return nil, err
	}
	a := unionpayRefusal("00")
	a["queryId"], a["origQryId"], a["txnAmt"] = made.Reference, t.Reference, f["txnAmt"]
	return a, nil
}

// unionpayKnown: the number is an order's already, a payment's or a refund's.
func (s *Sandbox) unionpayKnown(ctx context.Context, r unionpayRequest) (bool, error) {
	_, err := s.find(ctx, r.kind.channel, r.fields["orderId"])
	if errors.Is(err, errNoTrade) {
		_, err = s.unionpayRefundOf(ctx, r.kind, r.fields["orderId"])
	}
	if errors.Is(err, errNoTrade) {
		return false, nil
	}
	return err == nil, err
}

func (s *Sandbox) unionpayRefundOf(ctx context.Context, kind unionpayKind, number string) (refund, error) {
	return s.readRefund(ctx, "channel = ? AND refund_number = ?", string(kind.channel), number)
}

// unionpayReserved reads what is kept of a refund's request: its time, and what the merchant wants to have told back.
func unionpayReserved(r refund) (txnTime, reqReserved string) {
	txnTime, reqReserved, _ = strings.Cut(r.Reason, " ")
	return txnTime, reqReserved
}

func (s *Sandbox) unionpayQueryRefund(ctx context.Context, r unionpayRequest) (unionpayAnswer, error) {
	made, err := s.unionpayRefundOf(ctx, r.kind, r.fields["orderId"])
	at, reserved := unionpayReserved(made)
	if errors.Is(err, errNoTrade) || err == nil && at != r.fields["txnTime"] {
		return unionpayRefusal("34"), nil
	}
	if err != nil {
		return nil, err
	}
	t, err := s.find(ctx, r.kind.channel, made.Trade)
	if err != nil {
		return nil, err
	}
	code := unionpayRefundState(made.at(wall()))
	a := unionpayTold(ctx, "04", "00", r.kind, made.Reference, made.Amount, made.ReadyAt)
	a["origQryId"], a["reqReserved"] = t.Reference, reserved
	a["respCode"], a["respMsg"], a["origRespCode"], a["origRespMsg"] = "00", unionpayMessage("00"), code, unionpayMessage(code)
	return a, nil
}

func unionpayRefundState(state status) string {
	switch state {
	case refundDone:
		return "00"
	case refundFailed:
		return "60"
	}
	return "05"
}
