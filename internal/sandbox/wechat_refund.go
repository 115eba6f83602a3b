package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"paydesk/models"
)

// wechatRefund accepts a refund: PROCESSING at first, whatever comes of it; the same number again is the same refund as it now stands.
func (s *Sandbox) wechatRefund(ctx context.Context, _ *wechatKeys, _ *http.Request, body []byte) (wechatAnswer, error) {
	var in struct {
		OutTradeNo  string `json:"out_trade_no"`
		OutRefundNo string `json:"out_refund_no"`
		Reason      string `json:"reason"`
		NotifyURL   string `json:"notify_url"`
		Amount      struct {
			Refund   int64  `json:"refund"`
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}
	if err := json.Unmarshal(body, &in); err != nil || !wechatNumber.MatchString(in.OutRefundNo) || in.Amount.Refund < 1 || in.Amount.Currency != "CNY" || len(in.Reason) > 80 {
		return wechatRefusal(http.StatusBadRequest, "PARAM_ERROR", "out_refund_no, amount, reason"), nil
	}
	t, err := s.find(ctx, models.ChannelWeChatPay, in.OutTradeNo)
	if errors.Is(err, errNoTrade) {
		return wechatRefusal(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "订单不存在"), nil
	}
	if err != nil {
		return wechatAnswer{}, err
	}
	if behaviourIn(ctx).Call == refundLimited {
		return wechatRefusal(http.StatusTooManyRequests, "FREQUENCY_LIMITED", "单笔订单请求频率过高，请于1分钟后重试"), nil
	}
	if in.Amount.Total != t.Amount {
		return wechatRefusal(http.StatusBadRequest, "INVALID_REQUEST", "订单总金额与支付时不一致"), nil
	}
	made, fresh, err := s.giveBack(ctx, refund{Channel: models.ChannelWeChatPay, Number: in.OutRefundNo, Trade: in.OutTradeNo, Reference: newReference("5030"),
		Amount: in.Amount.Refund, Reason: in.Reason, NotifyURL: in.NotifyURL})
	switch {
	case errors.Is(err, errUnpaid):
		return wechatRefusal(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "订单未支付"), nil
	case errors.Is(err, errTooMuch):
		return wechatRefusal(http.StatusForbidden, "NOT_ENOUGH", "可退金额不足"), nil
	case errors.Is(err, errDifferent):
		return wechatRefusal(http.StatusBadRequest, "INVALID_REQUEST", "退款单号重复，参数与首次请求不一致"), nil
	case err != nil:
		return wechatAnswer{}, err
	}
	now := wall()
	if fresh {
		now = time.Time{} // accepted, no more than that
	}
	return wechatAnswer{http.StatusOK, wechatRefundObject(t, made, now)}, nil
}

func (s *Sandbox) wechatQueryRefund(ctx context.Context, _ *wechatKeys, r *http.Request, _ []byte) (wechatAnswer, error) {
	made, err := s.readRefund(ctx, "channel = ? AND refund_number = ?", string(models.ChannelWeChatPay), r.PathValue("number"))
	if errors.Is(err, errNoTrade) {
		return wechatRefusal(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "退款单不存在"), nil
	}
	if err != nil {
		return wechatAnswer{}, err
	}
	t, err := s.find(ctx, models.ChannelWeChatPay, made.Trade)
	return wechatAnswer{http.StatusOK, wechatRefundObject(t, made, wall())}, err
}

// wechatRefundObject is the refund of answers, as it stands at a moment.
func wechatRefundObject(t trade, r refund, now time.Time) map[string]any {
	state := r.at(now)
	out := map[string]any{"refund_id": r.Reference, "out_refund_no": r.Number, "transaction_id": t.Reference, "out_trade_no": t.Number, "channel": "ORIGINAL",
		"user_received_account": "支付用户零钱", "create_time": r.CreatedAt.In(beijing).Format(time.RFC3339), "status": wechatRefundState(state), "funds_account": "AVAILABLE",
		"amount": map[string]any{"total": t.Amount, "refund": r.Amount, "payer_total": t.Amount, "payer_refund": r.Amount, "settlement_refund": r.Amount,
			"settlement_total": t.Amount, "discount_refund": 0, "currency": t.Currency}}
	if state == refundDone {
		out["success_time"] = r.ReadyAt.In(beijing).Format(time.RFC3339)
	}
	return out
}

// wechatRefundNotice is what a REFUND.* notification seals: it names no application and no currency.
func wechatRefundNotice(k *wechatKeys, f fact) map[string]any {
	out := map[string]any{"mchid": k.MchID, "transaction_id": f.Reference, "out_trade_no": f.Number, "refund_id": f.Refund.Reference,
		"out_refund_no": f.Refund.Number, "refund_status": wechatRefundState(f.Refund.State), "user_received_account": "支付用户零钱",
		"amount": map[string]any{"total": f.Amount, "refund": f.Refund.Amount, "payer_total": f.Amount, "payer_refund": f.Refund.Amount}}
	if f.Refund.State == refundDone {
		out["success_time"] = f.Refund.At.In(beijing).Format(time.RFC3339)
	}
	return out
}

func wechatRefundState(s status) string {
	switch s {
	case refundDone:
		return "SUCCESS"
	case refundFailed:
		return "CLOSED"
	case refundStuck:
		return "ABNORMAL"
	}
	return "PROCESSING"
}
