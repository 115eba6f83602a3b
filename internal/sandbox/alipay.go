package sandbox

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// beijing is the zone of every time in Alipay's protocol.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

const (
	alipayTime  = "2006-01-02 15:04:05"
	alipayDrift = 15 * time.Minute // how far a request's timestamp may be off
)

// AlipayPath is the gateway's, under the address the process listens on.
const AlipayPath = "/sandbox/alipay/gateway.do"

func alipayProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelAlipay},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			mux.HandleFunc(AlipayPath, s.misbehaving(models.ChannelAlipay, s.alipayGateway))
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.alipayKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return alipayLetter(k, n, f)
		},
		acknowledged:   func(status int, body []byte) bool { return status == http.StatusOK && string(body) == "success" }, // exactly the word
		tellsRefund:    func(to status) bool { return to == refundDone },
		refundsAtTrade: true,
		page:           payerView{App: "Alipay", AppZH: "支付宝", Look: "blue"},
	}
}

// alipayAnswer is the inner object of a response.
type alipayAnswer map[string]any

func alipayRefusal(code, msg, subCode, subMsg string) alipayAnswer {
	return alipayAnswer{"code": code, "msg": msg, "sub_code": subCode, "sub_msg": subMsg}
}

func alipayBusiness(subCode, subMsg string) alipayAnswer {
	return alipayRefusal("40004", "Business Failed", subCode, subMsg)
}

func alipaySuccess(fields alipayAnswer) alipayAnswer {
	fields["code"], fields["msg"] = "10000", "Success"
	return fields
}

// alipayMethods are the interfaces the gateway knows.
var alipayMethods = map[string]func(s *Sandbox, ctx context.Context, r alipayRequest) (alipayAnswer, error){
	"alipay.trade.precreate": (*Sandbox).alipayPrecreate,
	"alipay.trade.query":     (*Sandbox).alipayQuery,
	"alipay.trade.close":     (*Sandbox).alipayClose,
	"alipay.trade.refund":    (*Sandbox).alipayRefund,

	"alipay.trade.fastpay.refund.query": (*Sandbox).alipayQueryRefund,
}

// alipayRequest is a verified request.
type alipayRequest struct {
	keys      *alipayKeys
	notifyURL string
	biz       struct {
		OutTradeNo     string `json:"out_trade_no"`
		TradeNo        string `json:"trade_no"`
		TotalAmount    string `json:"total_amount"`
		Subject        string `json:"subject"`
		SellerID       string `json:"seller_id"`
		TimeExpire     string `json:"time_expire"`
		TimeoutExpress string `json:"timeout_express"`
		OutRequestNo   string `json:"out_request_no"`
		RefundAmount   string `json:"refund_amount"`
		RefundReason   string `json:"refund_reason"`
	}
}

// alipayGateway is gateway.do: public parameters in the address or the body, biz_content in JSON, signed with RSA2.
func (s *Sandbox) alipayGateway(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	k, err := s.alipayKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	name := "error_response"
	method, known := alipayMethods[r.Form.Get("method")]
	if known {
		name = strings.ReplaceAll(r.Form.Get("method"), ".", "_") + "_response"
	}
	answer := alipayCheck(k, r.Form, known)
	if answer == nil {
		req := alipayRequest{keys: k, notifyURL: r.Form.Get("notify_url")}
		if err := json.Unmarshal([]byte(r.Form.Get("biz_content")), &req.biz); err != nil {
			answer = alipayRefusal("40002", "Invalid Arguments", "isv.invalid-parameter", "biz_content is not readable")
		} else if answer, err = method(s, r.Context(), req); err != nil {
			s.failed(w, r, err)
			return
		}
	}
	alipayReply(w, k.platform, name, answer)
}

// alipayCheck judges what is common to all requests; nil means fine.
func alipayCheck(k *alipayKeys, form url.Values, known bool) alipayAnswer {
	bad := func(code, text string) alipayAnswer { return alipayRefusal("40002", "Invalid Arguments", code, text) }
	at, err := time.ParseInLocation(alipayTime, form.Get("timestamp"), beijing)
	switch {
	case form.Get("app_id") != k.AppID:
		return bad("isv.invalid-app-id", "无效的AppID参数")
	case form.Get("sign_type") != "RSA2":
		return bad("isv.invalid-signature-type", "无效的签名类型")
	case form.Get("sign") == "":
		return alipayRefusal("40001", "Missing Required Arguments", "isv.missing-signature", "缺少签名参数")
	case !verified(&k.merchant.PublicKey, alipayCanonical(form, false), form.Get("sign")):
		return bad("isv.invalid-signature", "验签出错")
	case err != nil || time.Since(at).Abs() > alipayDrift:
		return bad("isv.invalid-timestamp", "非法的时间戳参数")
	case !known:
		return bad("isv.invalid-method", "不存在的方法名")
	}
	return nil
}

// alipayCanonical is what is signed: sorted k=v joined by &, unescaped. Requests leave out sign and what is empty;
// notifications leave out sign and sign_type and keep what is empty.
func alipayCanonical(form url.Values, notification bool) []byte {
	var pairs []string
	for k, vs := range form {
		for _, v := range vs {
			switch {
			case k == "sign", notification && k == "sign_type", !notification && v == "":
			default:
				pairs = append(pairs, k+"="+v)
			}
		}
	}
	slices.Sort(pairs)
	return []byte(strings.Join(pairs, "&"))
}

// alipayReply signs the inner object's bytes and sends the very same bytes.
func alipayReply(w http.ResponseWriter, key *rsa.PrivateKey, name string, answer alipayAnswer) {
	inner := rawJSON(answer)
	sig, err := sign(key, inner)
	if err != nil {
		http.Error(w, "not signed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write([]byte(`{"` + name + `":` + string(inner) + `,"sign":"` + sig + `"}`))
}

// rawJSON marshals without escaping <, > and &, as the providers do.
func rawJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // maps of strings always marshal
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

var alipayNumber = regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)

// alipayPrecreate makes a QR code, or gives the same one again for the same number.
func (s *Sandbox) alipayPrecreate(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	amount, err := money.Parse(r.biz.TotalAmount, "CNY")
	switch {
	case err != nil || amount.Minor < 1 || amount.Minor > 100_000_000_00:
		return alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: total_amount"), nil
	case !alipayNumber.MatchString(r.biz.OutTradeNo) || r.biz.Subject == "" || len([]rune(r.biz.Subject)) > 256:
		return alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: out_trade_no, subject"), nil
	case r.biz.SellerID != "" && r.biz.SellerID != r.keys.SellerID:
		return alipayBusiness("ACQ.SELLER_NOT_EXIST", "卖家不存在"), nil
	}
	end, ok := s.alipayEnd(r)
	if !ok {
		return alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: time_expire, timeout_express"), nil
	}
	t, err := s.register(ctx, trade{Channel: models.ChannelAlipay, Number: r.biz.OutTradeNo, Reference: newReference(""),
		Amount: amount.Minor, Currency: "CNY", Subject: r.biz.Subject, Status: created, NotifyURL: r.notifyURL, ExpiresAt: end})
	switch {
	case err != nil:
		return nil, err
	case t.Amount != amount.Minor:
		return alipayBusiness("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"), nil
	}
	switch t.at(s.clock.Now()) {
	case paid:
		return alipayBusiness("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"), nil
	case closed, declined, expired:
		return alipayBusiness("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"), nil
	}
	return alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "qr_code": s.payerURL(t.Token)}), nil
}

// alipayEnd is the end of the trade's validity: absolute, or in minutes, hours or days from now; two hours by default,
// as long as an unscanned code lives.
func (s *Sandbox) alipayEnd(r alipayRequest) (*time.Time, bool) {
	if text := r.biz.TimeExpire; text != "" {
		end, err := time.ParseInLocation(alipayTime, text, beijing)
		end = end.UTC()
		return &end, err == nil
	}
	text := r.biz.TimeoutExpress
	if text == "" {
		text = "2h"
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text = days + "h"
	}
	d, err := time.ParseDuration(text)
	if strings.HasSuffix(r.biz.TimeoutExpress, "d") {
		d *= 24
	}
	end := s.clock.Now().Add(d)
	return &end, err == nil && d >= time.Minute && d <= 15*24*time.Hour
}

// alipayQuery tells of a trade; a code nobody has scanned is no trade yet.
func (s *Sandbox) alipayQuery(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	t, err := s.find(ctx, models.ChannelAlipay, r.biz.OutTradeNo)
	if errors.Is(err, errNoTrade) || (err == nil && t.ScannedAt == nil) {
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	b, err := s.behaviour(ctx, models.ChannelAlipay)
	if err != nil {
		return nil, err
	}
	if b.Call == wrongAmount {
		t.Amount++
	}
	state := t.at(s.clock.Now())
	word := alipayStatus(state)
	if state == paid && t.Refunded == t.Amount {
		word = "TRADE_CLOSED" // all of it went back
	}
	answer := alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "trade_no": t.Reference, "trade_status": word,
		"total_amount": money.New(t.Amount, "CNY").Decimal(), "buyer_logon_id": "pay***@sandbox.example"})
	if state == paid {
		answer["send_pay_date"] = t.PaidAt.In(beijing).Format(alipayTime)
	}
	return answer, nil
}

func alipayStatus(state status) string {
	switch state {
	case paid:
		return "TRADE_SUCCESS"
	case closed, declined, expired:
		return "TRADE_CLOSED"
	}
	return "WAIT_BUYER_PAY"
}

// alipayClose ends an unpaid trade. An unscanned code is revoked as well, so that what was cancelled stays unpaid, and
// answered as Alipay does: there is no such trade.
func (s *Sandbox) alipayClose(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	t, err := s.find(ctx, models.ChannelAlipay, r.biz.OutTradeNo)
	if errors.Is(err, errNoTrade) {
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	done := false
	state := t.at(s.clock.Now())
	if state == created || state == waiting {
		if done, err = s.closeTrade(ctx, t); err != nil {
			return nil, err
		}
	}
	switch {
	case t.ScannedAt == nil && (done || state != created):
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	case !done:
		return alipayBusiness("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态不合法"), nil
	}
	return alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "trade_no": t.Reference}), nil
}

// alipayLetter is the asynchronous notification: a form, every field of it signed, empty ones too.
func alipayLetter(k *alipayKeys, n notification, f fact) (letter, error) {
	id := k
	amount := money.New(f.Amount, "CNY").Decimal()
	form := url.Values{}
	for key, value := range map[string]string{
		"notify_type": "trade_status_sync", "notify_id": n.NotifyID, "notify_time": wall().In(beijing).Format(alipayTime),
		"charset": "utf-8", "version": "1.0", "sign_type": "RSA2", "app_id": id.AppID, "auth_app_id": id.AppID,
		"seller_id": id.SellerID, "out_trade_no": f.Number, "trade_no": f.Reference, "trade_status": alipayStatus(f.State),
		"total_amount": amount, "subject": f.Subject, "body": "", "buyer_id": "2088000000000000",
		"gmt_create": f.CreatedAt.In(beijing).Format(alipayTime),
	} {
		form.Set(key, value)
	}
	if f.State == paid && f.PaidAt != nil {
		form.Set("gmt_payment", f.PaidAt.In(beijing).Format(alipayTime))
		form.Set("receipt_amount", amount)
		form.Set("buyer_pay_amount", amount)
	} else if f.ClosedAt != nil {
		form.Set("gmt_close", f.ClosedAt.In(beijing).Format(alipayTime))
	}
	if f.Refund != nil {
		alipayRefunded(form, f)
	}
	key := k.platform
	if n.Forged {
		key = k.merchant // anybody's key but Alipay's
	}
	sig, err := sign(key, alipayCanonical(form, true))
	form.Set("sign", sig)
	return letter{map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, []byte(form.Encode())}, err
}
