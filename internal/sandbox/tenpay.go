package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"paydesk/models"
)

// TenpayPath is the gateway's, under the address the process listens on.
const TenpayPath = "/sandbox/tenpay"

func tenpayProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelTenpay},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			mux.HandleFunc("GET "+TenpayPath+"/gateway/pay.htm", s.tenpayPage) // the payer's browser, not the merchant
			mux.HandleFunc("POST "+TenpayPath+"/gateway/normalorderquery.xml", s.tenpay((*Sandbox).tenpayQuery))
			mux.HandleFunc("POST "+TenpayPath+"/gateway/normalrefundquery.xml", s.tenpay((*Sandbox).tenpayQueryRefund))
			mux.HandleFunc("POST "+TenpayPath+"/refundapi/gateway/refund.xml", s.tenpay((*Sandbox).tenpayRefund))
			mux.HandleFunc("POST "+TenpayPath+"/cgi-bin/mchdown_real_new.cgi", s.misbehaving(models.ChannelTenpay, s.tenpayStatement))
		},
		write: func(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
			k, err := s.tenpayKeys(ctx)
			if err != nil {
				return letter{}, err
			}
			return tenpayLetter(ctx, k, n, f), nil
		},
		acknowledged: func(status int, body []byte) bool { return status == http.StatusOK && string(body) == "success" },
		tells:        func(to status) bool { return to == paid },
		tellsRefund:  func(to status) bool { return to == refundDone },
		page:         payerView{App: "Tenpay", AppZH: "财付通", Look: "blue", Banks: true},
	}
}

// TenpayCredentials configure the adapter.
type TenpayCredentials struct {
	Partner, Key, Operator, OperatorPass string
}

func (s *Sandbox) tenpayKeys(ctx context.Context) (TenpayCredentials, error) {
	return keysOf(ctx, s, "tenpay", func() (k TenpayCredentials, err error) {
		k.Partner, k.Key, k.OperatorPass = "12"+digits(8), strings.ToLower(upperHex(16)), digits(12)
		k.Operator = k.Partner
		return k, nil
	}, func(k TenpayCredentials) (TenpayCredentials, error) { return k, nil })
}

// Tenpay is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) Tenpay(ctx context.Context) (TenpayCredentials, error) { return s.tenpayKeys(ctx) }

// ofForm keeps the first value of each name.
func ofForm(form url.Values) pairs {
	p := pairs{}
	for name := range form {
		p[name] = form.Get(name)
	}
	return p
}

// tenpayRefused is an answer with a retcode of its own; those are not signed.
func tenpayRefused(code, text string) pairs { return pairs{"retcode": code, "retmsg": text} }

// What Tenpay refuses with.
var (
	tenpayUnsigned = tenpayRefused("88222002", "验证签名失败")
	tenpayNoTrade  = tenpayRefused("88221009", "交易单不存在")
	tenpayNoRefund = tenpayRefused("88222014", "原交易未退款")
	tenpayBadParam = tenpayRefused("88222003", "参数错误")
)

// tenpayOperation performs a verified request and gives the answer's own fields, or a refusal.
type tenpayOperation func(s *Sandbox, ctx context.Context, k TenpayCredentials, in pairs) (pairs, error)

// tenpay verifies the request, performs it and signs the answer.
func (s *Sandbox) tenpay(perform tenpayOperation) http.HandlerFunc {
	return s.misbehaving(models.ChannelTenpay, func(w http.ResponseWriter, r *http.Request) {
		k, err := s.tenpayKeys(r.Context())
		if err == nil {
			err = r.ParseForm()
		}
		if err != nil {
			s.failed(w, r, err)
			return
		}
		in, answer := ofForm(r.PostForm), tenpayUnsigned
		if in["partner"] == k.Partner && in.genuine(k.Key) {
			if answer, err = perform(s, r.Context(), k, in); err != nil {
				s.failed(w, r, err)
				return
			}
			if answer["retcode"] == "" {
				answer["retcode"], answer["partner"], answer["sign_type"], answer["input_charset"] = "0", k.Partner, "MD5", "UTF-8"
				answer.seal(r.Context(), k.Key, false)
			}
		}
		writeFile(w, "text/xml; charset=utf-8", answer.flat("root"))
	})
}

// tenpayBanks are Tenpay's codes of banks, where they are not the bank list's.
var tenpayBanks = map[string]string{"COMM": "BOCOM", "POSTGC": "PSBC", "GDB": "CGB", "DEFAULT": ""}

// tenpayPage is where a merchant sends the payer's browser: the trade is made, or found, and the browser goes on to its page.
func (s *Sandbox) tenpayPage(w http.ResponseWriter, r *http.Request) {
	k, err := s.tenpayKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	in := ofForm(r.URL.Query())
	bank, known := tenpayBanks[in["bank_type"]]
	if !known {
		bank = in["bank_type"]
		_, known = bankOf(bank)
	}
	end, badEnd := tencentEnd(in["time_expire"])
	fen, badFee := strconv.ParseInt(in["total_fee"], 10, 64)
	switch {
	case in["partner"] != k.Partner || !in.genuine(k.Key):
		tenpayError(w, tenpayUnsigned)
		return
	case !qqNumber.MatchString(in["out_trade_no"]), badFee != nil, fen < 1, in["fee_type"] != "1", badEnd != nil, !known, in["subject"] == "", len(in["subject"]) > 32, in["body"] == "",
		in["return_url"] == "", in["notify_url"] == "", in["spbill_create_ip"] == "", in["trade_mode"] != "1", in["input_charset"] != "UTF-8":
		tenpayError(w, tenpayBadParam)
		return
	}
	t, err := s.register(r.Context(), trade{Channel: models.ChannelTenpay, Number: in["out_trade_no"], Reference: newReference("1217"), Amount: fen, Currency: "CNY",
		Subject: in["body"], Status: waiting, NotifyURL: in["notify_url"], ExpiresAt: end, Detail: detail{Bank: bank, ReturnURL: in["return_url"]}})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if t.Amount != fen {
		tenpayError(w, tenpayRefused("88222011", "商户订单号重复"))
		return
	}
	http.Redirect(w, r, s.payerURL(t.Token), http.StatusSeeOther)
}

func tenpayError(w http.ResponseWriter, why pairs) {
	http.Error(w, why["retcode"]+" "+why["retmsg"], http.StatusBadRequest)
}

// tenpayQuery tells of a trade: 0 paid, 1 made, 6 closed without being paid.
func (s *Sandbox) tenpayQuery(ctx context.Context, _ TenpayCredentials, in pairs) (pairs, error) {
	t, err := s.tencentFind(ctx, models.ChannelTenpay, in)
	if errors.Is(err, errNoTrade) {
		return tenpayNoTrade, nil
	}
	if err != nil {
		return nil, err
	}
	if behaviourIn(ctx).Call == wrongAmount {
		t.Amount++
	}
	f := fact{Number: t.Number, Reference: t.Reference, Amount: t.Amount, PaidAt: t.PaidAt, Detail: t.Detail}
	switch t.at(s.clock.Now()) {
	case paid:
		return tenpayTrade(ctx, f, "0"), nil
	case closed, declined, expired:
		return tenpayTrade(ctx, f, "6"), nil
	}
	return tenpayTrade(ctx, f, "1"), nil
}

// tenpayTrade are the fields of a trade, in queries and notifications.
func tenpayTrade(ctx context.Context, f fact, state string) pairs {
	fen := strconv.FormatInt(f.Amount, 10)
	p := pairs{"sign_key_index": "1", "trade_mode": "1", "trade_state": state, "out_trade_no": f.Number, "transaction_id": f.Reference, "total_fee": fen, "fee_type": "1",
		"transport_fee": "0", "product_fee": fen, "discount": "0"}
	if state == "0" {
		p["bank_type"], p["time_end"] = f.Detail.Bank, tencentClock(ctx, f.PaidAt)
	}
	return p
}

// tenpayLetter is a notification of a trade that was paid, or of a refund that was done: a form. That of a refund has no id.
func tenpayLetter(ctx context.Context, k TenpayCredentials, n notification, f fact) letter {
	p := tenpayTrade(ctx, f, "0")
	p["notify_id"] = n.NotifyID
	if f.Refund != nil {
		p = pairs{"transaction_id": f.Reference, "out_trade_no": f.Number, "out_refund_no": f.Refund.Number, "refund_id": f.Refund.Reference,
			"refund_fee": strconv.FormatInt(f.Refund.Amount, 10), "refund_status": tenpayRefundStatus(f.Refund.State), "refund_channel": "0"}
	}
	p["partner"], p["sign_type"], p["input_charset"], p["service_version"] = k.Partner, "MD5", "UTF-8", "1.0"
	form := url.Values{}
	for name, value := range p.seal(ctx, k.Key, n.Forged) {
		form.Set(name, value)
	}
	return letter{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body: []byte(form.Encode())}
}
