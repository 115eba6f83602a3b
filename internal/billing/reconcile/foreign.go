package reconcile

import (
	"fmt"
	"time"

	"paydesk/models"
)

// maxForeign is how many lines of somebody else's a day shows one by one. Another shop on the same merchant account may have thousands:
// one difference then stands for the rest, which the report has in full.
const maxForeign = 100

// foreignKey is the key of the difference that stands for many lines; no movement has it.
const foreignKey = "*"

// foreign: nothing of it is known here, not even the payment that it might be of.
func (r result) foreign() bool {
	return r.class == models.ClassOnlyTheirs && r.payment == nil && r.refund == nil && len(r.entries) == 0
}

// fold parts results into those that are shown one by one and how many are not. What was shown before is shown again.
func (c *comparison) fold(results []result) (shown []result, rest int) {
	room := maxForeign
	for _, r := range results {
		if _, was := c.earlier[r.key]; was && r.foreign() {
			room--
		}
	}
	for _, r := range results {
		if _, was := c.earlier[r.key]; r.foreign() && !was {
			if room--; room < 0 {
				rest++
				continue
			}
		}
		shown = append(shown, r)
	}
	return shown, rest
}

// folded is the difference that stands for the rest. Their state says how many, so that another number is another difference.
func (c *comparison) folded(rest int, now time.Time) models.Difference {
	return models.Difference{ID: models.NewID(), Channel: c.rec.Channel, Day: c.rec.Day, LineKey: foreignKey, Class: models.ClassOnlyTheirs, Kind: models.MovementPayment, Currency: noCurrency,
		TheirsState: fmt.Sprintf("%d more", rest), FoundAt: now,
		Evidence: fmt.Sprintf("%d more lines have numbers that are not known here: another shop may use this merchant account. The day's report has them all.", rest)}
}
