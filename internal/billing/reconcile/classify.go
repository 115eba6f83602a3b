package reconcile

import (
	"slices"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// nearMidnight is how close to the day's end a movement of ours may be awaited in the next day's statement; patience how long.
const (
	nearMidnight = 30 * time.Minute
	patience     = 72 * time.Hour // after the day's end
)

// hesitation is how long after the day's end a channel may be undecided about a payment, or hold a refund, before a person looks.
const hesitation = 30 * 24 * time.Hour

// view is what a judgement goes by beside the movement.
type view struct {
	from, to time.Time
	day      channel.Day
	next     bool // the next day's statement has been looked into
	now      time.Time
	span     func(channel.Day) (from, to time.Time)
}

// judge compares both sides of a movement, and adds a result for each line that says the same again.
func (v view) judge(m *movement) (out []result) {
	primary, extra := v.pick(m)
	if primary != nil || m.within(v.from, v.to) {
		out = append(out, v.one(m, primary))
	}
	for _, l := range extra {
		out = append(out, result{movement: &movement{key: m.key, lines: []line{l}, payment: m.payment, refund: m.refund}, line: &l, key: "+" + l.key,
			class: models.ClassOnlyTheirs, why: "the statement has this movement again"})
	}
	return out
}

// pick chooses the line that stands for the movement, so that no movement matches twice. Lines that moved nothing are news beside one
// that did, no movements of their own.
func (v view) pick(m *movement) (primary *line, extra []line) {
	// A refund that was done and has bounced: whatever else the statement says of it, this is the news.
	if at := slices.IndexFunc(m.lines, func(l line) bool { return l.State == channel.StateRefundFailed }); at >= 0 && m.refund != nil && m.refund.Status == models.RefundSucceeded {
		return &m.lines[at], nil
	}
	if !slices.ContainsFunc(m.lines, line.moved) {
		if len(m.lines) > 0 && !slices.ContainsFunc(m.others, line.moved) {
			primary = &m.lines[len(m.lines)-1]
		}
		return primary, nil
	}
	lines := slices.DeleteFunc(slices.Clone(m.lines), func(l line) bool { return !l.moved() })
	if v.elsewhere(m) {
		return nil, lines
	}
	at := max(0, slices.IndexFunc(lines, func(l line) bool { return l.Reference != "" && l.Reference == m.reference() }))
	primary = &lines[at]
	return primary, slices.Concat(lines[:at], lines[at+1:])
}

// elsewhere: another day's line stands for the movement: one of the day on which the ledger has it, else the earliest.
func (v view) elsewhere(m *movement) bool {
	if m.within(v.from, v.to) {
		return false
	}
	for _, l := range m.others {
		if from, to := v.span(l.day); l.moved() && (m.within(from, to) || l.day < v.day) {
			return true
		}
	}
	return false
}

// reference is the provider's own number of it, as far as it is known here.
func (m *movement) reference() string {
	switch {
	case m.refund != nil && m.kind == models.MovementRefund:
		return m.refund.ChannelReference
	case m.payment != nil && m.kind == models.MovementPayment:
		return m.payment.ChannelReference
	}
	return ""
}

func (v view) one(m *movement, l *line) result {
	r := result{movement: m, line: l, key: m.text()}
	switch {
	case l == nil:
		v.onlyOurs(&r)
	case l.moved():
		v.both(&r)
	case v.stands(m, *l):
		r.stands = true
		v.both(&r)
	default:
		v.still(&r)
	}
	return r
}

// stands: a line that says that it is on its way is the provider's side of what the ledger has since. Statements are not corrected: WeChat
// Pay and QQ Wallet write a refund as it stood when the file was made, and PayPal a payment on the day that it began.
func (v view) stands(m *movement, l line) bool {
	return l.onItsWay() && v.since(m, l)
}

// since: the ledger has the movement since the line's day.
func (v view) since(m *movement, l line) bool {
	from, to := v.span(l.day)
	return m.within(from.Add(-nearMidnight), to.Add(reach))
}

// both: the statement says that money moved.
func (v view) both(r *result) {
	ours, booked := r.ours()
	switch {
	case !booked && !r.known():
		r.unknown()
	case !booked && r.asked != nil && r.asked.err == nil:
		r.class, r.why = models.ClassStateDiffers, "the channel does not confirm its own statement when it is asked"
	case !booked:
		r.class, r.why = models.ClassOnlyTheirs, "the ledger has nothing of it"
	case ours != r.line.Amount:
		r.class, r.why = models.ClassAmountDiffers, "the amounts differ"
	case r.elsewhereNumber():
		r.class, r.why = models.ClassStateDiffers, "the statement names another payment for this refund"
	case r.asked != nil || r.was != nil && r.was.Repaired:
		r.class, r.repaired, r.why = models.ClassMatched, true, "the notification was lost: the channel was asked, and what it said was booked"
	case r.within(v.from, v.to):
		r.class = models.ClassMatched
	default:
		r.class, r.why = models.ClassLate, "the ledger has it on another day"
	}
}

// unknown: the statement has a number that is none of ours. It may be of a payment of ours all the same.
func (r *result) unknown() {
	r.class, r.why = models.ClassOnlyTheirs, "this number is not known here"
	if r.payment != nil {
		r.why = "of a payment of ours, and nobody here has asked for it: a dispute, a reversal, a refund made by hand at the provider, or a line of a new kind"
	}
}

// elsewhereNumber: a refund of ours stands in the statement under another payment's number.
func (r *result) elsewhereNumber() bool {
	return r.kind == models.MovementRefund && r.payment != nil && r.line.Number != "" && r.line.Number != r.payment.Number
}

// still: the statement says that nothing moved, or nothing yet.
func (v view) still(r *result) {
	_, booked := r.ours()
	pending := r.line.onItsWay()
	switch {
	case !r.known():
		r.unknown()
	case booked && r.bounced() && r.line.State == channel.StateRefundFailed:
		r.class, r.why = models.ClassMatched, "the refund has bounced: its money is in suspense"
	case booked && pending && !v.bookedBy(r.movement):
		r.class, r.why = models.ClassLate, "it ended after this day"
	case !booked && pending && r.kind == models.MovementPayment:
		v.underReview(r)
	case !booked && (pending || r.line.held()):
		v.underway(r)
	case booked, r.kind == models.MovementRefund && r.refund.Status != models.RefundFailed:
		r.class, r.why = models.ClassStateDiffers, "the statement has it in another state"
	case r.asked != nil:
		r.class, r.repaired, r.why = models.ClassMatched, true, "the notification was lost: the channel was asked, and what it said was taken over"
	case r.was != nil && r.was.Repaired:
		r.class, r.repaired = models.ClassMatched, true
	default:
		r.class = models.ClassMatched
	}
}

// underReview: the channel has taken money and not said yet whose it is. The day is looked at again until it has, and every time it is asked.
func (v view) underReview(r *result) {
	open := r.asked == nil || r.asked.err != nil
	if !open {
		switch r.asked.ev.State {
		case channel.StateClosed, channel.StateDeclined:
			r.class, r.why = models.ClassMatched, "the channel says that nothing came of it"
			return
		case channel.StateNotFound, channel.StatePending, channel.StateInReview, channel.StateApproved:
			open = true
		}
	}
	if open && v.now.Before(v.to.Add(hesitation)) {
		r.class, r.awaited, r.why = models.ClassLate, true, "the channel has not decided yet"
		return
	}
	r.class, r.why = models.ClassStateDiffers, "the statement has it on its way, and here it has not come"
}

// underway: the statement says of a refund that it is on its way, or held. It may be here as well, and one that is held is looked at again
// until somebody has settled it; where it has failed here, the channel has to say so.
func (v view) underway(r *result) {
	failed := r.asked != nil && r.asked.err == nil && r.asked.ev.State == channel.StateRefundFailed
	open := r.refund.Status == models.RefundProcessing
	switch {
	case open && !r.line.held():
		r.class = models.ClassMatched
	case open && v.now.Before(v.to.Add(hesitation)):
		r.class, r.awaited, r.why = models.ClassLate, true, "the channel holds it: somebody has to settle it there, under the same number"
	case failed && r.refund.Status == models.RefundFailed:
		r.class, r.why = models.ClassMatched, "it failed after the statement was made"
	default:
		r.class, r.why = models.ClassStateDiffers, "the statement has it in another state"
	}
}

// bookedBy: the ledger had it before the day's end.
func (v view) bookedBy(m *movement) bool {
	return slices.ContainsFunc(m.entries, func(e entry) bool { return e.at.Before(v.to) })
}

// otherDay finds the line of another day's statement that has the movement: one that moved money, or else one that stands for it, or
// held it first; below zero where there is none.
func (v view) otherDay(m *movement) int {
	if i := slices.IndexFunc(m.others, line.moved); i >= 0 {
		return i
	}
	return slices.IndexFunc(m.others, func(l line) bool { return (l.onItsWay() || l.held()) && v.since(m, l) })
}

// onlyOurs: the day's statement has nothing of what the ledger has.
func (v view) onlyOurs(r *result) {
	ours, _ := r.ours()
	if i := v.otherDay(r.movement); i >= 0 {
		r.line, r.stands = &r.others[i], !r.others[i].moved()
		where := "it stands in the statement of " + string(r.line.day)
		if r.stands {
			where = "the statement of " + string(r.line.day) + " has it on its way, or held"
		}
		if r.class, r.why = models.ClassLate, where; ours != r.line.Amount {
			r.class, r.why = models.ClassAmountDiffers, "the amounts differ; "+where
		}
		return
	}
	late := slices.ContainsFunc(r.entries, func(e entry) bool { return e.at.Before(v.to) && !e.at.Before(v.to.Add(-nearMidnight)) })
	if late && !v.next && v.now.Before(v.to.Add(patience)) {
		r.class, r.awaited, r.why = models.ClassLate, true, "it is awaited in the next day's statement"
		return
	}
	r.class, r.why = models.ClassOnlyOurs, "the statement does not have it"
}
