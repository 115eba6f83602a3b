package alipay

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/smartwalle/alipay/v3"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// refundSucceeded is the one status that alipay.trade.fastpay.refund.query knows; without it the refund has not arrived there
// or has failed, and only asking for it again, under the same number, tells.
const refundSucceeded = "REFUND_SUCCESS"

// Refund is alipay.trade.refund: out_request_no is the idempotency key. Alipay answers at once; fund_change N says that this very
// call moved nothing, be it a repeat or a refund that is still on its way: then a query tells.
func (a *Adapter) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	if r.Refund.Amount.Currency != currency {
		return channel.Event{}, fmt.Errorf("%w: alipay takes CNY only, not %s", channel.ErrDeclined, r.Refund.Amount.Currency)
	}
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	res, err := a.client.TradeRefund(ctx, sdk.TradeRefund{OutTradeNo: r.Payment.Number, OutRequestNo: r.Refund.Number,
		RefundAmount: r.Refund.Amount.Decimal(), RefundReason: shorten(plain(r.Reason))})
	if err != nil {
		return channel.Event{}, callError(err)
	}
	if res.Code != sdk.CodeSuccess {
		return channel.Event{}, refundError(res.Error)
	}
	if res.OutTradeNo != r.Payment.Number {
		return channel.Event{}, fmt.Errorf("%w: alipay answered for another trade", channel.ErrUnknown)
	}
	e := channel.Event{Number: r.Payment.Number, RefundNumber: r.Refund.Number, Reference: res.TradeNo, State: channel.StatePending, Detail: "fund_change " + res.FundChange}
	if res.FundChange == "Y" {
		e.State, e.Amount, e.PaidAt = channel.StateRefunded, r.Refund.Amount, time.Now().UTC().Truncate(time.Microsecond)
	}
	return e, nil
}

// QueryRefund is alipay.trade.fastpay.refund.query.
func (a *Adapter) QueryRefund(ctx context.Context, p, refund channel.Ref) (channel.Event, error) {
	number, refundNumber := p.Number, refund.Number
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	res, err := a.client.TradeFastPayRefundQuery(ctx, sdk.TradeFastPayRefundQuery{OutTradeNo: number, OutRequestNo: refundNumber})
	if err != nil {
		return channel.Event{}, callError(err)
	}
	e := channel.Event{Number: number, RefundNumber: refundNumber, State: channel.StateNotFound}
	if res.Code != sdk.CodeSuccess {
		if e.Detail = res.SubCode; res.SubCode == tradeNotExist {
			return e, nil
		}
		return channel.Event{}, queryError(res.Error)
	}
	if e.Detail = res.RefundStatus; res.RefundStatus != refundSucceeded {
		return e, nil
	}
	if res.OutTradeNo != number || res.OutRequestNo != refundNumber {
		return channel.Event{}, fmt.Errorf("%w: alipay answered for another refund", channel.ErrUnknown)
	}
	if e.Amount, err = money.Parse(res.RefundAmount, currency); err != nil {
		return channel.Event{}, fmt.Errorf("%w: alipay refund amount %q: %v", channel.ErrUnknown, res.RefundAmount, err)
	}
	e.State, e.Reference = channel.StateRefunded, res.TradeNo
	if at, err := time.ParseInLocation(timeLayout, res.GMTRefundPay, beijing); err == nil {
		e.PaidAt = at.UTC()
	}
	return e, nil
}

// maxReason is how many characters the payer may read of a reason.
const maxReason = 256

func shorten(text string) string {
	if r := []rune(text); len(r) > maxReason {
		return string(r[:maxReason])
	}
	return text
}

// refundError is for a signed refusal of a refund.
func refundError(e sdk.Error) error {
	switch {
	case atTheDoor(e):
		return fmt.Errorf("%w: alipay %s", channel.ErrUnavailable, code(e))
	case undecided(e), e.SubCode == "ACQ.DISCORDANT_REPEAT_REQUEST":
		// The number is known there already, with another amount: only a query tells.
		return fmt.Errorf("%w: alipay %s", channel.ErrUnknown, code(e))
	}
	return fmt.Errorf("%w: alipay %s", channel.ErrDeclined, code(e))
}
