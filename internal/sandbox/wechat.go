package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"paydesk/models"
)

// WeChatPayPath is the API's, under the address the process listens on.
const WeChatPayPath = "/sandbox/wechat"

func wechatProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelWeChatPay},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			mux.HandleFunc("POST "+WeChatPayPath+"/v3/pay/transactions/native", s.wechat((*Sandbox).wechatPrepay))
			mux.HandleFunc("GET "+WeChatPayPath+"/v3/pay/transactions/out-trade-no/{number}", s.wechat((*Sandbox).wechatQuery))
			mux.HandleFunc("POST "+WeChatPayPath+"/v3/pay/transactions/out-trade-no/{number}/close", s.wechat((*Sandbox).wechatClose))
			mux.HandleFunc("POST "+WeChatPayPath+"/v3/refund/domestic/refunds", s.wechat((*Sandbox).wechatRefund))
			mux.HandleFunc("GET "+WeChatPayPath+"/v3/refund/domestic/refunds/{number}", s.wechat((*Sandbox).wechatQueryRefund))
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.wechatKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return wechatLetter(k, n, f)
		},
		acknowledged: succeeded2xx,
		tells:        func(to status) bool { return to != declined }, // a refused payment is found by asking
		page:         payerView{App: "WeChat Pay", AppZH: "微信支付", Look: "green"},
	}
}

// wechatDrift is how far a request's timestamp may be off.
const wechatDrift = 5 * time.Minute

// wechatAnswer is a response before it is signed; Body nil is an empty one.
type wechatAnswer struct {
	Status int
	Body   any
}

func wechatRefusal(status int, code, message string) wechatAnswer {
	return wechatAnswer{status, map[string]string{"code": code, "message": message}}
}

// wechatOperation is an API v3 operation on a verified request.
type wechatOperation func(s *Sandbox, ctx context.Context, k *wechatKeys, r *http.Request, body []byte) (wechatAnswer, error)

// wechat verifies the request, performs it and signs the answer.
func (s *Sandbox) wechat(perform wechatOperation) http.HandlerFunc {
	return s.misbehaving(models.ChannelWeChatPay, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "body too long", http.StatusRequestEntityTooLarge)
			return
		}
		k, err := s.wechatKeys(r.Context())
		if err != nil {
			s.failed(w, r, err)
			return
		}
		answer := wechatRefusal(http.StatusUnauthorized, "SIGN_ERROR", "签名错误")
		if wechatSigned(k, r, body) {
			if answer, err = perform(s, r.Context(), k, r, body); err != nil {
				s.failed(w, r, err)
				return
			}
		}
		wechatReply(w, k, answer)
	})
}

var wechatAuthorization = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// wechatSigned checks WECHATPAY2-SHA256-RSA2048 mchid, nonce_str, timestamp, serial_no, signature: the signature is over
// method, path with query, time, nonce and body, a line each. The path is the provider's, without our prefix.
func wechatSigned(k *wechatKeys, r *http.Request, body []byte) bool {
	list, ok := strings.CutPrefix(r.Header.Get("Authorization"), "WECHATPAY2-SHA256-RSA2048 ")
	if !ok {
		return false
	}
	f := map[string]string{}
	for _, m := range wechatAuthorization.FindAllStringSubmatch(list, -1) {
		f[m[1]] = m[2]
	}
	at, err := strconv.ParseInt(f["timestamp"], 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > wechatDrift {
		return false
	}
	id := k
	if f["mchid"] != id.MchID || f["serial_no"] != id.Serial || f["nonce_str"] == "" {
		return false
	}
	path := strings.TrimPrefix(r.URL.RequestURI(), WeChatPayPath)
	message := r.Method + "\n" + path + "\n" + f["timestamp"] + "\n" + f["nonce_str"] + "\n" + string(body) + "\n"
	return verified(&k.merchant.PublicKey, []byte(message), f["signature"])
}

// wechatSign makes the four headers over time, nonce and body.
func wechatSign(k *wechatKeys, body []byte, forged bool) (map[string]string, error) {
	at, nonce := strconv.FormatInt(time.Now().Unix(), 10), upperHex(16)
	key := k.platform
	if forged {
		key = k.merchant // anybody's key but WeChat Pay's
	}
	sig, err := sign(key, []byte(at+"\n"+nonce+"\n"+string(body)+"\n"))
	return map[string]string{"Wechatpay-Timestamp": at, "Wechatpay-Nonce": nonce, "Wechatpay-Signature": sig,
		"Wechatpay-Serial": k.PublicKeyID}, err
}

func wechatReply(w http.ResponseWriter, k *wechatKeys, a wechatAnswer) {
	var body []byte
	if a.Body != nil {
		body = rawJSON(a.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	headers, err := wechatSign(k, body, false)
	if err != nil {
		http.Error(w, "not signed", http.StatusInternalServerError)
		return
	}
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	w.Header().Set("Request-Id", upperHex(12))
	w.WriteHeader(a.Status)
	w.Write(body)
}

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
	end, badEnd := wechatEnd(in.TimeExpire)
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

func wechatEnd(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	end = end.UTC()
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
	b, err := s.behaviour(ctx, models.ChannelWeChatPay)
	if err != nil {
		return wechatAnswer{}, err
	}
	if b.Call == wrongAmount {
		t.Amount++
	}
	answer := wechatTransaction(k, fact{Number: t.Number, Reference: t.Reference, Amount: t.Amount,
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
	if _, err := s.closeTrade(ctx, t); err != nil {
		return wechatAnswer{}, err
	}
	if t, err = s.find(ctx, t.Channel, t.Number); err != nil {
		return wechatAnswer{}, err
	}
	if t.Status == paid {
		return wechatRefusal(http.StatusBadRequest, "ORDERPAID", "该订单已支付"), nil
	}
	return wechatAnswer{http.StatusNoContent, nil}, nil
}

// wechatTransaction is the transaction object of queries and notifications.
func wechatTransaction(k *wechatKeys, f fact) map[string]any {
	id := k
	t := map[string]any{"appid": id.AppID, "mchid": id.MchID, "out_trade_no": f.Number,
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
