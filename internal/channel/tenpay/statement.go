package tenpay

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// late is how long after a day's end its file is there for certain, if there is one: they are made by nine in the morning.
const late = 36 * time.Hour

// perhapsEmpty judges an answer that says one thing of a day whose file is not made yet and of one without trades: a day after the day it is
// the latter.
func perhapsEmpty(day channel.Day, now time.Time, answer []byte) (channel.Statement, error) {
	if _, end := day.In(channel.Beijing); now.Before(end.Add(late)) {
		return channel.Statement{}, fmt.Errorf("%w: late, or a day without trades", channel.ErrNoStatement)
	}
	return channel.Statement{Day: day, Hash: hashOf(answer)}, nil
}

// record is a line of a statement, by the names of the header.
type record struct {
	cells map[string]string
	raw   string
	err   error // it could not be taken apart
}

// wanted are the columns without which a table is none of a day's trades.
var wanted = []string{"交易时间", "商户订单号", "交易状态"}

// table reads the family's statements: a header, a line for each movement, a header of sums and the sums, of which the first is how many
// lines there are; empty lines count for nothing. Without the sums, or with another count, the file is not whole and nothing of it counts.
func table(text string) ([]record, error) {
	lines := strings.FieldsFunc(strings.TrimPrefix(text, "\ufeff"), func(r rune) bool { return r == '\n' || r == '\r' })
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.TrimSpace(line) == "" })
	end := len(lines) - 2
	if end < 1 {
		return nil, fmt.Errorf("%w: a statement without its sums", channel.ErrUnknown)
	}
	names := header(lines[0])
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%w: a statement without the column %s", channel.ErrUnknown, name)
		}
	}
	if n := bare(strings.Split(lines[end+1], ",")[0]); n != strconv.Itoa(end-1) {
		return nil, fmt.Errorf("%w: a statement of %d lines that has %q", channel.ErrUnknown, end-1, code(n))
	}
	records := make([]record, 0, end-1)
	for _, line := range lines[1:end] {
		records = append(records, read(line, names))
	}
	return records, nil
}

// header gives the names of columns, without the unit that some have behind them.
func header(line string) []string {
	names := strings.Split(line, ",")
	for i, n := range names {
		n, _, _ = strings.Cut(bare(n), "(")
		names[i], _, _ = strings.Cut(n, "（")
	}
	return names
}

// bare is a cell without its mark.
func bare(cell string) string { return strings.Trim(cell, "` \t") }

// read takes a line apart.
func read(line string, names []string) record {
	r := record{cells: map[string]string{}, raw: line}
	cells := split(line, names)
	if len(cells) != len(names) {
		r.err = fmt.Errorf("%w: a line of %d cells under %d names", channel.ErrUnknown, len(cells), len(names))
		return r
	}
	for i, c := range cells {
		if c = bare(c); c == "暂无数据" {
			c = ""
		}
		r.cells[names[i]] = c
	}
	return r
}

// split parts a line's cells. A backtick stands before each, or by other accounts before those of numbers only. Where it does not tell, a
// comma too many belongs to what the payer reads.
func split(line string, names []string) []string {
	if cells := strings.Split(line, ",`"); len(cells) == len(names) {
		return cells
	}
	cells := strings.Split(line, ",")
	free := slices.IndexFunc(names, func(name string) bool { return name == "商品名称" || name == "交易说明" })
	if more := len(cells) - len(names); more > 0 && free >= 0 {
		cells = slices.Replace(cells, free, free+more+1, strings.Join(cells[free:free+more+1], ","))
	}
	return cells
}

// is reports whether a cell has one of the words.
func (r record) is(name string, words ...string) bool { return slices.Contains(words, r.cells[name]) }

// amount reads one of a statement, in whole units; an empty one is zero.
func (r record) amount(name string, c money.Currency) (money.Money, error) {
	text := r.cells[name]
	if text == "" {
		return money.Zero(c), nil
	}
	m, err := money.Parse(text, c)
	if err != nil {
		return money.Zero(c), fmt.Errorf("%w: a statement whose amount is none", channel.ErrUnknown)
	}
	return m, nil
}

// time reads the first of these cells that has a time.
func (r record) time(names ...string) (time.Time, error) {
	for _, name := range names {
		for _, layout := range []string{time.DateTime, timeLayout, "2006/1/2 15:04:05", "2006/1/2 15:04"} {
			if t, err := time.ParseInLocation(layout, r.cells[name], channel.Beijing); err == nil {
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%w: a statement's line without a time", channel.ErrUnknown)
}

// errKind: neither payment nor refund.
var errKind = fmt.Errorf("%w: a statement's line of a kind that is not known", channel.ErrUnknown)

// hashOf tells a file from another.
func hashOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// statement makes lines of a file's records. A line of ours that cannot be read spoils the day: what is left out would look like money that
// never came. One of somebody else on the same merchant account is shown as it came.
func statement(day channel.Day, file []byte, text string, line func(record) (channel.Line, error)) (channel.Statement, error) {
	records, err := table(text)
	if err != nil {
		return channel.Statement{}, err
	}
	from, _ := day.In(channel.Beijing)
	s := channel.Statement{Day: day, Hash: hashOf(file), Lines: make([]channel.Line, 0, len(records))}
	for _, r := range records {
		var l channel.Line
		err := r.err
		if err == nil {
			l, err = line(r)
		}
		if err == nil && (l.Number == "" || l.Amount.Minor <= 0) {
			err = fmt.Errorf("%w: a statement's line without a number, or an amount", channel.ErrUnknown)
		}
		if err != nil && channel.NamesOurs(r.raw) {
			return channel.Statement{}, err
		}
		if err != nil {
			l = channel.Line{Reference: l.Reference, State: channel.StatePaid, At: from}
		}
		l.Raw = r.raw
		s.Lines = append(s.Lines, l)
	}
	return s, nil
}
