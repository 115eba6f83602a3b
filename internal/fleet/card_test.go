package fleet_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/reconcile"
	"paydesk/internal/channel"
	"paydesk/internal/platform/blob"
	paging "paydesk/internal/platform/page"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// leaves plays a payer who closes the browser as soon as he has chosen, and gives what the browser was told: where it should have gone.
func (w *world) leaves(p models.Payment, choice string) *url.URL {
	w.Helper()
	res, err := http.Post(p.ActionContent, "application/x-www-form-urlencoded", strings.NewReader(choice))
	w.must(err)
	res.Body.Close()
	_, address, _ := strings.Cut(res.Header.Get("Refresh"), "url=")
	to, err := url.Parse(address)
	w.must(err)
	return to
}

// Lessons 1 and 7, TX-9, TX-10: a card is charged by us alone. A payer who has passed 3-D Secure and does not come back is charged once all the
// same, for the sweep asks; one whose payment has ended is not. A refused payment stays refused, whatever a browser tries with Stripe.
func TestCardsAreChargedByUsAlone(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		const ch = models.ChannelBankCard
		status := func(p models.Payment) (s string) {
			_, err := w.DB.QueryRow(w.ctx, []any{&s}, "SELECT status FROM sandbox_trades WHERE number = ?", p.Number)
			w.must(err)
			return s
		}

		gone, canceled, refused := w.begun(ch), w.begun(ch), w.begun(ch)
		w.behave(ch, "drop", "normal") // nobody comes back, and nothing is told
		w.leaves(gone, "outcome=succeed")
		w.leaves(canceled, "outcome=succeed")
		if s, p := status(gone), w.now(gone); s != "APPROVED" || p.Status != models.PaymentRequiresAction {
			t.Errorf("before anybody asks: %s here, %s there", p.Status, s)
		}
		_, err := w.payments.Cancel(w.ctx, canceled.AccountID, canceled.ID)
		w.must(err)
		w.behave(ch, "normal", "normal")
		back := w.leaves(refused, "outcome=decline")
		w.until("refused", func() bool { return w.now(refused).Status == models.PaymentFailed })
		w.triesAnotherCard(refused, back.Query().Get("payment_intent_client_secret"))
		w.settle()
		for _, c := range []struct {
			p     models.Payment
			ours  models.PaymentStatus
			there string
		}{{gone, models.PaymentSucceeded, "PAID"}, {canceled, models.PaymentCanceled, "CLOSED"}, {refused, models.PaymentFailed, "DECLINED"}} {
			if s, p := status(c.p), w.now(c.p); s != c.there || p.Status != c.ours || p.LateAmount != 0 {
				t.Errorf("%s here, %s there, %d late; %s and %s are wanted", p.Status, s, p.LateAmount, c.ours, c.there)
			}
		}
		w.books(ch)
		w.clean()
	})
}

// triesAnotherCard is a browser with the publishable key, the intent's client_secret and a prepaid card.
func (w *world) triesAnotherCard(p models.Payment, secret string) {
	w.Helper()
	keys, err := sandbox.New(sandbox.Config{DB: w.DB, Clock: w.clock, Log: slog.New(slog.DiscardHandler)}).Stripe(w.ctx)
	w.must(err)
	call := func(path string, form url.Values) (int, string) {
		r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.server.URL+sandbox.StripePath+path, strings.NewReader(form.Encode()))
		w.must(err)
		r.Header.Set("Authorization", "Bearer "+keys.PublishableKey)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(r)
		w.must(err)
		defer res.Body.Close()
		text := new(strings.Builder)
		_ = res.Write(text)
		return res.StatusCode, text.String()
	}
	_, made := call("/v1/payment_methods", url.Values{"type": {"card"}, "card[number]": {"5105105105105100"}, "card[exp_month]": {"12"}, "card[exp_year]": {fmt.Sprint(time.Now().Year() + 3)}, "card[cvc]": {"123"}})
	_, rest, _ := strings.Cut(made, `"id":"`)
	token, _, _ := strings.Cut(rest, `"`)
	if code, body := call("/v1/payment_intents/"+p.ChannelReference+"/confirm", url.Values{"payment_method": {token}, "client_secret": {secret}}); code != http.StatusBadRequest || !strings.HasPrefix(token, "pm_") || secret == "" {
		w.Errorf("a browser confirms with %s: %s", token, body)
	}
}

// A chargeback takes money that is booked: the payment stays as it was, the operator is told with its number, and the day's statement differs
// by what the bank has taken, and later by what it has given back.
func TestCardDisputes(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		const ch = models.ChannelBankCard
		desk := reconcile.New(reconcile.Config{DB: home.DB, Channels: w.channels, Payments: w.payments, Refunds: w.refunds, Files: blob.New(home.DB), Clock: w.clock, Log: slog.New(slog.DiscardHandler)})
		p, err := w.playOne(ch, "outcome=succeed")
		w.must(err)
		w.until("the browser is back, and that asks", func() bool { p = w.now(p); return p.Status == models.PaymentSucceeded })
		paid := channel.DayOf(w.channels[ch], w.clock.Now())
		for seen, turn := range []string{"open", "won"} {
			w.advance(24 * time.Hour)
			res, err := http.Post(w.server.URL+sandbox.DisputesPath, "application/json", strings.NewReader(fmt.Sprintf(`{"number":%q,"turn":%q}`, p.Number, turn)))
			w.must(err)
			if res.Body.Close(); res.StatusCode != http.StatusNoContent {
				t.Fatalf("%s: HTTP %d", turn, res.StatusCode)
			}
			w.until(turn+" is told", func() bool {
				list, err := w.inbox.List(w.ctx, []models.PaymentChannel{ch}, []string{string(payment.Disputed)}, &p.Number, paging.First(10))
				w.must(err)
				return len(list.Items) == 2*(seen+1)
			})
		}
		w.advance(48 * time.Hour)
		for i, state := range []string{"PAID", "REFUNDED", "PAID"} { // the payment, the bank takes, the bank gives back
			_, err = desk.Run(w.ctx, ch, paid.Next(i))
			w.must(err)
			n := w.count("SELECT COUNT(*) FROM differences WHERE channel = ? AND day = ? AND class = 'ONLY_THEIRS' AND number = ? AND reference LIKE 'dp_%' AND theirs = ? AND theirs_state = ?", string(ch), string(paid.Next(i)), p.Number, p.OnlineAmount, state)
			if n != int64(min(i, 1)) || w.count("SELECT COUNT(*) FROM differences WHERE channel = ? AND day = ?", string(ch), string(paid.Next(i))) != n {
				t.Errorf("day %d: %d differences", i, n)
			}
		}
		if now := w.now(p); now.Status != models.PaymentSucceeded || w.count("SELECT COUNT(*) FROM postings WHERE payment_id = ? AND book = 'customer'", p.ID) != 1 {
			t.Errorf("%s", now.Status)
		}
		w.clean()
	})
}
