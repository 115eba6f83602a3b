package tenpay

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"paydesk/internal/channel"
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
		return channel.Statement{}, noStatement(file)
	}
	return statement(day, file, string(file), qqLine)
}

// noStatement reads why there is no file.
func noStatement(body []byte) error {
	out, err := parseXML(body)
	if err != nil {
		return fmt.Errorf("%w: qq wallet: %v", channel.ErrUnknown, err)
	}
	if err := doorError(out); !unsigned(out["return_msg"]) && (strings.Contains(out["return_msg"], "账单") || strings.Contains(strings.ToLower(out["return_msg"]), "no bill")) {
		return fmt.Errorf("%w: %v", channel.ErrNoStatement, err)
	}
	return doorError(out)
}

// qqLine reads a movement: a payment, or a refund, which stands on the day it was asked for.
func qqLine(r record) (l channel.Line, err error) {
	if c := r.cells["货币种类"]; c != "" && c != "RMB" && c != string(currency) {
		return l, fmt.Errorf("%w: a statement in %s", channel.ErrUnknown, code(c))
	}
	l.Number, l.Reference = r.cells["商户订单号"], r.cells["QQ钱包订单号"]
	switch {
	case r.is("交易状态", "支付成功", "用户已支付", success):
		l.State = channel.StatePaid
		if l.Fee, err = r.yuan("手续费金额"); err != nil {
			return l, err
		}
		if l.Amount, err = r.yuan("订单金额"); err != nil {
			return l, err
		}
		l.At, err = r.time("交易时间")
		return l, err
	case r.is("交易状态", "转入退款", "REFUND"):
		l.RefundNumber, l.Reference, l.State = r.cells["商户退款订单号"], r.cells["QQ钱包退款订单号"], refundState(r.cells["退款状态"])
		if l.Amount, err = r.yuan("退款金额"); err != nil || l.RefundNumber == "" {
			return l, fmt.Errorf("%w: a statement's refund without a number, or an amount", channel.ErrUnknown)
		}
		l.At, err = r.time("退款成功时间", "退款提交时间", "交易时间")
		return l, err
	}
	return l, fmt.Errorf("%w: a statement's line of a kind that is not known", channel.ErrUnknown)
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
