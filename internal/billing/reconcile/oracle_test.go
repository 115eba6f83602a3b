package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// story is what happened to a payment or refund, and what was done to its line of the statement.
type story struct {
	number string
	refund bool
	fate   string // paid, lost, late, wrong, open, declined; of a refund: paid, lost, slow, failed
	edit   string // none, drop, alter, twice, state, shift, pending, odd (pending, with another amount); where it has no line: none, add, pending
}

// says is what the day's comparison has to find of it, in the order of keys; nothing where it matches or is not there.
func (s story) says() []string {
	if s.pending() {
		return s.saysPending()
	}
	if s.edit == "drop" || s.edit == "shift" {
		if s.fate == "lost" {
			return nil // neither side has it, on this day
		}
		return []string{"ONLY_OURS open"}
	}
	var out []string
	if s.edit == "twice" {
		out = append(out, "ONLY_THEIRS open")
	}
	switch {
	case s.edit == "add":
		return []string{"STATE_DIFFERS open"}
	case s.fate == "open", s.fate == "declined", s.fate == "failed":
		return nil
	case s.edit == "state" && s.fate == "lost" && !s.refund:
		return nil // both say that nothing came
	case s.edit == "state":
		return []string{"STATE_DIFFERS open"}
	case s.edit == "alter", s.fate == "wrong":
		return append(out, "AMOUNT_DIFFERS open")
	case s.fate == "lost":
		return append(out, "MATCHED repaired")
	}
	return out
}

// pending: the line says that it was on its way when the statement was made.
func (s story) pending() bool { return s.edit == "pending" || s.edit == "odd" }

// saysPending is says of such a line: of what is booked in time it is the provider's side; a refund that is open here as well is none; of
// everything else the channel is asked.
func (s story) saysPending() []string {
	switch {
	case s.refund && (s.fate == "lost" || s.fate == "slow"), s.fate == "declined":
		return nil
	case s.fate == "open": // Alipay does not know what nobody has scanned: it is looked at again
		return []string{"LATE"}
	case s.fate == "failed": // Alipay knows nothing of a refund that it refused
		return []string{"STATE_DIFFERS open"}
	case s.edit == "odd", s.fate == "wrong":
		return []string{"AMOUNT_DIFFERS open"}
	case s.fate == "lost":
		return []string{"MATCHED repaired"}
	}
	return nil
}

// saysNext is what the next day's comparison has to find of it: what was shifted there, and what was booked there when it was repaired.
func (s story) saysNext() []string {
	slow := s.fate == "lost" && !s.refund || s.fate == "slow" // booked on the next day
	switch {
	case s.pending() && slow && s.edit == "odd":
		return []string{"AMOUNT_DIFFERS open"}
	case s.pending() && slow:
		return []string{"LATE"}
	case s.pending():
		return nil
	case s.edit == "shift" && s.fate == "lost":
		return []string{"MATCHED repaired"}
	case s.edit == "shift" && s.fate == "wrong":
		return []string{"AMOUNT_DIFFERS open"}
	case s.edit == "shift":
		return []string{"LATE"}
	case s.fate != "lost" || s.edit == "drop" || s.edit == "state" && !s.refund:
		return nil
	case s.edit == "alter":
		return []string{"AMOUNT_DIFFERS open"}
	case s.edit == "state": // the statement before said that it failed
		return []string{"ONLY_OURS open"}
	}
	return []string{"LATE"}
}

// saysLater is what the day's comparison finds once the next day's statement is there.
func (s story) saysLater() []string {
	switch {
	case s.fate == "slow" && s.edit == "odd":
		return []string{"AMOUNT_DIFFERS open"}
	case s.fate == "slow":
		return []string{"LATE"}
	case s.edit == "shift" && s.fate == "wrong":
		return []string{"AMOUNT_DIFFERS open"}
	case s.edit == "shift" && s.fate != "lost":
		return []string{"LATE"}
	}
	return s.says()
}

var (
	fates       = []string{"paid", "paid", "paid", "lost", "late", "wrong", "open", "declined"}
	refundFates = []string{"paid", "paid", "lost", "slow", "failed"}
	edits       = []string{"none", "none", "drop", "alter", "twice", "state", "shift", "pending", "odd"}
	lineless    = []string{"none", "add", "pending"}
)

// Random payments and refunds, random faults, and random edits of the statement: each is classified as the oracle says, on the day and on
// the next.
func oracle(t *testing.T, w *world) {
	const ch = models.ChannelAlipay
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	day := w.noon()
	var stories []story
	var slow []func()
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for n := range 24 {
		s := story{fate: pick(fates), edit: pick(edits)}
		amount := int64(1000 + 10*n)
		p := w.live(ch, s.fate, amount)
		if s.number = p.Number; s.fate == "open" || s.fate == "declined" {
			s.edit = pick(lineless)
		}
		w.tamper(ch, day, s, channel.Line{Number: p.Number, Reference: "R", Amount: cny(amount), State: channel.StatePaid, At: w.clock.Now(), Raw: "added"})
		stories = append(stories, s)
		for range r.IntN(3) {
			if s.fate != "paid" || len(stories) > 40 {
				break
			}
			x := story{refund: true, fate: pick(refundFates), edit: pick(edits)}
			back := w.back(p, x.fate, 1+r.Int64N(300))
			switch x.number = back.Number; x.fate {
			case "failed":
				x.edit = pick(lineless)
			case "slow":
				x.edit = pick([]string{"pending", "odd"})
				slow = append(slow, func() { w.ends(p, back) })
			}
			w.tamper(ch, day, x, channel.Line{Number: p.Number, RefundNumber: back.Number, Reference: "R", Amount: cny(back.OnlineAmount), State: channel.StateRefunded, At: w.clock.Now(), Raw: "added"})
			stories = append(stories, x)
		}
	}
	w.set(w.at(day.Next(1), 11*time.Hour))
	check := func(day channel.Day, says func(story) []string) {
		t.Helper()
		want := map[string][]string{}
		for _, s := range stories {
			if found := says(s); found != nil {
				want[s.number] = found
			}
		}
		w.findsOf(ch, day, want)
	}
	first := w.run(ch, day)
	check(day, story.says)
	if again := w.run(ch, day); fmt.Sprint(again.Counts) != fmt.Sprint(first.Counts) {
		t.Errorf("%v, then %v", first.Counts, again.Counts)
	}
	check(day, story.says)
	for _, end := range slow {
		end()
	}
	w.set(w.at(day.Next(2), 11*time.Hour))
	w.run(ch, day.Next(1))
	w.run(ch, day)
	check(day.Next(1), story.saysNext)
	check(day, story.saysLater)
	if t.Failed() {
		for _, s := range stories {
			t.Logf("%+v", s)
		}
	}
}

// live lets a payment have its fate.
func (w *world) live(ch models.PaymentChannel, fate string, minor int64) models.Payment {
	w.Helper()
	switch fate {
	case "paid":
		return w.pay(ch, minor)
	case "lost":
		return w.lost(ch, minor)
	}
	p := w.begin(ch, minor)
	switch fate {
	case "late":
		_, err := w.payments.Cancel(w.ctx, p.AccountID, p.ID)
		w.must(err)
		w.play(p, "outcome=succeed&late=true")
		w.until("late", func() bool {
			p, err = w.payments.ByID(w.ctx, p.AccountID, p.ID)
			return err == nil && p.LateAmount == minor
		})
	case "wrong":
		w.behave(ch, `"call":"wrong_amount"`)
		w.play(p, "outcome=succeed")
		w.until("suspense", func() bool {
			var n int
			_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM suspense_items WHERE payment_id = ?", p.ID)
			return err == nil && n == 1
		})
		w.behave(ch, `"call":"normal"`)
	case "declined":
		w.play(p, "outcome=decline")
		p = w.reaches(p, models.PaymentFailed)
	}
	return p
}

// back lets a refund have its fate.
func (w *world) back(p models.Payment, fate string, minor int64) models.Refund {
	w.Helper()
	hand := w.lines[p.Channel]
	switch fate {
	case "lost", "slow":
		hand.with(func(l *line) { l.deaf = true })
		defer hand.with(func(l *line) { l.deaf = false })
		w.behave(p.Channel, `"notify":"drop"`)
		defer w.behave(p.Channel, `"notify":"normal"`)
		return w.refund(p, minor)
	case "failed":
		w.behave(p.Channel, `"call":"refund_fail"`)
		defer w.behave(p.Channel, `"call":"normal"`)
		r := w.refund(p, minor)
		w.until("refused", func() bool { r = w.newest(p); return r.Status == models.RefundFailed })
		return r
	}
	r := w.refund(p, minor)
	w.until("refunded", func() bool { r = w.newest(p); return r.Status == models.RefundSucceeded })
	return r
}

// tamper edits the line of a story, or adds one.
func (w *world) tamper(ch models.PaymentChannel, day channel.Day, s story, added channel.Line) {
	which := func(l channel.Line) bool {
		return !s.refund && l.Number == s.number && l.RefundNumber == "" || s.refund && l.RefundNumber == s.number
	}
	hand := w.lines[ch]
	switch s.edit {
	case "drop":
		hand.edit(day, drop(which))
	case "alter":
		hand.edit(day, alter(which, func(l *channel.Line) { l.Amount.Minor += 2 }))
	case "twice":
		hand.edit(day, twice(which))
	case "state":
		hand.edit(day, alter(which, func(l *channel.Line) {
			if l.State = channel.StateDeclined; s.refund {
				l.State = channel.StateRefundFailed
			}
		}))
	case "pending":
		if s.fate == "open" || s.fate == "declined" || s.fate == "failed" {
			added.State = channel.StatePending
			hand.edit(day, add(added))
		}
		hand.edit(day, pending(which))
	case "odd":
		hand.edit(day, alter(which, func(l *channel.Line) { l.State, l.Amount.Minor = channel.StatePending, l.Amount.Minor+2 }))
	case "shift":
		hand.shiftLine(day, day.Next(1), which)
	case "add":
		hand.edit(day, add(added))
	}
}
