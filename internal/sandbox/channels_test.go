package sandbox_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/alipay"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/wechatpay"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// PA-9, PA-10, PA-11, HW-28: choose the channel, get a QR code, scan it, pay; the provider says so when asked and by
// itself. The clients are the third-party SDKs in the adapters.
func TestPayByQR(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		if e := w.query(a, freshNumber()); e.State != channel.StateNotFound {
			t.Errorf("a number never started is %s", e.State)
		}
		number, page := w.start(a)
		unscanned := channel.StatePending
		if a.Channel() == models.ChannelAlipay {
			unscanned = channel.StateNotFound // Alipay makes the trade when the code is scanned
		}
		if e := w.query(a, number); e.State != unscanned {
			t.Errorf("before the scan: %s", e.State)
		}
		code, html := w.get(page)
		for _, want := range []string{"12.34", `value="succeed"`, `value="decline"`, `value="abandon"`, "充值 &lt;Top-up&gt; &amp; 100%"} {
			if code != http.StatusOK || !strings.Contains(html, want) {
				t.Errorf("the payer's page (HTTP %d) lacks %s", code, want)
			}
		}
		if e := w.query(a, number); e.State != channel.StatePending {
			t.Errorf("scanned: %s", e.State)
		}
		w.mustPlay(page, "outcome=succeed")
		asked := w.query(a, number)
		told, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil {
			t.Fatal(err)
		}
		for what, e := range map[string]channel.Event{"query": asked, "notification": told} {
			if e.State != channel.StatePaid || e.Amount != money.New(1234, "CNY") || e.Number != number || len(e.Reference) != 28 {
				t.Errorf("%s: %+v", what, e)
			}
			if time.Since(e.PaidAt).Abs() > time.Minute {
				t.Errorf("%s: paid at %s", what, e.PaidAt)
			}
		}
		if told.ID == "" || asked.Reference != told.Reference {
			t.Errorf("notification id %q, references %s and %s", told.ID, asked.Reference, told.Reference)
		}
		if err := a.Close(t.Context(), channel.Ref{Number: number}); !errors.Is(err, channel.ErrAlreadyPaid) {
			t.Errorf("closing a paid trade: %v", err)
		}
		if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
			t.Errorf("paying twice: HTTP %d", code)
		}
	})
}

// The number is the idempotency key: the same number gives the same code, another amount is no second trade, and a paid
// or closed one is never charged again.
func TestStartAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.request(a)
		first, err := a.Start(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := a.Start(t.Context(), r); err != nil || again.QR != first.QR {
			t.Errorf("again: %v %v, first %v", again, err, first)
		}
		other := r
		other.Amount = money.New(1235, "CNY")
		if _, err := a.Start(t.Context(), other); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("another amount under the number leaves the trade's outcome open: %v", err)
		}
		w.mustPlay(first.QR, "outcome=succeed")
		w.hears()
		if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("a paid trade is to be asked for, not declined: %v", err)
		}
		number, _ := w.start(a)
		if err := a.Close(t.Context(), channel.Ref{Number: number}); err != nil {
			t.Fatal(err)
		}
		r.Number = number
		if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("a closed trade: %v", err)
		}
		r = w.request(a)
		r.Amount = money.New(1234, "USD")
		if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("dollars: %v", err)
		}
	})
}

// PA-10: a cancelled payment's code can't be paid, whether it was scanned or not; a payer who was just paying pays late.
func TestCloseAndLateSuccess(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		for _, scan := range []bool{false, true} {
			number, page := w.start(a)
			if scan {
				w.get(page)
			}
			for range 2 {
				if err := a.Close(t.Context(), channel.Ref{Number: number}); err != nil {
					t.Fatalf("close, scanned %v: %v", scan, err)
				}
			}
			if e := w.query(a, number); e.State != channel.StateClosed && (scan || e.State != channel.StateNotFound) {
				t.Errorf("closed, scanned %v: %s", scan, e.State)
			}
			for _, choice := range []string{"outcome=succeed", "outcome=decline", "outcome=abandon"} {
				if code := w.play(page, choice); code != http.StatusConflict {
					t.Errorf("%s on a closed trade: HTTP %d", choice, code)
				}
			}
			w.hearsNothing()
			w.mustPlay(page, "outcome=succeed&late=true")
			e, err := a.ParseNotification(t.Context(), w.hears())
			if err != nil || e.State != channel.StatePaid || e.Number != number {
				t.Errorf("late: %+v %v", e, err)
			}
			if e := w.query(a, number); e.State != channel.StatePaid {
				t.Errorf("late, asked: %s", e.State)
			}
		}
		if err := a.Close(t.Context(), channel.Ref{Number: freshNumber()}); err != nil {
			t.Errorf("closing what is not known: %v", err)
		}
	})
}

// A trade ends on the product's clock: Alipay closes it, WeChat Pay leaves it NOTPAY until the merchant closes it; at
// neither can it be paid in time any more.
func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.get(page)
		w.clock.advance(31 * time.Minute)
		want := map[models.PaymentChannel]channel.State{
			models.ChannelAlipay: channel.StateClosed, models.ChannelWeChatPay: channel.StatePending}[a.Channel()]
		if e := w.query(a, number); e.State != want {
			t.Errorf("expired: %s, not %s", e.State, want)
		}
		if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
			t.Errorf("paying an expired code: HTTP %d", code)
		}
		if code, html := w.get(page); code != http.StatusOK || !strings.Contains(html, "expired") {
			t.Errorf("the page of an expired code: HTTP %d", code)
		}
		if err := a.Close(t.Context(), channel.Ref{Number: number}); err != nil {
			t.Errorf("close after expiry: %v", err)
		}
		w.mustPlay(page, "outcome=succeed&late=true")
		if e := w.query(a, number); e.State != channel.StatePaid {
			t.Errorf("late: %s", e.State)
		}
		w.hears()
	})
}

// The payer says no: the provider closes the trade. Alipay notifies, WeChat Pay is found by asking.
func TestDecline(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=decline")
		want := channel.StateDeclined
		if a.Channel() == models.ChannelAlipay {
			want = channel.StateClosed
			if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.State != want || e.Number != number {
				t.Errorf("told: %+v %v", e, err)
			}
		} else {
			w.hearsNothing()
		}
		if e := w.query(a, number); e.State != want {
			t.Errorf("asked: %s", e.State)
		}
		for _, choice := range []string{"outcome=succeed", "outcome=succeed&late=true", "outcome=decline"} {
			if code := w.play(page, choice); code != http.StatusConflict {
				t.Errorf("%s on a declined trade: HTTP %d", choice, code)
			}
		}
		if err := a.Close(t.Context(), channel.Ref{Number: number}); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// Whoever leaves changes nothing, and nonsense is refused.
func TestAbandonAndNonsense(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=abandon")
		if e := w.query(a, number); e.State != channel.StatePending {
			t.Errorf("abandoned: %s", e.State)
		}
		for _, fields := range []string{"", "outcome=SUCCEED", "outcome=refund", "outcome=succeed&late=perhaps"} {
			if code := w.play(page, fields); code != http.StatusBadRequest {
				t.Errorf("%q: HTTP %d", fields, code)
			}
		}
		if code := w.play(w.url+"/sandbox/pay/nobody", "outcome=succeed"); code != http.StatusNotFound {
			t.Errorf("no such trade: HTTP %d", code)
		}
		w.mustPlay(page, "outcome=succeed")
		w.hears()
	})
}

// Anything changed in a notification, or one for another merchant, is refused.
func TestForgedNotifications(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		_, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		n := w.hears()
		refused := func(what string, a channel.Adapter, n channel.Notification) {
			t.Helper()
			if e, err := a.ParseNotification(t.Context(), n); !errors.Is(err, channel.ErrForged) {
				t.Errorf("%s was taken: %+v %v", what, e, err)
			}
		}
		for i := 0; i < len(n.Body); i += 7 {
			b := []byte(string(n.Body))
			b[i] ^= 1
			refused("a flipped bit", a, channel.Notification{Header: n.Header, Body: b})
		}
		refused("nothing", a, channel.Notification{Header: n.Header})
		other := w.creds()
		other.Alipay.AppID, other.WeChatPay.MchID = "9021000999999999", "1999999999"
		refused("another merchant's", adapterOf(t, a.Channel(), w, other), n)
		other = w.creds()
		other.Alipay.SellerID, other.WeChatPay.AppID = "2088999999999999", "wxother"
		refused("another seller's", adapterOf(t, a.Channel(), w, other), n)
		if a.Channel() == models.ChannelAlipay {
			form, _ := url.ParseQuery(string(n.Body))
			form.Set("alipay_cert_sn", "x") // not covered by the signature
			refused("a certificate", a, channel.Notification{Body: []byte(form.Encode())})
			return
		}
		for name, value := range map[string]string{
			"Wechatpay-Timestamp": "1500000000", "Wechatpay-Nonce": "other", "Wechatpay-Serial": "PUB_KEY_ID_0",
			"Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + n.Header.Get("Wechatpay-Signature"), "Wechatpay-Signature-Type": "OTHER",
		} {
			h := n.Header.Clone()
			h.Set(name, value)
			refused(name, a, channel.Notification{Header: h, Body: n.Body})
		}
	})
}

// credentials are what the two providers give a merchant.
type credentials struct {
	Alipay    sandbox.AlipayCredentials
	WeChatPay sandbox.WeChatPayCredentials
}

func (w *world) creds() (k credentials) {
	w.t.Helper()
	var err, err2 error
	k.Alipay, err = w.sandbox.Alipay(w.t.Context())
	k.WeChatPay, err2 = w.sandbox.WeChatPay(w.t.Context())
	if err != nil || err2 != nil {
		w.t.Fatal(err, err2)
	}
	return k
}

func adapterOf(t *testing.T, c models.PaymentChannel, w *world, k credentials) (a channel.Adapter) {
	t.Helper()
	var err error
	if c == models.ChannelAlipay {
		k := k.Alipay
		a, err = alipay.New(alipay.Config{BaseURL: w.url + sandbox.AlipayPath, AppID: k.AppID, SellerID: k.SellerID, PrivateKey: k.PrivateKey, AlipayPublicKey: k.AlipayPublicKey, Mode: guard.Sandbox})
	} else {
		k := k.WeChatPay
		a, err = wechatpay.New(wechatpay.Config{BaseURL: w.url + sandbox.WeChatPayPath, AppID: k.AppID, MchID: k.MchID, CertificateSerial: k.CertificateSerial,
			PrivateKey: k.PrivateKey, PublicKeyID: k.PublicKeyID, PublicKey: k.PublicKey, APIv3Key: k.APIv3Key, Mode: guard.Sandbox})
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Many payers at once (run with -race): each is told once, of his own trade.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		const payers = 20
		var wg sync.WaitGroup
		for range payers {
			wg.Go(func() {
				r := w.request(a)
				act, err := a.Start(t.Context(), r)
				if err != nil {
					t.Error(err)
					return
				}
				w.play(act.QR, "outcome=succeed")
				if e, err := a.Query(t.Context(), channel.Ref{Number: r.Number}); err != nil || e.State != channel.StatePaid {
					t.Errorf("%+v %v", e, err)
				}
			})
		}
		wg.Wait()
		told := map[string]int{}
		for range payers {
			e, err := a.ParseNotification(t.Context(), w.hears())
			if err != nil {
				t.Fatal(err)
			}
			told[e.Number]++
		}
		if len(told) != payers {
			t.Errorf("%d trades told of, not %d", len(told), payers)
		}
		w.hearsNothing()
	})
}
