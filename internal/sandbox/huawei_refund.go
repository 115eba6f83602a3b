package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"paydesk/models"
)

// huaweiRefund accepts a refund; what comes of it is told later. The same number again is the same refund.
func (s *Sandbox) huaweiRefund(ctx context.Context, r huaweiRequest) (huaweiAnswer, error) {
	var in struct {
		MercOrderNo       string `json:"mercOrderNo"`
		MercRefundOrderNo string `json:"mercRefundOrderNo"`
		RefundAmount      int64  `json:"refundAmount"`
		Reason            string `json:"reason"`
		CallbackURL       string `json:"callbackUrl"`
		Payload           string `json:"payload"`
	}
	if err := json.Unmarshal(r.body, &in); err != nil || in.MercRefundOrderNo == "" || len(in.MercRefundOrderNo) > 64 || in.RefundAmount < 1 ||
		len([]rune(in.Reason)) > 256 || in.CallbackURL == "" || len(in.Payload) > 255 {
		return huaweiBusiness("INVALID_ARGUMENTS", "参数不合法"), nil
	}
	t, err := s.find(ctx, models.ChannelHuaweiPay, in.MercOrderNo)
	if errors.Is(err, errNoTrade) {
		return huaweiBusiness("MERC_ORDER_NOT_EXIST", "商户订单号不存在"), nil
	}
	if err == nil && t.Detail.Payload != in.Payload {
		t.Detail.Payload = in.Payload
		err = s.note(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	// One refund of an order at a time. (Huawei Pay wants a minute between two; the sandbox does not make people wait.)
	_, err = s.readRefund(ctx, "channel = ? AND number = ? AND refund_number <> ? AND ready_at > ?", string(models.ChannelHuaweiPay), in.MercOrderNo, in.MercRefundOrderNo, wall())
	if err == nil {
		return huaweiBusiness("ORDER_CONCURRENT_ERROR", "订单退款并发错误"), nil
	}
	if !errors.Is(err, errNoTrade) {
		return nil, err
	}
	made, _, err := s.giveBack(ctx, refund{Channel: models.ChannelHuaweiPay, Number: in.MercRefundOrderNo, Trade: in.MercOrderNo, Reference: newReference("224"),
		Amount: in.RefundAmount, Reason: in.Reason, NotifyURL: in.CallbackURL})
	switch {
	case errors.Is(err, errUnpaid), errors.Is(err, errDifferent):
		return huaweiBusiness("CHECK_ORDER_STATUS", "订单状态异常"), nil
	case errors.Is(err, errTooMuch):
		return huaweiBusiness("CHECK_AMOUNT_INVALID", "金额校验失败"), nil
	case err != nil:
		return nil, err
	}
	return huaweiSuccess(huaweiAnswer{"mercRefundOrderNo": made.Number, "sysRefundOrderNo": made.Reference}), nil
}

// huaweiQueryRefund tells of a refund by Huawei Pay's number, or by the merchant's. The answer does not name the merchant.
func (s *Sandbox) huaweiQueryRefund(ctx context.Context, r huaweiRequest) (huaweiAnswer, error) {
	column, number := "reference", r.http.PathValue("reference")
	if number == "" {
		column, number = "refund_number", r.http.PathValue("number")
	}
	made, err := s.readRefund(ctx, "channel = ? AND "+column+" = ?", string(models.ChannelHuaweiPay), number)
	if errors.Is(err, errNoTrade) {
		return huaweiBusiness("PAY_ORDER_NOT_EXIST", "支付订单号不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	state := made.at(wall())
	answer := huaweiSuccess(huaweiAnswer{"mercRefundOrderNo": made.Number, "sysRefundOrderNo": made.Reference,
		"refundAmount": made.Amount, "payerRefundAmount": made.Amount, "promotionRefundAmount": 0, "currency": "CNY", "refundOrderStatus": huaweiRefundStatus(state)})
	if state == refundDone {
		answer["finishTime"] = made.ReadyAt.In(beijing).Format(huaweiTime)
	}
	return answer, nil
}

func huaweiRefundStatus(s status) string {
	switch s {
	case refundDone:
		return "REFUND_SUCCESS"
	case refundFailed:
		return "REFUND_FAILED"
	}
	return "REFUND_CHL_PROC"
}

// huaweiLetter is a callback, of an order or of a refund, whose numbers have other names than in answers. A refund's may leave the merchant
// out by the documents, so this one does.
func huaweiLetter(ctx context.Context, k *huaweiKeys, n notification, f fact) (letter, error) {
	fields := map[string]any{"callbackId": n.NotifyID, "callbackTime": stamp(ctx).In(beijing).Format(time.DateTime), "dataType": "plain", "signType": "SM2",
		"certNo": "sandbox", "currency": f.Currency}
	if f.Refund != nil {
		fields["mercRefundNo"], fields["sysRefundNo"], fields["refundOrderStatus"] = f.Refund.Number, f.Refund.Reference, huaweiRefundStatus(f.Refund.State)
		fields["refundAmount"], fields["payerRefundAmount"], fields["promotionRefundAmount"] = f.Refund.Amount, f.Refund.Amount, 0
		fields["finishTime"], fields["payload"] = f.Refund.At.In(beijing).Format(huaweiTime), f.Detail.Payload
	} else {
		fields["mercNo"], fields["appId"], fields["mercOrderNo"], fields["sysTransOrderNo"] = k.MerchantNumber, k.AppID, f.Number, f.Reference
		fields["orderStatus"], fields["totalAmount"] = huaweiStatus(f.State), f.Amount
		fields["payerAmount"], fields["promotionAmount"], fields["paymentTools"] = f.Amount, 0, "HUAWEIPAY"
		fields["payer"] = map[string]any{"userId": "sandbox"}
		if f.PaidAt != nil {
			fields["finishTime"] = f.PaidAt.In(beijing).Format(huaweiTime)
		}
	}
	var err error
	if fields["sign"], err = k.sign(ctx, fields, n.Forged); err != nil {
		return letter{}, err
	}
	return letter{map[string]string{"Content-Type": "application/json;charset=UTF-8"}, rawJSON(fields)}, nil
}
