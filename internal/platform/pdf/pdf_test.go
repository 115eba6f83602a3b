package pdf_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paydesk/internal/platform/pdf"
	"paydesk/internal/platform/pdf/pdftest"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"plain 123": "plain 123", "云服务器 雲伺服器": "云服务器 雲伺服器", "a\tb\r\nc": "a b  c", "zero\u200bwidth\u202e": "zerowidth", "rocket 🚀 ok": "rocket □ ok", "\x00\x07bell": "bell", "bad\xffbyte": "bad\ufffdbyte",
		"日本語 한국어 Ελλάδα Кириллица": "日本語 한국어 Ελλάδα Кириллица", "عربى": "□□□□",
	} {
		if got := pdf.Clean(text); got != want && strings.ReplaceAll(got, "□", "\ufffd") != strings.ReplaceAll(want, "□", "\ufffd") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	const size, width = 10, 40
	for text, want := range map[string][]string{
		"":      {""},
		"short": {"short"},
		"words go to the next line where they do not fit":                {"words go to the next line", "where they do not fit"},
		"中文没有空格所以在任何地方换行":                                                {"中文没有空格所以在任何", "地方换行"},
		"句号不可以在行首所以一起。":                                                  {"句号不可以在行首所以一", "起。"},
		"a_word_without_an_end_is_cut_because_there_is_no_other_way_out": nil,
	} {
		got := pdf.Lines(pdf.Clean(text), size, width)
		if want != nil && strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Whatever the text: no line is wider than its place, and nothing but blanks is lost.
func TestLinesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := pdf.Clean(rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune(" -/，。（）云服务器abcW1.")), rapid.Rune())).Draw(t, "text"))
		size, width := rapid.Float64Range(6, 20).Draw(t, "size"), rapid.Float64Range(15, 180).Draw(t, "width")
		lines := pdf.Lines(text, size, width)
		for _, l := range lines {
			if pdf.Width(l, size) > width {
				t.Fatalf("%q is %v wide, in %v", l, pdf.Width(l, size), width)
			}
		}
		blankless := strings.NewReplacer(" ", "").Replace
		if blankless(strings.Join(lines, "")) != blankless(text) || len(lines) == 0 {
			t.Fatalf("%q became %q", text, lines)
		}
	})
}

func options() pdf.Options {
	return pdf.Options{Title: "A title", Author: "我们", PageNumber: "{current}/{total}", At: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
}

func cells(texts ...string) pdf.Row {
	r := pdf.Row{Rule: true}
	for _, text := range texts {
		r.Cells = append(r.Cells, pdf.Cell{Width: pdf.PageWidth / len(texts), Text: []pdf.Text{{Value: text, Size: 9, Lines: 4}}})
	}
	return r
}

func pages(t *testing.T, d *pdf.Document) []pdftest.Page {
	t.Helper()
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := pdftest.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// A table's head stands on every page it goes on to, its rows once each and in order; a block stays on one page.
func TestTableGoesOverleaf(t *testing.T) {
	for _, n := range []int{1, 30, 45, 46, 47, 100} {
		var rows []pdf.Row
		for i := range n {
			rows = append(rows, cells(fmt.Sprintf("row-%d.", i), strings.Repeat("more ", 1+i%30)))
		}
		d := pdf.New(options())
		d.Add(cells("before"))
		d.Table(cells("HEAD", "of the table"), rows...)
		d.Together(cells("block one"), cells("block two"), cells("block three"))
		found, next := pages(t, d), 0
		for i, p := range found {
			text := p.All()
			has, more := strings.Contains(text, "HEAD"), strings.Contains(text, "row-")
			if has != more || strings.Count(text, "HEAD") > 1 || !strings.Contains(text, fmt.Sprintf("%d/%d\n", i+1, len(found))) {
				t.Errorf("%d rows, page %d: %q", n, i+1, text)
			}
			for strings.Contains(text, fmt.Sprintf("row-%d.", next)) {
				next++
			}
			if strings.Contains(text, "block") && strings.Count(text, "block") != 3 {
				t.Errorf("%d rows, page %d: the block was torn", n, i+1)
			}
		}
		if next != n {
			t.Errorf("%d rows: %d were found in order", n, next)
		}
	}
}

// A cell that may have so many lines ends with an ellipsis that fits.
func TestCellIsCut(t *testing.T) {
	for _, text := range []string{strings.Repeat("word ", 200), strings.Repeat("很长", 200), strings.Repeat("x", 700)} {
		d := pdf.New(options())
		d.Add(cells(text, "beside"))
		lines := 0
		var last pdftest.Text
		for _, line := range pages(t, d)[0] {
			if line.X < 50 {
				lines, last = lines+1, line
			}
		}
		if lines != 4 || !strings.HasSuffix(last.Value, "…") || pdf.Width(last.Value, 9) > 90 {
			t.Errorf("%.10q…: %d lines, the last %q", text, lines, last.Value)
		}
	}
}

// Only the characters in use are in the file.
func TestFontIsCutToWhatIsUsed(t *testing.T) {
	d := pdf.New(options())
	d.Add(cells("云服务器 Cloud server"))
	b, err := d.Bytes()
	if err != nil || len(b) > 40_000 || !strings.Contains(string(b), "/FontFile2") {
		t.Error(len(b), "bytes", err)
	}
}

// No text, however strange, breaks a document: names are what people choose.
func TestStrangeTexts(t *testing.T) {
	for n, text := range []string{"\x00\xff\xfe", "\U0001F680\U0010FFFF", ") Tj ET (", "\\(\\)", "{nb} {current} {total}", "\u0430\u0301\u200d\ufeff", strings.Repeat("\u0e01", 500), "\r\n\t", "%PDF-1.7 endstream endobj", "\u202Egnirts"} {
		o := options()
		o.Title, o.Author = text, text
		d := pdf.New(o)
		d.Add(cells(text, "beside"))
		got := pages(t, d)
		if len(got) != 1 || !strings.Contains(got[0].All(), "beside") {
			t.Errorf("%d: %+v", n, got)
		}
		if clean := strings.TrimSpace(pdf.Clean(text)); len(clean) < 40 && !strings.Contains(got[0].All(), clean) {
			t.Errorf("%d: %q is not %q", n, got[0].All(), clean)
		}
	}
}

func BenchmarkDocument(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d := pdf.New(options())
		for i := range 30 {
			d.Add(cells(fmt.Sprint("云服务器 Cloud server ", i), "¥1,234.56", "¥0.00"))
		}
		if _, err := d.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}
