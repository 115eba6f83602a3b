package wechatpay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// Columns of a bill that are read; the rest may come and go.
const (
	colAt              = "交易时间"
	colMerchant        = "商户号"
	colReference       = "微信订单号"
	colNumber          = "商户订单号"
	colState           = "交易状态"
	colCurrency        = "货币种类"
	colAmount          = "订单金额" // in bills of the old layout: colOldAmount
	colOldAmount       = "总金额"
	colFee             = "手续费"
	colRefundReference = "微信退款单号"
	colRefundNumber    = "商户退款单号"
	colRefundAmount    = "申请退款金额" // in the old layout: colOldRefund
	colOldRefund       = "退款金额"
	colRefundState     = "退款状态"
)

// colCount heads the sums below the movements.
const colCount = "总交易单数"

// layout is that of a bill, and whose it is.
type layout struct {
	at    map[string]int // a column's place, by its name
	width int            // how many there are
	mchID string
	day   time.Time // when it begins
}

// readBill takes a bill apart: a header, movements whose cells each stand behind a backtick, a second header and the sums. It is the
// whole merchant account's: what nobody can read of another shop's movements becomes a line of its own, for an operator to see.
func readBill(text, mchID string, day time.Time) ([]channel.Line, error) {
	head, rows, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")), "\n")
	rows, sums := last(rows)
	rows, sumsHead := last(rows)
	if !strings.HasPrefix(sumsHead, colCount) {
		return nil, errors.New("its end is missing")
	}
	b, err := columns(head)
	if err != nil {
		return nil, err
	}
	b.mchID, b.day = mchID, day
	lines, n := []channel.Line{}, 1
	for row := range strings.Lines(rows) {
		n++
		line, err := b.line(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		lines = append(lines, line)
	}
	if told, err := strconv.Atoi(cells(sums)[0]); err != nil || told != len(lines) {
		return nil, fmt.Errorf("%d movements, and its sum says otherwise", len(lines))
	}
	return lines, nil
}

// columns finds them. Some merchants still have the bill of old, which has two amounts under other names.
func columns(head string) (layout, error) {
	b := layout{at: map[string]int{}}
	for i, name := range strings.Split(strings.TrimSpace(head), ",") {
		b.at[strings.TrimSpace(strings.Trim(name, "`"))] = i
	}
	for name, old := range map[string]string{colAmount: colOldAmount, colRefundAmount: colOldRefund} {
		if _, ok := b.at[name]; !ok && b.has(old) {
			b.at[name] = b.at[old]
		}
	}
	for _, name := range []string{colAt, colMerchant, colReference, colNumber, colState, colCurrency, colAmount, colFee, colRefundReference, colRefundNumber, colRefundAmount, colRefundState} {
		if !b.has(name) {
			return b, fmt.Errorf("column %s is missing", name)
		}
	}
	b.width = strings.Count(head, ",") + 1
	return b, nil
}

func (b layout) has(name string) bool { _, ok := b.at[name]; return ok }

// line reads a movement. One of another merchant's, and one that cannot be read and has no number of ours, is nobody's: it names none.
func (b layout) line(row string) (l channel.Line, err error) {
	values := cells(row)
	if len(values) != b.width {
		err = fmt.Errorf("%d cells", len(values))
	} else {
		cell := func(name string) string { return values[b.at[name]] }
		if l, err = readLine(cell); cell(colMerchant) != b.mchID {
			l.Number, l.RefundNumber, err = "", "", nil
		}
	}
	if err != nil {
		if channel.NamesOurs(row) {
			return l, err
		}
		l = channel.Line{State: channel.StatePending}
	}
	if l.At.IsZero() {
		l.At = b.day
	}
	l.Raw = strings.TrimSpace(row)
	return l, nil
}

// last takes the last line off.
func last(text string) (before, line string) {
	i := strings.LastIndexByte(text, '\n')
	return text[:max(i, 0)], text[i+1:]
}

// cells parts a row; a comma without a backtick behind it belongs to a text.
func cells(row string) []string {
	return strings.Split(strings.TrimPrefix(strings.TrimSpace(row), "`"), ",`")
}

// readLine reads a movement: a payment, a refund, a payment that was revoked (by whom ever: we never do), which is one that went back under
// no number of ours, or something that is not known yet. Amounts are in yuan, fees finer than a fen.
func readLine(cell func(string) string) (l channel.Line, err error) {
	currency := money.Currency(cell(colCurrency))
	l = channel.Line{Number: cell(colNumber), Reference: cell(colReference), State: channel.StatePaid}
	amount := cell(colAmount)
	switch state := cell(colState); state {
	case "SUCCESS":
	case "REFUND", "REVOKED":
		l.RefundNumber, l.State = named(cell(colRefundNumber)), channel.StateRefunded
		if reference := named(cell(colRefundReference)); reference != "" {
			l.Reference = reference
		}
		if l.RefundNumber == "" {
			l.RefundNumber = l.Reference
		}
		if state == "REFUND" {
			l.State = refundState(cell(colRefundState))
		}
		if back := cell(colRefundAmount); state == "REFUND" || strings.Trim(back, "0.") != "" {
			amount = back
		}
	default:
		l.RefundNumber, l.State = state+":"+l.Reference, channel.StatePending
	}
	if l.Amount, err = money.Parse(amount, currency); err != nil {
		return l, fmt.Errorf("amount: %w", err)
	}
	if l.Fee, err = fee(cell(colFee), currency); err != nil {
		return l, fmt.Errorf("fee: %w", err)
	}
	if l.At, err = time.ParseInLocation(time.DateTime, cell(colAt), channel.Beijing); err != nil {
		return l, errors.New("the time is not readable")
	}
	l.At = l.At.UTC()
	return l, nil
}

// named is a number of a column that has 0 where there is none.
func named(number string) string {
	if number == "0" {
		return ""
	}
	return number
}

// refundState is what the column of a refund's state says. A bill is never written anew: what was on its way is asked for. CHANGE could not
// reach the payer; the API calls it ABNORMAL.
func refundState(text string) channel.State {
	switch text {
	case "SUCCESS":
		return channel.StateRefunded
	case "FAIL":
		return channel.StateRefundFailed
	case "CHANGE":
		return channel.StateHeld
	}
	return channel.StatePending // PROCESSING, and what WeChat Pay may invent
}

// fee reads 0.06000; below zero it is given back with a refund, and its size counts.
func fee(text string, currency money.Currency) (money.Money, error) {
	text = strings.TrimPrefix(text, "-")
	if whole, fraction, ok := strings.Cut(text, "."); ok && len(fraction) > 2 {
		text = whole + "." + fraction[:2] + strings.TrimRight(fraction[2:], "0")
	}
	return money.Parse(text, currency)
}
