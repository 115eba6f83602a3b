package sandbox

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

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
			call := s.misbehaving(models.ChannelAlipay, s.alipayGateway)
			mux.HandleFunc(AlipayPath, func(w http.ResponseWriter, r *http.Request) {
				if product, ok := alipayPages[r.FormValue("method")]; ok {
					s.alipayPage(w, r, product) // a payer's browser, not the merchant
					return
				}
				call(w, r)
			})
			mux.HandleFunc("GET "+alipayBillPath, s.misbehaving(models.ChannelAlipay, s.alipayBillFile))
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.alipayKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return alipayLetter(ctx, k, n, f)
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

	"alipay.data.dataservice.bill.downloadurl.query": (*Sandbox).alipayBill,
}

// alipayRequest is a verified request.
type alipayRequest struct {
	keys                 *alipayKeys
	notifyURL, returnURL string
	own                  string // the sandbox's address, as the caller has it
	biz                  struct {
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
		ProductCode    string `json:"product_code"`
		BillType       string `json:"bill_type"`
		BillDate       string `json:"bill_date"`
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
	req, answer := alipayRead(k, r, known)
	if answer == nil {
		if answer, err = method(s, r.Context(), req); err != nil {
			s.failed(w, r, err)
			return
		}
	}
	alipayReply(w, k.signer(spoils(r.Context())), name, answer)
}

// alipayRead checks a request and opens its content; an answer is a refusal.
func alipayRead(k *alipayKeys, r *http.Request, known bool) (req alipayRequest, refusal alipayAnswer) {
	if refusal = alipayCheck(k, r.Form, known); refusal != nil {
		return req, refusal
	}
	req = alipayRequest{keys: k, notifyURL: r.Form.Get("notify_url"), returnURL: r.Form.Get("return_url"), own: ownURL(r)}
	if err := json.Unmarshal([]byte(r.Form.Get("biz_content")), &req.biz); err != nil {
		return req, alipayRefusal("40002", "Invalid Arguments", "isv.invalid-parameter", "biz_content is not readable")
	}
	return req, nil
}

// alipayCheck judges what is common to all requests; nil means fine. A payer opens a page when it suits him: there the trade's own end
// counts, not the time of signing.
func alipayCheck(k *alipayKeys, form url.Values, known bool) alipayAnswer {
	bad := func(code, text string) alipayAnswer { return alipayRefusal("40002", "Invalid Arguments", code, text) }
	at, err := time.ParseInLocation(alipayTime, form.Get("timestamp"), beijing)
	_, page := alipayPages[form.Get("method")]
	switch {
	case form.Get("app_id") != k.AppID:
		return bad("isv.invalid-app-id", "无效的AppID参数")
	case form.Get("sign_type") != "RSA2":
		return bad("isv.invalid-signature-type", "无效的签名类型")
	case form.Get("sign") == "":
		return alipayRefusal("40001", "Missing Required Arguments", "isv.missing-signature", "缺少签名参数")
	case !verified(&k.merchant.PublicKey, alipayCanonical(form, false), form.Get("sign")):
		return bad("isv.invalid-signature", "验签出错")
	case err != nil || !page && time.Since(at).Abs() > alipayDrift:
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
