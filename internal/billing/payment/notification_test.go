package payment_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/models"
)

// letter is a notification as the sandbox sent it.
type letter struct {
	header http.Header
	body   []byte
}

// listen records what is delivered to a channel's webhook before it goes on.
func (w *world) listen() func() []letter {
	var mu sync.Mutex
	var got []letter
	inner := w.server.Config.Handler
	w.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > 10 && r.URL.Path[:10] == "/webhooks/" {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			got = append(got, letter{r.Header.Clone(), body})
			mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		inner.ServeHTTP(rw, r)
	})
	return func() []letter { mu.Lock(); defer mu.Unlock(); return append([]letter(nil), got...) }
}

func (w *world) post(ch models.PaymentChannel, l letter) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/"+string(ch), bytes.NewReader(l.body))
	r.Header = l.header.Clone()
	rec := httptest.NewRecorder()
	w.inbox.Serve(rec, r, ch)
	return rec.Code
}

// Lessons 3 and 11, PA-13: a notification replayed 1,000 times from 50 workers credits once, and each is acknowledged.
func TestNotificationReplayed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			got := w.listen()
			before := w.available()
			p, err := w.payments.TopUp(w.ctx, w.payer, online(ch, 700))
			w.must(err)
			w.play(p, "outcome=succeed")
			w.reaches(p, models.PaymentSucceeded)
			l := got()[0]
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					for range 20 {
						if code := w.post(ch, l); code >= 300 {
							t.Errorf("not acknowledged: %d", code)
						}
					}
				})
			}
			wg.Wait()
			tried := 0
			for at, c := range l.body { // another letter or digit anywhere, the signature left as it is
				if at%97 != 0 || !('0' <= c && c <= '8' || 'a' <= c && c <= 'y') || bytes.HasPrefix(l.body[bytes.LastIndexByte(l.body[:at+1], '&')+1:], []byte("sign")) {
					continue
				}
				tampered := bytes.Clone(l.body)
				tampered[at]++
				tried++
				if code := w.post(ch, letter{l.header, tampered}); code < 300 {
					t.Errorf("%s: acknowledged although byte %d was another", ch, at)
				}
			}
			if tried == 0 {
				t.Errorf("%s: nothing was tampered with", ch)
			}
			if w.available() != before+700 {
				t.Errorf("%s: credited %d", ch, w.available()-before)
			}
		}
	})
}

// Lesson 25, contract.md §5: rightly signed but another amount: suspense, payment and balance unchanged, booked once.
func TestAmountMismatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 700))
		w.must(err)
		for _, want := range []payment.Verdict{payment.Suspense, payment.Nothing} {
			ev := channel.Event{Number: p.Number, Reference: "R1", State: channel.StatePaid, Amount: cny(699)}
			if got, err := w.payments.Apply(w.ctx, models.ChannelAlipay, ev); err != nil || got != want {
				t.Errorf("%s (%v), want %s", got, err, want)
			}
		}
		var items, sum int64
		_, err = w.DB.QueryRow(w.ctx, []any{&items, &sum}, "SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM suspense_items")
		w.must(err)
		if items != 1 || sum != 699 || w.available() != 0 || w.now(p).Status != models.PaymentRequiresAction {
			t.Errorf("%d items of %d, %d available, %s", items, sum, w.available(), w.now(p).Status)
		}
		if v, err := w.payments.Apply(w.ctx, models.ChannelWeChatPay, channel.Event{Number: p.Number, State: channel.StatePaid, Amount: cny(700)}); err != nil || v != payment.UnknownReference {
			t.Error("a number of another channel was taken:", v, err)
		}
	})
}

// Lesson 5: every order of a payment's events, with duplicates, ends the same: what was paid is there once.
func TestEventsInAnyOrder(t *testing.T) {
	paid := func(p models.Payment) channel.Event {
		return channel.Event{Number: p.Number, Reference: "R" + p.Number, State: channel.StatePaid, Amount: cny(500)}
	}
	pending := func(p models.Payment) channel.Event {
		return channel.Event{Number: p.Number, State: channel.StatePending}
	}
	closed := func(p models.Payment) channel.Event {
		return channel.Event{Number: p.Number, State: channel.StateClosed}
	}
	kinds := []func(models.Payment) channel.Event{pending, paid, closed, paid}
	each(t, func(t *testing.T, w *world) {
		n := int64(0)
		permute(len(kinds), func(order []int) {
			p, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 500))
			w.must(err)
			for _, i := range order {
				_, err := w.payments.Apply(w.ctx, models.ChannelAlipay, kinds[i](p))
				w.must(err)
			}
			if n++; w.available() != 500*n {
				t.Fatalf("order %v: %d available after %d payments", order, w.available(), n)
			}
			if s := w.now(p).Status; s != models.PaymentSucceeded && s != models.PaymentFailed {
				t.Fatalf("order %v ends %s", order, s)
			}
		})
	})
}

// permute calls fn with every permutation of 0..n-1.
func permute(n int, fn func([]int)) {
	a := make([]int, n)
	for i := range a {
		a[i] = i
	}
	var walk func(k int)
	walk = func(k int) {
		if k == n {
			fn(append([]int(nil), a...))
			return
		}
		for i := k; i < n; i++ {
			a[k], a[i] = a[i], a[k]
			walk(k + 1)
			a[k], a[i] = a[i], a[k]
		}
	}
	walk(0)
}

// Lesson 4: a notification that comes before its payment is known waits in the inbox and is applied when it is.
func TestNotificationBeforeItsPayment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.listen()
		p, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelWeChatPay, 700))
		w.must(err)
		hide := func(from, to string) {
			_, err := w.DB.Exec(w.ctx, "UPDATE payments SET number = ? WHERE account_id = ? AND id = ? AND number = ?", to, p.AccountID, p.ID, from)
			w.must(err)
		}
		hide(p.Number, "HIDDEN")
		w.play(p, "outcome=succeed")
		w.until("delivery", func() bool { return len(got()) > 0 })
		w.until("verdict", func() bool {
			var v string
			_, err := w.DB.QueryRow(w.ctx, []any{&v}, "SELECT verdict FROM inbox WHERE number = ?", p.Number)
			return err == nil && v == string(payment.UnknownReference)
		})
		hide("HIDDEN", p.Number)

		w.behave(models.ChannelWeChatPay, `"notify":"drop"`)
		w.clock.mu.Lock()
		w.clock.shift += 6e9 // five seconds and one: the inbox is due, the payment's own query is not
		w.clock.mu.Unlock()
		if n, err := w.inbox.Sweep(w.ctx, 10); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if w.now(p).Status != models.PaymentSucceeded || w.available() != 700 {
			t.Fatal(fmt.Sprint(w.now(p).Status, w.available()))
		}
	})
}
