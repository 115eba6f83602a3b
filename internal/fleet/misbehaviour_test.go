package fleet_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// treatment is how a provider behaves while payments are started and played.
type treatment struct{ notify, call string }

var treatments = []treatment{
	{"normal", "normal"}, {"drop", "normal"}, {"duplicate", "normal"}, {"delay:300ms", "normal"}, {"forge", "normal"},
	{"normal", "slow:100ms"}, {"normal", "error500"}, {"normal", "timeout_after_success"}, {"normal", "bad_signature"}, {"normal", "clock_skew"},
	{"normal", "paid_after_close"}, {"drop", "timeout_after_success"},
}

// outcomes are what a payer does at the page.
var outcomes = []string{"outcome=succeed", "outcome=decline", "outcome=abandon", "cancel", "cancel, late"}

// endOf is how a payment ends by its payer's choice where the provider does as it should.
var endOf = map[string]models.PaymentStatus{"outcome=succeed": models.PaymentSucceeded, "outcome=decline": models.PaymentFailed, "outcome=abandon": models.PaymentExpired,
	"cancel": models.PaymentCanceled, "cancel, late": models.PaymentCanceled}

// played is a payment and what its payer did.
type played struct {
	payment models.Payment
	outcome string
	fault   treatment
}

// Lessons 1, 5, 6 and 7 for every channel: whatever a provider does or fails to do, each payment ends as the provider's books say, its money
// is booked once, and the sums agree to the cent.
func TestEveryMisbehaviour(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		var all []played
		for _, f := range treatments {
			all = append(all, w.playAll(f)...)
		}
		w.settle()
		for _, x := range all {
			w.agrees(x)
		}
		for _, ch := range names {
			w.books(ch)
		}
		w.clean()
	})
}

// playAll plays every outcome on every channel at once, while the providers behave in one way.
func (w *world) playAll(f treatment) (all []played) {
	var mu sync.Mutex
	var running sync.WaitGroup
	for _, ch := range names {
		w.behave(ch, f.notify, f.call)
		for _, outcome := range outcomes {
			running.Go(func() {
				p, err := w.playOne(ch, outcome)
				if err == nil && p.ID.IsZero() && f.call == "normal" {
					err = errors.New("the card could not be read")
				}
				if err != nil {
					w.Errorf("%+v: %s, %s: %v", f, ch, outcome, err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, played{p, outcome, f})
			})
		}
	}
	running.Wait()
	for _, ch := range names {
		w.behave(ch, "normal", "normal")
	}
	w.told()
	return all
}

// playOne starts a top-up and plays its payer; where the start's outcome is unknown there is no page to play at.
func (w *world) playOne(ch models.PaymentChannel, outcome string) (models.Payment, error) {
	who, _ := w.payerOf(ch)
	online, err := w.online(ch, 1000+w.numbers.Add(1)%500)
	if err != nil {
		return models.Payment{}, err
	}
	p, err := w.payments.TopUp(w.ctx, who, online)
	if err != nil {
		if ch == models.ChannelBankCard { // the card could not be read: nothing was begun
			return models.Payment{}, nil
		}
		return p, err
	}
	if p.Status != models.PaymentRequiresAction {
		return p, nil
	}
	return p, w.choose(p, outcome)
}

// begun is a top-up of 12.34 that waits for its payer.
func (w *world) begun(ch models.PaymentChannel) models.Payment {
	w.Helper()
	who, _ := w.payerOf(ch)
	online, err := w.online(ch, 1234)
	w.must(err)
	p, err := w.payments.TopUp(w.ctx, who, online)
	w.must(err)
	return p
}

// choose plays a choice at the payment's page; a page that the provider's fault keeps shut is left alone.
func (w *world) choose(p models.Payment, outcome string) error {
	at, err := page(p)
	if err != nil {
		return nil
	}
	switch outcome {
	case "cancel", "cancel, late":
		if _, err := w.payments.Cancel(w.ctx, p.AccountID, p.ID); err != nil && outcome == "cancel" {
			return nil // paid meanwhile, or the channel does not answer: as it may
		}
		if outcome == "cancel, late" {
			return play(at, "outcome=succeed&late=true")
		}
		return nil
	}
	return play(at, outcome)
}

// settle lets everything come to its end: what is told, what is asked, what is over, and the watch for late money.
func (w *world) settle() {
	w.Helper()
	w.told()
	for _, d := range []time.Duration{time.Second, 16 * time.Second, 16 * time.Second, 15 * time.Minute, time.Minute, 11 * time.Minute, 61 * time.Minute, 61 * time.Minute, 25 * time.Hour, 25 * time.Hour} {
		w.advance(d)
		w.told()
	}
}

// agrees wants a payment to have ended as the provider's books say.
func (w *world) agrees(x played) {
	w.Helper()
	if x.payment.ID.IsZero() {
		return
	}
	p := w.now(x.payment)
	var status string
	found, err := w.DB.QueryRow(w.ctx, []any{&status}, "SELECT status FROM sandbox_trades WHERE channel = ? AND number = ?", string(p.Channel), p.Number)
	w.must(err)
	paid := found && status == "PAID"
	switch {
	case !p.Status.Terminal():
		w.Errorf("%s, %s under %+v: still %s, the books say %q", p.Channel, x.outcome, x.fault, p.Status, status)
	case paid && p.Status != models.PaymentSucceeded && p.LateAmount != p.OnlineAmount:
		w.Errorf("%s, %s under %+v: %s and %d late, but it was paid", p.Channel, x.outcome, x.fault, p.Status, p.LateAmount)
	case !paid && (p.Status == models.PaymentSucceeded || p.LateAmount != 0):
		w.Errorf("%s, %s under %+v: %s, %d late, but the books say %q", p.Channel, x.outcome, x.fault, p.Status, p.LateAmount, status)
	case x.fault == treatments[0] && x.payment.Status == models.PaymentRequiresAction && endOf[x.outcome] != "" && p.Status != endOf[x.outcome]:
		w.Errorf("%s, %s: %s", p.Channel, x.outcome, p.Status)
	}
	want := int64(0) // orders are paid past the balance; what comes too late is in it
	if paid && (p.Purpose == models.PurposeTopUp || p.LateAmount != 0) {
		want = 1
	}
	if n := w.count("SELECT COUNT(*) FROM postings WHERE account_id = ? AND payment_id = ? AND book = 'customer' AND kind IN ('TOP_UP', 'LATE_PAYMENT')", p.AccountID, p.ID); n != want {
		w.Errorf("%s, %s under %+v: %s, %d lines on the statement, not %d", p.Channel, x.outcome, x.fault, p.Status, n, want)
	}
}

// A provider that tells another amount: nothing of it reaches a balance, an operator sees it, and what it says rightly afterwards counts.
func TestAnotherAmountGoesToSuspense(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		for _, ch := range names {
			w.behave(ch, "normal", "normal")
			who, currency := w.payerOf(ch)
			online, err := w.online(ch, 1234)
			w.must(err)
			p, err := w.payments.TopUp(w.ctx, who, online)
			w.must(err)
			w.behave(ch, "normal", "wrong_amount")
			w.must(w.choose(p, "outcome=succeed"))
			w.until("suspense of "+string(ch), func() bool {
				w.must(w.sweeper.RunDue(w.ctx))
				w.clock.shift.Add(int64(time.Second))
				return w.count("SELECT COUNT(*) FROM suspense_items WHERE payment_id = ? AND amount = 1235 AND currency = ?", p.ID, string(currency)) == 1
			})
			if p = w.now(p); p.Status.Terminal() || w.count("SELECT COUNT(*) FROM postings WHERE account_id = ? AND payment_id = ? AND book = 'customer'", p.AccountID, p.ID) != 0 {
				t.Errorf("%s: %s", ch, p.Status)
			}
			w.behave(ch, "normal", "normal")
			w.until(string(ch)+" corrected", func() bool { // the true amount is booked, the other taken back: one trade brings money once
				w.advance(16 * time.Second)
				return w.now(p).Status == models.PaymentSucceeded
			})
			if n := w.count("SELECT COUNT(*) FROM suspense_items WHERE payment_id = ?", p.ID); n != 0 {
				t.Errorf("%s: %d left in suspense", ch, n)
			}
			w.books(ch)
		}
		w.clean()
	})
}
