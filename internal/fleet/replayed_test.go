package fleet_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	paging "paydesk/internal/platform/page"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// letter is a notification as the sandbox sent it.
type letter struct {
	to     models.PaymentChannel
	header http.Header
	body   []byte
}

// keepBack keeps all notifications: the provider is told to come again. Payers who come back ask for nothing.
func (w *world) keepBack() func() []letter {
	var mu sync.Mutex
	var kept []letter
	inner := w.server.Config.Handler
	w.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/return/") {
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, "/webhooks/")
		if !ok {
			inner.ServeHTTP(rw, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		kept = append(kept, letter{models.PaymentChannel(name), r.Header.Clone(), body})
		mu.Unlock()
		http.Error(rw, "later", http.StatusServiceUnavailable)
	})
	return func() []letter { mu.Lock(); defer mu.Unlock(); return slices.Clone(kept) }
}

// post hands a letter to a channel's inbox and reports whether it was acknowledged, in the very words that the provider wants.
func (w *world) post(l letter, to models.PaymentChannel) bool {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/"+string(to), bytes.NewReader(l.body))
	r.Header = l.header.Clone()
	rec := httptest.NewRecorder()
	w.inbox.Serve(rec, r, to)
	got, want := channel.Acknowledgement{Status: rec.Code, ContentType: rec.Header().Get("Content-Type"), Body: rec.Body.String()}, w.channels[to].Acknowledge()
	return got == want
}

// Lesson 3, lesson 4, lesson 25 on every channel: a notification that was changed on its way, or is another channel's, is refused, moves nothing and is
// kept as evidence; the true one, five times from each of four sides, is acknowledged each time and booked once.
func TestNotificationsProveThemselves(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		kept := w.keepBack()
		for _, ch := range names {
			p, err := w.playOne(ch, "outcome=succeed")
			w.must(err)
			if ch == models.ChannelBankCard { // charged when we ask for it, which nobody here has heard of
				_, err := w.channels[ch].Complete(w.ctx, payment.RefOf(w.now(p)))
				w.must(err)
			}
			find := func() (own letter, ok bool) {
				for _, l := range kept() {
					if l.to == ch {
						own, ok = l, true
					}
				}
				return own, ok
			}
			w.until(string(ch)+" tells", func() bool { _, ok := find(); return ok })
			own, _ := find()
			for what, changed := range tampered(own, p.Number) {
				if w.post(changed, ch) {
					t.Errorf("%s: acknowledged with %s", ch, what)
				}
			}
			for _, other := range names {
				if other != ch && w.post(own, other) {
					t.Errorf("%s: acknowledged at %s", ch, other)
				}
			}
			if now := w.now(p); now.Status != models.PaymentRequiresAction {
				t.Errorf("%s: %s by what proves nothing", ch, now.Status)
			}
			var sides sync.WaitGroup
			for range 4 {
				sides.Go(func() {
					for range 5 {
						if !w.post(own, ch) {
							t.Errorf("%s: not acknowledged", ch)
						}
					}
				})
			}
			sides.Wait()
			if now := w.now(p); now.Status != models.PaymentSucceeded {
				t.Errorf("%s: %s", ch, now.Status)
			}
			w.books(ch)
			w.isEvidence(own, ch, p.Number)
		}
		w.clean()
	})
}

// tampered are changes to a letter, each of which its signature must show.
func tampered(l letter, number string) map[string]letter {
	at := bytes.Index(l.body, []byte(number)) // sealed, it is nowhere to be seen
	if at < 0 {
		at = len(l.body) / 2
	}
	other := bytes.Clone(l.body)
	other[at] ^= 1 // 2 becomes 3, a becomes `
	without := l.header.Clone()
	for name := range without {
		if name != "Content-Type" {
			delete(without, name)
		}
	}
	out := map[string]letter{"another number": {l.to, l.header, other}, "its second half missing": {l.to, l.header, l.body[:len(l.body)/2]}, "nothing in it": {l.to, l.header, nil}}
	if !bytes.Contains(bytes.ToLower(l.body), []byte("sign")) { // it is signed in its headers
		out["no signature"] = letter{l.to, without, l.body}
	}
	return out
}

// isEvidence wants the inbox to hold the letter byte for byte, with all headers of the provider's own, and what was refused beside it.
func (w *world) isEvidence(l letter, ch models.PaymentChannel, number string) {
	w.Helper()
	list, err := w.inbox.List(w.ctx, []models.PaymentChannel{ch}, []string{"APPLIED"}, &number, paging.First(10))
	w.must(err)
	if len(list.Items) != 1 || !bytes.Equal(list.Items[0].Body, l.body) {
		w.Fatalf("%s: %d applied", ch, len(list.Items))
	}
	var headers map[string]string
	w.must(json.Unmarshal([]byte(list.Items[0].Headers), &headers))
	for name := range l.header {
		if vendor, _, _ := strings.Cut(name, "-"); slices.Contains([]string{"Wechatpay", "Stripe", "Paypal"}, vendor) && headers[strings.ToLower(name)] != l.header.Get(name) {
			w.Errorf("%s: header %s is not kept", ch, name)
		}
	}
	if refused, err := w.inbox.Count(w.ctx, []models.PaymentChannel{ch}, []string{"REFUSED"}, nil); err != nil || refused < 3 {
		w.Errorf("%s: %d refused ones are kept, %v", ch, refused, err)
	}
}

// A notification that comes as GET, its fields in the address, is Tenpay's alone: judged, kept and booked as if it had been POSTed.
func TestNotificationsInTheAddress(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		kept := w.keepBack()
		ask := func(ch models.PaymentChannel, query string) (int, string) {
			rec := httptest.NewRecorder()
			w.inbox.Serve(rec, httptest.NewRequest(http.MethodGet, "/webhooks/"+string(ch)+"?"+query, nil), ch)
			return rec.Code, rec.Body.String()
		}
		p, err := w.playOne(models.ChannelTenpay, "outcome=succeed")
		w.must(err)
		w.until("Tenpay tells", func() bool { return len(kept()) > 0 })
		fields := string(kept()[0].body)
		for _, ch := range names {
			if code, _ := ask(ch, fields); code != http.StatusMethodNotAllowed && ch != models.ChannelTenpay {
				t.Errorf("%s: HTTP %d", ch, code)
			}
		}
		if code, _ := ask(models.ChannelTenpay, ""); code != http.StatusMethodNotAllowed {
			t.Errorf("nothing told: HTTP %d", code)
		}
		if _, answer := ask(models.ChannelTenpay, strings.Replace(fields, "total_fee=", "total_fee=1", 1)); answer != "fail" {
			t.Errorf("changed: %q", answer)
		}
		for range 2 {
			if _, answer := ask(models.ChannelTenpay, fields); answer != "success" || w.now(p).Status != models.PaymentSucceeded {
				t.Errorf("%q, %s", answer, w.now(p).Status)
			}
		}
		w.books(models.ChannelTenpay)
		w.clean()
	})
}
