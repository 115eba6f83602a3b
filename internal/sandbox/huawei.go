package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"paydesk/models"
)

// HuaweiPayPath is the gateway's, under the address the process listens on.
const HuaweiPayPath = "/sandbox/huawei"

func huaweiProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelHuaweiPay},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			mux.HandleFunc("POST "+HuaweiPayPath+"/api/v2/aggr/preorder/create/app", s.huawei((*Sandbox).huaweiPreorder))
			mux.HandleFunc("GET "+HuaweiPayPath+"/api/v2/aggr/transactions/merc-orders/{number}", s.huawei((*Sandbox).huaweiQuery))
			mux.HandleFunc("POST "+HuaweiPayPath+"/api/v1/aggr/transactions/orders/close", s.huawei((*Sandbox).huaweiClose))
			mux.HandleFunc("POST "+HuaweiPayPath+"/api/v1/aggr/transactions/refunds", s.huawei((*Sandbox).huaweiRefund))
			mux.HandleFunc("GET "+HuaweiPayPath+"/api/v1/aggr/transactions/refunds/orders/{reference}", s.huawei((*Sandbox).huaweiQueryRefund))
			mux.HandleFunc("GET "+HuaweiPayPath+"/api/v1/aggr/transactions/refunds/merc-orders/{number}", s.huawei((*Sandbox).huaweiQueryRefund))
			mux.HandleFunc("GET "+HuaweiPayPath+"/api/v1/bill/trade-bill/downloadInfo", s.huawei((*Sandbox).huaweiBillInfo))
			mux.HandleFunc("GET "+HuaweiPayPath+"/bill", s.misbehaving(models.ChannelHuaweiPay, s.huaweiBill))
			mux.HandleFunc(HuaweiPayPath+"/pay", s.huaweiPage)
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.huaweiKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return huaweiLetter(ctx, k, n, f)
		},
		acknowledged: func(status int, body []byte) bool {
			return status == http.StatusOK && string(body) == `{"resultCode":"000000","resultDesc":"Success."}`
		},
		page: payerView{App: "Huawei Pay", AppZH: "花瓣支付", Look: "blue"},
	}
}

// huaweiDrift is how far a request's timestamp may be off.
const huaweiDrift = 5 * time.Minute

// huaweiTime is that of expireTime and finishTime.
const huaweiTime = "2006-01-02T15:04:05.000-0700"

// huaweiAnswer is an answer before it is signed.
type huaweiAnswer map[string]any

func huaweiSuccess(fields huaweiAnswer) huaweiAnswer {
	fields["resultCode"], fields["resultDesc"] = "000000", "Success."
	return fields
}

// huaweiBusiness refuses what a request asks for.
func huaweiBusiness(sub, text string) huaweiAnswer {
	return huaweiAnswer{"resultCode": "400000", "resultDesc": "业务处理失败", "subCode": sub, "subDesc": text}
}

// huaweiRequest is a verified request; in has the fields of its body.
type huaweiRequest struct {
	keys *huaweiKeys
	http *http.Request
	body []byte
}

// huaweiOperation is one of the API's on a verified request.
type huaweiOperation func(s *Sandbox, ctx context.Context, r huaweiRequest) (huaweiAnswer, error)

// huawei verifies the request, performs it and signs the answer. Refusals of the gateway itself are not signed.
func (s *Sandbox) huawei(perform huaweiOperation) http.HandlerFunc {
	return s.misbehaving(models.ChannelHuaweiPay, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "body too long", http.StatusRequestEntityTooLarge)
			return
		}
		k, err := s.huaweiKeys(r.Context())
		if err != nil {
			s.failed(w, r, err)
			return
		}
		answer := huaweiCheck(k, r, body)
		if answer == nil {
			if answer, err = perform(s, r.Context(), huaweiRequest{k, r, body}); err != nil {
				s.failed(w, r, err)
				return
			}
			if answer["sign"], err = k.sign(r.Context(), answer, false); err != nil {
				s.failed(w, r, err)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.Write(rawJSON(answer))
	})
}

// huaweiCheck judges the header PayMercAuth; nil means fine. bodySign is over the body's fields, of a GET over path and query; headerSign
// over the header's other fields.
func huaweiCheck(k *huaweiKeys, r *http.Request, body []byte) huaweiAnswer {
	refuse := func(result, desc, sub string) huaweiAnswer {
		return huaweiAnswer{"resultCode": result, "resultDesc": desc, "subCode": sub, "subDesc": desc}
	}
	head, err := huaweiObject([]byte(r.Header.Get("PayMercAuth")))
	if err != nil {
		return refuse("200000", "缺少必选参数", "MISSING_AUTH_HEADER")
	}
	for name, sub := range map[string]string{"callerId": "MISSING_CALLER_ID", "traceId": "MISSING_TRACER_ID", "time": "MISSING_TIME", "authId": "MISSING_AUTH_ID",
		"headerSign": "MISSING_HEADER_SIGN", "bodySign": "MISSING_BODY_SIGN"} {
		if head[name] == nil || head[name] == "" {
			return refuse("200000", "缺少必选参数", sub)
		}
	}
	at, _ := head["time"].(json.Number)
	millis, err := at.Int64()
	signed := strings.TrimPrefix(r.URL.RequestURI(), HuaweiPayPath)
	if r.Method != http.MethodGet {
		fields, err := huaweiObject(body)
		if err != nil {
			return refuse("200001", "非法的参数", "INVALID_PARAMETER")
		}
		signed = huaweiText(fields, "sign")
	}
	headerSign, _ := head["headerSign"].(string)
	bodySign, _ := head["bodySign"].(string)
	switch {
	case err != nil || time.Since(time.UnixMilli(millis)).Abs() > huaweiDrift:
		return refuse("200001", "非法的参数", "INVALID_TIME")
	case head["callerId"] != k.MerchantNumber:
		return refuse("200001", "非法的参数", "INVALID_CALLER_ID")
	case head["authId"] != k.AuthID:
		return refuse("200001", "非法的参数", "INVALID_AUTH_ID")
	case !k.merchantSigned(huaweiText(head, "headerSign"), headerSign) || !k.merchantSigned(signed, bodySign):
		return refuse("200002", "签名错误", "INVALID_SIGNATURE")
	}
	return nil
}

func huaweiObject(text []byte) (fields map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&fields)
	if err == nil && fields == nil {
		err = errors.New("null")
	}
	return fields, err
}

var huaweiNumber = regexp.MustCompile(`^[0-9A-Za-z_-]{1,46}$`)

// huaweiPreorder makes a pre-order, or finds the one that has the number. The wallet's trade begins when it is opened.
func (s *Sandbox) huaweiPreorder(ctx context.Context, r huaweiRequest) (huaweiAnswer, error) {
	var in struct {
		AppID        string `json:"appId"`
		MercNo       string `json:"mercNo"`
		MercOrderNo  string `json:"mercOrderNo"`
		TradeSummary string `json:"tradeSummary"`
		TotalAmount  int64  `json:"totalAmount"`
		Currency     string `json:"currency"`
		CallbackURL  string `json:"callbackUrl"`
		ExpireTime   string `json:"expireTime"`
	}
	err := json.Unmarshal(r.body, &in)
	end, ok := s.huaweiEnd(in.ExpireTime)
	switch {
	case err != nil || !ok || !huaweiNumber.MatchString(in.MercOrderNo) || in.TotalAmount < 1 || (in.Currency != "" && in.Currency != "CNY") ||
		in.TradeSummary == "" || len([]rune(in.TradeSummary)) > 128 || in.CallbackURL == "" || len(in.CallbackURL) > 512:
		return huaweiBusiness("INVALID_ARGUMENTS", "参数不合法"), nil
	case in.MercNo != r.keys.MerchantNumber:
		return huaweiBusiness("INVALID_MERCNO", "无效商户号"), nil
	case in.AppID != r.keys.AppID:
		return huaweiBusiness("INVALID_APPID", "appId不匹配"), nil
	}
	t, err := s.register(ctx, trade{Channel: models.ChannelHuaweiPay, Number: in.MercOrderNo, Reference: newReference("124"), Amount: in.TotalAmount,
		Currency: "CNY", Subject: in.TradeSummary, Status: created, NotifyURL: in.CallbackURL, ExpiresAt: end})
	if err != nil {
		return nil, err
	}
	if state := t.at(s.clock.Now()); (state != created && state != waiting) || t.Amount != in.TotalAmount {
		return huaweiBusiness("CHECK_ORDER_STATUS", "订单状态异常"), nil
	}
	return huaweiSuccess(huaweiAnswer{"prepayId": t.Token, "mercOrderNo": t.Number}), nil
}

// huaweiEnd is the end of an order: two hours from now unless it is told, 180 days at most.
func (s *Sandbox) huaweiEnd(text string) (*time.Time, bool) {
	now := s.clock.Now()
	end := now.Add(2 * time.Hour)
	if text == "" {
		return &end, true
	}
	end, err := time.Parse(huaweiTime, text)
	end = end.UTC()
	return &end, err == nil && end.Sub(now) <= 180*24*time.Hour
}

// huaweiQuery tells of an order that a wallet has opened; before, there is none.
func (s *Sandbox) huaweiQuery(ctx context.Context, r huaweiRequest) (huaweiAnswer, error) {
	t, err := s.find(ctx, models.ChannelHuaweiPay, r.http.PathValue("number"))
	if errors.Is(err, errNoTrade) || (err == nil && t.at(s.clock.Now()) == created) {
		return huaweiBusiness("MERC_ORDER_NOT_EXIST", "商户订单号不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	if behaviourIn(ctx).Call == wrongAmount {
		t.Amount++
	}
	state := t.at(s.clock.Now())
	answer := huaweiSuccess(huaweiAnswer{"mercNo": r.keys.MerchantNumber, "appId": r.keys.AppID, "mercOrderNo": t.Number, "sysTransOrderNo": t.Reference,
		"orderStatus": huaweiStatus(state), "currency": t.Currency, "totalAmount": t.Amount})
	if state == paid {
		answer["payerAmount"], answer["promotionAmount"], answer["paymentTools"] = t.Amount, 0, "HUAWEIPAY"
		answer["finishTime"] = t.PaidAt.In(beijing).Format(huaweiTime)
	}
	return answer, nil
}

func huaweiStatus(state status) string {
	switch state {
	case paid:
		return "TRX_SUCCESS"
	case closed, declined, expired:
		return "TRX_FAILED"
	}
	return "TRX_PROC"
}

// huaweiClose ends an unpaid order, and a pre-order that nobody has opened.
func (s *Sandbox) huaweiClose(ctx context.Context, r huaweiRequest) (huaweiAnswer, error) {
	var in struct {
		MercOrderNo string `json:"mercOrderNo"`
	}
	if err := json.Unmarshal(r.body, &in); err != nil || in.MercOrderNo == "" {
		return huaweiBusiness("INVALID_ARGUMENTS", "参数不合法"), nil
	}
	t, err := s.find(ctx, models.ChannelHuaweiPay, in.MercOrderNo)
	if errors.Is(err, errNoTrade) {
		return huaweiBusiness("MERC_ORDER_NOT_EXIST", "商户订单号不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	done, err := s.closeTrade(ctx, t)
	if err == nil && !done {
		t, err = s.find(ctx, models.ChannelHuaweiPay, in.MercOrderNo)
	}
	switch {
	case err != nil:
		return nil, err
	case !done && t.Status != closed:
		return huaweiBusiness("CHECK_ORDER_STATUS", "订单状态异常"), nil
	}
	return huaweiSuccess(huaweiAnswer{}), nil
}
