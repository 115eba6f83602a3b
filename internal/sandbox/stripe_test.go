package sandbox_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// Cards on both homes; the merchant has registered its endpoint, as in the dashboard. One world serves all: a world costs more than its tests.
func TestCards(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelBankCard}, func(t *testing.T, w *world, a channel.Adapter) {
		if code, body := w.stripe("POST", "/v1/webhook_endpoints", url.Values{"url": {w.url + "/notify/BANK_CARD"}, "enabled_events[0]": {"*"}}); code != http.StatusOK {
			t.Fatal(code, body)
		}
		for _, part := range []struct {
			name string
			test func(t *testing.T, w *world, a channel.Adapter)
		}{{"charged once", cardIsChargedOnce}, {"3-D Secure", threeDSecure}, {"canceled", canceledIntent}, {"browsers cannot confirm", browsersCannotConfirm}, {"disputes", cardDisputes}, {"shapes", stripeShapes}, {"declined", cardDeclinedAtOnce}, {"refunds", cardRefunds}, {"statement", cardStatement},
			{"misbehaviour", stripeMisbehaves}, {"field", cardField}, {"browsers", cardFieldForBrowsers}} {
			t.Run(part.name, func(t *testing.T) {
				w := *w
				w.t = t
				part.test(t, &w, a)
				for w.settled(); len(w.heard) > 0; {
					<-w.heard
				}
			})
		}
	})
}

// stripe calls the API with the secret key.
func (w *world) stripe(method, path string, form url.Values) (int, string) {
	w.t.Helper()
	c, err := w.sandbox.Stripe(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	r, _ := http.NewRequest(method, w.url+sandbox.StripePath+path, strings.NewReader(form.Encode()))
	r.Header.Set("Authorization", "Bearer "+c.SecretKey)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func (w *world) told(a channel.Adapter) channel.Event {
	w.t.Helper()
	e, err := a.ParseNotification(w.t.Context(), w.hears())
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func usd(minor int64) money.Money { return money.New(minor, "USD") }

// TX-8, lessons 1 and 11: a card is charged at once, once, however often it is asked for; Stripe tells of it, and answers by its own number
// and by ours.
func cardIsChargedOnce(t *testing.T, w *world, a channel.Adapter) {
	r := w.request(a)
	references := make([]string, 6)
	var calls sync.WaitGroup
	for i := range references {
		calls.Go(func() {
			s, err := a.Start(t.Context(), r)
			if err != nil || s.Outcome == nil || s.Outcome.State != channel.StatePaid || s.Outcome.Amount != usd(1234) || s.URL+s.QR != "" {
				t.Errorf("%+v %v", s, err)
			}
			references[i] = s.Reference
		})
	}
	calls.Wait()
	if n := w.count("SELECT COUNT(*) FROM sandbox_trades WHERE channel = 'BANK_CARD' AND number = ?", r.Number); n != 1 || strings.Count(strings.Join(references, ""), references[0]) != 6 {
		t.Fatalf("%d intents: %v", n, references)
	}
	e := w.told(a)
	if e.State != channel.StatePaid || e.Number != r.Number || e.Reference != references[0] || e.Amount != usd(1234) || !strings.HasPrefix(e.ID, "evt_") || time.Since(e.PaidAt).Abs() > time.Minute {
		t.Errorf("told %+v", e)
	}
	w.hearsNothing()
	for _, ref := range []channel.Ref{{Number: r.Number}, {Number: r.Number, Reference: references[0]}} {
		if e, err := a.Query(t.Context(), ref); err != nil || e.State != channel.StatePaid || e.Amount != usd(1234) || e.Reference != references[0] {
			t.Errorf("%+v: %+v %v", ref, e, err)
		}
		if err := a.Close(t.Context(), ref); !errors.Is(err, channel.ErrAlreadyPaid) {
			t.Errorf("close: %v", err)
		}
	}
	if e, err := a.Query(t.Context(), channel.Ref{Number: freshNumber()}); err != nil || e.State != channel.StateNotFound {
		t.Errorf("unknown: %+v %v", e, err)
	}
	if err := a.Close(t.Context(), channel.Ref{Number: freshNumber()}); err != nil {
		t.Errorf("close of an unknown one: %v", err)
	}
	if _, err := a.Query(t.Context(), channel.Ref{Number: freshNumber(), Reference: references[0]}); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("another payment's reference: %v", err)
	}
	r.Amount = usd(1235)
	if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrUnknown) || errors.Is(err, channel.ErrDeclined) {
		t.Errorf("the same key for another amount: %v", err)
	}
	r.Number = freshNumber()
	var refused *channel.Declined
	if _, err := a.Start(t.Context(), r); !errors.As(err, &refused) || refused.Code != "METHOD_NOT_FOUND" {
		t.Errorf("a token is good for one payment: %v", err)
	}
	least := w.request(a)
	least.Amount = usd(49)
	if _, err := a.Start(t.Context(), least); !errors.Is(err, channel.ErrDeclined) || !strings.Contains(err.Error(), "amount_too_small") {
		t.Errorf("less than Stripe takes: %v", err)
	}
}

// AL-17: the issuer's page decides; what a refusal was is told apart.
func threeDSecure(t *testing.T, w *world, a channel.Adapter) {
	for _, c := range []struct {
		card, choice string
		state        channel.State
		failure      string
		detail       string
	}{
		{"4000002760003184", "outcome=succeed", channel.StatePaid, "", "succeeded"},
		{"4000002500003155", "outcome=succeed", channel.StatePaid, "", "succeeded"},
		{"4000002760003184", "outcome=decline", channel.StateDeclined, "AUTHENTICATION_FAILED", "payment_intent_authentication_failure"},
		{"4000008260003178", "outcome=succeed", channel.StateDeclined, "PAYMENT_DECLINED", "insufficient_funds"},
		{"4000008400001629", "outcome=succeed", channel.StateDeclined, "PAYMENT_DECLINED", "generic_decline"},
	} {
		number, page := w.start(a, c.card)
		if e := w.query(a, number); e.State != channel.StatePending {
			t.Errorf("%+v: %+v", c, e)
		}
		if _, body := w.get(page); !strings.Contains(body, "•••• "+c.card[12:]) || !strings.Contains(body, "12.34 USD") || strings.Contains(body, c.card) {
			t.Error("the issuer's page: ", body)
		}
		w.mustPlay(page, c.choice)
		if c.choice == "outcome=succeed" { // Stripe tells of nothing, and takes nothing, until the merchant's server says so
			w.hearsNothing()
			if e := w.query(a, number); e.State != channel.StateApproved || e.Number != number {
				t.Errorf("%+v: passed: %+v", c, e)
			}
			w.takes(a, number, c.state == channel.StatePaid)
		}
		for _, e := range []channel.Event{w.told(a), w.query(a, number)} {
			if e.State != c.state || e.Number != number || e.Failure != c.failure || e.Detail != c.detail {
				t.Errorf("%+v: %+v", c, e)
			}
		}
		if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
			t.Errorf("again: HTTP %d", code)
		}
	}
	r := w.request(a, "4000000000003055") // wants it when asked to
	r.Challenge = true
	if _, s := w.begin(a, r); s.Outcome != nil || s.URL == "" || s.Method != http.MethodGet {
		t.Errorf("asked for: %+v", s)
	}
	if _, s := w.begin(a, w.request(a, "4000000000003055")); s.Outcome == nil {
		t.Errorf("not asked for: %+v", s)
	}
	w.told(a)
	w.hearsNothing()
}

// takes has a card charged whose holder has passed 3-D Secure, from several sides at once: it is charged once.
func (w *world) takes(a channel.Adapter, number string, paid bool) {
	w.t.Helper()
	var sides sync.WaitGroup
	for range 3 {
		sides.Go(func() {
			e, err := a.Complete(w.t.Context(), w.ref(number))
			if paid && (err != nil || e.State != channel.StatePaid || e.Amount != usd(1234)) || !paid && !errors.Is(err, channel.ErrDeclined) && e.State != channel.StateDeclined {
				w.t.Errorf("taken: %+v %v", e, err)
			}
		})
	}
	sides.Wait()
}

// Contract, chapter 5: a canceled intent cannot be paid; what all the same comes later is told. Our own cancellation is nothing new.
func canceledIntent(t *testing.T, w *world, a channel.Adapter) {
	number, page := w.start(a, "4000002760003184")
	w.mustPlay(page, "outcome=abandon")
	for range 2 {
		if err := a.Close(t.Context(), w.ref(number)); err != nil {
			t.Fatal(err)
		}
	}
	if e := w.told(a); e.State != channel.StatePending || e.Number != number {
		t.Errorf("our own cancellation: %+v", e)
	}
	if e := w.query(a, number); e.State != channel.StateClosed {
		t.Errorf("canceled: %+v", e)
	}
	if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
		t.Errorf("paid after the end: HTTP %d", code)
	}
	w.mustPlay(page, "outcome=succeed&late=true")
	if e := w.told(a); e.State != channel.StatePaid || e.Amount != usd(1234) {
		t.Errorf("late: %+v", e)
	}
	number, page = w.start(a, "4000002760003184")
	w.mustPlay(page, "outcome=decline")
	w.told(a)
	if err := a.Close(t.Context(), w.ref(number)); err != nil || w.query(a, number).State != channel.StateClosed {
		t.Errorf("a refused one is closed like any other: %v", err)
	}
	if code, body := w.stripe("POST", "/v1/payment_intents/"+w.ref(number).Reference+"/cancel", nil); code != http.StatusBadRequest || !strings.Contains(body, "payment_intent_unexpected_state") {
		t.Errorf("twice: %d %s", code, body)
	}
}

func cardDeclinedAtOnce(t *testing.T, w *world, a channel.Adapter) {
	for card, detail := range map[string]string{"4000000000000002": "generic_decline", "4000000000009995": "insufficient_funds", "4000000000009987": "lost_card", "4000000000009979": "stolen_card",
		"4000000000000069": "expired_card", "4000000000000127": "incorrect_cvc", "4000000000000341": "generic_decline", "4000008400001280": "processing_error"} {
		r := w.request(a, card)
		var refused *channel.Declined
		for range 2 { // the key's first answer again
			if _, err := a.Start(t.Context(), r); !errors.As(err, &refused) || refused.Code != "PAYMENT_DECLINED" || refused.Detail != detail {
				t.Errorf("%s: %v", card, err)
			}
		}
		for _, e := range []channel.Event{w.told(a), w.query(a, r.Number)} {
			if e.State != channel.StateDeclined || e.Failure != "PAYMENT_DECLINED" || e.Detail != detail {
				t.Errorf("%s: %+v", card, e)
			}
		}
	}
	w.hearsNothing()
}

// D10, lesson 18: parts go back under numbers of their own, never more than was paid, and a number again is the same refund even when
// Stripe has forgotten its key.
func cardRefunds(t *testing.T, w *world, a channel.Adapter) {
	number, _ := w.start(a)
	w.told(a)
	part := func(minor int64) channel.RefundRequest {
		return channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: usd(minor), MadeAt: time.Now()}}
	}
	first := part(1000)
	if e := w.askRefund(a, first); e.State != channel.StateNotFound {
		t.Errorf("never asked for: %+v", e)
	}
	e := w.refund(a, first)
	if e.State != channel.StateRefunded || e.Amount != usd(1000) || e.Number != number || e.RefundNumber != first.Refund.Number || !strings.HasPrefix(e.Reference, "re_") {
		t.Errorf("at once: %+v", e)
	}
	if again := w.refund(a, first); again.Reference != e.Reference {
		t.Errorf("again: %+v", again)
	}
	if said := w.told(a); said.RefundNumber != first.Refund.Number || said.Number != number || said.State != channel.StateRefunded || said.Amount != usd(1000) {
		t.Errorf("told %+v", said)
	}
	byReference := first
	byReference.Refund.Reference, byReference.Payment.Reference = e.Reference, ""
	for _, q := range []channel.RefundRequest{first, byReference} {
		if asked := w.askRefund(a, q); asked.State != channel.StateRefunded || asked.Amount != usd(1000) || asked.Reference != e.Reference {
			t.Errorf("asked: %+v", asked)
		}
	}
	if _, err := a.Refund(t.Context(), part(235)); !errors.Is(err, channel.ErrDeclined) {
		t.Errorf("more than is left: %v", err)
	}
	w.treat(a, "call", "refund_fail")
	failing := part(234)
	if e := w.refund(a, failing); e.State != channel.StateRefundFailed || w.askRefund(a, failing).State != channel.StateRefundFailed || w.told(a).State != channel.StateRefundFailed {
		t.Errorf("failed: %+v", e)
	}
	w.treat(a, "call", "refund_late:300ms")
	late := part(234)
	if e := w.refund(a, late); e.State != channel.StatePending {
		t.Errorf("on its way: %+v", e)
	}
	if e := w.told(a); e.State != channel.StateRefunded || e.RefundNumber != late.Refund.Number || w.askRefund(a, late).State != channel.StateRefunded {
		t.Errorf("there: %+v", e)
	}
	w.treat(a, "call", "normal")
	if _, err := a.Refund(t.Context(), part(1)); !errors.Is(err, channel.ErrDeclined) {
		t.Errorf("nothing is left: %v", err)
	}
	// Without the adapter's care Stripe would refund twice: its metadata are nobody's key.
	other, _ := w.start(a)
	w.told(a)
	for range 2 {
		code, body := w.stripe("POST", "/v1/refunds", url.Values{"payment_intent": {w.ref(other).Reference}, "amount": {"10"}, "metadata[number]": {"R1"}, "metadata[payment]": {other}})
		if code != http.StatusOK {
			t.Error(code, body)
		}
	}
	// A day later the key is forgotten; what the adapter asks for again is the refund that is there.
	again := channel.RefundRequest{Payment: w.ref(other), Refund: channel.Ref{Number: "R1", Amount: usd(10)}}
	if e := w.refund(a, again); e.State != channel.StateRefunded || e.Amount != usd(10) {
		t.Errorf("asked for again: %+v", e)
	}
	if n := w.count("SELECT COUNT(*) FROM sandbox_refunds WHERE number = ?", other); n != 2 {
		t.Errorf("%d refunds", n)
	}
}

// Lesson 20: a day's statement has every payment and refund of the day, over as many pages as there are, with Stripe's fee.
func cardStatement(t *testing.T, w *world, a channel.Adapter) {
	w.clock.advance(48 * time.Hour) // a day of its own
	number, _ := w.start(a)
	w.told(a)
	today := channel.DayOf(a, w.clock.Now())
	refund := channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: usd(200)}}
	w.refund(a, refund)
	if _, err := a.Statement(t.Context(), today); !errors.Is(err, channel.ErrNoStatement) {
		t.Errorf("the day is not over: %v", err)
	}
	at := w.clock.Now()
	for i := range 120 {
		detail := fmt.Sprintf(`{"metadata":{"number":"S%d"}}`, i)
		if i%2 == 0 {
			detail = "{}" // as a former version wrote it
		}
		if _, err := w.home.DB.Exec(t.Context(), "INSERT INTO sandbox_trades (channel, number, token, reference, amount, currency, subject, status, notify_url, paid_late, created_at, refunded, detail, booked_at) "+
			"VALUES ('BANK_CARD', ?, ?, ?, 1000, 'USD', '', 'PAID', '', 0, ?, 0, ?, ?)", fmt.Sprint("S", i), fmt.Sprint("token", i), fmt.Sprint("pi_S", i), at, detail, at); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.advance(24 * time.Hour)
	s, err := a.Statement(t.Context(), today)
	if err != nil || len(s.Lines) != 122 || len(s.Hash) != 64 || s.Day != today {
		t.Fatalf("%d lines, %v", len(s.Lines), err)
	}
	seen := map[string]channel.Line{}
	for _, l := range s.Lines {
		if strings.Contains(l.Raw, "billing_details") || !strings.Contains(l.Raw, "txn_") {
			t.Error("evidence: ", l.Raw)
		}
		l.Raw = ""
		seen[l.Number+l.RefundNumber] = l
	}
	if l := seen[number]; l.Amount != usd(1234) || l.Fee != usd(66) || l.State != channel.StatePaid || l.Reference != w.ref(number).Reference || l.At.Sub(at).Abs() > time.Minute {
		t.Errorf("payment: %+v", l)
	}
	if l := seen[number+refund.Refund.Number]; l.Amount != usd(200) || l.Fee != usd(0) || l.State != channel.StateRefunded || !strings.HasPrefix(l.Reference, "re_") {
		t.Errorf("refund: %+v", l)
	}
	if len(seen) != 122 {
		t.Errorf("%d different lines", len(seen))
	}
	if s, err := a.Statement(t.Context(), today.Next(-1)); err != nil || len(s.Lines) != 0 {
		t.Errorf("a day without trades: %+v %v", s, err)
	}
}

// Lessons 3, 4 and 25: whatever Stripe does or somebody plays in its name, nothing is believed that is not signed, of today and ours.
func stripeMisbehaves(t *testing.T, w *world, a channel.Adapter) {
	for _, x := range []struct{ field, value string }{{"call", "bad_signature"}, {"call", "clock_skew"}, {"notify", "forge"}} {
		w.treat(a, x.field, x.value)
		w.start(a)
		if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %v", x.value, err)
		}
		w.treat(a, x.field, "normal")
		if x.field == "call" && w.told(a).State != channel.StatePaid { // a second later, rightly
			t.Error(x.value)
		}
	}
	r := w.request(a)
	w.treat(a, "call", "error500")
	if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrUnknown) || strings.Contains(err.Error(), "Internal") {
		t.Errorf("500: %v", err)
	}
	if _, err := a.(channel.CardReader).Inspect(t.Context(), r.CardToken); !errors.Is(err, channel.ErrUnknown) || strings.Contains(err.Error(), r.CardToken) {
		t.Errorf("500: %v", err)
	}
	w.treat(a, "call", "wrong_amount")
	if s, err := a.Start(t.Context(), r); err != nil || s.Outcome.Amount != usd(1235) || w.told(a).Amount != usd(1235) || w.query(a, r.Number).Amount != usd(1235) {
		t.Errorf("another amount: %+v %v", s, err)
	}
	w.treat(a, "call", "paid_after_close")
	number, _ := w.start(a, "4000002760003184")
	if err := a.Close(t.Context(), w.ref(number)); !errors.Is(err, channel.ErrAlreadyPaid) || w.told(a).State != channel.StatePaid {
		t.Errorf("paid while it was canceled: %v", err)
	}
	for _, key := range []string{"", "Bearer sk_test_other"} {
		r, _ := http.NewRequest("GET", w.url+sandbox.StripePath+"/v1/refunds", nil)
		r.Header.Set("Authorization", key)
		if res, err := http.DefaultClient.Do(r); err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("key %q: %v %v", key, res, err)
		}
	}
	if code, body := w.stripe("POST", "/v1/payment_intents", url.Values{"amonut": {"1"}}); code != http.StatusBadRequest || !strings.Contains(body, "parameter_unknown") {
		t.Errorf("unknown parameter: %d %s", code, body)
	}
}
