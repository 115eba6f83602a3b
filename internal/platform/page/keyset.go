package page

import (
	"slices"
	"strconv"
	"time"
)

// Sort is an order a list can be read in. Column never is NULL; ID breaks ties and makes the order total.
type Sort struct {
	Tag    byte   // goes into cursors; unique within a list
	Column string // the sort key, as written in SQL
	ID     string // the id column, as written in SQL
	Desc   bool
	Time   bool // Column holds a time; cursors keep Unix microseconds
}

// Append adds " AND …" for the cursors, then ORDER BY and LIMIT, to a statement that already has a WHERE, and the values to
// its arguments. One row more than the page is read, so that Finish knows whether there is more. The condition has the form
// `k <= ? AND (k < ? OR id < ?)`: row comparisons, `(k, id) < (?, ?)`, do not use the index on MariaDB. A cursor of another
// order is Invalid.
func (p Page) Append(sql []byte, args []any, s Sort) ([]byte, []any, error) {
	for _, edge := range []struct {
		name   string
		cursor *Cursor
		above  bool
	}{{"after", p.After, !s.Desc}, {"before", p.Before, s.Desc}} {
		if edge.cursor == nil {
			continue
		}
		if edge.cursor.Sort != s.Tag {
			return nil, nil, Invalid(edge.name + ": this cursor belongs to another order of the list")
		}
		op := "<"
		if edge.above {
			op = ">"
		}
		sql = append(sql, " AND "+s.Column+" "+op+"= ? AND ("+s.Column+" "+op+" ? OR "+s.ID+" "+op+" ?)"...)
		key := s.value(edge.cursor.Key)
		args = append(args, key, key, edge.cursor.ID)
	}
	direction := " ASC"
	if s.Desc != p.Backward {
		direction = " DESC"
	}
	sql = append(sql, " ORDER BY "+s.Column+direction+", "+s.ID+direction+" LIMIT "...)
	return strconv.AppendInt(sql, int64(p.Size)+1, 10), args, nil
}

func (s Sort) value(key int64) any {
	if s.Time {
		return time.UnixMicro(key).UTC()
	}
	return key
}

// Result is one page of a list, in the list's order.
type Result[T any] struct {
	Items       []T
	HasNext     bool
	HasPrevious bool
	Cursor      func(T) string // a row's cursor
}

// Finish makes a Result of the rows that a statement with Append gave. On the side a page is read from, "more" is
// certain; on the other side it means that a cursor was given, whose row lies there.
func Finish[T any](p Page, rows []T, cursor func(T) Cursor) Result[T] {
	more := len(rows) > p.Size
	if more {
		rows = rows[:p.Size]
	}
	r := Result[T]{Items: rows, Cursor: func(row T) string { return cursor(row).String() }}
	if p.Backward {
		slices.Reverse(rows)
		r.HasPrevious, r.HasNext = more, p.Before != nil
	} else {
		r.HasNext, r.HasPrevious = more, p.After != nil
	}
	return r
}
