package tenpay

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

func TestTenpayStates(t *testing.T) {
	for state, want := range map[string]channel.State{"0": channel.StatePaid, "1": channel.StatePending, "2": channel.StatePending, "5": channel.StatePaid, "6": channel.StateClosed,
		"7": channel.StatePending, "9": channel.StatePaid, "": channel.StatePending, "11": channel.StatePending} {
		e, err := tenpayEvent(fields{"trade_state": state, "out_trade_no": "1", "transaction_id": "2", "total_fee": "1234", "fee_type": "1"})
		if err != nil || e.State != want || (want == channel.StatePaid) != (e.Amount == money.New(1234, "CNY")) {
			t.Errorf("%s: %+v %v", state, e, err)
		}
	}
	for status, want := range map[string]channel.State{"1": channel.StateNotFound, "2": channel.StateNotFound, "3": channel.StateRefundFailed, "4": channel.StateRefunded, "5": channel.StateRefundFailed,
		"6": channel.StateRefundFailed, "7": channel.StateRefundFailed, "8": channel.StatePending, "9": channel.StatePending, "10": channel.StateRefunded, "11": channel.StatePending, "": channel.StatePending} {
		if got := tenpayRefundState(status); got != want {
			t.Errorf("refund %q: %s", status, got)
		}
	}
	for _, c := range []struct {
		no   refusal
		want error
	}{{refusal{"88221009", "交易单不存在"}, channel.ErrDeclined}, {refusal{"88222018", ""}, channel.ErrUnknown}, {refusal{"88222002", "验证签名失败"}, channel.ErrUnavailable}, {refusal{"99999999", "系统繁忙"}, channel.ErrUnknown}, {refusal{}, channel.ErrUnknown}} {
		if err := c.no.refundError(); !errors.Is(err, c.want) {
			t.Errorf("%v: %v", c.no, err)
		}
	}
}

// TX-22: the payer's address has all that Tenpay wants, and is the same each time.
func TestTenpayAddress(t *testing.T) {
	a, err := New(Config{BaseURL: "https://gw.tenpay.com", MerchantURL: MerchantURL, Partner: "1200000001", Key: "k", Mode: guard.Production})
	if err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC)
	r := channel.StartRequest{Ref: channel.Ref{Number: "P1", Amount: money.New(1234, "CNY"), MadeAt: made}, Subject: strings.Repeat("充", 60), ExpiresAt: made.Add(time.Minute + time.Millisecond),
		ReturnURL: "https://pay.example/return/P1", NotifyURL: "https://pay.example/notify"}
	s, err := a.Start(t.Context(), r)
	again, _ := a.Start(t.Context(), r)
	if err != nil || s.URL != again.URL {
		t.Fatal(err)
	}
	u, _ := url.Parse(s.URL)
	f, err := parseForm([]byte(u.RawQuery))
	if err != nil || u.Host != "gw.tenpay.com" || u.Path != "/gateway/pay.htm" || !f.verified("k") {
		t.Errorf("%s %v", s.URL, err)
	}
	if f["bank_type"] != "DEFAULT" || f["time_start"] != "20261122000000" || f["time_expire"] != "20261122000101" || len(f["subject"]) > 32 || len(f["body"]) > 128 || f["total_fee"] != "1234" {
		t.Error(f)
	}
	for bank, want := range map[string]string{"ICBC": "ICBC", "BOCOM": "COMM", "PSBC": "POSTGC", "CGB": "GDB", "": "DEFAULT"} {
		if got := bankType(bank); got != want {
			t.Errorf("%s: %s", bank, got)
		}
	}
	for ip, want := range map[string]string{"": "127.0.0.1", "198.51.100.7": "198.51.100.7", "2001:db8::1": "127.0.0.1"} {
		r.PayerIP = ip
		if s, err := a.Start(t.Context(), r); err != nil || !strings.Contains(s.URL, "&spbill_create_ip="+want+"&") {
			t.Errorf("asked from %q: %s %v", ip, s.URL, err)
		}
	}
	for _, bad := range []money.Money{money.New(1, "USD"), money.New(0, "CNY")} {
		r.Amount = bad
		if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := a.Refund(t.Context(), channel.RefundRequest{Payment: channel.Ref{Amount: money.New(1, "CNY")}, Refund: channel.Ref{Amount: money.New(1, "CNY")}}); !errors.Is(err, channel.ErrUnavailable) {
		t.Errorf("without an operator: %v", err)
	}
	for _, c := range []Config{{BaseURL: "https://127.0.0.1"}, {BaseURL: "https://gw.tenpay.com", MerchantURL: "https://localhost"}, {BaseURL: "http://gw.tenpay.com"}} {
		c.Partner, c.Key, c.Mode = "1", "k", guard.Production
		if _, err := New(c); err == nil {
			t.Errorf("%+v", c)
		}
	}
}

const tenpayFile = "交易时间,财付通订单号,商户订单号,支付类型,银行订单号,交易状态,交易金额,退款单号,退款金额,退款状态,交易说明\r\n" +
	"`2026-11-21 10:00:00,`1217,`P1,`网上支付,`ICBC,`用户已支付,`12.34,`,`0.00,`,`a, with a comma\r\n" +
	"`2026-11-21 11:00:00,`1217,`P1,`网上支付,`ICBC,`转入退款,`12.34,`R1,`2.34,`退款成功,`x\r\n" +
	"总交易单数,总交易额,总退款金额\r\n`2,`12.34,`2.34\r\n"

// A statement that is not whole, or not understood, is none.
func TestStatements(t *testing.T) {
	s, err := statement("2026-11-21", []byte(tenpayFile), tenpayFile, tenpayLine)
	if err != nil || len(s.Lines) != 2 {
		t.Fatal(s, err)
	}
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	if l := s.Lines[0]; l.Number != "P1" || l.Reference != "1217" || l.RefundNumber != "" || l.Amount != money.New(1234, "CNY") || l.State != channel.StatePaid || !l.At.Equal(at) || !strings.HasSuffix(l.Raw, "a, with a comma") {
		t.Errorf("%+v", l)
	}
	if l := s.Lines[1]; l.Number != "P1" || l.RefundNumber != "R1" || l.Amount != money.New(234, "CNY") || l.State != channel.StateRefunded {
		t.Errorf("%+v", l)
	}
	for what, bad := range map[string]string{
		"nothing":            "",
		"cut off":            tenpayFile[:strings.Index(tenpayFile, "总交易单数")],
		"cut in a line":      tenpayFile[:strings.Index(tenpayFile, "`R1")],
		"a line less":        strings.Replace(tenpayFile, "\r\n`2,", "\r\n`3,", 1),
		"a cell less":        strings.Replace(tenpayFile, "`P1,`网上支付", "`P1", 1),
		"no amount":          strings.Replace(tenpayFile, "`12.34", "`", 1),
		"its last cell gone": strings.Replace(tenpayFile, ",`x\r\n", "\r\n", 1),
		"a finer amount":     strings.Replace(tenpayFile, "`12.34", "`12.345", 1),
		"a negative one":     strings.Replace(tenpayFile, "`12.34", "`-12.34", 1),
		"no number":          strings.Replace(tenpayFile, "`P1", "`", 1),
		"no time":            strings.Replace(tenpayFile, "`2026-11-21 10:00:00", "`", 1),
		"another kind":       strings.Replace(tenpayFile, "用户已支付", "提现", 1),
		"no refund number":   strings.Replace(tenpayFile, "`R1", "`", 1),
	} {
		if s, err := statement("2026-11-21", nil, bad, tenpayLine); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("%s: %+v %v", what, s, err)
		}
	}
	for page, want := range map[string]error{"03020123:没有": nil, "03020003:还没有": channel.ErrNoStatement, "03020120:昨日": channel.ErrNoStatement, "03020002:签名错误": channel.ErrUnavailable, "x": channel.ErrUnknown} {
		if _, err := emptyOrNone("2026-11-21", "<html><body>"+page+"</body></html>"); !errors.Is(err, want) {
			t.Errorf("%s: %v", page, err)
		}
	}
}

// QQ Wallet's file as one of its users has published it: 暂无数据 where there is nothing, units behind the names.
func TestQQStatement(t *testing.T) {
	text := "交易时间,商户号,支付场景,商户订单号,QQ钱包订单号,货币种类,订单金额(元),交易状态,退款提交时间,商户退款订单号,QQ钱包退款订单号,退款金额(元),退款状态,退款成功时间,手续费金额(元)\n" +
		"`2026-11-21 23:59:59,`1400000001,`NATIVE,`P1,`1353,`RMB,`100.00,`支付成功,`暂无数据,`暂无数据,`暂无数据,`0,`暂无数据,`暂无数据,`0.60\n" +
		"`2026-11-20 10:00:00,`1400000001,`NATIVE,`P0,`1353,`RMB,`100.00,`转入退款,`2026-11-21 12:00:00,`R1,`1121,`0.01,`退款处理中,`暂无数据,`暂无数据\n" +
		"交易总笔数,订单总金额(元)\n2,100.00\n"
	s, err := statement("2026-11-21", []byte(text), text, qqLine)
	if err != nil || len(s.Lines) != 2 {
		t.Fatal(s, err)
	}
	if l := s.Lines[0]; l.Number != "P1" || l.Reference != "1353" || l.Amount.Minor != 10000 || l.Fee.Minor != 60 || l.State != channel.StatePaid || !l.At.Equal(time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)) {
		t.Errorf("%+v", l)
	}
	if l := s.Lines[1]; l.Number != "P0" || l.RefundNumber != "R1" || l.Reference != "1121" || l.Amount.Minor != 1 || l.State != channel.StatePending || !l.At.Equal(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", l)
	}
	for what, bad := range map[string]string{"dollars": strings.Replace(text, "RMB", "USD", 1), "a count that is wrong": strings.Replace(text, "\n2,", "\n1,", 1), "a kind that is not known": strings.Replace(text, "支付成功", "撤销", 1)} {
		if _, err := statement("2026-11-21", nil, bad, qqLine); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for message, want := range map[string]error{"账单未生成": channel.ErrNoStatement, "No Bill Exist": channel.ErrNoStatement, "签名错误": channel.ErrUnavailable, "系统繁忙": channel.ErrUnknown} {
		if err := noStatement([]byte(fields{"return_code": "FAIL", "return_msg": message}.xml())); !errors.Is(err, want) {
			t.Errorf("%s: %v", message, err)
		}
	}
}

func FuzzStatement(f *testing.F) {
	f.Add(tenpayFile)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := statement("2026-11-21", []byte(text), text, tenpayLine)
		for _, l := range s.Lines {
			if err != nil || l.Amount.Minor <= 0 || l.Number == "" || l.At.IsZero() {
				t.Errorf("%+v %v", l, err)
			}
		}
	})
}
