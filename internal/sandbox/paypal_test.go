package sandbox_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/paypal"
	"paydesk/internal/fleet"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

var paypalOnly = []models.PaymentChannel{models.ChannelPayPal}

// AL-26: the payer agrees at PayPal, we take the money, once; refunds, statement. What is told and what is asked agree.
func TestPayPal(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.request(a)
		page, s := w.begin(a, r)
		r.Reference = s.Reference
		if again, err := a.Start(t.Context(), r); err != nil || again.Reference != s.Reference || again.URL != s.URL {
			t.Errorf("started again: %+v %v, first %+v", again, err, s)
		}
		other := r
		other.Amount.Minor++
		if _, err := a.Start(t.Context(), other); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("another amount under the number: %v", err)
		}
		if e := w.query(a, r.Number); e.State != channel.StatePending {
			t.Errorf("before consent: %+v", e)
		}
		if e, err := a.Complete(t.Context(), r.Ref); err != nil || e.State != channel.StatePending {
			t.Errorf("captured before consent: %+v %v", e, err)
		}
		if _, html := w.get(page); !strings.Contains(html, `name="account"`) || !strings.Contains(html, `name="country"`) || !strings.Contains(html, "12.34") {
			t.Errorf("the consent page: %s", html)
		}
		w.mustPlay(page, "outcome=succeed&account=buyer@example.com&country=DE")
		if e := w.parse(a, w.hears()); e.State != channel.StateApproved || e.Number != r.Number || e.Reference != s.Reference {
			t.Errorf("told of consent: %+v", e)
		}
		if e := w.query(a, r.Number); e.State != channel.StateApproved {
			t.Errorf("asked after consent: %+v", e)
		}
		taken, err := a.Complete(t.Context(), r.Ref)
		again, err2 := a.Complete(t.Context(), r.Ref)
		told, asked := w.parse(a, w.hears()), w.query(a, r.Number)
		for what, e := range map[string]channel.Event{"taken": taken, "taken again": again, "told": told, "asked": asked} {
			if err != nil || err2 != nil || e.State != channel.StatePaid || e.Amount != money.New(1234, "USD") || e.Reference != s.Reference || time.Since(e.PaidAt).Abs() > time.Minute {
				t.Errorf("%s: %+v %v %v", what, e, err, err2)
			}
		}
		if again, err := a.Start(t.Context(), r); err != nil || again.Outcome == nil || again.Outcome.State != channel.StatePaid {
			t.Errorf("started again when paid: %+v %v", again, err)
		}
		w.hearsNothing() // one capture, told once

		back := channel.RefundRequest{Payment: r.Ref, Refund: channel.Ref{Number: freshNumber(), Amount: money.New(234, "USD")}, Reason: "退款 <Refund>"}
		if e, err := a.QueryRefund(t.Context(), back.Payment, back.Refund); err != nil || e.State != channel.StateNotFound {
			t.Errorf("a refund before it is asked for: %+v %v", e, err)
		}
		for range 2 {
			if e, err := a.Refund(t.Context(), back); err != nil || e.State != channel.StateRefunded || e.Amount != back.Refund.Amount {
				t.Fatalf("refund: %+v %v", e, err)
			}
		}
		told = w.parse(a, w.hears())
		byNumber, err := a.QueryRefund(t.Context(), back.Payment, back.Refund)
		back.Refund.Reference = byNumber.Reference
		byID, err2 := a.QueryRefund(t.Context(), back.Payment, back.Refund)
		for what, e := range map[string]channel.Event{"told": told, "asked by number": byNumber, "asked by id": byID} {
			if err != nil || err2 != nil || e.State != channel.StateRefunded || e.RefundNumber != back.Refund.Number || e.Number != r.Number || e.Amount != back.Refund.Amount {
				t.Errorf("refund, %s: %+v %v %v", what, e, err, err2)
			}
		}
		back.Refund = channel.Ref{Number: freshNumber(), Amount: money.New(1001, "USD")}
		if e, err := a.Refund(t.Context(), back); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("more than is left: %+v %v", e, err)
		}
		if e := w.query(a, r.Number); e.State != channel.StatePaid || e.Amount.Minor != 1234 {
			t.Errorf("refunded in part, it was paid all the same: %+v", e)
		}
		more := channel.RefundRequest{Payment: r.Ref, Refund: channel.Ref{Number: freshNumber(), Amount: money.New(1000, "USD")}}
		if e, err := a.Refund(t.Context(), more); err != nil || e.State != channel.StateRefunded { // PayPal takes an invoice_id for one refund only
			t.Errorf("what is left: %+v %v", e, err)
		}
		if e := w.parse(a, w.hears()); e.State != channel.StateRefunded || e.RefundNumber != more.Refund.Number || e.Number != r.Number {
			t.Errorf("told of what was left: %+v", e)
		}
		back.Refund.Number = freshNumber()
		if e, err := a.Refund(t.Context(), back); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("nothing is left: %+v %v", e, err)
		}
		w.paypalDay(a, r.Ref, byID)
	})
}

// paypalDay wants the day's statement to have the payment and its refund, and to be there only once the day is over.
func (w *world) paypalDay(a channel.Adapter, paid channel.Ref, back channel.Event) {
	w.t.Helper()
	day := channel.DayOf(a, w.clock.Now())
	if s, err := a.Statement(w.t.Context(), day); !errors.Is(err, channel.ErrNoStatement) {
		w.t.Errorf("a statement of today: %+v %v", s, err)
	}
	w.clock.advance(24 * time.Hour)
	s, err := a.Statement(w.t.Context(), day)
	again, err2 := a.Statement(w.t.Context(), day)
	if err != nil || err2 != nil || len(s.Lines) != 3 || len(s.Hash) != 64 || s.Hash != again.Hash {
		w.t.Fatalf("statement: %+v %v %v", s, err, err2)
	}
	p, r := s.Lines[0], s.Lines[1]
	if p.Number != paid.Number || p.RefundNumber != "" || p.Reference != paid.Reference || p.State != channel.StatePaid || p.Amount.Minor != 1234 || p.Fee != money.New(92, "USD") {
		w.t.Errorf("payment's line: %+v", p)
	}
	if r.Number != paid.Number || r.RefundNumber != back.RefundNumber || r.Reference != back.Reference || r.State != channel.StateRefunded || r.Amount.Minor != 234 {
		w.t.Errorf("refund's line: %+v", r)
	}
	if from, to := a.StatementDay(day); p.At.Before(from) || !p.At.Before(to) || !strings.Contains(p.Raw, paid.Number) {
		w.t.Errorf("line of %s: %+v", day, p)
	}
	if s, err := a.Statement(w.t.Context(), day.Next(-1)); err != nil || len(s.Lines) != 0 {
		w.t.Errorf("a day without trades: %+v %v", s, err)
	}
}

// parse verifies what the merchant heard.
func (w *world) parse(a channel.Adapter, n channel.Notification) channel.Event {
	w.t.Helper()
	e, err := a.ParseNotification(w.t.Context(), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// Whoever does not pay pays nothing: no consent, a refusal, a bank that refuses what its customer has agreed to, another currency.
func TestPayPalRefusals(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=decline")
		if e := w.query(a, number); e.State != channel.StateDeclined {
			t.Errorf("declined: %+v", e)
		}
		if _, err := a.Complete(t.Context(), w.ref(number)); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("captured what was declined: %v", err)
		}
		number, page = w.start(a)
		w.mustPlay(page, "outcome=abandon")
		w.mustPlay(page, "outcome=succeed&account=declined@example.com")
		w.parse(a, w.hears())
		var d *channel.Declined
		if _, err := a.Complete(t.Context(), w.ref(number)); !errors.As(err, &d) || d.Code != "PAYMENT_DECLINED" || d.Detail != "INSTRUMENT_DECLINED" {
			t.Errorf("the bank refuses: %v", err)
		}
		number, page = w.start(a)
		if err := a.Close(t.Context(), w.ref(number)); err != nil {
			t.Error(err)
		}
		w.clock.advance(4 * time.Hour)
		if e := w.query(a, number); e.State != channel.StateNotFound {
			t.Errorf("lapsed: %+v", e)
		}
		if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
			t.Errorf("agreed to a lapsed order: HTTP %d", code)
		}
		w.hearsNothing()
		w.mustPlay(page, "outcome=succeed&late=true")
		if e := w.parse(a, w.hears()); e.State != channel.StatePaid || e.Number != number {
			t.Errorf("late: %+v", e)
		}
		if err := a.Close(t.Context(), w.ref(number)); !errors.Is(err, channel.ErrAlreadyPaid) {
			t.Errorf("closing what is captured: %v", err)
		}
		if e, err := a.Complete(t.Context(), w.ref(number)); err != nil || e.State != channel.StatePaid { // another has captured it
			t.Errorf("captured already: %+v %v", e, err)
		}
		r := w.request(a)
		for text, sum := range map[string]money.Money{"yuan": money.New(1, "CNY"), "half forints": money.New(150, "HUF")} {
			if r.Amount = sum; errors.Is(errOf(a.Start(t.Context(), r)), channel.ErrDeclined) == false {
				t.Errorf("%s were taken", text)
			}
		}
		for _, sum := range []money.Money{money.New(1500, "JPY"), money.New(150000, "TWD")} { // without decimals on the wire
			r = w.request(a)
			r.Amount = sum
			page, _ := w.begin(a, r)
			w.mustPlay(page, "outcome=succeed")
			w.parse(a, w.hears())
			if e, err := a.Complete(t.Context(), w.ref(r.Number)); err != nil || e.Amount != sum {
				t.Errorf("%s: %+v %v", sum, e, err)
			}
			w.parse(a, w.hears())
		}
		if e := w.query(a, "nobody"); e.State != channel.StateNotFound {
			t.Errorf("unknown: %+v", e)
		}
	})
}

func errOf(_ channel.Started, err error) error { return err }

// Lesson 1: a capture whose answer is lost has taken the money; asking again takes nothing more.
func TestPayPalCaptureLost(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		w.parse(a, w.hears())
		hasty := fleet.Sandbox(w.sandbox, func() string { return w.url }, &http.Client{Timeout: 700 * time.Millisecond})[a.Channel()]
		w.treat(a, "call", "timeout_after_success")
		if _, err := hasty.Complete(t.Context(), w.ref(number)); !errors.Is(err, channel.ErrUnknown) {
			t.Fatalf("a capture without an answer: %v", err)
		}
		w.treat(a, "call", "normal")
		w.parse(a, w.hears())
		if e, err := a.Complete(t.Context(), w.ref(number)); err != nil || e.State != channel.StatePaid || e.Amount.Minor != 1234 {
			t.Errorf("again: %+v %v", e, err)
		}
		w.hearsNothing()
		if n := w.count("SELECT COUNT(*) FROM sandbox_trades WHERE status = 'PAID' AND refunded = 0 AND amount = 1234"); n != 1 {
			t.Errorf("%d trades paid", n)
		}
		// A refund of its own fate.
		back := channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: money.New(34, "USD")}}
		w.treat(a, "call", "refund_late:200ms")
		e, err := a.Refund(t.Context(), back)
		if err != nil || e.State != channel.StatePending || e.Reference == "" {
			t.Errorf("a late refund: %+v %v", e, err)
		}
		if e := w.parse(a, w.hears()); e.State != channel.StateRefunded || e.RefundNumber != back.Refund.Number {
			t.Errorf("told of it: %+v", e)
		}
		w.treat(a, "call", "refund_fail")
		back.Refund.Number = freshNumber()
		e, err = a.Refund(t.Context(), back)
		if told := w.parse(a, w.hears()); err != nil || e.State != channel.StateRefundFailed || told.State != channel.StateRefundFailed || told.RefundNumber != back.Refund.Number {
			t.Errorf("a failed refund: %+v %v, told %+v", e, err, told)
		}
		w.treat(a, "call", "wrong_amount")
		if e := w.query(a, number); e.State != channel.StatePaid || e.Amount.Minor != 1235 {
			t.Errorf("another amount: %+v", e)
		}
	})
}

// Lesson 4: what is not PayPal's, not of this body, not for our webhook or our merchant, or old, is refused; and nobody makes us fetch a
// certificate from somewhere else.
func TestPayPalForged(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, a channel.Adapter) {
		_, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		n := w.hears()
		refused := func(what string, a channel.Adapter, n channel.Notification) {
			t.Helper()
			if e, err := a.ParseNotification(t.Context(), n); !errors.Is(err, channel.ErrForged) {
				t.Errorf("%s was taken: %+v %v", what, e, err)
			}
		}
		w.parse(a, n)
		for i := 0; i < len(n.Body); i += 37 {
			b := []byte(string(n.Body))
			b[i] ^= 1
			refused("a flipped bit", a, channel.Notification{Header: n.Header, Body: b})
		}
		refused("the same, written otherwise", a, channel.Notification{Header: n.Header, Body: append([]byte(" "), n.Body...)})
		var asked atomic.Int64
		host := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
		defer host.Close()
		evil := host.URL
		for name, values := range map[string][]string{
			"Paypal-Transmission-Time": {time.Now().UTC().Add(-73 * time.Hour).Format(time.RFC3339), time.Now().UTC().Add(11 * time.Minute).Format(time.RFC3339), "", "yesterday"},
			"Paypal-Transmission-Id":   {"other"}, "Paypal-Transmission-Sig": {"", "AAAA", "§"}, "Paypal-Auth-Algo": {"", "SHA1withRSA"},
			"Paypal-Cert-Url": {"", evil + "/v1/notifications/certs/CERT-1", evil + "/sandbox/paypal/v1/notifications/certs/CERT-1", "https://api.paypal.com.example.com/v1/notifications/certs/CERT-1",
				strings.Replace(n.Header.Get("Paypal-Cert-Url"), "http://", "http://api.paypal.com@", 1), w.url + "/return/CERT-1", w.url + "/sandbox/paypal/v1/notifications/certs/../../../../return/x",
				n.Header.Get("Paypal-Cert-Url") + "?x=" + evil, "file:///etc/passwd", w.url + "/sandbox/paypal/v1/notifications/certs/CERT-unknown"},
		} {
			for _, value := range values {
				h := n.Header.Clone()
				h.Set(name, value)
				refused(name+" "+value, a, channel.Notification{Header: h, Body: n.Body})
			}
		}
		if n := asked.Load(); n != 0 {
			t.Errorf("another host was asked for a certificate %d times", n)
		}
		k, err := w.sandbox.PayPal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		merchant, webhook, roots := k, k, k
		merchant.MerchantID, webhook.WebhookID = "OTHERMERCHANT", "9OTHERWEBHOOK"
		roots.Roots = strangers(t)
		refused("another merchant's", w.paypal(merchant, nil), n)
		refused("another webhook's", w.paypal(webhook, nil), n)
		refused("a certificate of nobody we know", w.paypal(roots, nil), n)

		w.treat(a, "notify", "forge")
		_, page = w.start(a)
		w.mustPlay(page, "outcome=succeed")
		refused("a signature for somebody else's webhook", a, w.hears())
		w.treat(a, "notify", "normal")
		w.treat(a, "call", "bad_signature")
		_, page = w.start(a)
		w.mustPlay(page, "outcome=succeed")
		refused("a bad signature", a, w.hears())
		w.treat(a, "call", "normal")
		w.parse(a, w.hears()) // PayPal says it again
		w.treat(a, "call", "clock_skew")
		_, page = w.start(a)
		w.mustPlay(page, "outcome=succeed")
		w.parse(a, w.hears()) // a clock that is slow, or a repeat that bears its first time
	})
}

// One token is asked for at a time; one that PayPal no longer takes is dropped, and what it was shown with is sent once more.
func TestPayPalTokens(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, _ channel.Adapter) {
		k, err := w.sandbox.PayPal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counted := &tokens{}
		a := w.paypal(k, &http.Client{Transport: counted})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { w.start(a) })
		}
		wg.Wait()
		if n := counted.given.Load(); n != 1 {
			t.Errorf("%d tokens for 20 payers", n)
		}
		counted.stale.Store(1)
		w.start(a)
		if n := counted.given.Load(); n != 2 {
			t.Errorf("%d tokens after one was withdrawn", n)
		}
		counted.stale.Store(2)
		if _, err := a.Start(t.Context(), w.request(a)); !errors.Is(err, channel.ErrUnavailable) || counted.given.Load() != 3 {
			t.Errorf("never in a circle: %v, %d tokens", err, counted.given.Load())
		}
		k.ClientSecret = "wrong"
		if _, err := w.paypal(k, nil).Start(t.Context(), w.request(a)); !errors.Is(err, channel.ErrUnavailable) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("a wrong secret: %v", err)
		}
	})
}

// tokens counts those that are asked for, and shows PayPal a stale one instead of the next few.
type tokens struct{ given, stale atomic.Int64 }

func (c *tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
		c.given.Add(1)
	} else if c.stale.Add(-1) >= 0 {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer A21AAstale.00")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *world) paypal(k sandbox.PayPalCredentials, client *http.Client) channel.Adapter {
	w.t.Helper()
	a, err := paypal.New(paypal.Config{BaseURL: w.url + sandbox.PayPalPath, ClientID: k.ClientID, ClientSecret: k.ClientSecret, WebhookID: k.WebhookID, MerchantID: k.MerchantID, Roots: k.Roots,
		Mode: guard.Sandbox, HTTPClient: client})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// strangers are roots that vouch for nothing of ours.
func strangers(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
