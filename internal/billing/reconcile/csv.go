package reconcile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"paydesk/internal/money"
	"paydesk/models"
)

// head names the columns of a report.
var head = []string{"channel", "day", "class", "kind", "number", "refund_number", "reference", "currency", "ours", "theirs", "fee", "our_state", "their_state", "at", "repaired", "evidence"}

// csv is the report: every movement of the day. Amounts are above zero; kind says which way they went.
func (c *comparison) csv(results []result) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(head); err != nil {
		return nil, err
	}
	for _, r := range results {
		d := r.difference(c.rec, c.view.now)
		fee, evidence := "", ""
		if r.line != nil && !r.line.Fee.IsZero() {
			fee = r.line.Fee.Decimal()
		}
		if r.class != models.ClassMatched || r.repaired {
			evidence = d.Evidence
		}
		err := w.Write([]string{string(d.Channel), d.Day, string(d.Class), string(d.Kind), safe(d.Number), safe(d.RefundNumber), safe(d.Reference), d.Currency,
			decimal(d.Ours, d.Currency), decimal(d.Theirs, d.Currency), fee, d.OursState, d.TheirsState, stamp(r.when()), strconv.FormatBool(d.Repaired), safe(evidence)})
		if err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func decimal(minor *int64, currency string) string {
	if minor == nil {
		return ""
	}
	return money.New(*minor, money.Currency(currency)).Decimal()
}

// safe keeps a provider's text from being taken for a formula by the program that opens the file.
func safe(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// amount is what a result moved: the channel's side, or ours where the channel has none.
func (r result) amount() money.Money {
	if r.line != nil {
		if !r.line.moved() && !r.stands {
			return money.New(0, r.line.Amount.Currency)
		}
		return r.line.Amount
	}
	ours, _ := r.ours()
	return ours
}

// currencies are those of results, in order.
func currencies(results []result) []string {
	set := map[string]bool{}
	for _, r := range results {
		set[string(r.amount().Currency)] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// WriteCSV copies the report of a comparison; without its head where another stands before it. It tells whether there is one.
func (s *Service) WriteCSV(ctx context.Context, r models.Reconciliation, w io.Writer, withHead bool) (bool, error) {
	f, found, err := s.Files.ByID(ctx, r.ID, r.ID)
	if err != nil || !found {
		return false, err
	}
	content := bufio.NewReader(s.Files.Open(ctx, f))
	if !withHead {
		if _, err := content.ReadString('\n'); err != nil {
			return false, err
		}
	}
	_, err = io.Copy(w, content)
	return true, err
}
