package alipay

import (
	"regexp"
	"slices"
	"strings"
)

// cells parts a row at its commas.
func cells(row string) []string {
	out := strings.Split(row, ",")
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// texts are the columns that people write into. Nothing is quoted, so a comma there makes a cell too many.
var texts = []string{colSubject, "门店名称", "操作员", "对方账户", "券名称", "备注"}

var (
	aTime    = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`)
	anAmount = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
)

// fits reports whether a cell can be one of a column: times and amounts show where the others stand. Strictly, no amount is empty.
func fits(name, cell string, strict bool) bool {
	switch {
	case strings.HasSuffix(name, "时间"):
		return aTime.MatchString(cell)
	case strings.HasSuffix(name, "（元）"):
		return cell == "" && !strict || anAmount.MatchString(cell)
	}
	return slices.Contains(texts, name) || !aTime.MatchString(cell)
}

// The most cells too many that are tried, and the most ways to place them.
const (
	maxSurplus = 20
	maxWays    = 2000
)

// part gives all ways to put cells into the columns, those beyond their number into the texts; none where there are too many to try.
func (t table) part(cells []string) [][]string {
	surplus := len(cells) - len(t.names)
	if surplus < 0 || surplus > maxSurplus {
		return nil
	}
	if ways := t.place(cells, surplus, true); len(ways) > 0 {
		return ways
	}
	return t.place(cells, surplus, false)
}

func (t table) place(cells []string, surplus int, strict bool) (ways [][]string) {
	var place func(done, rest []string, left int) bool
	place = func(done, rest []string, left int) bool {
		if len(done) == len(t.names) {
			if left == 0 {
				ways = append(ways, slices.Clone(done))
			}
			return len(ways) <= maxWays
		}
		name, most := t.names[len(done)], 0
		if slices.Contains(texts, name) {
			most = left
		}
		for more := 0; more <= most; more++ {
			cell := rest[0]
			if more > 0 {
				cell = strings.Join(rest[:more+1], ",")
			}
			if fits(name, cell, strict) && !place(append(done, cell), rest[more+1:], left-more) {
				return false
			}
		}
		return true
	}
	if !place(make([]string, 0, len(t.names)), cells, surplus) {
		return nil
	}
	return ways
}
