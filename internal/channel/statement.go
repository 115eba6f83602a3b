package channel

import (
	"fmt"
	"regexp"
	"time"

	"paydesk/internal/money"
)

// Day is a calendar day as a channel reckons it: 2026-11-21.
type Day string

const dayLayout = "2006-01-02"

// Beijing is the zone of the channels of the mainland.
var Beijing = time.FixedZone("Asia/Shanghai", 8*60*60)

// ParseDay reads 2026-11-21.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(dayLayout, text)
	if err != nil {
		return "", fmt.Errorf("%q is no day; 2026-11-21 is wanted", text)
	}
	return Day(t.Format(dayLayout)), nil
}

// DayIn is the day of a moment in a zone.
func DayIn(t time.Time, zone *time.Location) Day { return Day(t.In(zone).Format(dayLayout)) }

// Format writes the day in a layout of package time; an invalid day is the zero time's.
func (d Day) Format(layout string) string { return d.time().Format(layout) }

// Next is so many days later, or earlier.
func (d Day) Next(days int) Day { return Day(d.time().AddDate(0, 0, days).Format(dayLayout)) }

// In is the day from midnight to midnight in a zone.
func (d Day) In(zone *time.Location) (from, to time.Time) {
	y, m, n := d.time().Date()
	return time.Date(y, m, n, 0, 0, 0, 0, zone).UTC(), time.Date(y, m, n+1, 0, 0, 0, 0, zone).UTC()
}

func (d Day) time() time.Time {
	t, _ := time.Parse(dayLayout, string(d))
	return t
}

// DayOf is the channel's day that a moment falls on.
func DayOf(a Adapter, t time.Time) Day {
	d := DayIn(t, time.UTC)
	for _, try := range []Day{d.Next(-1), d, d.Next(1)} {
		if from, to := a.StatementDay(try); !t.Before(from) && t.Before(to) {
			return try
		}
	}
	return d
}

// Line is one movement of a channel's statement.
type Line struct {
	Number       string      // our merchant order number; of the payment, for a refund too
	RefundNumber string      // ours, of a refund; empty for a payment
	Reference    string      // the provider's own number of the trade, or of the refund
	Amount       money.Money // above zero: what was paid, or went back
	Fee          money.Money // the provider's, where the statement tells; zero otherwise
	State        State       // StatePaid; StateRefunded, StateRefundFailed or StatePending of a refund
	At           time.Time
	Raw          string // the line as it came, for evidence
}

// Statement is what a channel says of one of its days.
type Statement struct {
	Day   Day
	Lines []Line
	Hash  string // SHA-256 of the file as it came, hexadecimal
}

// ours is a number of the product's own, as payment.NewNumber makes them, by itself or in a text.
var ours = regexp.MustCompile(`(^|[^0-9A-Za-z])[0-9]{14}[0-9A-HJKMNP-TV-Z]{12}([^0-9A-Za-z]|$)`)

// NamesOurs reports whether a number, or a line of a statement, has a number of ours. A merchant account may have other users too: what
// nobody can read of theirs is shown to an operator, what nobody can read of ours makes the day fail.
func NamesOurs(text string) bool { return ours.MatchString(text) }
