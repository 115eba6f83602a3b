package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// onItsWay is a refund that the provider has taken and not ended; nobody here hears of its end.
func (w *world) onItsWay(p models.Payment, minor int64) models.Refund {
	w.Helper()
	r := w.back(p, "lost", minor)
	w.lines[p.Channel].edit(channel.DayOf(w.lines[p.Channel], w.clock.Now()), pending(ofRefund(r)))
	return r
}

// ends lets a refund hear of its end.
func (w *world) ends(p models.Payment, r models.Refund) {
	w.Helper()
	ev, err := w.lines[p.Channel].QueryRefund(w.ctx, channel.Ref{Number: p.Number}, channel.Ref{Number: r.Number})
	w.must(err)
	_, err = w.refunds.Apply(w.ctx, p.Channel, ev)
	w.must(err)
}

// A refund that was on its way when the statement was made stays so there for ever: WeChat Pay and QQ Wallet do not correct it. It counts
// as theirs from its day on, not before; where it has failed since, the channel is asked.
func refundsOnTheirWay(t *testing.T, w *world) {
	const ch = models.ChannelWeChatPay
	hand, day := w.lines[ch], w.noon()
	p := w.pay(ch, 10000)
	slow, altered, quick := w.onItsWay(p, 100), w.onItsWay(p, 200), w.back(p, "paid", 300)
	failed, refused := w.back(p, "failed", 400), w.back(p, "failed", 500)
	hand.edit(day, pending(ofRefund(quick)))
	for _, r := range []models.Refund{failed, refused} {
		hand.edit(day, add(channel.Line{Number: p.Number, RefundNumber: r.Number, Reference: "R" + r.Number, Amount: cny(r.OnlineAmount), State: channel.StatePending, At: w.clock.Now(), Raw: "on its way"}))
	}
	_, err := w.DB.Exec(w.ctx, "UPDATE sandbox_refunds SET outcome = 'SUCCEEDED' WHERE refund_number = ?", refused.Number) // it went through after all
	w.must(err)
	hand.edit(day.Next(3), add(channel.Line{Number: p.Number, RefundNumber: quick.Number, Reference: "again", Amount: cny(300), State: channel.StatePending, At: w.clock.Now(), Raw: "again"}))

	w.set(w.at(day.Next(1), 11*time.Hour))
	if r := w.run(ch, day); r.Status != models.ReconciliationClean {
		t.Errorf("%+v", r)
	}
	w.findsOf(ch, day, map[string][]string{refused.Number: {"MATCHED repaired"}}) // slow and altered are on their way here as well; quick ended in time; failed the channel confirms
	hand.edit(day, alter(ofRefund(altered), func(l *channel.Line) { l.Amount.Minor++ }))
	w.set(w.at(day.Next(3), 11*time.Hour))
	w.ends(p, slow)
	w.ends(p, altered)
	w.set(w.at(day.Next(4), 11*time.Hour))
	for range 2 {
		w.run(ch, day)
		if r := w.run(ch, day.Next(3)); fmt.Sprint(r.Counts) != "[{AMOUNT_DIFFERS CNY 1 -201} {STATE_DIFFERS CNY 1 0} {LATE CNY 1 -100}]" {
			t.Error(r.Counts)
		}
		w.findsOf(ch, day, map[string][]string{refused.Number: {"MATCHED repaired"}, slow.Number: {"LATE"}, altered.Number: {"AMOUNT_DIFFERS open"}})
		w.findsOf(ch, day.Next(3), map[string][]string{slow.Number: {"LATE"}, altered.Number: {"AMOUNT_DIFFERS open"},
			quick.Number: {"STATE_DIFFERS open"}}) // three days after it was done
	}
	if d := w.all(ch, day.Next(3))[slow.Number][0]; d.ResolvedAt == nil || !strings.Contains(d.Evidence, "the statement of "+string(day)+" has it on its way") || *d.Theirs != 100 || *d.Ours != 100 {
		t.Errorf("%+v", d)
	}
}

// A payment that the provider looks into is no difference, and never forgotten: its day is compared again until the provider has decided.
func paymentsUnderReview(t *testing.T, w *world) {
	const ch = models.ChannelHuaweiPay
	hand, day := w.lines[ch], w.noon()
	held, given, undecided := w.lost(ch, 1000), w.lost(ch, 2000), w.lost(ch, 3000)
	never, known := w.begin(ch, 4000), w.pay(ch, 5000)
	hand.with(func(l *line) {
		l.review = map[string]bool{held.Number: true, given.Number: true, undecided.Number: true}
	})
	for _, p := range []models.Payment{held, given, undecided, known} {
		hand.edit(day, pending(ofPayment(p)))
	}
	hand.edit(day, add(channel.Line{Number: never.Number, Reference: "R", Amount: cny(4000), State: channel.StatePending, At: w.clock.Now(), Raw: "never"}))
	w.set(w.at(day.Next(1), 11*time.Hour))
	if r := w.run(ch, day); r.Status != models.ReconciliationClean {
		t.Errorf("%+v", r)
	}
	waits := []string{"LATE"}
	want := map[string][]string{held.Number: waits, given.Number: waits, undecided.Number: waits} // known: they have it on its way, and here it has come; never was closed unpaid
	w.findsOf(ch, day, want)
	if got, err := w.payments.ByID(w.ctx, held.AccountID, held.ID); err != nil || got.Status.Terminal() {
		t.Error("booked before the provider decided:", got.Status, err)
	}

	// Nine days on, of two it has decided: one is in a corrected statement, the other was notified.
	w.set(w.at(day.Next(9), 11*time.Hour))
	hand.with(func(l *line) { delete(l.review, held.Number); delete(l.review, given.Number) })
	hand.edit(day, alter(ofPayment(held), func(l *channel.Line) { l.State = channel.StatePaid }))
	ev, err := hand.Query(w.ctx, channel.Ref{Number: given.Number, Reference: given.ChannelReference, Amount: cny(2000)})
	w.must(err)
	_, err = w.payments.Apply(w.ctx, ch, ev)
	w.must(err)
	w.sweepUntil(ch, day, 2)
	want[held.Number] = []string{"MATCHED repaired"}
	w.findsOf(ch, day, want)
	w.reaches(held, models.PaymentSucceeded)
	w.set(w.at(day.Next(10), 11*time.Hour))
	w.run(ch, day.Next(9))
	w.findsOf(ch, day.Next(9), map[string][]string{held.Number: waits, given.Number: waits}) // booked on that day
	for n, rows := range w.all(ch, day) {
		if open := rows[0].ResolvedAt == nil; open != (n == undecided.Number) {
			t.Errorf("%s is awaited: %t", n, open)
		}
	}

	// After a month somebody has to look.
	w.set(w.at(day.Next(32), 11*time.Hour))
	w.run(ch, day)
	want[undecided.Number] = []string{"STATE_DIFFERS open"}
	w.findsOf(ch, day, want)
}

// PayPal itself: what it reviews stands in its report as pending, on the day it was taken, and as paid there once it has decided, days later.
func payPalReviews(t *testing.T, w *world) {
	const ch = models.ChannelPayPal
	day := w.noon()
	pages := map[string]string{}
	reviewed := func(minor int64) models.Payment {
		p := w.begin(ch, minor)
		pages[p.Number] = w.page(p)
		w.playAt(pages[p.Number], "outcome=succeed&account=review@example.com")
		w.until("in review", func() bool {
			var err error
			p, err = w.payments.ByID(w.ctx, p.AccountID, p.ID)
			return err == nil && p.InReview()
		})
		return p
	}
	accepted, refused, unheard := reviewed(1000), reviewed(2000), reviewed(3000)
	w.set(w.at(day.Next(1), 20*time.Hour))
	if r := w.run(ch, day); r.Status != models.ReconciliationClean || r.TheirsCount != 3 {
		t.Errorf("%+v", r)
	}
	waits := []string{"LATE"}
	w.findsOf(ch, day, map[string][]string{accepted.Number: waits, refused.Number: waits, unheard.Number: waits})
	w.set(w.at(day.Next(3), 20*time.Hour))
	w.playAt(pages[accepted.Number], "outcome=succeed")
	w.playAt(pages[refused.Number], "outcome=decline")
	w.reaches(accepted, models.PaymentSucceeded)
	w.reaches(refused, models.PaymentFailed)
	w.behave(ch, `"notify":"drop"`)
	w.playAt(pages[unheard.Number], "outcome=succeed")
	w.behave(ch, `"notify":"normal"`)
	if r := w.run(ch, day); r.Status != models.ReconciliationClean {
		t.Errorf("%+v", r)
	}
	w.findsOf(ch, day, map[string][]string{accepted.Number: waits, refused.Number: {"MATCHED"}, unheard.Number: {"MATCHED repaired"}})
	w.reaches(unheard, models.PaymentSucceeded)
	w.set(w.at(day.Next(4), 20*time.Hour))
	w.run(ch, day.Next(3))
	w.findsOf(ch, day.Next(3), map[string][]string{accepted.Number: waits, unheard.Number: waits})
	for n, rows := range w.all(ch, day) {
		if rows[0].ResolvedAt == nil {
			t.Error(n, "is still awaited")
		}
	}
}

// sweepUntil lets the sweep compare what is due until a day has been compared so often.
func (w *world) sweepUntil(ch models.PaymentChannel, day channel.Day, runs int64) {
	w.Helper()
	for range 30 {
		_, err := w.desk.Sweep(w.ctx)
		w.must(err)
		if w.runs(ch, day) >= runs {
			return
		}
		w.set(w.clock.Now().Add(time.Minute + time.Second))
	}
	w.Fatal("the sweep has forgotten", day)
}

// runs is how often a day was compared.
func (w *world) runs(ch models.PaymentChannel, day channel.Day) (n int64) {
	w.Helper()
	_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT runs FROM reconciliations WHERE channel = ? AND day = ?", string(ch), string(day))
	w.must(err)
	return n
}

// Days whose statement could not be had, on which an instance died, or on which nothing ran are compared for as long as the provider has
// them; the newest week is not kept waiting, and the lag tells.
func forgottenDays(t *testing.T, w *world) {
	const ch = models.ChannelTenpay
	hand, day := w.lines[ch], w.noon()
	lost := w.lost(ch, 900)
	hand.with(func(l *line) { l.broken[day], l.absent[day.Next(16)] = true, true }) // of the latter neither side has anything
	w.set(w.at(day.Next(1), 11*time.Hour))
	w.sweepUntil(ch, day, 1)
	_, err := w.DB.Exec(w.ctx, "INSERT INTO reconciliations (id, channel, day, status, started_at, runs) VALUES (?,?,?,'RUNNING',?,1)", models.NewID(), string(ch), string(day.Next(1)), w.clock.Now())
	w.must(err)

	// Nobody was here for three weeks.
	w.set(w.at(day.Next(21), 11*time.Hour))
	lag := func() time.Duration {
		t.Helper()
		d, err := w.desk.Lag(w.ctx)
		w.must(err)
		return d
	}
	if d := lag(); d < 20*24*time.Hour || d > 22*24*time.Hour { // the day before had no trades, which Tenpay did not say for certain
		t.Error("lag", d)
	}
	_, err = w.desk.Sweep(w.ctx)
	w.must(err)
	for n := 14; n < 21; n++ {
		if w.runs(ch, day.Next(n)) != 1 {
			t.Error("the last week waits for older days: day", n)
		}
	}
	if w.runs(ch, day) != 2 || w.runs(ch, day.Next(1)) != 1 { // it cannot be read still, and the others wait a minute
		t.Error("not the oldest first")
	}
	w.set(w.clock.Now().Add(2 * time.Minute))
	_, err = w.desk.Sweep(w.ctx)
	w.must(err)
	if w.runs(ch, day.Next(5)) != 1 || w.runs(ch, day.Next(6)) != 0 {
		t.Error("all at once")
	}
	w.sweepUntil(ch, day.Next(13), 1)
	if w.runs(ch, day.Next(1)) != 2 {
		t.Error("the day on which an instance died was not taken up")
	}
	if d := lag(); d < 20*24*time.Hour { // it failed again, and is tried tomorrow
		t.Error("lag", d)
	}
	hand.with(func(l *line) { l.broken[day] = false })
	w.set(w.clock.Now().Add(24 * time.Hour))
	w.sweepUntil(ch, day, 3)
	w.reaches(lost, models.PaymentSucceeded)
	for range 3 {
		w.set(w.clock.Now().Add(2 * time.Minute))
		_, err = w.desk.Sweep(w.ctx)
		w.must(err)
	}
	if d := lag(); d > 26*time.Hour { // nor of the last two days
		t.Error("lag", d)
	}
	runs := w.runs(ch, day.Next(16))
	w.set(w.clock.Now().Add(24 * time.Hour))
	w.sweepUntil(ch, day.Next(16), runs+1)

	// A day of which the ledger has something is told of for as long as its statement is not there.
	busy := w.noon()
	w.pay(ch, 100)
	hand.with(func(l *line) { l.absent[busy] = true })
	w.set(w.at(busy.Next(6), 11*time.Hour))
	w.sweepUntil(ch, busy, 1)
	if d := lag(); d < 4*24*time.Hour || d > 6*24*time.Hour {
		t.Error("lag", d)
	}
	hand.with(func(l *line) { l.absent[busy] = false })
	w.set(w.clock.Now().Add(2 * time.Hour))
	w.sweepUntil(ch, busy, 2)
}

// What a person has closed is shown again when the statement says something else than was closed, with who closed it and why; a
// notification that was lost is repaired all the same.
func openedAgain(t *testing.T, w *world) {
	day := w.noon()
	hand := w.lines[qq]
	paid, missing, lost := w.pay(qq, 1000), w.pay(qq, 2000), w.lost(qq, 3000)
	hand.edit(day, drop(ofPayment(paid)))
	hand.edit(day, drop(ofPayment(missing)))
	hand.with(func(l *line) { l.review = map[string]bool{lost.Number: true} }) // asked, the provider does not confirm its statement
	w.set(w.at(day.Next(1), 11*time.Hour))
	w.run(qq, day)
	rows := w.all(qq, day)
	w.resolve(rows[paid.Number][0].ID, "the provider will correct it")
	w.resolve(rows[missing.Number][0].ID, "the provider has lost it")
	w.resolve(rows[lost.Number][0].ID, "nothing came")
	if r := w.run(qq, day); r.Status != models.ReconciliationClean {
		t.Errorf("%+v", r)
	}

	hand.with(func(l *line) { l.review = nil })
	hand.edit(day, add(channel.Line{Number: paid.Number, Reference: "R", Amount: cny(999), State: channel.StatePaid, At: w.at(day, time.Hour), Raw: "corrected"}))
	for range 2 {
		if r := w.run(qq, day); r.Status != models.ReconciliationDifferent || len(r.Open) != 1 {
			t.Errorf("%+v", r)
		}
		w.finds(day, map[string][]string{paid.Number: {"AMOUNT_DIFFERS open"}, missing.Number: {"ONLY_OURS"}, lost.Number: {"MATCHED repaired"}})
	}
	w.reaches(lost, models.PaymentSucceeded)
	if d := w.all(qq, day)[lost.Number][0]; d.Resolution != "nothing came" || !strings.Contains(d.Evidence, "by operator: nothing came, as STATE_DIFFERS with 30.00 CNY there") {
		t.Errorf("%+v", d)
	}
	d := w.all(qq, day)[paid.Number][0]
	if d.ResolvedBy != "" || d.Resolution != "" || *d.Theirs != 999 || !strings.Contains(d.Evidence, "corrected") || !strings.Contains(d.Evidence, "by operator: the provider will correct it, as ONLY_OURS") {
		t.Errorf("%+v", d)
	}
	w.resolve(d.ID, "a cent")
	hand.edit(day, alter(ofPayment(paid), func(l *channel.Line) { l.Amount.Minor-- }))
	w.run(qq, day)
	d = w.all(qq, day)[paid.Number][0]
	for _, text := range []string{"by operator: the provider will correct it, as ONLY_OURS", "by operator: a cent, as AMOUNT_DIFFERS with 9.99 CNY there"} {
		if d.ResolvedAt != nil || !strings.Contains(d.Evidence, text) {
			t.Errorf("%q is not in\n%s", text, d.Evidence)
		}
	}
}

// Another shop on the same merchant account: its lines show, a hundred of them one by one and the rest as one; the report has them all. A
// dispute shows with its payment.
func foreignLines(t *testing.T, w *world) {
	day := w.noon()
	hand := w.lines[qq]
	p := w.pay(qq, 1000)
	hand.edit(day, func(lines []channel.Line) []channel.Line {
		for n := range 250 {
			lines = append(lines, channel.Line{Number: fmt.Sprintf("SHOP%03d", n), Reference: fmt.Sprint("S", n), Amount: cny(100), State: channel.StatePaid, At: w.at(day, time.Hour+time.Duration(n)*time.Second), Raw: "a shop's"})
		}
		return append(lines, channel.Line{Number: p.Number, RefundNumber: "dp_1", Reference: "dp_1", Amount: cny(1000), State: channel.StateRefunded, At: w.at(day, 20*time.Hour), Raw: "chargeback"})
	})
	w.set(w.at(day.Next(1), 11*time.Hour))
	check := func(rows, counted int) {
		t.Helper()
		r := w.run(qq, day)
		if len(r.Open) != rows || len(r.Counts) != 2 || r.Counts[1].Class != models.ClassOnlyTheirs || r.Counts[1].Count != int64(counted) {
			t.Errorf("%d open, want %d; %v", len(r.Open), rows, r.Counts)
		}
		var b strings.Builder
		_, err := w.desk.WriteCSV(w.ctx, r.Reconciliation, &b, true)
		if w.must(err); strings.Count(b.String(), ",SHOP") != counted-1 {
			t.Error("the report has not all")
		}
	}
	check(102, 251)
	check(102, 251)
	all := w.all(qq, day)
	if d := all["dp_1"][0]; found(d) != "ONLY_THEIRS open" || d.Number != p.Number || d.PaymentID != p.ID || !strings.Contains(d.Evidence, "a dispute") || !strings.Contains(d.Evidence, "chargeback") || !strings.Contains(d.Evidence, "SUCCEEDED, 0.00 CNY refunded of 10.00 CNY") {
		t.Errorf("%+v", d)
	}
	rest := all[""][0]
	if !strings.HasPrefix(rest.Evidence, "150 more lines") || all["SHOP000"] == nil || all["SHOP249"] != nil {
		t.Errorf("%+v", rest)
	}
	w.resolve(rest.ID, "our shop")
	check(101, 251)
	hand.edit(day, add(channel.Line{Number: "SHOP999", Reference: "S", Amount: cny(100), State: channel.StatePaid, At: w.at(day, 21*time.Hour)}))
	check(102, 252)
	hand.edit(day, drop(func(l channel.Line) bool { return l.Number >= "SHOP050" && l.Number < "T" }))
	check(51, 51)
}
