package sandbox_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
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
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// Contract, chapter 6: a dropped notification never comes; asking finds the payment (lesson 4).
func TestDrop(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		w.treat(a, "notify", "drop")
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		w.hearsNothing()
		if e := w.query(a, number); e.State != channel.StatePaid {
			t.Errorf("asked: %s", e.State)
		}
	})
}

// Duplicates are the same notification again and one with an id of its own; all are genuine.
func TestDuplicate(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		w.treat(a, "notify", "duplicate")
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		ids := map[string]int{}
		for range 3 {
			e, err := a.ParseNotification(t.Context(), w.hears())
			if err != nil || e.Number != number {
				t.Fatalf("%+v %v", e, err)
			}
			ids[e.ID]++
		}
		if len(ids) != 2 {
			t.Errorf("ids %v: two are wanted", ids)
		}
		w.hearsNothing()
	})
}

// A delay runs on the wall clock, whatever the product's does.
func TestDelay(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		w.treat(a, "notify", "delay:600ms")
		_, page := w.start(a)
		began := time.Now()
		w.mustPlay(page, "outcome=succeed")
		w.hears()
		if took := time.Since(began); took < 600*time.Millisecond {
			t.Errorf("it came after %s", took)
		}
	})
}

// A forged success comes instead of the true one: refused, sent once, and the truth is found by asking.
func TestForge(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		w.treat(a, "notify", "forge")
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("forged, and taken: %v", err)
		}
		w.hearsNothing()
		if e := w.query(a, number); e.State != channel.StatePaid {
			t.Errorf("asked: %s", e.State)
		}
		number, page = w.start(a)
		w.mustPlay(page, "outcome=decline")
		if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("a forged success of a declined payment, and taken: %v", err)
		}
		if e := w.query(a, number); e.State == channel.StatePaid {
			t.Error("declined is paid")
		}
	})
}

// What is not acknowledged comes again, signed anew under the same id.
func TestRetryUntilAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		w.deaf.Store(true)
		_, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		first, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil {
			t.Fatal(err)
		}
		w.deaf.Store(false)
		again, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil || again != first {
			t.Errorf("first %+v, again %+v %v", first, again, err)
		}
		w.settled()
		if n := w.count("SELECT COUNT(*) FROM sandbox_notifications WHERE delivered_at IS NULL"); n != 0 {
			t.Errorf("%d were given up", n)
		}
	})
}

// A request signed with a wrong key is refused at the door, and that is no outcome of a payment.
func TestWrongKeyIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		k := w.creds()
		k.Alipay.PrivateKey, k.WeChatPay.PrivateKey = k.WeChatPay.PrivateKey, k.Alipay.PrivateKey
		wrong := adapterOf(t, a.Channel(), w, k)
		_, err := wrong.Start(t.Context(), w.request(a))
		want := map[models.PaymentChannel]string{models.ChannelAlipay: "isv.invalid-signature", models.ChannelWeChatPay: "SIGN_ERROR"}[a.Channel()]
		if !errors.Is(err, channel.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %s", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "KEY") {
			t.Errorf("a key in the error: %v", err)
		}
	})
}

// An answer that is not signed by the provider decides nothing.
func TestUnsignedAnswersDecideNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		k := w.creds()
		k.Alipay.AlipayPublicKey, k.WeChatPay.PublicKey = k.WeChatPay.PublicKey, k.Alipay.AlipayPublicKey
		wrong := adapterOf(t, a.Channel(), w, k)
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		n := w.hears()
		if e, err := wrong.Query(t.Context(), channel.Ref{Number: number}); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("asked: %+v %v", e, err)
		}
		if _, err := wrong.ParseNotification(t.Context(), n); !errors.Is(err, channel.ErrForged) {
			t.Errorf("told: %v", err)
		}
	})
}

// The calling side of the fault tests: a broken, slow, deaf or lying provider.
func TestCallFaults(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		w.treat(a, "call", "error500")
		r := w.request(a)
		if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("500: %v", err)
		}
		w.treat(a, "call", "timeout_after_success")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := a.Start(ctx, r); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("time-out: %v", err)
		}
		if n := w.count("SELECT COUNT(*) FROM sandbox_trades WHERE number = ?", r.Number); n != 1 {
			t.Error("the deed was not done")
		}
		w.treat(a, "call", "slow:300ms")
		began := time.Now()
		act, err := a.Start(t.Context(), r)
		if err != nil || time.Since(began) < 300*time.Millisecond {
			t.Errorf("slow: %v after %s", err, time.Since(began))
		}
		w.treat(a, "call", "wrong_amount")
		w.mustPlay(act.QR, "outcome=succeed")
		told, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil || told.Amount != money.New(1235, "CNY") {
			t.Errorf("rightly signed, another amount: %+v %v", told, err)
		}
		if e := w.query(a, r.Number); e.Amount != money.New(1235, "CNY") {
			t.Errorf("asked: %+v", e)
		}
	})
}

// A provider that signs with another's key, or whose clock is wrong, decides nothing while it does; and one that closes a trade whose payer
// is just paying tells of the money.
func TestUntrustworthyProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		number, _ := w.start(a)
		w.treat(a, "call", "paid_after_close")
		if err := a.Close(t.Context(), w.ref(number)); err != nil {
			t.Errorf("closed: %v", err)
		}
		if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.State != channel.StatePaid || e.Number != number {
			t.Errorf("paid after the close: %+v %v", e, err)
		}
		if n := w.count("SELECT COUNT(*) FROM sandbox_trades WHERE number = ? AND paid_late = 1", number); n != 1 {
			t.Error("paid after the close, and not late")
		}
		for _, call := range []string{"bad_signature", "clock_skew"} {
			refuses := call == "bad_signature" || a.Channel() == models.ChannelWeChatPay // Alipay's protocol bounds no age
			w.treat(a, "notify", "drop")
			w.treat(a, "call", call)
			_, err := a.Start(t.Context(), w.request(a))
			_, err2 := a.Query(t.Context(), r.Payment)
			_, err3 := a.Refund(t.Context(), r)
			for _, err := range []error{err, err2, err3} {
				if errors.Is(err, channel.ErrUnknown) != refuses || (err != nil) != refuses {
					t.Errorf("%s: %v", call, err)
				}
			}
			w.treat(a, "call", "normal")
			w.treat(a, "notify", "normal")
			if e := w.askRefund(a, r); e.State != channel.StateRefunded {
				t.Errorf("%s: what was asked for was not done: %s", call, e.State)
			}
			r = w.paidTrade(a)
			number, page := w.start(a)
			w.treat(a, "call", call)
			w.mustPlay(page, "outcome=succeed")
			if _, err := a.ParseNotification(t.Context(), w.hears()); errors.Is(err, channel.ErrForged) != refuses || (err != nil) != refuses {
				t.Errorf("%s, told: %v", call, err)
			}
			w.treat(a, "call", "normal")
			if e := w.query(a, number); e.State != channel.StatePaid {
				t.Errorf("%s, asked afterwards: %s", call, e.State)
			}
			if call == "bad_signature" { // once more, and rightly now
				if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.Number != number {
					t.Errorf("%s, told again: %+v %v", call, e, err)
				}
			}
		}
	})
}

// Nobody listens: nothing can have happened.
func TestConnectionRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world, _ channel.Adapter) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nobody := "http://" + l.Addr().String()
		l.Close()
		k, away := w.creds(), *w
		away.url = nobody
		for _, a := range []channel.Adapter{adapterOf(t, models.ChannelAlipay, &away, k), adapterOf(t, models.ChannelWeChatPay, &away, k)} {
			_, start := a.Start(t.Context(), w.request(a))
			_, query := a.Query(t.Context(), channel.Ref{Number: "N123456"})
			for _, err := range []error{start, query, a.Close(t.Context(), channel.Ref{Number: "N123456"})} {
				if !errors.Is(err, channel.ErrUnavailable) {
					t.Errorf("%s: %v", a.Channel(), err)
				}
			}
		}
	})
}

func TestBehaviourIsChecked(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		for _, body := range []string{"", "{}", `{"channel":"ALIPAY"}`, `{"channel":"CASH","notify":"drop"}`, `{"channel":"alipay","notify":"drop"}`,
			`{"channel":"ALIPAY","notify":"never"}`, `{"channel":"ALIPAY","notify":"delay:"}`, `{"channel":"ALIPAY","notify":"delay:-1s"}`,
			`{"channel":"ALIPAY","call":"slow:2 days"}`, `{"channel":"ALIPAY","call":"bad_signature:1s"}`, `{"channel":"ALIPAY","call":"refund_late:"}`, `{"channel":"ALIPAY","call":"drop"}`, `{"channel":"ALIPAY","notify":"drop","extra":1}`} {
			if code := w.behave(body); code != http.StatusBadRequest {
				t.Errorf("%s: HTTP %d", body, code)
			}
		}
		for _, call := range []string{"slow:3s", "error500", "timeout_after_success", "wrong_amount", "bad_signature", "clock_skew", "paid_after_close", "refund_fail", "refund_late:3s"} {
			w.treat(a, "call", call)
		}
		if n := w.count("SELECT COUNT(*) FROM sandbox_behaviour WHERE notify_mode <> 'normal'"); n != 0 {
			t.Error("a refused behaviour was kept")
		}
	})
}

// Books and keys lie in the database: another instance delivers what one has written, and knows the same merchant.
func TestAnotherInstance(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		other := sandbox.New(sandbox.Config{DB: w.home.Open(t), Clock: w.clock, PublicURL: func() string { return w.url },
			Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		mine, err := w.sandbox.Alipay(t.Context())
		if k, err2 := other.Alipay(t.Context()); err != nil || err2 != nil || k != mine {
			t.Errorf("another instance has other keys: %v, %v", err, err2)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); other.Run(ctx) }()
		defer func() { cancel(); <-ended }()
		for range 5 {
			_, page := w.start(a)
			w.mustPlay(page, "outcome=succeed")
			w.hears()
		}
		w.hearsNothing() // each once, though two deliver
	})
}

// An independent hand: OpenSSL confirms the sandbox's Alipay signature over the string Alipay documents.
func TestAlipaySignatureByOpenSSL(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		if a.Channel() != models.ChannelAlipay {
			return // WeChat Pay's is the same algorithm, confirmed by its official SDK
		}
		keys, err := w.sandbox.Alipay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		text, signature := documented(t, w.hears().Body)
		dir := t.TempDir()
		for name, content := range map[string][]byte{"key.pem": []byte(keys.AlipayPublicKey), "sig": signature, "text": []byte(text)} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		verify := exec.Command("openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "text")
		verify.Dir = dir
		if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verified OK") {
			t.Errorf("openssl: %v %s", err, out)
		}
	})
}

// documented takes a notification apart by hand: the sorted pairs without sign and sign_type, and the signature.
func documented(t *testing.T, body []byte) (string, []byte) {
	t.Helper()
	var pairs []string
	var signature []byte
	for pair := range strings.SplitSeq(string(body), "&") {
		name, escaped, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(escaped)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "sign_type":
		case "sign":
			if signature, err = base64.StdEncoding.DecodeString(value); err != nil {
				t.Fatal(err)
			}
		default:
			pairs = append(pairs, name+"="+value)
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&"), signature
}
