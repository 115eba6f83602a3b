package reconcile_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"
	"time"

	"paydesk/internal/fleet"
	"paydesk/models"
)

// Every channel's own statement, on its wire: a payment and a refund match, and one whose notification was lost is repaired.
func allChannels(t *testing.T, w *world) {
	day := w.noon()
	lost, paid := map[models.PaymentChannel]models.Payment{}, map[models.PaymentChannel]models.Payment{}
	for _, ch := range fleet.Names {
		paid[ch], lost[ch] = w.pay(ch, 12300), w.lost(ch, 45600)
		w.refunded(paid[ch], 2300)
	}
	w.set(w.at(day.Next(1), 20*time.Hour)) // the day is over in every zone
	for _, ch := range fleet.Names {
		r := w.run(ch, day)
		code := paid[ch].Currency
		want := models.ClassCounts{{Class: models.ClassMatched, Currency: code, Count: 3, Amount: 12300 + 45600 - 2300}}
		if r.Status != models.ReconciliationClean || len(r.Counts) != 1 || r.Counts[0] != want[0] || r.TheirsCount != 3 {
			t.Errorf("%s: %+v", ch, r)
		}
		w.findsOf(ch, day, map[string][]string{lost[ch].Number: {"MATCHED repaired"}})
		w.reaches(lost[ch], models.PaymentSucceeded)
		var b bytes.Buffer
		_, err := w.desk.WriteCSV(w.ctx, r.Reconciliation, &b, true)
		w.must(err)
		rows, err := csv.NewReader(&b).ReadAll()
		w.must(err)
		at := slices.IndexFunc(rows, func(row []string) bool { return row[4] == paid[ch].Number && row[3] == "PAYMENT" })
		if len(rows) != 4 || at < 0 || !slices.Equal(rows[at][7:13], []string{code, "123.00", "123.00", rows[at][10], "SUCCEEDED", "PAID"}) || rows[at][2] != "MATCHED" || rows[at][14] != "false" {
			t.Errorf("%s: %q", ch, rows)
		}
		if again := w.run(ch, day); again.Status != r.Status || again.Counts[0] != r.Counts[0] {
			t.Errorf("%s again: %+v", ch, again)
		}
	}
}
