package pdf

import (
	"time"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/page"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/border"
	"github.com/johnfercher/maroto/v2/pkg/consts/pagesize"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/props"
)

// Lengths of a page, A4, in millimetres. PageWidth is what the cells of a row sum to.
const (
	PageWidth = 180
	margin    = 15.0
	leading   = 1.4 // from line to line, in sizes
	padding   = 1.0 // on either side of a cell's text
	family    = "wqy"
)

// Colour of a text or a ground.
type Colour = props.Color

// Align places a text in its cell.
type Align = align.Type

// Alignments.
const (
	Left   = align.Left
	Right  = align.Right
	Center = align.Center
)

// Options of a document. Texts need not be clean.
type Options struct {
	Title, Author string
	PageNumber    string // "Page {current} of {total}"
	At            time.Time
}

// Cell is a text in a row; it takes as many lines as it needs.
type Cell struct {
	Width  int // millimetres
	Text   []Text
	Align  Align
	Ground *Colour
}

// Text is a paragraph of a cell: Size in points, at most Lines lines where that is not zero; what is left of it is "…".
type Text struct {
	Value  string
	Size   float64
	Colour *Colour
	Lines  int
}

// Row is cells beside each other. Below is the space after it, in millimetres; Rule draws a line under it.
type Row struct {
	Cells []Cell
	Below float64
	Rule  bool
}

// Document is one that grows. Not safe for concurrent use.
type Document struct{ m core.Maroto }

// New begins a document.
func New(o Options) *Document {
	b := config.NewBuilder().WithPageSize(pagesize.A4).WithMaxGridSize(PageWidth).WithCompression(true).
		WithLeftMargin(margin).WithRightMargin(margin).WithTopMargin(margin).WithBottomMargin(margin+3).
		WithCustomFonts([]*entity.CustomFont{{Family: family, Bytes: face().bytes}}).WithDefaultFont(&props.Font{Family: family, Size: 9}).
		WithTitle(Clean(o.Title), true).WithAuthor(Clean(o.Author), true).WithCreationDate(o.At).
		WithPageNumber(props.PageNumber{Pattern: Clean(o.PageNumber), Place: props.RightBottom, Family: family, Size: 8, Color: &Colour{Red: 110, Green: 110, Blue: 110}})
	return &Document{maroto.New(b.Build())}
}

// Add puts rows on the page, and on the next where one does not fit.
func (d *Document) Add(rows ...Row) {
	for _, r := range rows {
		built, _ := r.build()
		d.m.AddRows(built...)
	}
}

// Together puts rows on one page.
func (d *Document) Together(rows ...Row) {
	built, height := build(rows)
	d.put(built, height, nil)
}

// Table puts rows below a head, which stands again on every page that the table goes on to.
func (d *Document) Table(head Row, rows ...Row) {
	top := func() []core.Row { built, _ := head.build(); return built }
	for i, r := range rows {
		built, height := r.build()
		if i == 0 { // a head is not alone at the end of a page
			first, above := head.build()
			built, height = append(first, built...), height+above
			d.put(built, height, nil)
			continue
		}
		d.put(built, height, top)
	}
}

// put puts rows on this page, or on the next one below what top gives.
func (d *Document) put(rows []core.Row, height float64, top func() []core.Row) {
	if d.m.FitlnCurrentPage(height) {
		d.m.AddRows(rows...)
		return
	}
	if top != nil {
		rows = append(top(), rows...)
	}
	d.m.AddPages(page.New().Add(rows...))
}

// Bytes ends the document.
func (d *Document) Bytes() ([]byte, error) {
	done, err := d.m.Generate()
	if err != nil {
		return nil, err
	}
	return done.GetBytes(), nil
}

func build(rows []Row) (out []core.Row, height float64) {
	for _, r := range rows {
		built, h := r.build()
		out, height = append(out, built...), height+h
	}
	return out, height
}

// build makes maroto's rows: the cells, each line of them a text of its own, and the space below.
func (r Row) build() (out []core.Row, height float64) {
	cols := make([]core.Col, len(r.Cells))
	for i, c := range r.Cells {
		var h float64
		cols[i], h = c.build()
		height = max(height, h)
	}
	for i, c := range cols {
		style := &props.Cell{BackgroundColor: r.Cells[i].Ground}
		if r.Rule {
			style.BorderType, style.BorderColor, style.BorderThickness = border.Bottom, &Colour{Red: 205, Green: 205, Blue: 205}, 0.2
		}
		c.WithStyle(style)
	}
	out = []core.Row{row.New(height).Add(cols...)}
	if r.Below > 0 {
		out, height = append(out, row.New(r.Below)), height+r.Below
	}
	return out, height
}

func (c Cell) build() (core.Col, float64) {
	built, y := col.New(c.Width), padding
	for _, t := range c.Text {
		for _, line := range t.lines(float64(c.Width) - 2*padding) {
			built.Add(text.New(line, props.Text{Family: family, Size: t.Size, Color: t.Colour, Align: c.Align, Top: y, Left: padding, Right: padding}))
			y += t.Size * leading / pointsPerMM
		}
	}
	return built, y + padding
}

func (t Text) lines(width float64) []string {
	lines := Lines(Clean(t.Value), t.Size, width)
	if t.Lines == 0 || len(lines) <= t.Lines {
		return lines
	}
	lines = lines[:t.Lines]
	last := lines[t.Lines-1]
	for last != "" && !fits(last+"…", t.Size, width) {
		last = last[:len(last)-len(lastRune(last))]
	}
	lines[t.Lines-1] = last + "…"
	return lines
}

func lastRune(text string) string {
	r := []rune(text)
	return string(r[len(r)-1:])
}
