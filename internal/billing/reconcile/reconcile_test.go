package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/models"
)

// found says of a difference what a test wants of it.
func found(d models.Difference) string {
	text := string(d.Class)
	if d.Repaired {
		text += " repaired"
	}
	if d.ResolvedAt == nil && d.Class != models.ClassLate {
		text += " open"
	}
	return text
}

// Days of channels are compared with the ledger on both homes; one world serves all, for making one takes longest.
func TestReconcile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			name string
			run  func(*testing.T, *world)
		}{{"statement is awaited", statementIsAwaited}, {"forgotten days", forgottenDays}, {"two instances", twoInstances}, {"every class", everyClass}, {"refunds on their way", refundsOnTheirWay}, {"refunds that are held", refundsHeld}, {"payments under review", paymentsUnderReview}, {"PayPal reviews", payPalReviews},
			{"opened again", openedAgain}, {"closed, and the channel is silent", closedAndSilent}, {"somebody else's lines", foreignLines}, {"all channels", allChannels}, {"oracle", oracle}} {
			t.Run(c.name, func(t *testing.T) {
				whole := w.TB
				defer func() { w.TB = whole }()
				w.TB = t
				c.run(t, w)
			})
		}
		_, err := w.payments.Sweep(w.ctx, 1000)
		w.must(err)
		_, err = w.inbox.Sweep(w.ctx, 1000) // what could not be applied when it came
		w.must(err)
	})
}

// A statement with differences of every class is classified exactly, lost notifications are repaired from what the channel says when it
// is asked, and a second run says the same (issue 5, lessons 6 and 7).
func everyClass(t *testing.T, w *world) {
	day := w.noon()
	hand := w.lines[qq]
	plain, altered, dropped, double := w.pay(qq, 1000), w.pay(qq, 2000), w.pay(qq, 3000), w.pay(qq, 4000)
	state, back, shifted := w.pay(qq, 5000), w.pay(qq, 6000), w.pay(qq, 7000)
	lost, never := w.lost(qq, 8000), w.begin(qq, 9000)
	good, changed, gone, cheap := w.refunded(back, 100), w.refunded(back, 200), w.refunded(back, 300), w.refunded(back, 400)
	hand.with(func(l *line) { l.deaf = true })
	unheard := w.refund(back, 500)
	hand.with(func(l *line) { l.deaf = false })
	w.set(w.at(day, 23*time.Hour+50*time.Minute))
	midnight := w.pay(qq, 1100)

	other := day.Next(1)
	hand.shiftLine(day, other, ofPayment(shifted))
	hand.repeat(day, other, ofPayment(plain))
	hand.shiftLine(day, other, ofPayment(midnight))
	hand.edit(day, alter(ofPayment(altered), func(l *channel.Line) { l.Amount.Minor++ }))
	hand.edit(day, drop(ofPayment(dropped)))
	hand.edit(day, twice(ofPayment(double)))
	hand.edit(day, alter(ofPayment(state), func(l *channel.Line) { l.State = channel.StateDeclined }))
	hand.edit(day, add(channel.Line{Number: "FOREIGN", Reference: "R1", Amount: cny(77), State: channel.StatePaid, At: w.at(day, time.Hour), Raw: "外来,FOREIGN"}))
	hand.edit(day, add(channel.Line{Number: never.Number, Reference: "R2", Amount: cny(9000), State: channel.StatePaid, At: w.at(day, time.Hour), Raw: "never"}))
	hand.edit(day, alter(ofRefund(changed), func(l *channel.Line) { l.State = channel.StateRefundFailed }))
	hand.edit(day, drop(ofRefund(gone)))
	hand.edit(day, alter(ofRefund(cheap), func(l *channel.Line) { l.Amount.Minor-- }))

	w.set(w.at(other, 11*time.Hour))
	first := w.run(qq, day)
	want := map[string][]string{
		altered.Number: {"AMOUNT_DIFFERS open"}, dropped.Number: {"ONLY_OURS open"}, double.Number: {"ONLY_THEIRS open"}, state.Number: {"STATE_DIFFERS open"},
		shifted.Number: {"ONLY_OURS open"}, midnight.Number: {"LATE"}, lost.Number: {"MATCHED repaired"}, never.Number: {"STATE_DIFFERS open"}, "FOREIGN": {"ONLY_THEIRS open"},
		changed.Number: {"STATE_DIFFERS open"}, gone.Number: {"ONLY_OURS open"}, cheap.Number: {"AMOUNT_DIFFERS open"}, unheard.Number: {"MATCHED repaired"},
	}
	w.finds(day, want)
	if first.Status != models.ReconciliationDifferent || len(first.Open) != 10 || first.Runs != 1 || first.CompletedAt == nil {
		t.Errorf("%+v", first.Reconciliation)
	}
	if got := fmt.Sprint(first.Counts); got != "[{MATCHED CNY 6 18400} {AMOUNT_DIFFERS CNY 2 1602} {ONLY_OURS CNY 3 9700} {ONLY_THEIRS CNY 2 4077} {STATE_DIFFERS CNY 3 9000} {LATE CNY 1 1100}]" {
		t.Error(got) // matched: plain, double, back, lost less two refunds
	}
	w.reaches(lost, models.PaymentSucceeded)
	if w.newest(back).Status != models.RefundSucceeded || good.Status != models.RefundSucceeded || plain.Status != models.PaymentSucceeded {
		t.Error("the lost refund was not repaired")
	}
	rows := w.all(qq, day)
	for _, c := range []struct{ number, text string }{{"FOREIGN", "外来,FOREIGN"}, {dropped.Number, "ledger: ORDER_PAYMENT 30.00 CNY"}, {dropped.Number, "channel, asked at"}, {dropped.Number, "PAID 30.00 CNY"},
		{never.Number, "PENDING"}, {lost.Number, "PAID 80.00 CNY"}} {
		if e := rows[c.number][0].Evidence; !strings.Contains(e, c.text) {
			t.Errorf("evidence of %s lacks %q:\n%s", c.number, c.text, e)
		}
	}

	// Once more: the same. Then a person closes one, and it stays closed.
	if again := w.run(qq, day); fmt.Sprint(again.Counts) != fmt.Sprint(first.Counts) || again.Runs != 2 || len(again.Open) != 10 {
		t.Errorf("%+v", again)
	}
	w.finds(day, want)
	w.resolve(rows["FOREIGN"][0].ID, "a test of the provider's")
	want["FOREIGN"] = []string{"ONLY_THEIRS"}
	w.run(qq, day)
	w.finds(day, want)

	// The next day's statement has what was late; the day before is decided with it.
	w.set(w.at(other.Next(1), 11*time.Hour))
	if next := w.run(qq, other); next.Status != models.ReconciliationDifferent || len(next.Open) != 1 {
		t.Errorf("%+v", next)
	}
	want[shifted.Number], want[midnight.Number] = []string{"LATE"}, []string{"LATE"}
	w.finds(day, want)
	w.finds(other, map[string][]string{shifted.Number: {"LATE"}, midnight.Number: {"LATE"}, lost.Number: {"LATE"}, unheard.Number: {"LATE"}, // booked when they were repaired
		plain.Number: {"ONLY_THEIRS open"}}) // it stands in two statements, and matches once
	for n, rows := range w.all(qq, day) {
		if rows[0].Class == models.ClassLate && rows[0].ResolvedAt == nil {
			t.Error(n, "is still awaited")
		}
	}

	// With the last one closed the day is clean.
	for _, rows := range w.all(qq, day) {
		for _, d := range rows {
			if d.ResolvedAt == nil {
				w.resolve(d.ID, "seen")
			}
		}
	}
	if r := w.run(qq, day); r.Status != models.ReconciliationClean || len(r.Open) != 0 {
		t.Errorf("%+v", r)
	}
}

// finds compares a day's differences.
func (w *world) finds(day channel.Day, want map[string][]string) {
	w.Helper()
	w.findsOf(qq, day, want)
}

func (w *world) findsOf(ch models.PaymentChannel, day channel.Day, want map[string][]string) {
	w.Helper()
	rows := w.all(ch, day)
	for n, ds := range rows {
		var got []string
		for _, d := range ds {
			got = append(got, found(d))
		}
		if !slices.Equal(got, want[n]) {
			w.Errorf("%s %s: %q, want %q\n%s", day, n, got, want[n], ds[0].Evidence)
		}
	}
	for n := range want {
		if rows[n] == nil {
			w.Errorf("%s %s: matched, want %q", day, n, want[n])
		}
	}
}

// A statement that is not there, or a channel that does not answer, makes the day FAILED; it is tried again until it is there.
func statementIsAwaited(t *testing.T, w *world) {
	day := w.noon()
	hand := w.lines[models.ChannelTenpay]
	lost := w.lost(models.ChannelTenpay, 500)
	w.pay(models.ChannelTenpay, 700)
	hand.with(func(l *line) { l.absent[day] = true })
	if _, err := w.desk.Run(w.ctx, models.ChannelTenpay, day); err == nil {
		t.Error("the day is not over")
	}
	status := func(want models.ReconciliationStatus) {
		t.Helper()
		var got string
		_, err := w.DB.QueryRow(w.ctx, []any{&got}, "SELECT status FROM reconciliations WHERE channel = ? AND day = ?", string(models.ChannelTenpay), string(day))
		if w.must(err); got != string(want) {
			t.Errorf("%s, want %q", got, want)
		}
	}
	sweep := func(at time.Duration) int {
		t.Helper()
		w.set(w.at(day.Next(1), at))
		n, err := w.desk.Sweep(w.ctx)
		w.must(err)
		return n
	}
	sweep(9*time.Hour + 50*time.Minute)
	status("") // providers have it at ten
	sweep(10*time.Hour + time.Minute)
	status(models.ReconciliationFailed)
	hand.with(func(l *line) { l.absent[day] = false })
	if sweep(10*time.Hour+30*time.Minute) != 0 {
		t.Error("tried again within the hour")
	}
	hand.with(func(l *line) { l.down = channel.ErrUnavailable })
	sweep(11*time.Hour + 2*time.Minute)
	status(models.ReconciliationFailed)
	hand.with(func(l *line) { l.down = nil })
	if lag, err := w.desk.Lag(w.ctx); err != nil || lag != 0 { // not due before the hour is over
		t.Error(lag, err)
	}
	sweep(12*time.Hour + 5*time.Minute)
	status(models.ReconciliationClean)
	w.reaches(lost, models.PaymentSucceeded)
	if n := sweep(14 * time.Hour); n != 0 {
		t.Error(n, "days were compared again")
	}
}

// Two instances at once: one compares, the other is told that it is under way; nothing is written twice.
func twoInstances(t *testing.T, w *world) {
	day := w.noon()
	p, late := w.pay(models.ChannelWeChatPay, 700), w.pay(models.ChannelWeChatPay, 800)
	w.lines[models.ChannelWeChatPay].shiftLine(day, day.Next(1), ofPayment(late))
	w.lines[models.ChannelWeChatPay].edit(day, drop(ofPayment(p)))
	w.noon()
	w.noon() // the next day's statement is there, and was not compared yet
	gate := make(chan struct{})
	w.lines[models.ChannelWeChatPay].with(func(l *line) { l.hold = gate })
	type outcome struct {
		status models.ReconciliationStatus
		err    error
	}
	outcomes := make(chan outcome, 10)
	next := func() outcome {
		t.Helper()
		select {
		case o := <-outcomes:
			return o
		case <-time.After(10 * time.Second):
			close(gate)
			t.Fatal("it waits for the other")
			return outcome{}
		}
	}
	run := func() {
		r, err := w.desk.Run(w.ctx, models.ChannelWeChatPay, day)
		outcomes <- outcome{r.Status, err}
	}
	go run()
	w.until("the first is at it", func() bool {
		w.lines[models.ChannelWeChatPay].mu.Lock()
		defer w.lines[models.ChannelWeChatPay].mu.Unlock()
		return w.lines[models.ChannelWeChatPay].asked > 0
	})
	for range 3 {
		go run()
		if o := next(); o.err != nil || o.status != models.ReconciliationRunning {
			t.Errorf("%+v", o)
		}
	}
	close(gate)
	if o := next(); o.err != nil || o.status != models.ReconciliationDifferent {
		t.Errorf("%+v", o)
	}
	w.findsOf(models.ChannelWeChatPay, day, map[string][]string{p.Number: {"ONLY_OURS open"}, late.Number: {"LATE"}})
	if r := w.run(models.ChannelWeChatPay, day); r.Runs != 2 || !errors.Is(r.Cause, nil) {
		t.Errorf("%+v", r)
	}
}
