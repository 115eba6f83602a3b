package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/smartwalle/alipay/v3"
	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// bill is a day as Alipay's documents show it: comments, padded cells, refunds below zero, more columns than are read.
const bill = "#支付宝业务明细查询\r\n#账号：[20881234567890120156]\r\n" +
	"支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号,服务费（元）,备注\r\n" +
	"2026112122001\t,P1\t,交易\t,充值, 一次\t,2026-11-21 23:59:00\t,2026-11-21 23:59:59\t,12.34\t,12.34\t,\t,-0.07\t,\t\r\n" +
	"2026112122001\t,P1\t,退款\t,充值\t,2026-11-21 23:59:00\t,2026-11-22 00:00:00\t,-2.34\t,-2.34\t,R1\t,0.00\t,\t\r\n" +
	"#-----业务明细列表结束-----\r\n#交易合计：1笔，商家实收共12.34元\r\n#退款合计：1笔，商家实收退款共-2.34元\r\n"

// number is one as the product makes them; day is when the bill's begins.
const number = "20261121100000ABCDEFGHJKMN"

var day = time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)

func zipped(t *testing.T, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, text := range texts {
		coded, err := simplifiedchinese.GBK.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		w, err := z.Create("x.csv")
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(coded))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadBill(t *testing.T) {
	lines, err := readBill(zipped(t, "#汇总\r\n门店编号,门店名称\r\n合计\t,\t\r\n", bill), maxBill, day)
	if err != nil || len(lines) != 2 {
		t.Fatalf("%+v %v", lines, err)
	}
	paid, back := lines[0], lines[1]
	if paid.Number != "P1" || paid.Reference != "2026112122001" || paid.RefundNumber != "" || paid.State != channel.StatePaid || paid.Amount.String() != "12.34 CNY" || paid.Fee.String() != "0.07 CNY" ||
		!paid.At.Equal(time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)) || !strings.Contains(paid.Raw, "充值, 一次") {
		t.Errorf("%+v", paid)
	}
	if back.Number != "P1" || back.RefundNumber != "R1" || back.State != channel.StateRefunded || back.Amount.String() != "2.34 CNY" {
		t.Errorf("%+v", back)
	}
	ours := strings.ReplaceAll(bill, "P1", number)
	for what, text := range map[string]string{
		"a line less":       strings.Replace(ours, "交易合计：1笔", "交易合计：2笔", 1),
		"a column less":     strings.Replace(ours, "业务类型", "类型", 1),
		"a cell less":       strings.Replace(ours, "退款\t,充值", "退款", 1),
		"a cent and a half": strings.Replace(ours, ",12.34", ",12.345", 1),
		"no time":           strings.Replace(ours, "2026-11-21 23:59:59", "yesterday", 1),
		"no movements":      "#支付宝业务汇总查询\r\n门店编号\r\n",
	} {
		if lines, err := readBill(zipped(t, text), maxBill, day); err == nil {
			t.Errorf("%s: %+v", what, lines)
		}
	}
	whole := zipped(t, bill)
	if _, err := readBill(whole[:len(whole)-40], maxBill, day); err == nil {
		t.Error("half a file")
	}
	flipped := bytes.Clone(whole)
	flipped[60] ^= 1
	if _, err := readBill(flipped, maxBill, day); err == nil {
		t.Error("a changed file")
	}
}

// A day whose bill is not there is one that is asked for again; long after its end it had no trades.
func TestNoBill(t *testing.T) {
	a := &Adapter{}
	_, end := a.StatementDay("2026-11-21")
	for _, c := range []struct {
		sub   string
		after time.Duration
		want  error
	}{
		{"isp.bill_not_exist", 10 * time.Hour, channel.ErrNoStatement},
		{"BILL_NOT_EXIST", 10 * time.Hour, channel.ErrNoStatement},
		{"isp.bill_not_exist", 40 * time.Hour, nil},
		{"isv.invalid_arguments", 40 * time.Hour, channel.ErrNoStatement},
		{"INVAILID_ARGUMENTS", -time.Hour, channel.ErrNoStatement},
		{"isp.unknow-error", 40 * time.Hour, channel.ErrUnknown},
	} {
		s, err := a.noBill("2026-11-21", sdk.Error{Code: "40004", SubCode: c.sub}, end.Add(c.after))
		if !errors.Is(err, c.want) || len(s.Lines) != 0 {
			t.Errorf("%s after %s: %+v %v", c.sub, c.after, s, err)
		}
	}
}

func TestBillAddress(t *testing.T) {
	for _, c := range []struct {
		mode     guard.Mode
		raw, got string
	}{
		{guard.Production, "http://dwbillcenter.alipay.com/downloadBillFile.resource?fileId=1", "https://dwbillcenter.alipay.com/downloadBillFile.resource?fileId=1"},
		{guard.Production, "http://127.0.0.1/bill", ""},
		{guard.Production, "ftp://dwbillcenter.alipay.com/", ""},
		{guard.Sandbox, "http://127.0.0.1:1/bill?fileId=1", "http://127.0.0.1:1/bill?fileId=1"},
		{guard.Sandbox, "http://dwbillcenter.alipay.com/downloadBillFile.resource", ""},
	} {
		u, err := (&Adapter{mode: c.mode}).billAddress(c.raw)
		switch {
		case err == nil && u.String() != c.got:
			t.Errorf("%s %s: %s", c.mode, c.raw, u)
		case err != nil && (c.got != "" || strings.Contains(err.Error(), "fileId")):
			t.Errorf("%s %s: %v", c.mode, c.raw, err)
		}
	}
}

// A small file that unpacks to something vast is no bill, be it vast in all its parts together only.
func TestBillsAreBounded(t *testing.T) {
	parts := zipped(t, bill, "#"+strings.Repeat(" ", 2*len(bill)))
	if _, err := readBill(parts, int64(3*len(bill)+1), day); err != nil {
		t.Error(err)
	}
	if _, err := readBill(parts, int64(3*len(bill)), day); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("too long: %v", err)
	}
	if _, err := readBill(zipped(t, slices.Repeat([]string{""}, maxParts+1)...), maxBill, day); err == nil || !strings.Contains(err.Error(), "parts") {
		t.Errorf("too many parts: %v", err)
	}
}

const (
	wholeHeader = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）," +
		"券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"
	wholeEnd = "#交易合计：0笔，商家实收共0.00元\r\n#退款合计：1笔，商家实收退款共-2.34元\r\n"
)

// wholeRow is a refund in a bill of all columns.
func wholeRow(subject, shop, payer, coupon, remark string) string {
	return "2026112122001\t," + number + "\t,退款\t," + subject + "\t,2026-11-21 10:00:00\t,2026-11-21 11:00:00\t,\t," + shop + "\t,\t,\t," + payer + "\t,-2.34\t,-2.34\t,0.00\t,0.00\t,0.00\t,0.00\t,0.00\t," +
		coupon + "\t,0.00\t,0.00\t,R1\t,0.01\t,0.00\t," + remark + "\t\r\n"
}

// Nothing is quoted in a bill, and people write commas: wherever they do, the cells that are read are the same; where they cannot be
// told, nothing is guessed.
func TestCommasInABill(t *testing.T) {
	for what, row := range map[string]string{
		"twenty in the remark":     wholeRow("", "", "", "", strings.Repeat(",", 20)),
		"none":                     wholeRow("充值", "店", "pay***@x.example", "", "broken"),
		"in the subject":           wholeRow("充值, 一次, ,", "店", "pay***@x.example", "", "broken"),
		"in the remark":            wholeRow("充值", "店", "pay***@x.example", "", "slow, broken, late"),
		"in the coupon":            wholeRow("充值", "店", "pay***@x.example", "满10,减1", ""),
		"in the shop":              wholeRow("充值", "东,西", "pay***@x.example", "", ""),
		"in all of them":           wholeRow("a,b", "c,d,e", "f,g", "h,i", "j,k,l,"),
		"amounts in the remark":    wholeRow("充值", "店", "pay***@x.example", "", "1.00,2.00,3.00"),
		"a time in the subject":    wholeRow("x,2026-11-20 10:00:00", "店", "p", "", ""),
		"empty cells, and amounts": wholeRow(",,", "", "", ",", ",0.00,"),
	} {
		lines, err := readBill(zipped(t, wholeHeader+row+wholeEnd), maxBill, day)
		if err != nil || len(lines) != 1 {
			t.Errorf("%s: %+v %v", what, lines, err)
			continue
		}
		if l := lines[0]; l.Number != number || l.RefundNumber != "R1" || l.Amount.Minor != 234 || l.Fee.Minor != 1 || l.State != channel.StateRefunded || !l.At.Equal(time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v", what, l)
		}
	}
	forked := wholeRow("x", "", "p", "c\t,0.00\t,0.00\t,R9\t,0.01\t,0.00", "")
	if lines, err := readBill(zipped(t, wholeHeader+forked+wholeEnd), maxBill, day); err == nil {
		t.Errorf("guessed: %+v", lines)
	}
}

// A bill is the whole merchant account's: what another shop did, or what nobody knows yet, is one line for an operator, not the end of the day.
func TestBillsOfOthers(t *testing.T) {
	head := "支付宝交易号,商户订单号,业务类型,商品名称,完成时间,订单金额（元）,退款批次号/请求号\r\n"
	for what, c := range map[string]struct {
		row, number, refund string
		state               channel.State
		totals              string
	}{
		"another shop's":             {"2026\t,SHOP-1\t,交易\t,x\t,2026-11-21 10:00:00\t,5.00\t,\t", "SHOP-1", "", channel.StatePaid, "#交易合计：1笔"},
		"refunded by hand":           {"2026\t," + number + "\t,退款\t,x\t,2026-11-21 10:00:00\t,-5.00\t,\t", number, "2026", channel.StateRefunded, "#退款合计：1笔"},
		"something new":              {"2026\t," + number + "\t,转账\t,x\t,2026-11-21 10:00:00\t,5.00\t,\t", number, "转账:2026", channel.StatePending, "#交易合计：0笔"},
		"another shop's, unreadable": {"2026\t,SHOP-1\t,交易\t,x\t,yesterday\t,5.00\t,\t", "", "", channel.StatePending, "#交易合计：1笔"},
	} {
		lines, err := readBill(zipped(t, head+c.row+"\r\n"+c.totals+"\r\n"), maxBill, day)
		if err != nil || len(lines) != 1 {
			t.Errorf("%s: %+v %v", what, lines, err)
			continue
		}
		if l := lines[0]; l.Number != c.number || l.RefundNumber != c.refund || l.State != c.state || l.At.IsZero() || l.Raw == "" {
			t.Errorf("%s: %+v", what, l)
		}
	}
	row := "2026\t," + number + "\t,交易\t,x\t,yesterday\t,5.00\t,\t\r\n"
	if lines, err := readBill(zipped(t, head+row+"#交易合计：1笔\r\n"), maxBill, day); err == nil {
		t.Errorf("unreadable, and ours: %+v", lines)
	}
}
