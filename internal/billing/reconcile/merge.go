package reconcile

import (
	"fmt"
	"strings"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// change is a row that is to be written anew.
type change struct {
	models.Difference
	closedBy string // who had closed it, as it was read
	reopened bool   // it waits for a person now, and did not
}

// merge tells what is to be written: new differences, and those of earlier runs of which there is something else to say now. What is not
// found any more is closed.
func (c *comparison) merge(results []result, now time.Time) (fresh []models.Difference, changed []change) {
	seen := map[string]bool{}
	results, rest := c.fold(results)
	for _, r := range results {
		old, was := c.earlier[r.key]
		seen[r.key] = true
		switch {
		case was:
			if d := r.difference(c.rec, now); news(old, d, r.silent()) {
				changed = append(changed, again(old, d))
			}
		case r.class != models.ClassMatched || r.repaired:
			d := r.difference(c.rec, now)
			d.ID, d.FoundAt = models.NewID(), now
			fresh = append(fresh, d)
		}
	}
	if rest > 0 {
		d := c.folded(rest, now)
		old, was := c.earlier[foreignKey]
		if seen[foreignKey] = true; !was {
			fresh = append(fresh, d)
		} else if news(old, d, false) {
			changed = append(changed, again(old, d))
		}
	}
	for k, old := range c.earlier {
		if !seen[k] && old.ResolvedBy == "" && old.ResolvedAt == nil {
			old.Class, old.ResolvedAt, old.Resolution = models.ClassMatched, &now, "a later comparison does not find it any more"
			changed = append(changed, change{Difference: old})
		}
	}
	return fresh, changed
}

// news: there is something else to say than stands there. What a person has closed is opened again where it is another difference by now,
// and tells that it was repaired; that it is no difference any more is no news of it, nor is what a channel that was silent
// when it was asked would make of the same line.
func news(old, d models.Difference, silent bool) bool {
	line := old.Currency != d.Currency || !same(old.Theirs, d.Theirs) || old.TheirsState != d.TheirsState
	another := line || !(silent && old.ResolvedBy != "") && (old.Class != d.Class || !same(old.Ours, d.Ours))
	if old.ResolvedBy != "" {
		return another && waits(d) || d.Repaired && !old.Repaired
	}
	return another || old.Repaired != d.Repaired || (old.ResolvedAt == nil) != (d.ResolvedAt == nil) || old.OursState != d.OursState
}

// silent: the ledger has nothing, and the channel did not answer what came of it.
func (r result) silent() bool { return r.asked != nil && r.asked.err != nil && len(r.entries) == 0 }

// waits: a person has to look.
func waits(d models.Difference) bool { return d.ResolvedAt == nil && d.Class != models.ClassLate }

// again is the row of a difference that was found before. Who closed it, and why, stays in its evidence; with what needs nobody, in its place.
func again(old, d models.Difference) change {
	d.ID, d.FoundAt = old.ID, old.FoundAt
	if !waits(d) && old.ResolvedBy != "" {
		d.ResolvedAt, d.ResolvedBy, d.Resolution = old.ResolvedAt, old.ResolvedBy, old.Resolution
	}
	d.Evidence += history(old)
	return change{Difference: d, closedBy: old.ResolvedBy, reopened: waits(d) && !waits(old)}
}

const (
	closedBefore = "\nclosed before, "
	widthHistory = 16000 // bytes, beside the evidence
)

// history is how a difference was closed so far, the last time first.
func history(old models.Difference) string {
	text := ""
	if old.ResolvedBy != "" {
		text = fmt.Sprintf("%s%s by %s: %s, as %s", closedBefore, stamp(*old.ResolvedAt), old.ResolvedBy, old.Resolution, old.Class)
		if old.Theirs != nil {
			text += fmt.Sprintf(" with %s there", money.New(*old.Theirs, money.Currency(old.Currency)))
		}
	}
	if i := strings.Index(old.Evidence, closedBefore); i >= 0 {
		text += old.Evidence[i:]
	}
	return cut(text, widthHistory)
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
