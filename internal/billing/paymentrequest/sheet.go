package paymentrequest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/pdf"
	"paydesk/models"
)

// sheet is what a document says, and to whom.
type sheet struct {
	r       models.PaymentRequest
	quote   checkout.Quote
	account models.Account
	policy  *policy.Policy
	locale  string
}

// Sizes are in points.
const (
	large  = 18.0
	medium = 11.0
	normal = 9.0
	small  = 7.5
)

var (
	ink    = &pdf.Colour{Red: 30, Green: 34, Blue: 42}
	faint  = &pdf.Colour{Red: 105, Green: 110, Blue: 120}
	accent = &pdf.Colour{Red: 20, Green: 82, Blue: 160}
	ground = &pdf.Colour{Red: 240, Green: 244, Blue: 250}
)

// draw makes the PDF.
func draw(s sheet) ([]byte, error) {
	d := pdf.New(pdf.Options{Title: s.text("title", nil) + " " + s.r.Number, Author: s.seller(),
		PageNumber: s.r.Number + "  ·  " + s.text("page", map[string]any{"current": "{current}", "total": "{total}"}), At: s.r.CreatedAt.In(s.policy.Location())})
	d.Add(s.heading()...)
	d.Add(s.parties(), s.sum())
	head, rows := s.table()
	d.Table(head, rows...)
	d.Together(s.totals()...)
	for _, block := range [][]pdf.Row{s.benefits(), s.validity(), s.howToPay()} {
		if len(block) > 0 {
			d.Together(block...)
		}
	}
	return d.Bytes()
}

func (s sheet) text(key string, args map[string]any) string {
	return messages.Text(s.locale, "request."+key, args)
}

func (s sheet) money(minor int64) string {
	return money.New(minor, money.Currency(s.r.Currency)).Format(s.locale)
}

// moment is a time as the site's people read it, to the minute. A validity is cut, never rounded up.
func (s sheet) moment(t time.Time) string {
	return t.In(s.policy.Location()).Format("2006-01-02 15:04")
}

// zone is the site's time zone as an offset: everybody understands it.
func (s sheet) zone(t time.Time) string {
	return "UTC" + t.In(s.policy.Location()).Format("-07:00")
}

func (s sheet) seller() string {
	at := slices.IndexFunc(s.policy.SigningEntities, func(e policy.SigningEntity) bool { return e.Key == s.account.SigningEntity })
	if at < 0 {
		return s.account.SigningEntity
	}
	return s.policy.SigningEntities[at].LegalName.In(s.locale)
}

func (s sheet) heading() []pdf.Row {
	issued := s.moment(s.r.CreatedAt) + " (" + s.zone(s.r.CreatedAt) + ")"
	return []pdf.Row{{Below: 4, Cells: []pdf.Cell{
		{Width: 90, Text: []pdf.Text{{Value: s.text("title", nil), Size: large, Colour: accent}}},
		{Width: 90, Align: pdf.Right, Text: []pdf.Text{
			{Value: s.text("number", map[string]any{"number": s.r.Number}), Size: normal, Colour: ink},
			{Value: s.text("issued", map[string]any{"date": issued}), Size: normal, Colour: faint}}},
	}}}
}

// parties: who sells and who shall pay, each with what one needs to ask.
func (s sheet) parties() pdf.Row {
	seller := []pdf.Text{{Value: s.text("seller", nil), Size: small, Colour: faint}, {Value: s.seller(), Size: medium, Colour: ink}}
	for _, line := range []struct{ key, value string }{{"hotline", s.policy.Support.Hotline}, {"email", s.policy.Support.Email}, {"service", s.policy.Support.Service}} {
		if line.value != "" {
			seller = append(seller, pdf.Text{Value: s.text(line.key, map[string]any{"value": line.value}), Size: normal, Colour: faint})
		}
	}
	customer := []pdf.Text{{Value: s.text("customer", nil), Size: small, Colour: faint}, {Value: s.account.Name, Size: medium, Colour: ink, Lines: 6},
		{Value: s.text("account", map[string]any{"number": s.account.Number}), Size: normal, Colour: faint}}
	return pdf.Row{Below: 5, Cells: []pdf.Cell{{Width: 88, Text: seller}, {Width: 4}, {Width: 88, Text: customer}}}
}

// sum is what matters most: how much, and until when.
func (s sheet) sum() pdf.Row {
	return pdf.Row{Below: 6, Cells: []pdf.Cell{
		{Width: 90, Ground: ground, Text: []pdf.Text{{Value: s.text("total", nil), Size: small, Colour: faint}, {Value: s.money(s.r.Total), Size: large, Colour: accent}}},
		{Width: 90, Ground: ground, Text: []pdf.Text{{Value: s.text("valid", nil), Size: small, Colour: faint},
			{Value: s.moment(s.r.ValidUntil), Size: large, Colour: accent}, {Value: s.zone(s.r.ValidUntil), Size: small, Colour: faint}}},
	}}
}

// columns are the table's amounts: headline, and what a line has in it.
func (s sheet) columns() []column {
	return []column{
		{"amount", func(l checkout.Line) string { return s.money(l.Amount) }},
		{"discount", func(l checkout.Line) string { return s.taken(l.Discount) }},
		{"coupon", func(l checkout.Line) string { return s.taken(l.Coupon) }},
		{"due", func(l checkout.Line) string { return s.money(l.Due) }},
	}
}

type column struct {
	key  string
	text func(checkout.Line) string
}

// Widths of columns in millimetres: the amounts take what their longest needs, within bounds; the orders get what is left.
const (
	numbers   = 8
	minAmount = 20
	maxAmount = 33
)

// table is the table's head and rows.
func (s sheet) table() (head pdf.Row, rows []pdf.Row) {
	orders, columns := pdf.PageWidth-numbers, s.columns()
	widths := make([]int, len(columns))
	for i, c := range columns {
		widest := pdf.Width(s.text(c.key, nil), small)
		for _, l := range s.quote.Priced.Lines {
			widest = max(widest, pdf.Width(c.text(l), normal))
		}
		widths[i] = min(max(int(math.Ceil(widest))+4, minAmount), maxAmount)
		orders -= widths[i]
	}
	title := func(width int, align pdf.Align, text string) pdf.Cell {
		return pdf.Cell{Width: width, Align: align, Ground: ground, Text: []pdf.Text{{Value: text, Size: small, Colour: faint}}}
	}
	head = pdf.Row{Rule: true, Cells: []pdf.Cell{title(numbers, pdf.Left, "#"), title(orders, pdf.Left, s.text("order", nil))}}
	for i, c := range columns {
		head.Cells = append(head.Cells, title(widths[i], pdf.Right, s.text(c.key, nil)))
	}
	for n, o := range s.quote.Orders {
		row := pdf.Row{Rule: true, Cells: []pdf.Cell{{Width: numbers, Text: []pdf.Text{{Value: strconv.Itoa(n + 1), Size: normal, Colour: ink}}}, {Width: orders, Text: s.order(o)}}}
		for i, c := range columns {
			row.Cells = append(row.Cells, pdf.Cell{Width: widths[i], Align: pdf.Right, Text: []pdf.Text{{Value: c.text(s.quote.Priced.Lines[n]), Size: normal, Colour: ink}}})
		}
		rows = append(rows, row)
	}
	return head, rows
}

// taken is what comes off a price.
func (s sheet) taken(minor int64) string {
	if minor == 0 {
		return "–"
	}
	return s.money(-minor)
}

// An order shows so many of its items, each on so many lines: a row always fits a page.
const (
	maxItems     = 5
	linesOfItem  = 3
	linesOfOrder = 3
)

func (s sheet) order(o models.Order) []pdf.Text {
	out := []pdf.Text{{Value: o.Number + "  ·  " + o.ProductType, Size: normal, Colour: ink, Lines: linesOfOrder}}
	add := func(text string) {
		out = append(out, pdf.Text{Value: text, Size: small, Colour: faint, Lines: linesOfItem})
	}
	for i, item := range o.Items {
		if i == maxItems {
			add(s.text("more", map[string]any{"count": len(o.Items) - i}))
			break
		}
		parts := []string{fmt.Sprintf("%s × %d", item.Name, item.Quantity)}
		for _, more := range []string{item.Specification, item.Period} {
			if more != "" {
				parts = append(parts, more)
			}
		}
		add(strings.Join(parts, ", "))
	}
	if o.ChargingMode == models.Postpaid {
		add(s.text("postpaid", nil))
	}
	if o.OutsideContract {
		add(s.text("outside", nil))
	}
	return out
}
