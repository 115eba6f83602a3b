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
	colAmount          = "订单金额"
	colFee             = "手续费"
	colRefundReference = "微信退款单号"
	colRefundNumber    = "商户退款单号"
	colRefundAmount    = "申请退款金额"
	colRefundState     = "退款状态"
)

// colCount heads the sums below the movements.
const colCount = "总交易单数"

// readBill takes a bill apart: a header, movements whose cells each stand behind a backtick, a second header and the sums.
func readBill(text, mchID string) ([]channel.Line, error) {
	head, rows, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(text, "\ufeff")), "\n")
	rows, sums := last(rows)
	rows, sumsHead := last(rows)
	if !strings.HasPrefix(sumsHead, colCount) {
		return nil, errors.New("its end is missing")
	}
	at := map[string]int{}
	for i, name := range strings.Split(strings.TrimSpace(head), ",") {
		at[strings.Trim(name, "`")] = i
	}
	for _, name := range []string{colAt, colMerchant, colReference, colNumber, colState, colCurrency, colAmount, colFee, colRefundReference, colRefundNumber, colRefundAmount, colRefundState} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("column %s is missing", name)
		}
	}
	lines, n := []channel.Line{}, 1
	for row := range strings.Lines(rows) {
		n++
		values := cells(row)
		if len(values) != len(at) {
			return nil, fmt.Errorf("line %d has %d cells", n, len(values))
		}
		line, err := readLine(func(name string) string { return values[at[name]] }, mchID)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		line.Raw = strings.TrimSpace(row)
		lines = append(lines, line)
	}
	if told, err := strconv.Atoi(cells(sums)[0]); err != nil || told != len(lines) {
		return nil, fmt.Errorf("%d movements, and its sum says otherwise", len(lines))
	}
	return lines, nil
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

// readLine reads a movement. Amounts are in yuan, fees finer than a fen.
func readLine(cell func(string) string, mchID string) (l channel.Line, err error) {
	if cell(colMerchant) != mchID {
		return l, errors.New("of another merchant")
	}
	currency := money.Currency(cell(colCurrency))
	l = channel.Line{Number: cell(colNumber), Reference: cell(colReference), State: channel.StatePaid}
	amount := cell(colAmount)
	switch state := cell(colState); state {
	case "SUCCESS":
	case "REFUND":
		l.RefundNumber, l.Reference, amount = cell(colRefundNumber), cell(colRefundReference), cell(colRefundAmount)
		l.State = refundState(cell(colRefundState))
		if l.RefundNumber == "" || l.RefundNumber == "0" {
			return l, errors.New("a refund without a number")
		}
	default:
		return l, fmt.Errorf("%q is neither payment nor refund", state)
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

// refundState is what the column of a refund's state says.
func refundState(text string) channel.State {
	switch text {
	case "SUCCESS":
		return channel.StateRefunded
	case "PROCESSING":
		return channel.StatePending
	}
	return channel.StateRefundFailed // FAIL, CHANGE
}

// fee reads 0.06000; below zero it is given back with a refund, and its size counts.
func fee(text string, currency money.Currency) (money.Money, error) {
	text = strings.TrimPrefix(text, "-")
	if whole, fraction, ok := strings.Cut(text, "."); ok && len(fraction) > 2 {
		text = whole + "." + fraction[:2] + strings.TrimRight(fraction[2:], "0")
	}
	return money.Parse(text, currency)
}
