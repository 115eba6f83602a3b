package page

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"paydesk/models"

	"pgregory.net/rapid"
)

func ptr[T any](v T) *T { return &v }

func TestParse(t *testing.T) {
	good := Cursor{Sort: 'c', Key: 7, ID: models.NewID()}.String()
	tests := []struct {
		name          string
		first, last   *int
		after, before *string
		size          int // 0: refused
		backward      bool
	}{
		{name: "nothing asked", size: 20},
		{name: "one", first: ptr(1), size: 1},
		{name: "the cap", first: ptr(100), size: 100},
		{name: "above the cap", first: ptr(101)},
		{name: "zero", first: ptr(0)},
		{name: "negative", last: ptr(-1)},
		{name: "last above the cap", last: ptr(101)},
		{name: "both counts", first: ptr(1), last: ptr(1)},
		{name: "backward", last: ptr(5), before: &good, size: 5, backward: true},
		{name: "last after a cursor", last: ptr(5), after: &good, size: 5, backward: true},
		{name: "both cursors", first: ptr(5), after: &good, before: &good, size: 5},
		{name: "garbage", after: ptr("garbage")},
		{name: "empty", after: ptr("")},
		{name: "another version", before: ptr("v2:" + good[3:])},
		{name: "cut short", after: ptr(good[:len(good)-1])},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse(c.first, c.after, c.last, c.before)
			var invalid Invalid
			switch {
			case c.size == 0 && !errors.As(err, &invalid):
				t.Fatalf("taken as %+v (%v)", p, err)
			case c.size != 0 && (err != nil || p.Size != c.size || p.Backward != c.backward):
				t.Fatalf("got %+v (%v)", p, err)
			}
		})
	}
}

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Cursor{Sort: rapid.Byte().Draw(t, "sort"), Key: rapid.Int64().Draw(t, "key")}
		copy(c.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		got, err := ParseCursor(c.String())
		if err != nil || got != c {
			t.Fatalf("%+v became %+v (%v)", c, got, err)
		}
	})
}

func TestCursorNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if c, err := ParseCursor(text); err == nil && c.String() != text {
			t.Fatalf("%q was taken", text)
		}
		if c, err := ParseCursor(version + text); err == nil && c.String() != version+text {
			t.Fatalf("%q was taken", text)
		}
	})
}

func TestAppendUsesTheIndexableForm(t *testing.T) {
	s := Sort{Tag: 'c', Column: "created_at", ID: "id", Desc: true, Time: true}
	c := &Cursor{Sort: 'c', Key: 1}
	sql, args, err := Page{Size: 2, After: c}.Append([]byte("WHERE account_id = ?"), []any{1}, s)
	if err != nil || len(args) != 4 {
		t.Fatal(args, err)
	}
	want := "WHERE account_id = ? AND created_at <= ? AND (created_at < ? OR id < ?) ORDER BY created_at DESC, id DESC LIMIT 3"
	if string(sql) != want {
		t.Fatal(string(sql))
	}
	sql, _, _ = Page{Size: 2, Backward: true, Before: c}.Append(nil, nil, s)
	if want := " AND created_at >= ? AND (created_at > ? OR id > ?) ORDER BY created_at ASC, id ASC LIMIT 3"; string(sql) != want {
		t.Fatal(string(sql))
	}
	s.Desc = false
	if sql, _, _ = (Page{Size: 2, After: c}).Append(nil, nil, s); !strings.Contains(string(sql), "created_at >= ?") {
		t.Fatal(string(sql))
	}
	s.Tag = 'e'
	if _, _, err = (Page{Size: 2, After: c}).Append(nil, nil, s); err == nil {
		t.Fatal("a cursor of another order was taken")
	}
}

func TestFinish(t *testing.T) {
	cursor := func(n int) Cursor { return Cursor{Key: int64(n)} }
	r := Finish(Page{Size: 2}, []int{1, 2, 3}, cursor)
	if !slices.Equal(r.Items, []int{1, 2}) || !r.HasNext || r.HasPrevious {
		t.Fatalf("%+v", r)
	}
	r = Finish(Page{Size: 2, Backward: true, Before: &Cursor{}}, []int{3, 2, 1}, cursor)
	if !slices.Equal(r.Items, []int{2, 3}) || !r.HasNext || !r.HasPrevious {
		t.Fatalf("%+v", r)
	}
	if got, _ := ParseCursor(r.Cursor(2)); got.Key != 2 {
		t.Fatal("wrong cursor")
	}
}
