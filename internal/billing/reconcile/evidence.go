package reconcile

import (
	"fmt"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// widthEvidence bounds what is kept of a difference, in bytes.
const widthEvidence = 16000

// evidence says in short what was found: the statement's lines, the entries of the ledger, what the channel said when it was asked.
func (r result) evidence() string {
	var b strings.Builder
	if r.why != "" {
		fmt.Fprintf(&b, "%s.\n", r.why)
	}
	lines := r.lines
	if r.line != nil && len(lines) == 0 && len(r.others) == 0 {
		lines = []line{*r.line}
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "statement of %s: %s %s at %s, reference %q: %s\n", l.day, l.State, l.Amount, stamp(l.At), l.Reference, l.Raw)
	}
	for _, l := range r.others {
		fmt.Fprintf(&b, "statement of %s: %s %s at %s, reference %q\n", l.day, l.State, l.Amount, stamp(l.At), l.Reference)
	}
	if state := r.state(); state != "" {
		fmt.Fprintf(&b, "here: %s\n", state)
	} else if r.payment != nil {
		code := money.Currency(r.payment.Currency)
		fmt.Fprintf(&b, "its payment, here: %s, %s refunded of %s\n", r.payment.Status, money.New(r.payment.Refunded, code), money.New(r.payment.Amount, code))
	}
	for _, e := range r.entries {
		fmt.Fprintf(&b, "ledger: %s %s at %s (%s)\n", e.kind, e.amount, stamp(e.at), e.reference)
	}
	if a := r.asked; a != nil {
		fmt.Fprintf(&b, "channel, asked at %s: %s\n", stamp(a.at), a)
	}
	return cut(strings.TrimSpace(b.String()), widthEvidence)
}

// String is what the channel said.
func (a *answer) String() string {
	if a.err != nil {
		return "no answer"
	}
	text := string(a.ev.State)
	if a.ev.State == channel.StatePaid || a.ev.State == channel.StateRefunded {
		text += " " + a.ev.Amount.String()
	}
	if a.ev.Reference != "" {
		text += ", reference " + a.ev.Reference
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
