package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// open is the condition of a difference that waits for a person.
const open = "resolved_at IS NULL AND class <> 'LATE'"

// differences are what earlier runs found of the day, by key.
func (c *comparison) differences(ctx context.Context) (map[string]models.Difference, error) {
	var rows []models.Difference
	err := c.DB.Gorm(ctx).Where("channel = ? AND day = ?", string(c.rec.Channel), c.rec.Day).Find(&rows).Error
	out := make(map[string]models.Difference, len(rows))
	for _, d := range rows {
		out[d.LineKey] = d
	}
	return out, err
}

// finish writes what was found, with the report, in one transaction.
func (c *comparison) finish(ctx context.Context, results []result, lines int64) error {
	file, err := c.csv(results)
	if err != nil {
		return err
	}
	now := c.Clock.Now()
	fresh, changed := c.merge(results, now)
	counts, ours := tally(results)
	note := ""
	if c.silent > 0 {
		note = fmt.Sprintf("the channel did not answer for %d movements; it is asked again", c.silent)
	}
	err = c.DB.InTx(ctx, func(ctx context.Context) error {
		if err := c.write(ctx, fresh, changed); err != nil {
			return err
		}
		var waiting int64
		if _, err := c.DB.QueryRow(ctx, []any{&waiting}, "SELECT COUNT(*) FROM differences WHERE channel = ? AND day = ? AND "+open, string(c.rec.Channel), c.rec.Day); err != nil {
			return err
		}
		status := models.ReconciliationClean
		if waiting > 0 {
			status = models.ReconciliationDifferent
		}
		n, err := c.DB.Exec(ctx, "UPDATE reconciliations SET status = ?, completed_at = ?, theirs_count = ?, ours_count = ?, note = ?, counts = ? WHERE id = ? AND runs = ? AND status = 'RUNNING'",
			string(status), now, lines, ours, note, counts, c.rec.ID, c.rec.Runs)
		if err == nil && n == 0 {
			err = errLost
		}
		if err != nil {
			return err
		}
		return c.file(ctx, file, now)
	})
	if err == nil {
		c.tell(ctx, fresh)
	}
	return err
}

// file puts the report in the place of an earlier one.
func (c *comparison) file(ctx context.Context, content []byte, now time.Time) error {
	for _, q := range []string{"DELETE FROM files WHERE account_id = ? AND id = ?", "DELETE FROM file_parts WHERE account_id = ? AND file_id = ?"} {
		if _, err := c.DB.Exec(ctx, q, c.rec.ID, c.rec.ID); err != nil {
			return err
		}
	}
	f := fileOf(c.rec)
	f.Name, f.ContentType, f.Size, f.CreatedAt = "reconciliation-"+string(c.rec.Channel)+"-"+c.rec.Day+".csv", "text/csv; charset=utf-8", int64(len(content)), now
	_, err := c.Files.Put(ctx, f, bytes.NewReader(content))
	return err
}

// fileOf names the report of a day among files: it is of no account.
func fileOf(r models.Reconciliation) models.File { return models.File{AccountID: r.ID, ID: r.ID} }

func (c *comparison) tell(ctx context.Context, fresh []models.Difference) {
	for _, d := range fresh {
		switch {
		case d.Repaired:
			c.Log.WarnContext(ctx, "a lost notification was repaired", "channel", d.Channel, "day", d.Day, "number", d.Number, "payment", d.PaymentID)
		case d.ResolvedAt == nil && d.Class != models.ClassLate:
			c.Log.ErrorContext(ctx, "a channel's statement differs from the ledger", "channel", d.Channel, "day", d.Day, "class", d.Class, "difference", d.ID)
		}
	}
}

// tally counts movements by class and currency: what came in less what went back, the channel's side, or ours where it has none.
func tally(results []result) (counts models.ClassCounts, ours int64) {
	type bucket struct{ class, currency string }
	sums := map[bucket]*models.ClassCount{}
	for _, r := range results {
		if len(r.entries) > 0 {
			ours++
		}
		m := r.amount()
		k := bucket{string(r.class), string(m.Currency)}
		if sums[k] == nil {
			sums[k] = &models.ClassCount{Class: r.class, Currency: string(m.Currency)}
		}
		sums[k].Count++
		if r.kind == models.MovementRefund {
			m.Minor = -m.Minor
		}
		sums[k].Amount += m.Minor
	}
	for _, class := range models.Classes {
		for _, currency := range currencies(results) {
			if n := sums[bucket{string(class), currency}]; n != nil {
				counts = append(counts, *n)
			}
		}
	}
	return counts, ours
}

// merge tells what is to be written: new differences, and those of earlier runs of which there is something else to say now. What a
// person has closed stays as it is; what is not found any more is closed.
func (c *comparison) merge(results []result, now time.Time) (fresh, changed []models.Difference) {
	seen := map[string]bool{}
	for _, r := range results {
		old, was := c.earlier[r.key]
		seen[r.key] = true
		switch {
		case !was && (r.class != models.ClassMatched || r.repaired):
			d := r.difference(c.rec, now)
			d.ID, d.FoundAt = models.NewID(), now
			fresh = append(fresh, d)
		case was && old.ResolvedBy == "":
			if d := r.difference(c.rec, now); differs(old, d) {
				d.ID, d.FoundAt = old.ID, old.FoundAt
				changed = append(changed, d)
			}
		}
	}
	for k, old := range c.earlier {
		if !seen[k] && old.ResolvedBy == "" && old.ResolvedAt == nil {
			old.Class, old.ResolvedAt, old.Resolution = models.ClassMatched, &now, "a later comparison does not find it any more"
			changed = append(changed, old)
		}
	}
	return fresh, changed
}

// differs: there is something new to say.
func differs(old, d models.Difference) bool {
	return old.Class != d.Class || old.Repaired != d.Repaired || (old.ResolvedAt == nil) != (d.ResolvedAt == nil) || old.Currency != d.Currency ||
		!same(old.Ours, d.Ours) || !same(old.Theirs, d.Theirs) || old.OursState != d.OursState || old.TheirsState != d.TheirsState
}

func same(a, b *int64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// difference is the row of a result. What needs nobody is closed at once, and says why.
func (r result) difference(rec models.Reconciliation, now time.Time) models.Difference {
	d := models.Difference{Channel: rec.Channel, Day: rec.Day, LineKey: r.key, Class: r.class, Kind: r.kind, OursState: r.state(), Evidence: r.evidence(), Repaired: r.repaired}
	d.Number = r.paymentNumber()
	if r.kind == models.MovementRefund && !strings.HasPrefix(r.number, "?") {
		d.RefundNumber = r.number
	}
	if r.payment != nil {
		d.AccountID, d.PaymentID = r.payment.AccountID, r.payment.ID
	}
	d.Reference, d.Currency = r.reference(), string(r.amount().Currency)
	if l := r.line; l != nil {
		d.Reference, d.TheirsState = l.Reference, string(l.State)
		d.Theirs = &l.Amount.Minor
	}
	if ours, booked := r.ours(); booked && string(ours.Currency) == d.Currency {
		d.Ours = &ours.Minor
	}
	if !r.waits() && !r.awaited {
		d.ResolvedAt, d.Resolution = &now, r.why
		if r.why == "" {
			d.Resolution = "both sides have it"
		}
	}
	return d
}

// paymentNumber is the merchant order number of the payment that the movement is of, as either side has it.
func (r result) paymentNumber() string {
	switch {
	case r.payment != nil:
		return r.payment.Number
	case r.line != nil:
		return r.line.Number
	case len(r.entries) > 0:
		return r.entries[0].number
	}
	return ""
}

const differenceColumns = "id, channel, day, line_key, class, kind, number, refund_number, reference, account_id, payment_id, currency, ours, theirs, ours_state, theirs_state, evidence, repaired, found_at, resolved_at, resolved_by, resolution"

// write keeps new differences, many with one statement, and changed ones.
func (c *comparison) write(ctx context.Context, fresh, changed []models.Difference) error {
	for len(fresh) > 0 {
		some := fresh[:min(batch, len(fresh))]
		fresh = fresh[len(some):]
		var args []any
		for _, d := range some {
			args = append(args, d.ID, string(d.Channel), d.Day, d.LineKey, string(d.Class), string(d.Kind), d.Number, d.RefundNumber, d.Reference, d.AccountID, d.PaymentID, d.Currency,
				d.Ours, d.Theirs, d.OursState, d.TheirsState, d.Evidence, d.Repaired, d.FoundAt, d.ResolvedAt, d.ResolvedBy, d.Resolution)
		}
		row := "(" + database.Marks(22) + ")"
		if _, err := c.DB.Exec(ctx, "INSERT INTO differences ("+differenceColumns+") VALUES "+row+strings.Repeat(","+row, len(some)-1), args...); err != nil {
			if database.IsDuplicate(err) { // another instance was at it
				err = errLost
			}
			return err
		}
	}
	for _, d := range changed {
		if _, err := c.DB.Exec(ctx, "UPDATE differences SET class = ?, account_id = ?, payment_id = ?, reference = ?, currency = ?, ours = ?, theirs = ?, ours_state = ?, theirs_state = ?, evidence = ?, repaired = ?, resolved_at = ?, resolution = ? WHERE id = ? AND resolved_by = ''",
			string(d.Class), d.AccountID, d.PaymentID, d.Reference, d.Currency, d.Ours, d.Theirs, d.OursState, d.TheirsState, d.Evidence, d.Repaired, d.ResolvedAt, d.Resolution, d.ID); err != nil {
			return err
		}
	}
	return nil
}
