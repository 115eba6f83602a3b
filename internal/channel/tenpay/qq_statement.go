package tenpay

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// StatementDay is a calendar day in Beijing.
func (a *QQ) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is qpay_mch_statement_down.cgi with bill_type ALL: a file of its own form, in yuan, or XML where there is none. It is made at
// nine the next morning.
func (a *QQ) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	f := fields{"mch_id": a.mchID, "nonce_str": nonce(), "bill_date": day.Format("20060102"), "bill_type": "ALL"}
	file, err := post(ctx, a.files, a.base, "/cgi-bin/sp_download/qpay_mch_statement_down.cgi", xmlType, f.signed(a.key).xml())
	if err != nil {
		return channel.Statement{}, fmt.Errorf("qq wallet: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(file), []byte("<")) {
		return qqNone(day, a.now(), file)
	}
	return statement(day, file, string(file), qqLine)
}

// qqNone reads why there is no file. What the family says of a day without trades, "No Bill Exist", it says of one that is not made as well.
func qqNone(day channel.Day, now time.Time, body []byte) (channel.Statement, error) {
	out, err := parseXML(body)
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: qq wallet: %v", channel.ErrUnknown, err)
	}
	why := strings.ToLower(out["return_msg"])
	switch {
	case unsigned(why):
		return channel.Statement{}, doorError(out)
	case strings.Contains(why, "no bill exist"), strings.Contains(why, "账单不存在"):
		return perhapsEmpty(day, now, body)
	case strings.Contains(why, "bill"), strings.Contains(why, "账单"):
		return channel.Statement{}, fmt.Errorf("%w: %v", channel.ErrNoStatement, doorError(out))
	}
	return channel.Statement{}, doorError(out)
}

// qqLine reads a movement: a payment, or a refund, which stands on the day it was asked for.
func qqLine(r record) (l channel.Line, err error) {
	in := currency
	if c := r.cells["货币种类"]; c != "" && c != "RMB" {
		in = money.Currency(c)
	}
	l.Number, l.Reference = r.cells["商户订单号"], r.cells["QQ钱包订单号"]
	switch {
	case r.is("交易状态", "支付成功", "用户已支付", success):
		l.State = channel.StatePaid
		l.Fee, _ = r.amount("手续费金额", in) // to be known, not compared; it may be finer than money
		if l.Amount, err = r.amount("订单金额", in); err == nil {
			l.At, err = r.time("交易时间")
		}
	case r.is("交易状态", "转入退款", "REFUND"):
		l.Reference = cmp.Or(r.cells["QQ钱包退款订单号"], l.Reference)
		l.RefundNumber, l.State = cmp.Or(r.cells["商户退款订单号"], l.Reference), refundState(r.cells["退款状态"]) // one made by hand has no number of ours
		if l.Amount, err = r.amount("退款金额", in); err == nil {
			l.At, err = r.time("退款成功时间", "退款提交时间", "交易时间")
		}
	default:
		err = errKind
	}
	return l, err
}

// refundState is how a refund stands in a statement, in the words of both.
func refundState(words string) channel.State {
	switch words {
	case "退款成功", success:
		return channel.StateRefunded
	case "退款失败", "FAIL", "转入代发", "CHANGE":
		return channel.StateRefundFailed
	}
	return channel.StatePending
}
