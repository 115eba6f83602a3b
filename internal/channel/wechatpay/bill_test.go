package wechatpay

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
)

const header = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额," +
	"微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"

// bill is a day as WeChat Pay's documents show it: yuan, backticks, a comma in a text, and the sums.
const bill = "\ufeff" + header +
	"`2026-11-21 23:59:59,`wx1,`1900000001,`0,`,`4200001,`P1,`o-1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`12.34,`0.00,`0,`0,`0.00,`0.00,`,`,`充值, 一次,`,`0.07000,`0.60%,`12.34,`0.00,`\r\n" +
	"`2026-11-21 10:00:00,`wx1,`1900000001,`0,`,`4200000,`P0,`o-1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5030001,`R1,`2.34,`0.00,`ORIGINAL,`SUCCESS,`充值,`,`-0.01000,`0.60%,`0.00,`2.34,`\r\n" +
	"`2026-11-21 10:00:01,`wx1,`1900000001,`0,`,`4200000,`P0,`o-1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5030002,`R2,`1.00,`0.00,`ORIGINAL,`PROCESSING,`充值,`,`0.00000,`0.60%,`0.00,`1.00,`\r\n" +
	"总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`3,`12.34,`3.34,`0.00,`0.06000,`12.34,`3.34\r\n"

// day is when the bill's begins.
var day = time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)

// Numbers as the product makes them.
const (
	number       = "20261121100000ABCDEFGHJKMN"
	refundNumber = "20261121110000ABCDEFGHJKMN"
)

func TestReadBill(t *testing.T) {
	lines, err := readBill(bill, "1900000001", day)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%+v %v", lines, err)
	}
	paid, back, open := lines[0], lines[1], lines[2]
	if paid.Number != "P1" || paid.Reference != "4200001" || paid.RefundNumber != "" || paid.State != channel.StatePaid || paid.Amount.String() != "12.34 CNY" || paid.Fee.String() != "0.07 CNY" ||
		!paid.At.Equal(time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)) || !strings.Contains(paid.Raw, "充值, 一次") {
		t.Errorf("%+v", paid)
	}
	if back.Number != "P0" || back.RefundNumber != "R1" || back.Reference != "5030001" || back.State != channel.StateRefunded || back.Amount.String() != "2.34 CNY" {
		t.Errorf("%+v", back)
	}
	if open.State != channel.StatePending || refundState("CHANGE") != channel.StateHeld || refundState("FAIL") != channel.StateRefundFailed {
		t.Errorf("%+v", open)
	}
	lines, err = readBill(bill, "1900000002", day)
	if err != nil || len(lines) != 3 || lines[0].Number != "" || lines[1].RefundNumber != "" || lines[0].Raw == "" {
		t.Errorf("another merchant's movements are nobody's: %+v %v", lines, err)
	}
	ours := strings.NewReplacer("`P1", "`"+number, "`R1", "`"+refundNumber).Replace(bill)
	rows := strings.SplitAfter(ours, "\r\n")
	for what, text := range map[string]string{
		"a line less":      strings.Replace(ours, rows[2], "", 1),
		"no end":           strings.Join(rows[:4], ""),
		"a column less":    strings.Replace(ours, "交易状态", "状态", 1),
		"a cell less":      strings.Replace(ours, "`NATIVE,", "", 1),
		"half a fen":       strings.Replace(ours, "`12.34,`0.00,`\r\n", "`12.345,`0.00,`\r\n", 1),
		"half a fen's fee": strings.Replace(ours, "0.07000", "0.07500", 1),
		"no time":          strings.Replace(ours, "2026-11-21 23:59:59", "yesterday", 1),
		"nothing":          "",
	} {
		if lines, err := readBill(text, "1900000001", day); err == nil {
			t.Errorf("%s: %+v", what, lines)
		}
	}
}

// The file is not signed: its hash is.
func TestOpen(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(bill))
	z.Close()
	sum := sha1.Sum([]byte(bill))
	sha := hex.EncodeToString(sum[:])
	if lines, err := open(b.Bytes(), strings.ToUpper(sha), "1900000001", day); err != nil || len(lines) != 3 {
		t.Errorf("%+v %v", lines, err)
	}
	if _, err := open(b.Bytes(), strings.Replace(sha, sha[:1], "x", 1), "1900000001", day); err == nil {
		t.Error("another file's hash")
	}
	if _, err := open(b.Bytes()[:b.Len()-10], sha, "1900000001", day); err == nil {
		t.Error("half a file")
	}
	if _, err := open([]byte(bill), sha, "1900000001", day); err == nil {
		t.Error("not zipped")
	}
}

// A bill is the whole merchant account's: what another shop did, or what nobody knows yet, is one line for an operator, not the end of the day.
func TestBillsOfOthers(t *testing.T) {
	row := func(number, state, refundNumber, reference, back string) string {
		return "`2026-11-21 12:00:00,`wx2,`1900000001,`0,`,`4200009,`" + number + ",`o-1,`MICROPAY,`" + state + ",`OTHERS,`CNY,`5.00,`0.00,`" + reference + ",`" + refundNumber + ",`" + back +
			",`0.00,`ORIGINAL,`SUCCESS,`x,`,`0.00000,`0.60%,`5.00,`" + back + ",`\r\n"
	}
	end := "总交易单数,应结订单总金额\r\n`1,`5.00\r\n"
	for what, c := range map[string]struct {
		row, number, refund, reference string
		state                          channel.State
		minor                          int64
	}{
		"revoked, with a refund":     {row(number, "REVOKED", "0", "5030009", "5.00"), number, "5030009", "5030009", channel.StateRefunded, 500},
		"revoked, without":           {row(number, "REVOKED", "0", "0", "0.00"), number, "4200009", "4200009", channel.StateRefunded, 500},
		"refunded by hand":           {row(number, "REFUND", "0", "5030009", "2.00"), number, "5030009", "5030009", channel.StateRefunded, 200},
		"something new":              {row(number, "PREPAID", "0", "0", "0.00"), number, "PREPAID:4200009", "4200009", channel.StatePending, 500},
		"another shop's":             {row("SHOP-1", "SUCCESS", "0", "0", "0.00"), "SHOP-1", "", "4200009", channel.StatePaid, 500},
		"another shop's, unreadable": {row("SHOP-1,`2", "SUCCESS", "0", "0", "0.00"), "", "", "", channel.StatePending, 0},
	} {
		lines, err := readBill(header+c.row+end, "1900000001", day)
		if err != nil || len(lines) != 1 {
			t.Errorf("%s: %+v %v", what, lines, err)
			continue
		}
		if l := lines[0]; l.Number != c.number || l.RefundNumber != c.refund || l.Reference != c.reference || l.State != c.state || l.Amount.Minor != c.minor || l.At.IsZero() || l.Raw == "" {
			t.Errorf("%s: %+v", what, l)
		}
	}
	if lines, err := readBill(header+row(number+",`2", "SUCCESS", "0", "0", "0.00")+end, "1900000001", day); err == nil {
		t.Errorf("unreadable, and ours: %+v", lines)
	}
}

// Some merchants still get the layout of old: two amounts under other names, and none of the newer columns.
func TestBillOfTheOldLayout(t *testing.T) {
	old := "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,总金额,企业红包金额,微信退款单号,商户退款单号,退款金额,企业红包退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率\r\n" +
		"`2026-11-21 10:00:00,`wx1,`1900000001,`0,`,`4200001,`P1,`o-1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`12.34,`0.00,`0,`0,`0,`0,`,`,`充值,`,`0.07000,`0.60%\r\n" +
		"`2026-11-21 11:00:00,`wx1,`1900000001,`0,`,`4200001,`P1,`o-1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5030001,`R1,`2.34,`0.00,`ORIGINAL,`SUCCESS,`充值,`,`-0.01000,`0.60%\r\n" +
		"总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\r\n`2,`12.34,`2.34,`0.00,`0.06000\r\n"
	lines, err := readBill(old, "1900000001", day)
	if err != nil || len(lines) != 2 || lines[0].Amount.Minor != 1234 || lines[1].Amount.Minor != 234 || lines[1].RefundNumber != "R1" {
		t.Errorf("%+v %v", lines, err)
	}
}
