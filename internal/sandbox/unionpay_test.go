package sandbox_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/unionpay"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

var unionPay = []models.PaymentChannel{models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise}

// unionPayOf is an adapter of the kind with another configuration.
func (w *world) unionPayOf(name models.PaymentChannel, change func(*unionpay.Config)) channel.Adapter {
	w.t.Helper()
	k, err := w.sandbox.UnionPay(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	c := unionpay.Config{BaseURL: w.url + sandbox.UnionPayPath(name), FileURL: w.url + sandbox.UnionPayPath(name) + "/file", MerchantID: k.MerchantID, Keystore: k.Keystore,
		KeystorePassword: k.KeystorePassword, Roots: k.Roots, Mode: guard.Sandbox}
	change(&c)
	a, err := unionpay.New(name, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// unionPayRefund asks for a part of a paid trade.
func (w *world) unionPayRefund(a channel.Adapter, number string, fen int64) channel.RefundRequest {
	p := w.ref(number)
	p.Reference = w.query(a, number).Reference
	return channel.RefundRequest{Payment: p, Refund: channel.Ref{Number: freshNumber(), Amount: money.New(fen, "CNY"), MadeAt: time.Now().Add(-time.Hour)}, Reason: "退款",
		NotifyURL: w.url + "/notify/" + string(a.Channel())}
}

// PA-15 to PA-18 (PA-16, PA-17), HW-30 to HW-32 (HW-31): the whole life of a payment on the wire, its refunds, and both in the statement of their day.
func TestUnionPayCycle(t *testing.T) {
	eachOf(t, unionPay, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.request(a)
		r.BankCode = "ICBC"
		if _, err := a.Start(t.Context(), r); err != nil || mustQuery(t, a, r.Ref).State != channel.StateNotFound {
			t.Errorf("before the browser is there, UnionPay knows nothing: %v", err)
		}
		page, _ := w.begin(a, r)
		if again, _ := w.begin(a, r); again != page {
			t.Errorf("the form sent again is another trade: %s, first %s", again, page)
		}
		if code, html := w.get(page); code != http.StatusOK || !strings.Contains(html, "12.34") || !strings.Contains(html, "ICBC") && !strings.Contains(html, "中国工商银行") {
			t.Errorf("the page, HTTP %d: %s", code, html)
		}
		if e := w.query(a, r.Number); e.State != channel.StatePending {
			t.Errorf("open: %+v", e)
		}
		if err := a.Close(t.Context(), r.Ref); err != nil {
			t.Errorf("there is no closing, an open trade ends by itself: %v", err)
		}
		elsewhen := r.Ref
		elsewhen.MadeAt = elsewhen.MadeAt.Add(time.Minute)
		if e := mustQuery(t, a, elsewhen); e.State != channel.StateNotFound {
			t.Errorf("asked with another time: %+v", e)
		}
		w.mustPlay(page, "outcome=succeed")
		if _, html := w.get(page); !strings.Contains(html, r.ReturnURL) {
			t.Error("no way back to the merchant")
		}
		told, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil {
			t.Fatal(err)
		}
		asked := w.query(a, r.Number)
		for what, e := range map[string]channel.Event{"told": told, "asked": asked} {
			if e.State != channel.StatePaid || e.Number != r.Number || e.Amount != r.Amount || len(e.Reference) != 21 || time.Since(e.PaidAt).Abs() > time.Minute {
				t.Errorf("%s: %+v", what, e)
			}
		}
		if told.Reference != asked.Reference || told.ID == "" || !errors.Is(a.Close(t.Context(), r.Ref), channel.ErrAlreadyPaid) {
			t.Errorf("told %+v, asked %+v", told, asked)
		}
		refunds := w.unionPayRefunds(a, r.Number)
		w.unionPayStatement(a, r, told.Reference, refunds)
	})
}

func mustQuery(t *testing.T, a channel.Adapter, p channel.Ref) channel.Event {
	t.Helper()
	e, err := a.Query(t.Context(), p)
	if err != nil {
		t.Fatal("query: ", err)
	}
	return e
}

// unionPayRefunds gives a trade of 12.34 back in two parts, D10: never more than was paid, and one number is one refund.
func (w *world) unionPayRefunds(a channel.Adapter, number string) (done []channel.RefundRequest) {
	t := w.t
	t.Helper()
	part, all := w.unionPayRefund(a, number, 1000), w.unionPayRefund(a, number, 1234)
	if e := w.askRefund(a, part); e.State != channel.StateNotFound {
		t.Errorf("never asked for: %+v", e)
	}
	first := w.refund(a, part)
	if first.State != channel.StatePending || first.Number != number || first.RefundNumber != part.Refund.Number || len(first.Reference) != 21 {
		t.Errorf("accepted: %+v", first)
	}
	told, err := a.ParseNotification(t.Context(), w.hears())
	asked, again := w.askRefund(a, part), w.refund(a, part)
	for what, e := range map[string]channel.Event{"told": told, "asked": asked, "again": again} {
		if err != nil || e.State != channel.StateRefunded || e.Number != number || e.RefundNumber != part.Refund.Number || e.Reference != first.Reference || e.Amount.Minor != 1000 {
			t.Errorf("%s: %+v %v", what, e, err)
		}
	}
	other := part
	other.Refund.Amount.Minor = 999
	if _, err := a.Refund(t.Context(), other); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("the number with another amount: %v", err)
	}
	if _, err := a.Refund(t.Context(), all); !errors.Is(err, channel.ErrDeclined) || w.askRefund(a, all).State != channel.StateNotFound {
		t.Errorf("more than is left: %v", err)
	}
	rest := w.unionPayRefund(a, number, 234)
	rest.Payment.Reference = "" // it is asked for
	w.refund(a, rest)
	w.hears()
	dollars, unpaid, unknown := rest, rest, rest
	dollars.Refund.Amount.Currency = "USD"
	n, _ := w.start(a)
	unpaid.Payment, unknown.Payment = w.ref(n), channel.Ref{Number: freshNumber(), Reference: "202601010000000000000", MadeAt: time.Now()}
	unpaid.Refund.Number, unknown.Refund.Number = freshNumber(), freshNumber()
	for what, bad := range map[string]channel.RefundRequest{"dollars": dollars, "unpaid": unpaid, "unknown": unknown} {
		if _, err := a.Refund(t.Context(), bad); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if e := w.query(a, number); e.State != channel.StatePaid || e.Amount.Minor != 1234 {
		t.Errorf("the payment itself stays paid: %+v", e)
	}
	w.hearsNothing()
	return []channel.RefundRequest{part, rest}
}

// unionPayStatement finds a payment and its refunds in the statement of their clearing day, once that is over.
func (w *world) unionPayStatement(a channel.Adapter, r channel.StartRequest, reference string, refunds []channel.RefundRequest) {
	t := w.t
	t.Helper()
	day := channel.DayOf(a, w.clock.Now())
	if _, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrNoStatement) {
		t.Errorf("of a day that is not over: %v", err)
	}
	from, to := a.StatementDay(day)
	w.clock.advance(to.Sub(w.clock.Now()) + time.Second)
	s, err := a.Statement(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Statement(t.Context(), day)
	if err != nil || s.Hash != again.Hash || len(s.Hash) != 64 || s.Day != day {
		t.Errorf("again: %s, first %s, %v", again.Hash, s.Hash, err)
	}
	want := map[string]channel.Line{"": {Number: r.Number, Reference: reference, Amount: r.Amount, Fee: money.New(7, "CNY"), State: channel.StatePaid}}
	for _, x := range refunds {
		want[x.Refund.Number] = channel.Line{Number: r.Number, RefundNumber: x.Refund.Number, Reference: w.askRefund(a, x).Reference, Amount: x.Refund.Amount, Fee: money.Zero("CNY"), State: channel.StateRefunded}
	}
	got := map[string]channel.Line{}
	for _, l := range s.Lines {
		if l.At.Before(from) || !l.At.Before(to) || !strings.Contains(l.Raw, l.Reference) {
			t.Errorf("%+v is not of the day", l)
		}
		if l.At, l.Raw = (time.Time{}), ""; l.Number == r.Number {
			got[l.RefundNumber] = l
		}
	}
	if !maps.Equal(got, want) || len(s.Lines) != len(want) {
		t.Errorf("%d lines, got %+v\nwant %+v", len(s.Lines), got, want)
	}
	empty, err := a.Statement(t.Context(), day.Next(-1))
	if err != nil || len(empty.Lines) != 0 || empty.Hash == "" {
		t.Errorf("a day without trades: %+v %v", empty, err)
	}
}

// A payer says no, leaves, or comes too late; what UnionPay says of it.
func TestUnionPayEnds(t *testing.T) {
	eachOf(t, unionPay, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=decline")
		if e := w.query(a, number); e.State != channel.StateDeclined || e.Detail != "01" {
			t.Errorf("declined: %+v", e)
		}
		w.unionPayCards(a)
		number, page = w.start(a)
		w.mustPlay(page, "outcome=abandon")
		w.hearsNothing() // UnionPay tells of success alone
		if e := w.query(a, number); e.State != channel.StatePending {
			t.Errorf("abandoned: %+v", e)
		}
		w.clock.advance(31 * time.Minute)
		if e := w.query(a, number); e.State != channel.StateDeclined || w.play(page, "outcome=succeed") != http.StatusConflict {
			t.Errorf("over: %+v", e)
		}
		w.mustPlay(page, "outcome=succeed&late=true")
		if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.State != channel.StatePaid || e.Number != number {
			t.Errorf("late: %+v %v", e, err)
		}
	})
}

// unionPayCards: banks refuse cards, one after the other, and the last one pays, all on the same page.
func (w *world) unionPayCards(a channel.Adapter) {
	t := w.t
	t.Helper()
	number, page := w.start(a)
	w.get(page)
	for _, code := range []string{"61", "64", "70"} {
		w.mustPlay(page, "outcome=decline&code="+code)
		if e := w.query(a, number); e.State != channel.StatePending || e.Detail != code {
			t.Errorf("one card refused: %+v", e)
		}
	}
	if w.play(page, "outcome=decline&code=01") != http.StatusConflict {
		t.Error("01 is no card's code")
	}
	w.mustPlay(page, "outcome=succeed")
	if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.State != channel.StatePaid || e.Number != number || w.query(a, number).State != channel.StatePaid {
		t.Errorf("another card pays: %+v %v", e, err)
	}
}

// What is changed, or for another, is refused on both sides.
func TestUnionPayForged(t *testing.T) {
	eachOf(t, unionPay, func(t *testing.T, w *world, a channel.Adapter) {
		_, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		n := w.hears()
		refused := func(what string, a channel.Adapter, n channel.Notification) {
			t.Helper()
			if e, err := a.ParseNotification(t.Context(), n); !errors.Is(err, channel.ErrForged) {
				t.Errorf("%s was taken: %+v %v", what, e, err)
			}
		}
		for i := 0; i < len(n.Body); i += 29 {
			b := slices.Clone(n.Body)
			b[i] ^= 1
			refused("a flipped bit", a, channel.Notification{Body: b})
		}
		refused("nothing", a, channel.Notification{})
		refused("another merchant's", w.unionPayOf(a.Channel(), func(c *unionpay.Config) { c.MerchantID = "777000000000000" }), n)
		other := unionPay[1-slices.Index(unionPay, a.Channel())]
		refused("the other kind's", w.adapters[other], n)
		w.unionPayOpenSSL(n)

		w.treat(a, "notify", "forge")
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		refused("a merchant's signature", a, w.hears())
		if e := w.query(a, number); e.State != channel.StatePaid {
			t.Errorf("asked: %+v", e)
		}
		r := w.request(a)
		for what, wrong := range map[string]channel.Adapter{
			"31": w.unionPayOf(a.Channel(), func(c *unionpay.Config) { c.MerchantID = "777000000000000" }),
			"10": w.unionPayOf(a.Channel(), func(c *unionpay.Config) { c.BaseURL = w.url + sandbox.UnionPayPath(other) }),
		} {
			s, err := wrong.Start(t.Context(), r)
			if code, text := w.unionPayPost(s.Action); err != nil || code != http.StatusBadRequest || !strings.Contains(text, what) {
				t.Errorf("%s: HTTP %d %s %v", what, code, text, err)
			}
		}
		s, err := a.Start(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range s.Fields {
			if f.Name == "txnAmt" {
				s.Fields[i].Value = "1"
			}
		}
		if code, text := w.unionPayPost(s.Action); code != http.StatusBadRequest || !strings.Contains(text, "11") {
			t.Errorf("an amount that the payer changed: HTTP %d %s", code, text)
		}
	})
}

// unionPayPost sends an action's form and gives what came.
func (w *world) unionPayPost(a channel.Action) (int, string) {
	w.t.Helper()
	form := url.Values{}
	for _, f := range a.Fields {
		form.Set(f.Name, f.Value)
	}
	res, err := http.PostForm(a.URL, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// unionPayOpenSSL checks a notification with the openssl command line: the signature, and the chain of the certificate in it.
func (w *world) unionPayOpenSSL(n channel.Notification) {
	w.t.Helper()
	form, err := url.ParseQuery(string(n.Body))
	if err != nil {
		w.t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(form.Get("signature"))
	if err != nil {
		w.t.Fatal(err)
	}
	k, err := w.sandbox.UnionPay(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	form.Del("signature")
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(form)) {
		pairs = append(pairs, name+"="+form.Get(name))
	}
	dir := w.t.TempDir()
	for name, content := range map[string]string{"text": strings.Join(pairs, "&"), "sig": string(signature), "cert": form.Get("signPubKeyCert"), "roots": k.Roots} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	c := exec.CommandContext(w.t.Context(), "sh", "-c", `openssl verify -CAfile roots cert && openssl x509 -in cert -pubkey -noout > key &&
		printf %s "$(openssl dgst -sha256 -r < text | cut -d' ' -f1)" | openssl dgst -sha256 -verify key -signature sig`)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "cert: OK") || !strings.Contains(string(out), "Verified OK") {
		w.t.Errorf("openssl: %s %v", out, err)
	}
}

// A provider that misbehaves decides nothing that is not so: lessons 1, 3, 4.
func TestUnionPayMisbehaves(t *testing.T) {
	eachOf(t, unionPay[:1], func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		w.hears()
		day, r := channel.DayOf(a, w.clock.Now()), w.unionPayRefund(a, number, 5)
		fails := func(a channel.Adapter, want error) {
			t.Helper()
			_, query := a.Query(t.Context(), w.ref(number))
			_, refund := a.Refund(t.Context(), r)
			_, refunded := a.QueryRefund(t.Context(), r.Payment, r.Refund)
			_, statement := a.Statement(t.Context(), day.Next(-1))
			for what, err := range map[string]error{"query": query, "refund": refund, "query of a refund": refunded, "statement": statement} {
				if !errors.Is(err, want) {
					t.Errorf("%s: %v, not %v", what, err, want)
				}
			}
		}
		fails(w.unionPayOf(a.Channel(), func(c *unionpay.Config) { c.MerchantID = "777000000000000" }), channel.ErrUnavailable)
		w.treat(a, "call", "error500")
		fails(a, channel.ErrUnknown)
		w.treat(a, "call", "bad_signature")
		fails(a, channel.ErrUnknown) // the refund has been accepted all the same
		if e, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("signed wrongly, and taken: %+v %v", e, err)
		}
		w.treat(a, "call", "wrong_amount")
		if e := w.query(a, number); e.State != channel.StatePaid || e.Amount.Minor != 1235 {
			t.Errorf("wrong amount: %+v", e)
		}
		w.treat(a, "call", "clock_skew")
		if e := w.query(a, number); e.State != channel.StatePaid || time.Since(e.PaidAt) < 15*time.Minute {
			t.Errorf("a wrong clock: %+v", e)
		}
		w.unionPayRefundsGoWrong(a)
	})
}

// unionPayTold waits for the notification of a refund, whatever else comes.
func (w *world) unionPayTold(a channel.Adapter, r channel.RefundRequest) channel.Event {
	w.t.Helper()
	for {
		if e, err := a.ParseNotification(w.t.Context(), w.hears()); err == nil && e.RefundNumber == r.Refund.Number {
			return e
		}
	}
}

// unionPayRefundsGoWrong: refunds that fail, that take their time, and one whose answer never comes.
func (w *world) unionPayRefundsGoWrong(a channel.Adapter) {
	t := w.t
	t.Helper()
	w.treat(a, "call", "normal")
	number, page := w.start(a)
	w.mustPlay(page, "outcome=succeed")
	failing, slow, lost := w.unionPayRefund(a, number, 100), w.unionPayRefund(a, number, 200), w.unionPayRefund(a, number, 300)
	w.treat(a, "call", "refund_fail")
	w.refund(a, failing)
	if e := w.unionPayTold(a, failing); e.State != channel.StateRefundFailed || e.Number != number {
		t.Errorf("failed, told: %+v", e)
	}
	if e := w.askRefund(a, failing); e.State != channel.StateRefundFailed {
		t.Errorf("failed, asked: %+v", e)
	}
	w.treat(a, "call", "refund_late:700ms")
	w.refund(a, slow)
	if e := w.askRefund(a, slow); e.State != channel.StatePending || e.Detail != "05" {
		t.Errorf("on its way: %+v", e)
	}
	if e := w.unionPayTold(a, slow); e.State != channel.StateRefunded || w.askRefund(a, slow).State != channel.StateRefunded {
		t.Errorf("arrived: %+v", e)
	}
	w.treat(a, "call", "timeout_after_success")
	ctx, giveUp := context.WithCancel(t.Context())
	outcome := make(chan error, 1)
	go func() {
		_, err := a.Refund(ctx, lost)
		outcome <- err
	}()
	w.until("the refund booked", func() bool {
		return w.count("SELECT COUNT(*) FROM sandbox_refunds WHERE refund_number = ?", lost.Refund.Number) == 1
	})
	giveUp()
	if err := <-outcome; !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("no answer: %v", err)
	}
	w.treat(a, "call", "normal")
	w.unionPayTold(a, lost)
	if e := w.refund(a, lost); e.State != channel.StateRefunded {
		t.Errorf("asked for again, it is done already: %+v", e)
	}
	if n := w.count("SELECT refunded FROM sandbox_trades WHERE number = ?", number); n != 500 {
		t.Errorf("%d went back", n)
	}
}
