package fleet_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/platform/config"
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
			p := w.begun(ch)
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

// What PayPal reviews is waited for beyond its end and ends as PayPal says; money that PayPal takes back past us is told to the operator, and
// nothing is booked.
func TestPayPalReviewsAndTakesBack(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		const ch = models.ChannelPayPal
		kept := func() (models.Payment, string) {
			p := w.begun(ch)
			at, err := page(p)
			w.must(err)
			w.must(play(at, "outcome=succeed&account=review@example.com"))
			w.until("in review", func() bool { return w.now(p).InReview() })
			return p, at
		}
		accepted, yes := kept()
		refused, no := kept()
		w.advance(3 * time.Hour)
		for _, p := range []models.Payment{accepted, refused} {
			if p := w.now(p); !p.InReview() {
				t.Errorf("after its end: %s", p.Status)
			}
		}
		w.must(play(yes, "outcome=succeed"))
		w.must(play(no, "outcome=decline"))
		w.until("decided", func() bool {
			return w.now(accepted).Status == models.PaymentSucceeded && w.now(refused).Status == models.PaymentFailed
		})
		w.books(ch)

		w.must(play(yes, "outcome=decline&dispute=true"))
		w.until("told of it", func() bool {
			return w.count("SELECT COUNT(*) FROM inbox WHERE verdict = ?", string(payment.Disputed)) == 2
		})
		w.told()
		if p := w.now(accepted); p.Status != models.PaymentSucceeded || p.Refunded != 0 {
			t.Errorf("taken back: %s, %d refunded", p.Status, p.Refunded)
		}
		w.clean()
	})
}

// The file of roots is read, beside the system's: what is no certificate is refused at the start.
func TestPayPalRoots(t *testing.T) {
	file := filepath.Join(t.TempDir(), "roots.pem")
	good, _ := certificate(t)
	for text, ok := range map[string]bool{good: true, "nothing": false, "": false} {
		c := config.Config{PayPal: config.PayPal{BaseURL: "https://api-m.paypal.com", ClientID: "c", ClientSecret: "s", WebhookID: "w", MerchantID: "m", Roots: file}}
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			c.PayPal.Roots += ".gone"
		}
		if _, err := fleet.Production(&c); (err == nil) != ok || !ok && !strings.Contains(err.Error(), "PAYDESK_PAYPAL_") {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}
