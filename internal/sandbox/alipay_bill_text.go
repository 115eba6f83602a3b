package sandbox

import (
	"fmt"
	"strings"
	"time"
)

const alipayBillHeader = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）," +
	"支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"

const alipaySumHeader = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"

// alipayBillLines are a day's movements: payments, and refunds below zero under their trade's numbers.
func alipayBillLines(trades []trade, refunds []refund, of map[string]trade) string {
	var b strings.Builder
	b.WriteString("#-----------------------------------------业务明细列表----------------------------------------\r\n" + alipayBillHeader + "\r\n")
	for _, t := range trades {
		alipayBillLine(&b, t, "交易", t.Amount, *t.BookedAt, "", "")
	}
	for _, r := range refunds {
		alipayBillLine(&b, of[r.Trade], "退款", -r.Amount, *r.BookedAt, r.Number, r.Reason)
	}
	in, out := total(trades, refunds)
	b.WriteString("#-----------------------------------------业务明细列表结束------------------------------------\r\n")
	fmt.Fprintf(&b, "#交易合计：%d笔，商家实收共%s元，商家优惠共0.00元\r\n", len(trades), yuan(in))
	fmt.Fprintf(&b, "#退款合计：%d笔，商家实收退款共-%s元，商家优惠退款共0.00元\r\n", len(refunds), yuan(out))
	return b.String()
}

// alipayBillLine ends its cells with a tab, as the real files do. It quotes nothing: a comma in a text parts it.
func alipayBillLine(b *strings.Builder, t trade, kind string, amount int64, at time.Time, refundNumber, remark string) {
	cells := []string{t.Reference, t.Number, kind, alipayCell(t.Subject), t.CreatedAt.In(beijing).Format(time.DateTime), at.In(beijing).Format(time.DateTime), "", "", "", "", "pay***@sandbox.example",
		yuan(amount), yuan(amount), "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", refundNumber, "0.00", "0.00", alipayCell(remark)}
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(c + "\t")
	}
	b.WriteString("\r\n")
}

// alipayCell is a text in one line.
func alipayCell(text string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(text)
}

func alipayBillSums(trades []trade, refunds []refund) string {
	in, out := total(trades, refunds)
	return "#-----------------------------------------业务汇总列表----------------------------------------\r\n" + alipaySumHeader + "\r\n" +
		fmt.Sprintf("合计\t,\t,%d\t,%d\t,%s\t,%s\t,0.00\t,0.00\t,0.00\t,0.00\t,0.00\t,%[4]s\t\r\n", len(trades), len(refunds), yuan(in-out), yuan(in-out)) +
		"#-----------------------------------------业务汇总列表结束------------------------------------\r\n"
}

// total sums what was paid and what went back.
func total(trades []trade, refunds []refund) (in, out int64) {
	for _, t := range trades {
		in += t.Amount
	}
	for _, r := range refunds {
		out += r.Amount
	}
	return in, out
}

func chineseTime(t time.Time) string { return t.In(beijing).Format("2006年01月02日 15:04:05") }
