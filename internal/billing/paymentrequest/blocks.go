package paymentrequest

import (
	"fmt"
	"strings"

	"paydesk/internal/money"
	"paydesk/internal/platform/pdf"
	"paydesk/models"
)

// labels is how wide the left column of the blocks below the table is, in millimetres.
const labels = 45

func (s sheet) totals() []pdf.Row {
	p := s.quote.Priced
	row := func(key, value string, size float64, colour *pdf.Colour) pdf.Row {
		return pdf.Row{Cells: []pdf.Cell{{Width: 70}, {Width: 60, Align: pdf.Right, Text: []pdf.Text{{Value: s.text(key, nil), Size: size, Colour: faint}}},
			{Width: 50, Align: pdf.Right, Text: []pdf.Text{{Value: value, Size: size, Colour: colour}}}}}
	}
	rows := []pdf.Row{{Cells: []pdf.Cell{{Width: pdf.PageWidth}}}, row("subtotal", s.money(p.Subtotal), normal, ink)}
	if p.DiscountTotal > 0 {
		rows = append(rows, row("discounts", s.taken(p.DiscountTotal), normal, ink))
	}
	if p.CouponTotal > 0 {
		rows = append(rows, row("coupons", s.taken(p.CouponTotal), normal, ink))
	}
	last := row("total", s.money(p.Total), medium, accent)
	last.Below = 5
	return append(rows, last)
}

// benefits names what was taken off, with the end of each.
func (s sheet) benefits() []pdf.Row {
	var texts []string
	if d := s.quote.Discount; d != nil {
		texts = append(texts, s.text("benefit", map[string]any{"name": d.Name, "value": s.text("off", map[string]any{"percent": percent(d.Percent)}), "end": s.moment(d.ValidTo)}))
	}
	for _, l := range s.quote.Priced.Lines {
		if l.Kind == models.DiscountPriceAdjustment {
			texts = append(texts, s.text("adjusted", nil))
			break
		}
	}
	for _, c := range s.quote.Coupons {
		used := int64(0)
		for _, u := range s.quote.Priced.Uses {
			if u.CouponID == c.ID {
				used += u.Amount
			}
		}
		texts = append(texts, s.text("benefit", map[string]any{"name": c.Name, "value": money.New(-used, money.Currency(c.Currency)), "end": s.moment(c.ValidTo)}))
	}
	if len(texts) == 0 {
		return nil
	}
	return s.block("benefits", texts...)
}

// percent writes a percentage without zeros at its end: 125,000 is "12.5".
func percent(units int64) string {
	text := fmt.Sprintf("%d.%04d", units/models.PercentScale, units%models.PercentScale)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// validity says what is lost when (HW-25, HW-R2).
func (s sheet) validity() []pdf.Row {
	key := "until.plain"
	if p := s.quote.Priced; p.DiscountTotal > 0 || p.CouponTotal > 0 {
		key = "until.benefits"
	}
	return s.block("until", s.text(key, map[string]any{"end": s.moment(s.r.ValidUntil), "zone": s.zone(s.r.ValidUntil)}))
}

// howToPay leads by the bank account, where the policy has one, else to the console.
func (s sheet) howToPay() []pdf.Row {
	to := s.policy.Remittance.Account
	if to.Number == "" || s.r.Total == 0 {
		return s.block("how", s.text("console", nil))
	}
	rows := s.block("how", s.text("transfer", map[string]any{"amount": s.money(s.r.Total)}))
	rows[len(rows)-1].Below = 0
	number := to.Number
	if s.account.DedicatedAccountNumber != "" {
		number = s.account.DedicatedAccountNumber
	}
	remark := strings.ReplaceAll(s.policy.Remittance.Remark.In(s.locale), "{account}", s.account.Number)
	for _, line := range []struct{ key, value string }{{"payee", to.Payee}, {"bankaccount", number}, {"bank", to.Bank}, {"address", to.BankAddress}, {"swift", to.SWIFT}, {"remark", remark}} {
		if line.value != "" {
			rows = append(rows, pdf.Row{Cells: []pdf.Cell{{Width: labels, Text: []pdf.Text{{Value: s.text(line.key, nil), Size: normal, Colour: faint}}},
				{Width: pdf.PageWidth - labels, Text: []pdf.Text{{Value: line.value, Size: normal, Colour: ink}}}}})
		}
	}
	return append(rows, paragraph(s.text("pay", nil)))
}

// block is a headline with paragraphs.
func (s sheet) block(headline string, texts ...string) []pdf.Row {
	rows := []pdf.Row{{Cells: []pdf.Cell{{Width: pdf.PageWidth, Text: []pdf.Text{{Value: s.text(headline, nil), Size: medium, Colour: accent}}}}}}
	for _, t := range texts {
		rows = append(rows, paragraph(t))
	}
	rows[len(rows)-1].Below = 3
	return rows
}

func paragraph(text string) pdf.Row {
	return pdf.Row{Cells: []pdf.Cell{{Width: pdf.PageWidth, Text: []pdf.Text{{Value: text, Size: normal, Colour: ink}}}}}
}
