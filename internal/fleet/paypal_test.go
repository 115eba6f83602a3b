package fleet_test

import (
	"context"
	"net/http"
	"testing"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// PayPal takes nothing by itself: the payer's consent to a payment that has ended lapses; a capture whose answer is lost has taken the money
// once, however often it is asked for; a bank that refuses what its customer has agreed to fails the payment.
func TestPayPalTakesWhenWeAsk(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		const ch = models.ChannelPayPal
		start := func() (models.Payment, string) {
			online, err := w.online(ch, 1234)
			w.must(err)
			p, err := w.payments.TopUp(w.ctx, w.dollars, online)
			w.must(err)
			at, err := page(p)
			w.must(err)
			return p, at
		}
		status := func(p models.Payment) (s string) {
			_, err := w.DB.QueryRow(w.ctx, []any{&s}, "SELECT status FROM sandbox_trades WHERE number = ?", p.Number)
			w.must(err)
			return s
		}

		canceled, at := start()
		_, err := w.payments.Cancel(w.ctx, canceled.AccountID, canceled.ID)
		w.must(err)
		w.must(play(at, "outcome=succeed"))
		w.settle() // told, asked and watched to the end
		if s, p := status(canceled), w.now(canceled); s != "APPROVED" || p.Status != models.PaymentCanceled || p.LateAmount != 0 {
			t.Errorf("consent after the end: %s here, %s there", p.Status, s)
		}

		lost, at := start()
		w.behave(ch, "drop", "timeout_after_success") // PayPal tells of nothing either, so that what is lost stays lost until somebody asks
		w.must(play(at, "outcome=succeed"))
		hears, stop := context.WithCancel(w.ctx)
		unheard, ref := make(chan error, 1), payment.RefOf(w.now(lost))
		go func() {
			_, err := w.channels[ch].Complete(hears, ref)
			unheard <- err
		}()
		w.until("captured", func() bool { return status(lost) == "PAID" })
		stop()
		if err := <-unheard; err == nil {
			t.Error("an answer that is lost was heard")
		}
		w.behave(ch, "drop", "normal")
		if p := w.now(lost); p.Status != models.PaymentRequiresAction {
			t.Errorf("an answer that is lost: %s", p.Status)
		}
		for range 2 {
			ev, err := w.channels[ch].Complete(w.ctx, payment.RefOf(w.now(lost)))
			if err != nil || ev.State != channel.StatePaid {
				t.Errorf("captured again: %+v %v", ev, err)
			}
		}
		if res := w.comesBack(http.MethodGet, lost.Number, "en"); res.Code != http.StatusOK || w.now(lost).Status != models.PaymentSucceeded {
			t.Errorf("back: HTTP %d, %s", res.Code, w.now(lost).Status)
		}
		w.behave(ch, "normal", "normal")

		refused, at := start()
		w.must(play(at, "outcome=succeed&account=declined@example.com&country=FR"))
		w.until("failed", func() bool { return w.now(refused).Status == models.PaymentFailed })
		if p := w.now(refused); p.FailureCode != "PAYMENT_DECLINED" {
			t.Errorf("the bank refuses: %q", p.FailureCode)
		}
		w.settle()
		w.books(ch)
		w.clean()
	})
}
