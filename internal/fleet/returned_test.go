package fleet_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/webhook"
	"paydesk/models"
)

// comesBack is a payer's browser at /return/{number}, at an instance that has not seen it yet.
func (w *world) comesBack(method, number, language string) *httptest.ResponseRecorder {
	w.Helper()
	r, out := httptest.NewRequest(method, "/return/"+number, strings.NewReader("respCode=00&orderId="+number)), httptest.NewRecorder()
	r.Header.Set("Accept-Language", language)
	webhook.Return{Payments: payment.New(w.payments.Config), Log: slog.New(slog.DiscardHandler)}.ServeHTTP(out, r)
	return out
}

// PA-17, lesson 6 and lesson 20: every notification is lost. A window that was closed at the provider's page leaves the payment as it was, with the same way
// to go on; a payer who comes back having paid finds it paid at once, without a sweep.
func TestReturn(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		w.payments.ReturnOrigins = func() []string { return []string{"https://console.example"} }
		for _, ch := range names {
			w.behave(ch, "drop", "normal")
			who, _ := w.payerOf(ch)
			online, err := w.online(ch, 1234)
			w.must(err)
			if ch == models.ChannelUnionPayPersonal {
				online.ReturnURL = "https://console.example/back?x=1"
			}
			p, err := w.payments.TopUp(w.ctx, who, online)
			w.must(err)
			at, err := page(p)
			w.must(err)
			w.must(play(at, "outcome=abandon"))
			if res := w.comesBack(http.MethodPost, p.Number, "en"); res.Code >= 400 {
				t.Errorf("%s: back without having paid: HTTP %d", ch, res.Code)
			}
			if now := w.now(p); now.Status != models.PaymentRequiresAction || now.ActionContent != p.ActionContent || now.Version != p.Version {
				t.Errorf("%s: after a closed window: %s", ch, now.Status)
			}
			again, err := page(w.now(p))
			w.must(err)
			w.must(play(again, "outcome=succeed"))
			res := w.comesBack(http.MethodGet, p.Number, "zh-TW,zh;q=0.9")
			switch body := res.Body.String(); {
			case online.ReturnURL != "" && (res.Code != http.StatusSeeOther || res.Header().Get("Location") != online.ReturnURL):
				t.Errorf("%s: HTTP %d to %s", ch, res.Code, res.Header().Get("Location"))
			case online.ReturnURL == "" && (res.Code != http.StatusOK || !strings.Contains(body, `lang="zh-Hant"`) || !strings.Contains(body, "已從支付頁面返回")):
				t.Errorf("%s: HTTP %d %s", ch, res.Code, body)
			}
			if now := w.now(p); now.Status != models.PaymentSucceeded {
				t.Errorf("%s: back having paid: %s", ch, now.Status)
			}
			w.books(ch)
		}
		for number, want := range map[string]int{"P20261122000000000000": http.StatusNotFound, "..": http.StatusNotFound} {
			if res := w.comesBack(http.MethodGet, number, "en"); res.Code != want {
				t.Errorf("%s: HTTP %d", number, res.Code)
			}
		}
		if res := w.comesBack(http.MethodPut, "x", "en"); res.Code != http.StatusMethodNotAllowed {
			t.Errorf("PUT: HTTP %d", res.Code)
		}
		w.clean()
	})
}

// gate holds notifications until it is opened, and counts queries.
type gate struct {
	channel.Adapter
	came    chan struct{}
	open    chan struct{}
	queries *atomic.Int64
}

func (g gate) ParseNotification(ctx context.Context, n channel.Notification) (channel.Event, error) {
	select {
	case <-g.open:
	default:
		g.came <- struct{}{}
		<-g.open
	}
	return g.Adapter.ParseNotification(ctx, n)
}

func (g gate) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	g.queries.Add(1)
	return g.Adapter.Query(ctx, p)
}

// Lesson 3: a hundred payments whose notification and whose payer arrive at the same moment, many payers' windows at once: one credit each,
// and the provider is asked once for each, not once a window.
func TestReturnBesideNotification(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		const rounds, together, windows = 10, 10, 3
		for round := range rounds {
			ch := []models.PaymentChannel{models.ChannelAlipay, models.ChannelPayPal}[round%2]
			real := w.channels[ch]
			g := gate{real, make(chan struct{}, together), make(chan struct{}), new(atomic.Int64)}
			w.channels[ch] = g
			var all []models.Payment
			for range together {
				who, _ := w.payerOf(ch)
				online, err := w.online(ch, 1234)
				w.must(err)
				p, err := w.payments.TopUp(w.ctx, who, online)
				w.must(err)
				at, err := page(p)
				w.must(err)
				w.must(play(at, "outcome=succeed"))
				all = append(all, p)
			}
			for range together {
				<-g.came
			}
			var back sync.WaitGroup
			for _, p := range all {
				for range windows {
					back.Go(func() {
						<-g.open
						if _, err := w.payments.Returned(w.ctx, p.Number); err != nil {
							t.Error(err)
						}
					})
				}
			}
			close(g.open)
			back.Wait()
			w.told()
			for _, p := range all {
				w.until("paid", func() bool { return w.now(p).Status == models.PaymentSucceeded })
				if n := w.count("SELECT COUNT(*) FROM postings WHERE payment_id = ? AND book = 'customer'", p.ID); n != 1 {
					t.Errorf("%s: credited %d times", ch, n)
				}
			}
			if n := g.queries.Load(); n > together {
				t.Errorf("%s: asked %d times for %d payments", ch, n, together)
			}
			w.channels[ch] = real
			w.books(ch)
		}
		w.clean()
	})
}
