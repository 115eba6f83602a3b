package sandbox

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"paydesk/models"
)

// unionpayKind is one of the two kinds of bank. In the sandbox each has a gateway of its own, so that each misbehaves by itself; merchant
// and certificates are the same.
type unionpayKind struct {
	channel       models.PaymentChannel
	path, bizType string
}

var (
	unionpayPersonal   = unionpayKind{models.ChannelUnionPayPersonal, "/sandbox/unionpay/personal", "000201"}
	unionpayEnterprise = unionpayKind{models.ChannelUnionPayEnterprise, "/sandbox/unionpay/enterprise", "000202"}
	unionpayKinds      = []unionpayKind{unionpayPersonal, unionpayEnterprise}
)

// UnionPayPath is a kind's gateway, under the address the process listens on; daily files lie below it at /file.
func UnionPayPath(c models.PaymentChannel) string { return unionpayKindOf(c).path }

func unionpayKindOf(c models.PaymentChannel) unionpayKind {
	if c == unionpayEnterprise.channel {
		return unionpayEnterprise
	}
	return unionpayPersonal
}

func unionpayProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{unionpayPersonal.channel, unionpayEnterprise.channel},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			for _, kind := range unionpayKinds {
				mux.HandleFunc("POST "+kind.path+"/gateway/api/frontTransReq.do", s.unionpayFront(kind))
				mux.HandleFunc("POST "+kind.path+"/gateway/api/backTransReq.do", s.unionpay(kind, (*Sandbox).unionpayBack))
				mux.HandleFunc("POST "+kind.path+"/gateway/api/queryTrans.do", s.unionpay(kind, (*Sandbox).unionpayQuery))
				mux.HandleFunc("POST "+kind.path+"/file/{$}", s.unionpay(kind, (*Sandbox).unionpayFile))
			}
		},
		write:        unionpayLetter,
		acknowledged: func(status int, _ []byte) bool { return status == http.StatusOK },
		tells:        func(to status) bool { return to == paid }, // of payments only success, of refunds how they ended
		decline:      unionpayDecline,
		page:         payerView{App: "UnionPay", AppZH: "中国银联", Look: "blue", Banks: true},
	}
}

// unionpayRequest is a verified message of the merchant.
type unionpayRequest struct {
	keys   *unionpayKeys
	kind   unionpayKind
	fields map[string]string
}

// unionpayAnswer are the fields of an answer beside those that are told back.
type unionpayAnswer map[string]string

func unionpayRefusal(code string) unionpayAnswer {
	return unionpayAnswer{"respCode": code, "respMsg": unionpayMessage(code)}
}

// unionpayMessage is a code in UnionPay's words.
func unionpayMessage(code string) string {
	return map[string]string{"00": "成功[0000000]", "01": "交易失败", "05": "交易已受理，请稍后查询交易结果", "10": "报文格式错误", "11": "验证签名失败", "12": "重复交易", "31": "商户状态不正确",
		"34": "查无此交易", "35": "原交易不存在或状态不正确", "36": "与原交易信息不符", "61": "输入的卡号无效，请确认后输入", "64": "卡上的余额不足", "66": "持卡人身份信息或手机号输入不正确，验证失败", "70": "交易已跳转，等待持卡人输入",
		"83": "发卡行（渠道）处理中", "60": "交易失败，详情请咨询您的发卡行", "98": "文件不存在"}[code]
}

const unionpayTime = "20060102150405"

// unionpayRead reads a form and says what is wrong with it: format 10, merchant 31, signature 11.
func (s *Sandbox) unionpayRead(r *http.Request, kind unionpayKind) (in unionpayRequest, refused string, err error) {
	if in.keys, err = s.unionpayKeys(r.Context()); err != nil {
		return in, "", err
	}
	in.kind, in.fields = kind, map[string]string{}
	if r.ParseForm() != nil {
		return in, "10", nil
	}
	for name, values := range r.PostForm {
		if len(values) != 1 || values[0] == "" {
			return in, "10", nil
		}
		in.fields[name] = values[0]
	}
	f := in.fields
	switch {
	case f["version"] != "5.1.0" || f["encoding"] != "UTF-8" || f["signMethod"] != "01" || f["accessType"] != "0" || !unionpayStamp(f["txnTime"]):
		return in, "10", nil
	case f["merId"] != in.keys.MerchantID:
		return in, "31", nil
	case f["certId"] != in.keys.certID || !unionpaySigned(in.keys, f):
		return in, "11", nil
	}
	return in, "", nil
}

func unionpayStamp(text string) bool {
	_, err := time.Parse(unionpayTime, text)
	return err == nil && len(text) == len(unionpayTime)
}

// unionpay reads a request of the merchant's server, performs it and signs the answer.
func (s *Sandbox) unionpay(kind unionpayKind, perform func(*Sandbox, context.Context, unionpayRequest) (unionpayAnswer, error)) http.HandlerFunc {
	return s.misbehaving(kind.channel, func(w http.ResponseWriter, r *http.Request) {
		in, refused, err := s.unionpayRead(r, kind)
		answer := unionpayRefusal(refused)
		if err == nil && refused == "" {
			answer, err = perform(s, r.Context(), in)
		}
		if err != nil {
			s.failed(w, r, err)
			return
		}
		for _, name := range []string{"version", "encoding", "signMethod", "accessType", "merId", "txnType", "txnSubType", "bizType", "orderId", "txnTime"} {
			if _, told := answer[name]; !told && in.fields[name] != "" {
				answer[name] = in.fields[name]
			}
		}
		if err := unionpaySign(in.keys, answer, spoils(r.Context()), false); err != nil {
			s.failed(w, r, err)
			return
		}
		// As the real one does: k=v&k=v, and nothing escaped.
		w.Header().Set("Content-Type", "text/html;charset=UTF-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write([]byte(unionpayJoin(answer)))
	})
}

// unionpayJoin is sorted k=v joined by &, as it is.
func unionpayJoin(f map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		pairs = append(pairs, name+"="+f[name])
	}
	return strings.Join(pairs, "&")
}

// unionpayURL: an address that UnionPay can send a browser or a notification to.
func unionpayURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && len(text) <= 256
}
