package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"paydesk/models"
)

var wechatNumber = regexp.MustCompile(`^[0-9A-Za-z_\-|*]{6,32}$`)

// wechatPrepay is Native prepay: a code_url, the same again for the same number and amount.
func (s *Sandbox) wechatPrepay(ctx context.Context, k *wechatKeys, _ *http.Request, body []byte) (wechatAnswer, error) {
	var in struct {
		AppID       string `json:"appid"`
		MchID       string `json:"mchid"`
		Description string `json:"description"`
		OutTradeNo  string `json:"out_trade_no"`
		TimeExpire  string `json:"time_expire"`
		NotifyURL   string `json:"notify_url"`
		Amount      struct {
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}
	param := func(text string) (wechatAnswer, error) {
		return wechatRefusal(http.StatusBadRequest, "PARAM_ERROR", text), nil
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return param("JSON")
	}
	end, badEnd := s.wechatEnd(in.TimeExpire)
	switch {
	case in.AppID != k.AppID || in.MchID != k.MchID:
		return wechatRefusal(http.StatusBadRequest, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配"), nil
	case !wechatNumber.MatchString(in.OutTradeNo):
		return param("out_trade_no")
	case in.Description == "" || len([]rune(in.Description)) > 127:
		return param("description")
	case in.Amount.Total < 1 || (in.Amount.Currency != "" && in.Amount.Currency != "CNY"):
		return param("amount")
	case in.NotifyURL == "" || strings.Contains(in.NotifyURL, "?"):
		return param("notify_url")
	case badEnd != nil:
		return param("time_expire")
	}
	t, err := s.register(ctx, trade{Channel: models.ChannelWeChatPay, Number: in.OutTradeNo, Reference: newReference("4200"),
		Amount: in.Amount.Total, Currency: "CNY", Subject: in.Description, Status: waiting, NotifyURL: in.NotifyURL, ExpiresAt: end})
	if err != nil {
		return wechatAnswer{}, err
	}
	switch {
	case t.Status == paid:
		return wechatRefusal(http.StatusBadRequest, "ORDERPAID", "该订单已支付"), nil
	case t.Status == closed || t.Status == declined:
		return wechatRefusal(http.StatusBadRequest, "ORDER_CLOSED", "该订单已关闭"), nil
	case t.Amount != in.Amount.Total:
		return wechatRefusal(http.StatusBadRequest, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致"), nil
	}
	return wechatAnswer{http.StatusOK, map[string]string{"code_url": s.payerURL(t.Token)}}, nil
}

// wechatEnd is when a trade can no longer be paid: as asked for, but not sooner than a minute from now.
func (s *Sandbox) wechatEnd(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	end = end.UTC()
	if soonest := s.clock.Now().Add(time.Minute).Truncate(time.Second); end.Before(soonest) {
		end = soonest
	}
	return &end, err
}

// wechatFind reads the trade an address names.
func (s *Sandbox) wechatFind(ctx context.Context, k *wechatKeys, r *http.Request, mchid string) (trade, *wechatAnswer, error) {
	if mchid != k.MchID {
		refusal := wechatRefusal(http.StatusBadRequest, "PARAM_ERROR", "mchid")
		return trade{}, &refusal, nil
	}
	t, err := s.find(ctx, models.ChannelWeChatPay, r.PathValue("number"))
	if errors.Is(err, errNoTrade) {
		refusal := wechatRefusal(http.StatusNotFound, "ORDER_NOT_EXIST", "订单不存在")
		return trade{}, &refusal, nil
	}
	return t, nil, err
}

// wechatQuery tells of a trade. One that has expired stays NOTPAY until the merchant closes it.
func (s *Sandbox) wechatQuery(ctx context.Context, k *wechatKeys, r *http.Request, _ []byte) (wechatAnswer, error) {
	t, refusal, err := s.wechatFind(ctx, k, r, r.URL.Query().Get("mchid"))
	if err != nil || refusal != nil {
		return deref(refusal), err
	}
	answer := wechatTransaction(k, fact{Number: t.Number, Reference: t.Reference, Amount: claimed(ctx, t.Amount),
		Currency: t.Currency, State: t.Status, PaidAt: t.PaidAt})
	if t.Refunded > 0 {
		answer["trade_state"] = "REFUND"
	}
	return wechatAnswer{http.StatusOK, answer}, nil
}

func deref(a *wechatAnswer) wechatAnswer {
	if a == nil {
		return wechatAnswer{}
	}
	return *a
}

// wechatClose ends an unpaid trade; closing a closed one succeeds.
func (s *Sandbox) wechatClose(ctx context.Context, k *wechatKeys, r *http.Request, body []byte) (wechatAnswer, error) {
	var in struct {
		MchID string `json:"mchid"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return wechatRefusal(http.StatusBadRequest, "PARAM_ERROR", "JSON"), nil
	}
	t, refusal, err := s.wechatFind(ctx, k, r, in.MchID)
	if err != nil || refusal != nil {
		return deref(refusal), err
	}
	done, err := s.closeTrade(ctx, t)
	if err != nil {
		return wechatAnswer{}, err
	}
	if t, err = s.find(ctx, t.Channel, t.Number); err != nil {
		return wechatAnswer{}, err
	}
	if t.Status == paid && !done {
		return wechatRefusal(http.StatusBadRequest, "ORDERPAID", "该订单已支付"), nil
	}
	return wechatAnswer{http.StatusNoContent, nil}, nil
}

// wechatTransaction is the transaction object of queries and notifications.
func wechatTransaction(k *wechatKeys, f fact) map[string]any {
	t := map[string]any{"appid": k.AppID, "mchid": k.MchID, "out_trade_no": f.Number,
		"trade_state": wechatState(f.State), "trade_state_desc": wechatState(f.State),
		"amount": map[string]any{"total": f.Amount, "currency": f.Currency}}
	if f.State == paid && f.PaidAt != nil {
		t["transaction_id"], t["trade_type"], t["bank_type"] = f.Reference, "NATIVE", "OTHERS"
		t["success_time"] = f.PaidAt.In(beijing).Format(time.RFC3339)
		t["payer"] = map[string]string{"openid": "o-sandbox-payer"}
		t["amount"] = map[string]any{"total": f.Amount, "payer_total": f.Amount, "currency": f.Currency, "payer_currency": f.Currency}
	}
	return t
}

func wechatState(state status) string {
	switch state {
	case paid:
		return "SUCCESS"
	case closed:
		return "CLOSED"
	case declined:
		return "PAYERROR"
	}
	return "NOTPAY"
}
