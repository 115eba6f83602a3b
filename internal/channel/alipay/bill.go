package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
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
func readBill(file []byte, left int64, day time.Time) ([]channel.Line, error) {
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
		comments, rows, ok := cut(string(text))
		if !ok {
			continue
		}
		read, err := readTable(rows, day)
		if err == nil {
			err = whole(comments, read)
		}
		if err != nil {
			return nil, err
		}
		for _, m := range read {
			lines = append(lines, m.Line)
		}
		found = true
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

// table is the movements' columns, and when the day begins.
type table struct {
	names []string
	at    map[string]int
	day   time.Time
}

// readTable reads the movements; cells are padded with tabs and blanks. The bill is the whole merchant account's: what nobody can read of
// another shop's movements becomes a line of its own, for an operator to see.
func readTable(text string, day time.Time) ([]movement, error) {
	head, rows, _ := strings.Cut(text, "\n")
	t := table{at: map[string]int{}, day: day, names: cells(head)}
	for i, name := range t.names {
		t.at[name] = i
	}
	for _, name := range []string{colReference, colNumber, colKind, colSubject, colDone, colAmount, colRefund} {
		if _, ok := t.at[name]; !ok {
			return nil, fmt.Errorf("column %s is missing", name)
		}
	}
	out, n := []movement{}, 1
	for row := range strings.Lines(rows) {
		n++
		m, err := t.read(row)
		if err != nil {
			if channel.NamesOurs(row) {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			m = movement{Line: channel.Line{State: channel.StatePending, At: day}}
		}
		m.Raw = strings.TrimSpace(row)
		out = append(out, m)
	}
	return out, nil
}

// movement is a line, and the kind that the totals count it under; empty where that is not known.
type movement struct {
	channel.Line
	kind string
}

// read reads a row, however many commas its texts have: all ways to part it into the columns have to say the same.
func (t table) read(row string) (movement, error) {
	ways := t.part(cells(row))
	if len(ways) == 0 {
		return movement{}, errors.New("the cells do not fit the columns")
	}
	first, err := t.line(ways[0])
	if err != nil {
		return first, err
	}
	for _, way := range ways[1:] {
		if m, err := t.line(way); err != nil || m != first {
			return first, errors.New("commas in its texts, and more than one way to read it")
		}
	}
	return first, nil
}

// line reads the cells of a movement: 交易, a payment; 退款, a refund, whose amount is below zero; or something that is not known yet.
func (t table) line(values []string) (m movement, err error) {
	cell := func(name string) string {
		if i, ok := t.at[name]; ok {
			return values[i]
		}
		return ""
	}
	l := channel.Line{Number: cell(colNumber), Reference: cell(colReference), State: channel.StatePaid, Fee: money.New(0, currency)}
	if l.Amount, err = money.Parse(strings.TrimPrefix(cell(colAmount), "-"), currency); err != nil {
		return m, fmt.Errorf("amount: %w", err)
	}
	if fee := cell(colFee); fee != "" {
		if l.Fee, err = money.Parse(strings.TrimPrefix(fee, "-"), currency); err != nil {
			return m, fmt.Errorf("fee: %w", err)
		}
	}
	if l.At, err = time.ParseInLocation(timeLayout, cell(colDone), beijing); err != nil {
		return m, errors.New("the time is not readable")
	}
	l.At = l.At.UTC()
	kind := cell(colKind)
	switch kind {
	case kindPaid:
	case kindBack:
		if l.State, l.RefundNumber = channel.StateRefunded, cell(colRefund); l.RefundNumber == "" { // made by hand
			l.RefundNumber = l.Reference
		}
	default:
		l.State, l.RefundNumber, kind = channel.StatePending, kind+":"+l.Reference, ""
	}
	return movement{l, kind}, nil
}

// What a movement is.
const (
	kindPaid = "交易"
	kindBack = "退款"
)

var totals = regexp.MustCompile(`#(交易|退款)合计：(\d+)笔`)

// whole compares the movements with the totals that stand below them. What nobody can read may be of either kind.
func whole(comments string, movements []movement) error {
	count := map[string]int{}
	for _, m := range movements {
		count[m.kind]++
	}
	for _, m := range totals.FindAllStringSubmatch(comments, -1) {
		if told, err := strconv.Atoi(m[2]); err != nil || told < count[m[1]] || told > count[m[1]]+count[""] {
			return fmt.Errorf("%d lines of %s, and the total says %s", count[m[1]], m[1], m[2])
		}
	}
	return nil
}
