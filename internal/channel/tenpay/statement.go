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

// record is a line of a statement, by the names of the header.
type record struct {
	cells map[string]string
	raw   string
}

// counts are the names under which a summary tells how many lines there are.
var counts = []string{"交易总笔数", "总交易单数", "交易单总数"}

// table reads the family's statements: a header, a line for each movement, its cells marked with a backtick, then a header and a line of
// sums. Without the sums, or with another count in them, the file is not whole and nothing of it counts.
func table(text string) ([]record, error) {
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"), "\r", ""), "\n")
	end := 1
	for end < len(lines) && strings.HasPrefix(lines[end], "`") {
		end++
	}
	if end+1 >= len(lines) {
		return nil, fmt.Errorf("%w: a statement without its sums", channel.ErrUnknown)
	}
	sums, names := read(lines[end+1], header(lines[end])), header(lines[0])
	for _, name := range counts {
		if n, ok := sums.cells[name]; ok && n != strconv.Itoa(end-1) {
			return nil, fmt.Errorf("%w: a statement of %d lines that has %s", channel.ErrUnknown, end-1, code(n))
		}
	}
	records := make([]record, 0, end-1)
	for _, line := range lines[1:end] {
		r := read(line, names)
		if len(r.cells) != len(names) {
			return nil, fmt.Errorf("%w: a line of %d cells under %d names", channel.ErrUnknown, len(r.cells), len(names))
		}
		records = append(records, r)
	}
	return records, nil
}

// header gives the names of columns, without the unit that some have behind them.
func header(line string) []string {
	names := strings.Split(line, ",")
	for i, n := range names {
		n, _, _ = strings.Cut(strings.Trim(n, "` "), "(")
		names[i], _, _ = strings.Cut(n, "（")
	}
	return names
}

// read splits a line; a cell that is marked may have a comma in it. More cells than names are kept by their numbers.
func read(line string, names []string) record {
	cells := strings.Split(line, ",")
	if rest, marked := strings.CutPrefix(line, "`"); marked {
		cells = strings.Split(rest, ",`")
	}
	r := record{map[string]string{}, line}
	for i, c := range cells {
		name := strconv.Itoa(i)
		if i < len(names) {
			name = names[i]
		}
		if c = strings.Trim(c, "` \t"); c == "暂无数据" {
			c = ""
		}
		r.cells[name] = c
	}
	return r
}

// is reports whether a cell has one of the words.
func (r record) is(name string, words ...string) bool { return slices.Contains(words, r.cells[name]) }

// yuan reads an amount of a statement; an empty one is zero.
func (r record) yuan(name string) (money.Money, error) {
	text := r.cells[name]
	if text == "" {
		return money.New(0, currency), nil
	}
	m, err := money.Parse(text, currency)
	if err != nil {
		return money.Money{}, fmt.Errorf("%w: a statement whose amount is none", channel.ErrUnknown)
	}
	return m, nil
}

// time reads the first of these cells that has a time.
func (r record) time(names ...string) (time.Time, error) {
	for _, name := range names {
		for _, layout := range []string{time.DateTime, timeLayout} {
			if t, err := time.ParseInLocation(layout, r.cells[name], channel.Beijing); err == nil {
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%w: a statement's line without a time", channel.ErrUnknown)
}

// hashOf tells a file from another.
func hashOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// statement makes lines of a file's records.
func statement(day channel.Day, file []byte, text string, line func(record) (channel.Line, error)) (channel.Statement, error) {
	records, err := table(text)
	if err != nil {
		return channel.Statement{}, err
	}
	s := channel.Statement{Day: day, Hash: hashOf(file), Lines: make([]channel.Line, 0, len(records))}
	for _, r := range records {
		l, err := line(r)
		if err != nil {
			return channel.Statement{}, err
		}
		if l.Raw = r.raw; l.Number == "" || l.Amount.Minor <= 0 {
			return channel.Statement{}, fmt.Errorf("%w: a statement's line without a number, or an amount", channel.ErrUnknown)
		}
		s.Lines = append(s.Lines, l)
	}
	return s, nil
}
