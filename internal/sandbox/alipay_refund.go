package sandbox

import (
	"context"
	"errors"
	"net/url"

	"paydesk/internal/money"
	"paydesk/models"
)

// alipayRefund is alipay.trade.refund: done when it answers, unless it is told to be late. The same out_request_no again moves
// nothing (fund_change N).
func (s *Sandbox) alipayRefund(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	amount, err := money.Parse(r.biz.RefundAmount, "CNY")
	if err != nil || amount.Minor < 1 || !alipayNumber.MatchString(r.biz.OutRequestNo) {
		return alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: refund_amount, out_request_no"), nil
	}
	if behaviourIn(ctx).Call == refundFail {
		return alipayBusiness("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"), nil
	}
	made, fresh, err := s.giveBack(ctx, refund{Channel: models.ChannelAlipay, Number: r.biz.OutRequestNo, Trade: r.biz.OutTradeNo, Reference: newReference(""),
		Amount: amount.Minor, Reason: r.biz.RefundReason})
	switch {
	case errors.Is(err, errNoTrade):
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	case errors.Is(err, errUnpaid):
		return alipayBusiness("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"), nil
	case errors.Is(err, errTooMuch):
		return alipayBusiness("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"), nil
	case errors.Is(err, errDifferent):
		return alipayBusiness("ACQ.DISCORDANT_REPEAT_REQUEST", "同一笔退款的金额不一致"), nil
	case err != nil:
		return nil, err
	}
	t, err := s.find(ctx, models.ChannelAlipay, r.biz.OutTradeNo)
	if err != nil {
		return nil, err
	}
	change := "N"
	if fresh && made.at(wall()) == refundDone {
		change = "Y"
	}
	return alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "trade_no": t.Reference, "fund_change": change,
		"refund_fee": money.New(t.Refunded, "CNY").Decimal(), "buyer_logon_id": "pay***@sandbox.example"}), nil
}

// alipayQueryRefund tells of a refund that is done; of one that is not, or that never was, it says nothing but success.
func (s *Sandbox) alipayQueryRefund(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	t, err := s.find(ctx, models.ChannelAlipay, r.biz.OutTradeNo)
	if errors.Is(err, errNoTrade) {
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	made, err := s.findRefund(ctx, models.ChannelAlipay, r.biz.OutRequestNo, t.Number)
	if errors.Is(err, errNoTrade) || err == nil && made.at(wall()) != refundDone {
		return alipaySuccess(alipayAnswer{}), nil
	}
	if err != nil {
		return nil, err
	}
	return alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "trade_no": t.Reference, "out_request_no": made.Number, "total_amount": money.New(t.Amount, "CNY").Decimal(),
		"refund_amount": money.New(made.Amount, "CNY").Decimal(), "refund_status": "REFUND_SUCCESS", "gmt_refund_pay": made.ReadyAt.In(beijing).Format(alipayTime)}), nil
}

// alipayRefunded adds to a trade's notification what went back: the trade is closed when that is all of it.
func alipayRefunded(form url.Values, f fact) {
	form.Set("out_biz_no", f.Refund.Number)
	form.Set("refund_fee", money.New(f.Refund.InAll, "CNY").Decimal())
	form.Set("gmt_refund", f.Refund.At.In(beijing).Format(alipayTime)+".000")
	if f.Refund.InAll == f.Amount {
		form.Set("trade_status", "TRADE_CLOSED")
	}
}
