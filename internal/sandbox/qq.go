package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"paydesk/models"
)

// QQWalletPath is the gateway's, under the address the process listens on.
const QQWalletPath = "/sandbox/qq"

func qqProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelQQWallet},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			cgi := "POST " + QQWalletPath + "/cgi-bin"
			mux.HandleFunc(cgi+"/pay/qpay_unified_order.cgi", s.qq((*Sandbox).qqOrder))
			mux.HandleFunc(cgi+"/pay/qpay_order_query.cgi", s.qq((*Sandbox).qqQuery))
			mux.HandleFunc(cgi+"/pay/qpay_close_order.cgi", s.qq((*Sandbox).qqClose))
			mux.HandleFunc(cgi+"/pay/qpay_refund.cgi", s.qq((*Sandbox).qqRefund))
			mux.HandleFunc(cgi+"/pay/qpay_refund_query.cgi", s.qq((*Sandbox).qqQueryRefund))
			mux.HandleFunc(cgi+"/sp_download/qpay_mch_statement_down.cgi", s.misbehaving(models.ChannelQQWallet, s.qqStatement))
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.qqKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return qqLetter(ctx, k, n, f), nil
		},
		acknowledged: func(status int, body []byte) bool {
			answer, err := unflat(body)
			return status == http.StatusOK && err == nil && answer["return_code"] == "SUCCESS"
		},
		tells: func(to status) bool { return to == paid },
		page:  payerView{App: "QQ Wallet", AppZH: "QQ钱包", Look: "blue"},
	}
}

// QQWalletCredentials configure the adapter.
type QQWalletCredentials struct {
	MchID, APIKey, Operator, OperatorPass string
}

func (s *Sandbox) qqKeys(ctx context.Context) (QQWalletCredentials, error) {
	return keysOf(ctx, s, "qq", func() (k QQWalletCredentials, err error) {
		k.MchID, k.APIKey, k.OperatorPass = "14"+digits(8), upperHex(16), digits(12)
		k.Operator = k.MchID + "001"
		return k, nil
	}, func(k QQWalletCredentials) (QQWalletCredentials, error) { return k, nil })
}

// QQWallet is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) QQWallet(ctx context.Context) (QQWalletCredentials, error) { return s.qqKeys(ctx) }

// qqOperation performs a verified request and gives the answer's own fields; err_code refuses.
type qqOperation func(s *Sandbox, ctx context.Context, k QQWalletCredentials, in pairs) (pairs, error)

// qqRefused is an answer with result_code FAIL.
func qqRefused(code, text string) pairs { return pairs{"err_code": code, "err_code_des": text} }

// qqRead reads and verifies a request; without it, why is the answer.
func (s *Sandbox) qqRead(w http.ResponseWriter, r *http.Request) (in pairs, k QQWalletCredentials, why pairs, ok bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "body too long", http.StatusRequestEntityTooLarge)
		return nil, k, nil, false
	}
	if k, err = s.qqKeys(r.Context()); err != nil {
		s.failed(w, r, err)
		return nil, k, nil, false
	}
	in, err = unflat(body)
	switch {
	case err != nil:
		why = pairs{"return_msg": "XML格式错误", "retcode": "66228005"}
	case in["mch_id"] != k.MchID || !in.genuine(k.APIKey):
		why = pairs{"return_msg": "商户签名校验失败", "retcode": "66227001"}
	case in["nonce_str"] == "" || len(in["nonce_str"]) > 32:
		why = pairs{"return_msg": "参数错误: nonce_str", "retcode": "66228006"}
	}
	if why != nil {
		why["return_code"] = "FAIL" // of the door, and unsigned
	}
	return in, k, why, true
}

// qq verifies the request, performs it and signs the answer.
func (s *Sandbox) qq(perform qqOperation) http.HandlerFunc {
	return s.misbehaving(models.ChannelQQWallet, func(w http.ResponseWriter, r *http.Request) {
		in, k, answer, ok := s.qqRead(w, r)
		if !ok {
			return
		}
		if answer == nil {
			var err error
			if answer, err = perform(s, r.Context(), k, in); err != nil {
				s.failed(w, r, err)
				return
			}
			answer["return_code"], answer["result_code"], answer["retcode"], answer["retmsg"] = "SUCCESS", "SUCCESS", "0", "ok"
			if answer["err_code"] != "" {
				answer["result_code"], answer["retcode"], answer["retmsg"] = "FAIL", "66229999", answer["err_code_des"]
			}
			answer["mch_id"], answer["nonce_str"] = k.MchID, upperHex(16)
			answer.seal(r.Context(), k.APIKey, false)
		}
		writeFile(w, "text/xml; charset=utf-8", answer.flat("xml"))
	})
}

var (
	qqNumber = regexp.MustCompile(`^[0-9A-Za-z_\-]{1,32}$`)
	qqFen    = regexp.MustCompile(`^[1-9][0-9]{0,14}$`)
)

// qqOrder is the unified order: a code_url, the same again for the same number and amount.
func (s *Sandbox) qqOrder(ctx context.Context, _ QQWalletCredentials, in pairs) (pairs, error) {
	end, badEnd := tencentEnd(in["time_expire"])
	switch {
	case !qqNumber.MatchString(in["out_trade_no"]):
		return qqRefused("PARAM_ERROR", "out_trade_no"), nil
	case in["body"] == "" || len(in["body"]) > 128:
		return qqRefused("PARAM_ERROR", "body"), nil
	case in["fee_type"] != "CNY" || !qqFen.MatchString(in["total_fee"]):
		return qqRefused("PARAM_ERROR", "total_fee"), nil
	case in["trade_type"] != "NATIVE" || in["spbill_create_ip"] == "" || in["notify_url"] == "" || badEnd != nil:
		return qqRefused("PARAM_ERROR", "trade_type, spbill_create_ip, notify_url, time_expire"), nil
	}
	fen, _ := strconv.ParseInt(in["total_fee"], 10, 64)
	t, err := s.register(ctx, trade{Channel: models.ChannelQQWallet, Number: in["out_trade_no"], Reference: newReference("1353"), Amount: fen, Currency: "CNY",
		Subject: in["body"], Status: waiting, NotifyURL: in["notify_url"], ExpiresAt: end})
	switch {
	case err != nil:
		return nil, err
	case t.Status == paid:
		return qqRefused("ORDERPAID", "订单已支付"), nil
	case t.Status == closed || t.Status == declined:
		return qqRefused("ORDERCLOSED", "订单已关闭"), nil
	case t.Amount != fen:
		return qqRefused("OUT_TRADE_NO_USED", "商户订单号重复"), nil
	}
	return pairs{"trade_type": "NATIVE", "prepay_id": "6V" + upperHex(15), "code_url": s.payerURL(t.Token)}, nil
}

// qqFind reads the trade that a request names; QQ Wallet's own number goes first.
func (s *Sandbox) qqFind(ctx context.Context, in pairs) (trade, pairs, error) {
	t, err := s.tencentFind(ctx, models.ChannelQQWallet, in)
	if errors.Is(err, errNoTrade) {
		return t, qqRefused("ORDERNOTEXIST", "订单不存在"), nil
	}
	return t, nil, err
}

// tencentFind: transaction_id goes before out_trade_no, in both protocols.
func (s *Sandbox) tencentFind(ctx context.Context, c models.PaymentChannel, in pairs) (trade, error) {
	if in["transaction_id"] != "" {
		return s.findByReference(ctx, c, in["transaction_id"])
	}
	return s.find(ctx, c, in["out_trade_no"])
}

// qqQuery tells of a trade. One that has expired stays NOTPAY until the merchant closes it.
func (s *Sandbox) qqQuery(ctx context.Context, k QQWalletCredentials, in pairs) (pairs, error) {
	t, refusal, err := s.qqFind(ctx, in)
	if err != nil || refusal != nil {
		return refusal, err
	}
	if behaviourIn(ctx).Call == wrongAmount {
		t.Amount++
	}
	answer := pairs{"out_trade_no": t.Number, "trade_state": qqState(t.Status), "trade_state_desc": qqState(t.Status)}
	if t.Status == paid {
		answer = qqPaid(ctx, fact{Number: t.Number, Reference: t.Reference, Amount: t.Amount, PaidAt: t.PaidAt})
		if t.Refunded > 0 {
			answer["trade_state"] = "REFUND"
		}
	}
	return answer, nil
}

// qqPaid are the fields of a trade that was paid, in queries and notifications.
func qqPaid(ctx context.Context, f fact) pairs {
	fen := strconv.FormatInt(f.Amount, 10)
	return pairs{"trade_type": "NATIVE", "trade_state": "SUCCESS", "bank_type": "BALANCE", "fee_type": "CNY", "total_fee": fen, "cash_fee": fen,
		"transaction_id": f.Reference, "out_trade_no": f.Number, "time_end": tencentClock(ctx, f.PaidAt), "openid": "SANDBOXPAYER"}
}

// qqLetter is a notification: QQ Wallet tells of success only, and gives it no id.
func qqLetter(ctx context.Context, k QQWalletCredentials, n notification, f fact) letter {
	p := qqPaid(ctx, f)
	p["mch_id"], p["nonce_str"] = k.MchID, upperHex(16)
	return letter{header: map[string]string{"Content-Type": "text/xml; charset=utf-8"}, body: p.seal(ctx, k.APIKey, n.Forged).flat("xml")}
}

func qqState(state status) string {
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

// qqClose ends an unpaid trade.
func (s *Sandbox) qqClose(ctx context.Context, _ QQWalletCredentials, in pairs) (pairs, error) {
	t, refusal, err := s.qqFind(ctx, in)
	if err != nil || refusal != nil {
		return refusal, err
	}
	done, err := s.closeTrade(ctx, t)
	if err != nil {
		return nil, err
	}
	if t, err = s.find(ctx, t.Channel, t.Number); err != nil {
		return nil, err
	}
	switch {
	case t.Status == paid:
		return qqRefused("ORDERPAID", "订单已支付"), nil
	case !done:
		return qqRefused("ORDERCLOSED", "订单已关闭"), nil
	}
	return pairs{}, nil
}
