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
	lines, err := readBill(zipped(t, "#汇总\r\n门店编号,门店名称\r\n合计\t,\t\r\n", bill), maxBill)
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
	for what, text := range map[string]string{
		"a line less":        strings.Replace(bill, "交易合计：1笔", "交易合计：2笔", 1),
		"no such kind":       strings.Replace(bill, "\t,交易", "\t,转账", 1),
		"a column less":      strings.Replace(bill, "业务类型", "类型", 1),
		"a cell less":        strings.Replace(bill, "退款\t,充值", "退款", 1),
		"a cent and a half":  strings.Replace(bill, ",12.34", ",12.345", 1),
		"a refund of nobody": strings.Replace(bill, "R1", "", 1),
		"no time":            strings.Replace(bill, "2026-11-21 23:59:59", "yesterday", 1),
		"no movements":       "#支付宝业务汇总查询\r\n门店编号\r\n",
	} {
		if lines, err := readBill(zipped(t, text), maxBill); err == nil {
			t.Errorf("%s: %+v", what, lines)
		}
	}
	whole := zipped(t, bill)
	if _, err := readBill(whole[:len(whole)-40], maxBill); err == nil {
		t.Error("half a file")
	}
	flipped := bytes.Clone(whole)
	flipped[60] ^= 1
	if _, err := readBill(flipped, maxBill); err == nil {
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
	if _, err := readBill(parts, int64(3*len(bill)+1)); err != nil {
		t.Error(err)
	}
	if _, err := readBill(parts, int64(3*len(bill))); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("too long: %v", err)
	}
	if _, err := readBill(zipped(t, slices.Repeat([]string{""}, maxParts+1)...), maxBill); err == nil || !strings.Contains(err.Error(), "parts") {
		t.Errorf("too many parts: %v", err)
	}
}
