package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// The most that a bill may have: bytes when it is unzipped, some hundred thousand lines, and parts.
const (
	maxBill  = 64 << 20
	maxParts = 100
)

// Columns of a bill that are read; the rest may come and go.
const (
	colReference = "支付宝交易号"
	colNumber    = "商户订单号"
	colKind      = "业务类型"
	colSubject   = "商品名称"
	colDone      = "完成时间"
	colAmount    = "订单金额（元）"
	colRefund    = "退款批次号/请求号"
	colFee       = "服务费（元）"
)

// readBill takes a bill apart: a ZIP of GBK texts, of which those with movements have a header that begins with colReference. Together
// they may have no more than left bytes.
func readBill(file []byte, left int64) ([]channel.Line, error) {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, errors.New("not a ZIP")
	}
	if len(z.File) > maxParts {
		return nil, fmt.Errorf("%d parts in it", len(z.File))
	}
	lines, found := []channel.Line{}, false
	for _, f := range z.File {
		text, err := unzip(f, left)
		if err != nil {
			return nil, err
		}
		left -= int64(len(text))
		comments, table, ok := cut(string(text))
		if !ok {
			continue
		}
		read, err := readTable(table)
		if err == nil {
			err = whole(comments, read)
		}
		if err != nil {
			return nil, err
		}
		lines, found = append(lines, read...), true
	}
	if !found {
		return nil, errors.New("no movements in it")
	}
	return lines, nil
}

// unzip reads a part of the ZIP, which its checksum proves whole, and decodes it.
func unzip(f *zip.File, most int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, errors.New("a broken ZIP")
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(simplifiedchinese.GBK.NewDecoder().Reader(r), most+1))
	if err != nil || int64(len(text)) > most {
		return nil, errors.New("a broken ZIP, or too long a text in it")
	}
	return text, nil
}

// cut parts comments from the table; ok says that it is one of movements.
func cut(text string) (comments, table string, ok bool) {
	var c, t strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			c.WriteString(line)
		} else {
			t.WriteString(line)
		}
	}
	table = strings.TrimSpace(t.String())
	return c.String(), table, strings.HasPrefix(table, colReference)
}

// readTable reads the movements; cells are padded with tabs and blanks.
func readTable(table string) ([]channel.Line, error) {
	head, rows, _ := strings.Cut(table, "\n")
	at := map[string]int{}
	names := cells(head, 0, 0)
	for i, name := range names {
		at[name] = i
	}
	for _, name := range []string{colReference, colNumber, colKind, colSubject, colDone, colAmount, colRefund} {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("column %s is missing", name)
		}
	}
	lines, n := []channel.Line{}, 1
	for row := range strings.Lines(rows) {
		n++
		values := cells(row, len(names), at[colSubject])
		if len(values) != len(names) {
			return nil, fmt.Errorf("line %d has %d cells", n, len(values))
		}
		line, err := readLine(func(name string) string {
			if i, ok := at[name]; ok {
				return values[i]
			}
			return ""
		})
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		line.Raw = strings.TrimSpace(row)
		lines = append(lines, line)
	}
	return lines, nil
}

// cells parts a row at its commas. What the payer reads may have some too: cells beyond the want-ed number belong to that column.
func cells(row string, want, subject int) []string {
	out := strings.Split(row, ",")
	if more := len(out) - want; want > 0 && more > 0 {
		out = slices.Replace(out, subject, subject+more+1, strings.Join(out[subject:subject+more+1], ","))
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// readLine reads a movement: 交易, a payment; 退款, a refund, whose amount is below zero.
func readLine(cell func(string) string) (l channel.Line, err error) {
	l = channel.Line{Number: cell(colNumber), Reference: cell(colReference), State: channel.StatePaid, Fee: money.New(0, currency)}
	if l.Amount, err = money.Parse(strings.TrimPrefix(cell(colAmount), "-"), currency); err != nil {
		return l, fmt.Errorf("amount: %w", err)
	}
	if fee := cell(colFee); fee != "" {
		if l.Fee, err = money.Parse(strings.TrimPrefix(fee, "-"), currency); err != nil {
			return l, fmt.Errorf("fee: %w", err)
		}
	}
	if l.At, err = time.ParseInLocation(timeLayout, cell(colDone), beijing); err != nil {
		return l, errors.New("the time is not readable")
	}
	l.At = l.At.UTC()
	switch kind := cell(colKind); kind {
	case "交易":
	case "退款":
		if l.State, l.RefundNumber = channel.StateRefunded, cell(colRefund); l.RefundNumber == "" {
			return l, errors.New("a refund without a number")
		}
	default:
		return l, fmt.Errorf("%q is neither payment nor refund", kind)
	}
	return l, nil
}

var totals = regexp.MustCompile(`#(交易|退款)合计：(\d+)笔`)

// whole compares the movements with the totals that stand below them.
func whole(comments string, lines []channel.Line) error {
	count := map[string]int{}
	for _, l := range lines {
		if l.RefundNumber != "" {
			count["退款"]++
		} else {
			count["交易"]++
		}
	}
	for _, m := range totals.FindAllStringSubmatch(comments, -1) {
		if told, err := strconv.Atoi(m[2]); err != nil || told != count[m[1]] {
			return fmt.Errorf("%d lines of %s, and the total says %s", count[m[1]], m[1], m[2])
		}
	}
	return nil
}
