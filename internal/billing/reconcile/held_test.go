package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// A refund that the provider holds (WeChat Pay's CHANGE): while it is open here its day is looked at again; where it is done here, both say
// different things; where it has failed here, the channel is asked.
func refundsHeld(t *testing.T, w *world) {
	const ch = models.ChannelWeChatPay
	hand, day := w.lines[ch], w.noon()
	p := w.pay(ch, 10000)
	settled, forgotten, done := w.back(p, "lost", 100), w.back(p, "lost", 200), w.back(p, "paid", 300)
	failed, refused := w.back(p, "failed", 400), w.back(p, "failed", 500)
	for _, r := range []models.Refund{settled, forgotten, done} {
		hand.edit(day, held(ofRefund(r)))
	}
	for _, r := range []models.Refund{failed, refused} {
		hand.edit(day, add(channel.Line{Number: p.Number, RefundNumber: r.Number, Reference: "R" + r.Number, Amount: cny(r.OnlineAmount), State: channel.StateHeld, At: w.clock.Now(), Raw: "held"}))
	}
	_, err := w.DB.Exec(w.ctx, "UPDATE sandbox_refunds SET outcome = 'SUCCEEDED' WHERE refund_number = ?", refused.Number) // it went through after all
	w.must(err)
	w.set(w.at(day.Next(1), 11*time.Hour))
	w.run(ch, day)
	want := map[string][]string{settled.Number: {"LATE"}, forgotten.Number: {"LATE"}, done.Number: {"STATE_DIFFERS open"}, refused.Number: {"MATCHED repaired"}}
	w.findsOf(ch, day, want)
	if d := w.all(ch, day)[settled.Number][0]; d.ResolvedAt != nil || d.TheirsState != "HELD" || !strings.Contains(d.Evidence, "holds it") {
		t.Errorf("it is not awaited: %+v", d)
	}

	// Somebody settles one by hand at the provider, and it is told; the other is forgotten.
	w.set(w.at(day.Next(5), 11*time.Hour))
	w.ends(p, settled)
	w.set(w.at(day.Next(6), 11*time.Hour))
	w.run(ch, day)
	w.run(ch, day.Next(5))
	want[settled.Number] = []string{"STATE_DIFFERS open"}
	w.findsOf(ch, day, want)
	w.findsOf(ch, day.Next(5), map[string][]string{settled.Number: {"LATE"}})
	w.set(w.at(day.Next(32), 11*time.Hour))
	w.run(ch, day)
	want[forgotten.Number] = []string{"STATE_DIFFERS open"}
	w.findsOf(ch, day, want)
	w.ends(p, forgotten)
}

// What a person has closed stays closed where the channel only does not answer; another line is shown all the same.
func closedAndSilent(t *testing.T, w *world) {
	day := w.noon()
	hand := w.lines[qq]
	same, other := w.lost(qq, 1000), w.lost(qq, 2000)
	hand.with(func(l *line) { l.review = map[string]bool{same.Number: true, other.Number: true} })
	w.set(w.at(day.Next(1), 11*time.Hour))
	w.run(qq, day)
	for _, rows := range w.all(qq, day) {
		w.resolve(rows[0].ID, "nothing came")
	}
	hand.with(func(l *line) { l.mute = true })
	if r := w.run(qq, day); r.Status != models.ReconciliationClean || r.Note == "" {
		t.Errorf("opened again, or the channel did answer: %+v", r)
	}
	w.findsOf(qq, day, map[string][]string{same.Number: {"STATE_DIFFERS"}, other.Number: {"STATE_DIFFERS"}})
	hand.edit(day, alter(ofPayment(other), func(l *channel.Line) { l.Amount.Minor++ }))
	w.run(qq, day)
	w.findsOf(qq, day, map[string][]string{same.Number: {"STATE_DIFFERS"}, other.Number: {"ONLY_THEIRS open"}})
	hand.with(func(l *line) { l.mute, l.review = false, nil })
	w.run(qq, day)
	w.findsOf(qq, day, map[string][]string{same.Number: {"MATCHED repaired"}, other.Number: {"AMOUNT_DIFFERS open"}})
}
