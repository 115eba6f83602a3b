package paymentrequest

import (
	"fmt"
	"math"
	"slices"
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
	d.Table(s.tableHead(), s.tableRows()...)
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

// widths of the table's columns: the amounts take what the longest needs, the orders what is left.
func (s sheet) widths() (number, order, amount int) {
	widest := pdf.Width(s.money(s.quote.Priced.Subtotal), normal)
	for _, key := range []string{"amount", "discount", "coupon", "due"} {
		widest = max(widest, pdf.Width(s.text(key, nil), small))
	}
	number, amount = 8, min(max(int(math.Ceil(widest))+4, 20), 33)
	return number, pdf.PageWidth - number - 4*amount, amount
}

func (s sheet) tableHead() pdf.Row {
	number, order, amount := s.widths()
	cell := func(width int, align pdf.Align, text string) pdf.Cell {
		return pdf.Cell{Width: width, Align: align, Ground: ground, Text: []pdf.Text{{Value: text, Size: small, Colour: faint}}}
	}
	return pdf.Row{Rule: true, Cells: []pdf.Cell{cell(number, pdf.Left, "#"), cell(order, pdf.Left, s.text("order", nil)), cell(amount, pdf.Right, s.text("amount", nil)),
		cell(amount, pdf.Right, s.text("discount", nil)), cell(amount, pdf.Right, s.text("coupon", nil)), cell(amount, pdf.Right, s.text("due", nil))}}
}

func (s sheet) tableRows() []pdf.Row {
	number, order, amount := s.widths()
	cell := func(width int, align pdf.Align, text string) pdf.Cell {
		return pdf.Cell{Width: width, Align: align, Text: []pdf.Text{{Value: text, Size: normal, Colour: ink}}}
	}
	rows := make([]pdf.Row, len(s.quote.Orders))
	for i, o := range s.quote.Orders {
		l := s.quote.Priced.Lines[i]
		rows[i] = pdf.Row{Rule: true, Cells: []pdf.Cell{cell(number, pdf.Left, fmt.Sprint(i+1)), {Width: order, Text: s.order(o)}, cell(amount, pdf.Right, s.money(l.Amount)),
			cell(amount, pdf.Right, s.taken(l.Discount)), cell(amount, pdf.Right, s.taken(l.Coupon)), cell(amount, pdf.Right, s.money(l.Due))}}
	}
	return rows
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
