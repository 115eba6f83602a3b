package tenpay

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/internal/channel"
)

// StatementDay is a calendar day in Beijing.
func (a *Tenpay) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is mchdown_real_new.cgi with mchtype 0: a file in GBK, in yuan, or a page of HTML that says why there is none. This operation
// signs its fields in the order in which they stand, and in lower case.
func (a *Tenpay) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	text := "spid=" + url.QueryEscape(a.partner) + "&trans_time=" + string(day) + "&stamp=" + strconv.FormatInt(time.Now().Unix(), 10) + "&cft_signtype=0&mchtype=0"
	sum := md5.Sum([]byte(text + "&key=" + a.key))
	file, err := post(ctx, a.files, a.merchant, "/cgi-bin/mchdown_real_new.cgi", formType, text+"&sign="+hex.EncodeToString(sum[:]))
	if err != nil {
		return channel.Statement{}, fmt.Errorf("tenpay: %w", err)
	}
	clear, err := simplifiedchinese.GBK.NewDecoder().Bytes(file)
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: tenpay: a statement that is not in GBK", channel.ErrUnknown)
	}
	if bytes.HasPrefix(bytes.TrimSpace(clear), []byte("<")) {
		return emptyOrNone(day, a.now(), string(clear))
	}
	return statement(day, file, string(clear), tenpayLine)
}

// emptyOrNone reads why there is no file: 03020003 says that it is not made yet, 03020120 (of yesterday) and 03020123 that it is not, or that
// the day had no trades.
func emptyOrNone(day channel.Day, now time.Time, page string) (channel.Statement, error) {
	switch {
	case unsigned(page):
		return channel.Statement{}, fmt.Errorf("%w: tenpay refuses the statement's signature", channel.ErrUnavailable)
	case strings.Contains(page, "03020120"), strings.Contains(page, "03020123"):
		return perhapsEmpty(day, now, []byte(page))
	case strings.Contains(page, "03020003"):
		return channel.Statement{}, fmt.Errorf("%w: tenpay", channel.ErrNoStatement)
	}
	return channel.Statement{}, fmt.Errorf("%w: tenpay gives no statement", channel.ErrUnknown)
}

// tenpayLine reads a movement: a payment, or a refund.
func tenpayLine(r record) (l channel.Line, err error) {
	l.Number, l.Reference = r.cells["商户订单号"], r.cells["财付通订单号"]
	if l.At, err = r.time("交易时间"); err != nil {
		return l, err
	}
	switch {
	case r.is("交易状态", "用户已支付"):
		l.State = channel.StatePaid
		l.Amount, err = r.amount("交易金额", currency)
	case r.is("交易状态", "转入退款"):
		l.RefundNumber, l.State = r.cells["退款单号"], refundState(r.cells["退款状态"])
		if l.RefundNumber == "" || l.RefundNumber == "0" { // made by hand
			l.RefundNumber = l.Reference
		}
		l.Amount, err = r.amount("退款金额", currency)
	default:
		err = errKind
	}
	return l, err
}
