package sandbox

import (
	"context"
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
			mux.HandleFunc("GET "+WeChatPayPath+"/v3/bill/tradebill", s.wechat((*Sandbox).wechatBill))
			mux.HandleFunc("GET "+wechatBillPath, s.misbehaving(models.ChannelWeChatPay, s.wechatBillFile))
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.wechatKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return wechatLetter(ctx, k, n, f)
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
		if wechatSigned(k, r, strings.TrimPrefix(r.URL.RequestURI(), WeChatPayPath), body) {
			if answer, err = perform(s, r.Context(), k, r, body); err != nil {
				s.failed(w, r, err)
				return
			}
		}
		wechatReply(r.Context(), w, k, answer)
	})
}

var wechatAuthorization = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// wechatSigned checks WECHATPAY2-SHA256-RSA2048 mchid, nonce_str, timestamp, serial_no, signature: the signature is over
// method, path with query, time, nonce and body, a line each. The path is the provider's, without our prefix; of an address that the
// sandbox itself has handed out, with it.
func wechatSigned(k *wechatKeys, r *http.Request, path string, body []byte) bool {
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
	if f["mchid"] != k.MchID || f["serial_no"] != k.Serial || f["nonce_str"] == "" {
		return false
	}
	message := r.Method + "\n" + path + "\n" + f["timestamp"] + "\n" + f["nonce_str"] + "\n" + string(body) + "\n"
	return verified(&k.merchant.PublicKey, []byte(message), f["signature"])
}

// wechatSign makes the four headers over time, nonce and body.
func wechatSign(ctx context.Context, k *wechatKeys, body []byte, forged bool) (map[string]string, error) {
	at, nonce := strconv.FormatInt(stamp(ctx).Unix(), 10), upperHex(16)
	key := k.platform
	if forged || spoils(ctx) {
		key = k.merchant // anybody's key but WeChat Pay's
	}
	sig, err := sign(key, []byte(at+"\n"+nonce+"\n"+string(body)+"\n"))
	return map[string]string{"Wechatpay-Timestamp": at, "Wechatpay-Nonce": nonce, "Wechatpay-Signature": sig,
		"Wechatpay-Serial": k.PublicKeyID}, err
}

func wechatReply(ctx context.Context, w http.ResponseWriter, k *wechatKeys, a wechatAnswer) {
	var body []byte
	if a.Body != nil {
		body = rawJSON(a.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	headers, err := wechatSign(ctx, k, body, false)
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
