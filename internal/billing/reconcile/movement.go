package reconcile

import (
	"slices"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/models"
)

// key names a movement: a payment by its number, a refund by its own.
type key struct {
	kind   models.MovementKind
	number string
}

// text is the key as differences keep it.
func (k key) text() string { return string(k.kind[:1]) + ":" + k.number }

// entry is a posting of the channel's clearing book. Amount is above zero.
type entry struct {
	account, payment, refund models.ID
	number, refundNumber     string // the payment's, the refund's
	reference, status        string // the payment's or refund's
	kind                     models.TransactionKind
	back                     bool // it went back
	returned                 bool // what had gone back came again: a refund that bounced (refund/apply.go)
	amount                   money.Money
	at                       time.Time
}

// line is a line of a statement.
type line struct {
	channel.Line
	day channel.Day
	key string // as it was imported
}

// of names the movement; a line that names none is one of its own.
func (l line) of() key {
	switch {
	case l.RefundNumber != "":
		return key{models.MovementRefund, l.RefundNumber}
	case l.Number != "":
		return key{models.MovementPayment, l.Number}
	}
	return key{kindOf(l.Line), "?" + l.key}
}

// kindOf tells a refund from a payment.
func kindOf(l channel.Line) models.MovementKind {
	if l.RefundNumber != "" || l.State == channel.StateRefunded || l.State == channel.StateRefundFailed || l.State == channel.StateHeld {
		return models.MovementRefund
	}
	return models.MovementPayment
}

// moved: the line says that money came or went back.
func (l line) moved() bool { return l.State == channel.StatePaid || l.State == channel.StateRefunded }

// onItsWay: the line says that nothing has ended yet.
func (l line) onItsWay() bool {
	return l.State == channel.StatePending || l.State == channel.StateInReview
}

// held: the line says that a refund did not reach the payer, and waits for somebody at the provider.
func (l line) held() bool { return l.State == channel.StateHeld }

// movement is everything that is known of one payment or refund.
type movement struct {
	key
	lines   []line  // of the day's statement, in its order
	others  []line  // of other days' statements
	entries []entry // of the ledger; all of them once it was looked up, those of the day before
	payment *models.Payment
	refund  *models.Refund
	asked   *answer
	was     *models.Difference // what an earlier comparison said of it
}

// answer is what the channel said when it was asked.
type answer struct {
	ev  channel.Event
	err error
	at  time.Time
}

// known: the payment or refund is ours.
func (m *movement) known() bool {
	if m.kind == models.MovementRefund {
		return m.refund != nil
	}
	return m.payment != nil
}

// ours is what the ledger has of it; false where it has nothing. Entries of several currencies never add up to the statement's.
func (m *movement) ours() (money.Money, bool) {
	if len(m.entries) == 0 {
		return money.Money{}, false
	}
	sum := money.New(0, m.entries[0].amount.Currency)
	for _, e := range m.entries {
		if e.amount.Currency == sum.Currency && !e.returned {
			sum.Minor += e.amount.Minor
		}
	}
	return sum, true
}

// bounced: the ledger knows that the refund's money has come back.
func (m *movement) bounced() bool {
	return slices.ContainsFunc(m.entries, func(e entry) bool { return e.returned })
}

// within reports whether the ledger has any of it in a span.
func (m *movement) within(from, to time.Time) bool {
	for _, e := range m.entries {
		if !e.at.Before(from) && e.at.Before(to) {
			return true
		}
	}
	return false
}

// state is how it stands here.
func (m *movement) state() string {
	switch {
	case m.kind == models.MovementRefund && m.refund != nil:
		return string(m.refund.Status)
	case m.kind == models.MovementPayment && m.payment != nil:
		return string(m.payment.Status)
	case len(m.entries) > 0:
		return m.entries[0].status
	}
	return ""
}

// result is the judgement of one movement, or of one line too many.
type result struct {
	*movement
	line     *line // the statement's; nil where it has none
	key      string
	class    models.ReconciliationClass
	why      string // in words, for evidence
	awaited  bool   // LATE: decided by a later comparison
	stands   bool   // the line says that it is on its way, and the ledger has it
	repaired bool
}

// waits: a person has to look.
func (r result) waits() bool { return r.class != models.ClassMatched && r.class != models.ClassLate }
