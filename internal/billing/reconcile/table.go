package reconcile

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"paydesk/internal/money"
	"paydesk/models"
)

// Write prints comparisons as a table: how many movements of each class and what they moved, then each difference that waits for a person
// with its evidence.
func Write(w io.Writer, reports []Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	names := make([]string, len(models.Classes))
	for i, c := range models.Classes {
		names[i] = string(c)
	}
	fmt.Fprintf(t, "CHANNEL\tDAY\tSTATUS\t%s\tOPEN\n", strings.Join(names, "\t"))
	for _, r := range reports {
		cells := make([]string, len(models.Classes))
		for i, c := range models.Classes {
			cells[i] = sumOf(r.Counts, c)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\n", r.Channel, r.Day, r.Status, strings.Join(cells, "\t"), len(r.Open))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range reports {
		if r.Note != "" {
			fmt.Fprintf(w, "\n%s %s: %s\n", r.Channel, r.Day, r.Note)
		}
		for _, d := range r.Open {
			fmt.Fprintf(w, "\n%s %s %s: %s %s, here %s, there %s\n  %s\n", d.Channel, d.Day, d.Class, strings.ToLower(string(d.Kind)), numberOf(d),
				amountOf(d.Ours, d.Currency), amountOf(d.Theirs, d.Currency), strings.ReplaceAll(d.Evidence, "\n", "\n  "))
		}
	}
	return nil
}

// sumOf is a cell: "6: 184.00 CNY", with each currency's own.
func sumOf(counts models.ClassCounts, class models.ReconciliationClass) string {
	var parts []string
	for _, c := range counts {
		if c.Class == class {
			parts = append(parts, fmt.Sprintf("%d: %s", c.Count, money.New(c.Amount, money.Currency(c.Currency))))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

func numberOf(d models.Difference) string {
	switch {
	case d.RefundNumber != "" && d.Number != "":
		return d.RefundNumber + " of " + d.Number
	case d.RefundNumber+d.Number == "":
		return "without a number"
	}
	return d.RefundNumber + d.Number
}

func amountOf(minor *int64, currency string) string {
	if minor == nil {
		return "nothing"
	}
	return money.New(*minor, money.Currency(currency)).String()
}
