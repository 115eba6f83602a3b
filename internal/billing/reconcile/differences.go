package reconcile

import (
	"bytes"
	"context"
	"fmt"
	"slices"
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
		c.tell(ctx, fresh, changed)
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

// maxTold bounds how many differences of a run are logged one by one.
const maxTold = 50

// tell logs what was repaired, and what waits for a person since this run.
func (c *comparison) tell(ctx context.Context, fresh []models.Difference, changed []change) {
	waiting := slices.DeleteFunc(slices.Clone(fresh), func(d models.Difference) bool { return !waits(d) })
	for _, d := range changed {
		if d.reopened {
			waiting = append(waiting, d.Difference)
		}
	}
	for _, d := range fresh {
		if d.Repaired {
			c.Log.WarnContext(ctx, "a lost notification was repaired", "channel", d.Channel, "day", d.Day, "number", d.Number, "payment", d.PaymentID)
		}
	}
	for _, d := range waiting[:min(maxTold, len(waiting))] {
		c.Log.ErrorContext(ctx, "a channel's statement differs from the ledger", "channel", d.Channel, "day", d.Day, "class", d.Class, "difference", d.ID)
	}
	if more := len(waiting) - maxTold; more > 0 {
		c.Log.ErrorContext(ctx, "a channel's statement differs from the ledger in more than is told", "channel", c.rec.Channel, "day", c.rec.Day, "more", more)
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

const differenceColumns = "id, channel, day, line_key, class, kind, number, refund_number, reference, account_id, payment_id, currency, ours, theirs, ours_state, theirs_state, evidence, repaired, found_at, resolved_at, resolved_by, resolution"

// write keeps new differences, many with one statement, and changed ones.
func (c *comparison) write(ctx context.Context, fresh []models.Difference, changed []change) error {
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
		if _, err := c.DB.Exec(ctx, "UPDATE differences SET class = ?, account_id = ?, payment_id = ?, reference = ?, currency = ?, ours = ?, theirs = ?, ours_state = ?, theirs_state = ?, evidence = ?, repaired = ?, resolved_at = ?, resolved_by = ?, resolution = ? WHERE id = ? AND resolved_by = ?",
			string(d.Class), d.AccountID, d.PaymentID, d.Reference, d.Currency, d.Ours, d.Theirs, d.OursState, d.TheirsState, d.Evidence, d.Repaired, d.ResolvedAt, d.ResolvedBy, d.Resolution, d.ID, d.closedBy); err != nil {
			return err
		}
	}
	return nil
}
