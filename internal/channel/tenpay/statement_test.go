package tenpay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// Numbers of ours, as payment.NewNumber makes them.
const (
	ourPayment = "20261121020000ABCDEFGHJKMN"
	ourRefund  = "20261121030000ABCDEFGHJKMN"
)

// Tenpay's file as several merchants have taken it apart: marked are times and numbers only, 0 stands where a payment has no refund.
const tenpayFile = "交易时间,财付通订单号,商户订单号,支付类型,银行订单号,交易状态,交易金额,退款单号,退款金额,退款状态,交易说明\r\n" +
	"`2026-11-21 10:00:00,`1217,`" + ourPayment + ",网上支付,`ICBC,用户已支付,12.34,`0,0,,a, with a comma, and one\n" +
	"`2026-11-21 11:00:00,`1217,`" + ourPayment + ",网上支付,`ICBC,转入退款,12.34,`" + ourRefund + ",2.34,退款成功,x\n" +
	"\r\n总交易单数,总交易额,总退款金额\r\n2,12.34,2.34\r\n"

// marked is a file in which every cell is marked, as in other accounts.
func marked(file string) string {
	lines := strings.Split(strings.ReplaceAll(file, "\r", ""), "\n")
	for i, line := range lines {
		if strings.Contains(line, "2026-11") {
			cells := strings.SplitN(strings.ReplaceAll(line, "`", ""), ",", 11)
			lines[i] = "`" + strings.Join(cells, ",`")
		}
	}
	return strings.Join(lines, "\n")
}

// A statement that is not whole, or not understood where it concerns us, is none.
func TestStatements(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	for what, file := range map[string]string{"some cells marked": tenpayFile, "all marked": marked(tenpayFile), "none marked": strings.ReplaceAll(tenpayFile, "`", ""), "the sums marked": strings.Replace(tenpayFile, "\n2,", "\n`2,`", 1)} {
		s, err := statement("2026-11-21", []byte(file), file, tenpayLine)
		if err != nil || len(s.Lines) != 2 {
			t.Fatal(what, s, err)
		}
		if l := s.Lines[0]; l.Number != ourPayment || l.Reference != "1217" || l.RefundNumber != "" || l.Amount != money.New(1234, "CNY") || l.State != channel.StatePaid || !l.At.Equal(at) || !strings.HasSuffix(l.Raw, "a, with a comma, and one") {
			t.Errorf("%s: %+v", what, l)
		}
		if l := s.Lines[1]; l.Number != ourPayment || l.RefundNumber != ourRefund || l.Amount != money.New(234, "CNY") || l.State != channel.StateRefunded {
			t.Errorf("%s: %+v", what, l)
		}
	}
	for what, bad := range map[string]string{
		"nothing":            "",
		"a page of text":     "系统繁忙\n请稍候\n0\n",
		"cut off":            tenpayFile[:strings.Index(tenpayFile, "总交易单数")],
		"cut in a line":      tenpayFile[:strings.Index(tenpayFile, "`"+ourRefund)],
		"a line less":        strings.Replace(tenpayFile, "\n2,", "\n3,", 1),
		"a cell less":        strings.Replace(tenpayFile, ",网上支付,`ICBC,转入退款", ",`ICBC,转入退款", 1),
		"no amount":          strings.Replace(tenpayFile, ",12.34", ",", 1),
		"its last cell gone": strings.Replace(tenpayFile, ",x\n", "\n", 1),
		"a finer amount":     strings.Replace(tenpayFile, ",12.34", ",12.345", 1),
		"a negative one":     strings.Replace(tenpayFile, ",12.34", ",-12.34", 1),
		"no time":            strings.Replace(tenpayFile, "`2026-11-21 10:00:00", "`", 1),
		"another kind":       strings.Replace(tenpayFile, "用户已支付", "提现", 1),
	} {
		if s, err := statement("2026-11-21", nil, bad, tenpayLine); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("%s: %+v %v", what, s, err)
		}
	}
	byHand := strings.Replace(tenpayFile, "`"+ourRefund, "`0", 1)
	if s, err := statement("2026-11-21", nil, byHand, tenpayLine); err != nil || s.Lines[1].RefundNumber != "1217" || s.Lines[1].Number != ourPayment {
		t.Errorf("a refund that was made by hand: %+v %v", s, err)
	}
}

// What somebody else does on the same merchant account is shown as it came, and spoils nothing of ours.
func TestStatementsHaveStrangers(t *testing.T) {
	strange := []string{
		"`2026-11-21 12:00:00,`1299,`SHOP-7,网上支付,`ICBC,提现,5.00,`0,0,,x", // a kind that nobody knows
		"`2026-11-21 12:00:00,`1299,`SHOP-7,网上支付,`ICBC,用户已支付,a,`0,0,,x", // no amount
		"`2026-11-21 12:00:00,`1299,`0,网上支付,`ICBC,充值,5.00,`0,0,,x",
		"`,`1299,`,,`,,,`0,0,,手续费",
	}
	file := strings.Replace(tenpayFile, "\n\r\n总", "\n"+strings.Join(strange, "\n")+"\n\r\n总", 1)
	file = strings.Replace(file, "\n2,", "\n6,", 1)
	s, err := statement("2026-11-21", nil, file, tenpayLine)
	if err != nil || len(s.Lines) != 6 || s.Lines[0].Number != ourPayment || s.Lines[1].RefundNumber != ourRefund {
		t.Fatal(s, err)
	}
	from, _ := channel.Day("2026-11-21").In(channel.Beijing)
	for i, l := range s.Lines[2:] {
		if l.Number != "" || l.RefundNumber != "" || l.Reference != "1299" || l.Raw != strange[i] || !l.At.Equal(from) {
			t.Errorf("%+v", l)
		}
	}
	const short = "`2026-11-21 12:00:00,`1299,`SHOP-7,网上支付,`ICBC"
	cut := strings.Replace(strings.Replace(tenpayFile, "\n\r\n总", "\n"+short+"\n\r\n总", 1), "\n2,", "\n3,", 1)
	if s, err := statement("2026-11-21", nil, cut, tenpayLine); err != nil || len(s.Lines) != 3 || s.Lines[2].Number != "" || s.Lines[2].Raw != short || s.Lines[2].State != channel.StatePaid || !s.Lines[2].At.Equal(from) {
		t.Errorf("a line of somebody else that is cut: %+v %v", s, err)
	}
	if s, err := statement("2026-11-21", nil, strings.Replace(cut, "SHOP-7", ourPayment, 1), tenpayLine); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("a line of ours that is cut: %+v %v", s, err)
	}
	dollars := strings.Replace(qqFile, "RMB", "USD", 1)
	if s, err := statement("2026-11-21", nil, dollars, qqLine); err != nil || len(s.Lines) != 2 || s.Lines[0].Amount != money.New(10000, "USD") {
		t.Errorf("dollars differ, and are shown: %+v %v", s, err)
	}
	shells := strings.Replace(strings.Replace(qqFile, "RMB", "贝壳", 1), ourPayment, "SHOP-7", 1)
	if s, err := statement("2026-11-21", nil, shells, qqLine); err != nil || len(s.Lines) != 2 || s.Lines[0].Reference != "1353" {
		t.Errorf("shells of somebody else: %+v %v", s, err)
	}
}

// QQ Wallet's file as two of its users have published it: 暂无数据 where there is nothing, units behind the names, marks before numbers of
// orders or before all, and a time as a spreadsheet writes it.
const qqFile = "交易时间,商户号,支付场景,商户订单号,QQ钱包订单号,货币种类,订单金额(元),交易状态,退款提交时间,商户退款订单号,QQ钱包退款订单号,退款金额(元),退款状态,退款成功时间,商品名称,手续费金额(元)\n" +
	"2026-11-21 23:59:59,1400000001,NATIVE,`" + ourPayment + ",`1353,RMB,100.00,支付成功,暂无数据,暂无数据,暂无数据,0,暂无数据,暂无数据,a, with a comma,0.60\n" +
	"2026/11/20 10:00,1400000001,NATIVE,`P0,`1353,RMB,100,转入退款,2026-11-21 12:00:00,`" + ourRefund + ",`1121,0.01,退款处理中,暂无数据,暂无数据,暂无数据\n" +
	"交易总笔数,订单总金额(元)\n2,100.00\n"

func TestQQStatement(t *testing.T) {
	allMarked := strings.NewReplacer("\n2026", "\n`2026", ",140", ",`140", ",NATIVE", ",`NATIVE", ",RMB", ",`RMB", ",100", ",`100", ",支付", ",`支付", ",转入", ",`转入", ",暂", ",`暂", ",0", ",`0", ",a,", ",`a,", ",2026", ",`2026",
		",退款处", ",`退款处").Replace(qqFile)
	for what, text := range map[string]string{"some marked": qqFile, "all marked": allMarked} {
		s, err := statement("2026-11-21", []byte(text), text, qqLine)
		if err != nil || len(s.Lines) != 2 {
			t.Fatal(what, s, err)
		}
		if l := s.Lines[0]; l.Number != ourPayment || l.Reference != "1353" || l.Amount.Minor != 10000 || l.Fee.Minor != 60 || l.State != channel.StatePaid || !l.At.Equal(time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)) {
			t.Errorf("%s: %+v", what, l)
		}
		if l := s.Lines[1]; l.Number != "P0" || l.RefundNumber != ourRefund || l.Reference != "1121" || l.Amount.Minor != 1 || l.State != channel.StatePending || !l.At.Equal(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v", what, l)
		}
	}
	if s, err := statement("2026-11-21", nil, strings.Replace(qqFile, "0.60\n", "0.60000\n", 1), qqLine); err != nil || s.Lines[0].Fee.Minor != 0 {
		t.Errorf("a fee that is finer than money: %+v %v", s, err)
	}
	if s, err := statement("2026-11-21", nil, strings.Replace(qqFile, "`"+ourRefund, "暂无数据", 1), qqLine); err != nil || s.Lines[1].RefundNumber != "1121" {
		t.Errorf("a refund that was made by hand: %+v %v", s, err)
	}
	for what, bad := range map[string]string{"a count that is wrong": strings.Replace(qqFile, "\n2,", "\n1,", 1), "a kind that is not known": strings.Replace(qqFile, "支付成功", "撤销", 1), "no money": strings.Replace(qqFile, "RMB", "贝壳", 1)} {
		if _, err := statement("2026-11-21", nil, bad, qqLine); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An answer that says one thing of a day whose file is late and of one without trades is the latter a day after the day, and no sooner.
func TestNoStatement(t *testing.T) {
	const day = channel.Day("2026-11-21")
	_, end := day.In(channel.Beijing)
	soon, later := end.Add(35*time.Hour), end.Add(36*time.Hour)
	for page, want := range map[string][2]error{"03020123:没有": {channel.ErrNoStatement, nil}, "03020120:昨日": {channel.ErrNoStatement, nil}, "03020003:还没有": {channel.ErrNoStatement, channel.ErrNoStatement},
		"03020002:签名错误": {channel.ErrUnavailable, channel.ErrUnavailable}, "x": {channel.ErrUnknown, channel.ErrUnknown}} {
		for i, now := range []time.Time{soon, later} {
			if s, err := emptyOrNone(day, now, "<html><body>"+page+"</body></html>"); !errors.Is(err, want[i]) || err == nil && s.Day != day {
				t.Errorf("%s, %s: %+v %v", page, now, s, err)
			}
		}
	}
	for message, want := range map[string][2]error{"账单未生成": {channel.ErrNoStatement, channel.ErrNoStatement}, "No Bill Exist": {channel.ErrNoStatement, nil}, "Bill Creating": {channel.ErrNoStatement, channel.ErrNoStatement},
		"签名错误": {channel.ErrUnavailable, channel.ErrUnavailable}, "系统繁忙": {channel.ErrUnknown, channel.ErrUnknown}} {
		for i, now := range []time.Time{soon, later} {
			if s, err := qqNone(day, now, []byte(fields{"return_code": "FAIL", "return_msg": message}.xml())); !errors.Is(err, want[i]) || err == nil && s.Day != day {
				t.Errorf("%s, %s: %+v %v", message, now, s, err)
			}
		}
	}
}

// deadlines tells how long each call may take.
type deadlines struct{ seen map[string]time.Duration }

func (d deadlines) RoundTrip(r *http.Request) (*http.Response, error) {
	end, _ := r.Context().Deadline()
	d.seen[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]] = time.Until(end).Round(time.Minute / 6)
	return http.DefaultTransport.RoundTrip(r)
}

// A day's file is longer than an answer, and has the time for it.
func TestFilesHaveTheirTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "down") {
			return
		}
		text := qqFile
		if strings.Contains(r.URL.Path, "mchdown") {
			text, _ = simplifiedchinese.GBK.NewEncoder().String(tenpayFile)
		}
		io.WriteString(w, text)
	}))
	defer server.Close()
	seen := deadlines{map[string]time.Duration{}}
	client := &http.Client{Transport: seen}
	qq, err := NewQQ(QQConfig{BaseURL: server.URL, MchID: "14", APIKey: "k", Operator: "1", OperatorPass: "p", Mode: guard.Sandbox, HTTPClient: client})
	old, err2 := New(Config{BaseURL: server.URL, Partner: "14", Key: "k", Mode: guard.Sandbox, HTTPClient: client})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for _, a := range []channel.Adapter{qq, old} {
		if s, err := a.Statement(t.Context(), "2026-11-21"); err != nil || len(s.Lines) != 2 {
			t.Errorf("%+v %v", s, err)
		}
		a.Query(t.Context(), channel.Ref{Number: "1"})
	}
	want := fmt.Sprint(map[string]time.Duration{"qpay_mch_statement_down.cgi": guard.FileTimeout, "mchdown_real_new.cgi": guard.FileTimeout, "qpay_order_query.cgi": guard.Timeout, "normalorderquery.xml": guard.Timeout})
	if got := fmt.Sprint(seen.seen); got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func FuzzStatement(f *testing.F) {
	f.Add(tenpayFile)
	f.Add(marked(tenpayFile))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := statement("2026-11-21", []byte(text), text, tenpayLine)
		for _, l := range s.Lines {
			stranger := l.Number == "" && l.RefundNumber == "" && l.Amount.IsZero()
			if err != nil || !stranger && (l.Amount.Minor <= 0 || l.Number == "") || l.At.IsZero() || l.Raw == "" {
				t.Errorf("%+v %v", l, err)
			}
		}
	})
}
