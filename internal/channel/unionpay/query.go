package unionpay

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// Query is queryTrans.do: a payment is named by its number and the time it was made. What became of it says origRespCode; respCode is of
// the question alone.
func (a *Adapter) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	f, err := a.ask(ctx, p, "01")
	if err != nil {
		return channel.Event{}, err
	}
	e := channel.Event{Number: p.Number, Reference: f["queryId"], Detail: f["origRespCode"]}
	if e.State = paymentState(e.Detail); e.State != channel.StatePaid {
		return e, nil
	}
	return paid(e, f)
}

// paid adds amount and time of what has moved; the answer must tell both the amount and its own number.
func paid(e channel.Event, f fields) (channel.Event, error) {
	amount, err := minor(f["txnAmt"])
	if err != nil || e.Reference == "" || f["currencyCode"] != "" && f["currencyCode"] != currencyCode {
		return channel.Event{}, fmt.Errorf("%w: unionpay tells of money without its amount in CNY or its number", channel.ErrUnknown)
	}
	e.Amount, e.PaidAt = money.New(amount, currency), traced(f["traceTime"], f["txnTime"])
	return e, nil
}

// ask asks for a payment (txnType 01) or a refund (04). The answer is of that very trade; origRespCode is set also where it is not known
// there.
func (a *Adapter) ask(ctx context.Context, of channel.Ref, txnType string) (fields, error) {
	if of.MadeAt.IsZero() {
		return nil, fmt.Errorf("%w: unionpay is asked by number and time, and the time is not known", channel.ErrUnknown)
	}
	f := a.request("00", "00", "000000", stamp(of.MadeAt))
	f["orderId"] = of.Number
	answer, err := a.call(ctx, a.gateway, "gateway/api/queryTrans.do", f)
	if err != nil {
		return nil, err
	}
	if answer["orderId"] != f["orderId"] || answer["txnTime"] != f["txnTime"] {
		return nil, fmt.Errorf("%w: unionpay answered for another trade", channel.ErrUnknown)
	}
	switch code := answer["respCode"]; {
	case code == notFound:
		answer["origRespCode"] = notFound
	case code != accepted:
		return nil, askError(code)
	}
	// A refund is no payment, and a payment no refund, whatever the number.
	if kind := answer["txnType"]; kind != "" && kind != "00" && kind != txnType {
		return nil, fmt.Errorf("%w: unionpay answered for a trade of kind %s", channel.ErrUnknown, kind)
	}
	return answer, nil
}

// minor reads an amount in fen.
func minor(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 40) // 12 digits at most
	return int64(n), err
}

// traced reads traceTime, MMDDhhmmss in Beijing: the year is that of the order, or the next. The zero time where there is none.
func traced(text, ordered string) time.Time {
	made, err := time.ParseInLocation(stampLayout, ordered, channel.Beijing)
	if err != nil {
		return time.Time{}
	}
	t, err := inYear(made.Year(), text)
	if err == nil && t.Before(made.AddDate(0, -6, 0)) {
		t, err = inYear(made.Year()+1, text)
	}
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func inYear(year int, text string) (time.Time, error) {
	return time.ParseInLocation(stampLayout, fmt.Sprintf("%04d%s", year, text), channel.Beijing)
}
