package sandbox_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	other "github.com/tjfoc/gmsm/sm2"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/huaweipay"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

func TestHuaweiPay(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelHuaweiPay}, func(t *testing.T, w *world, a channel.Adapter) {
		for name, test := range map[string]func(*world, channel.Adapter){"cycle": (*world).huaweiCycle, "callbacks": (*world).huaweiCallbacks, "misbehaviour": (*world).huaweiMisbehaves} {
			t.Run(name, func(t *testing.T) {
				w := *w
				w.t = t
				test(&w, a)
			})
		}
	})
}

// HW-29: the whole life of payments, one after the other.
func (w *world) huaweiCycle(a channel.Adapter) {
	t := w.t
	number, page := w.start(a)
	if !strings.HasPrefix(page, w.url+sandbox.HuaweiPayPath+"/pay?order=") {
		t.Fatalf("the code leads to our page with the order: %s", page)
	}
	if e := w.query(a, number); e.State != channel.StateNotFound {
		t.Errorf("no wallet has opened it: %+v", e)
	}
	at := w.huaweiPayer(page)
	if e := w.query(a, number); e.State != channel.StatePending {
		t.Errorf("opened: %+v", e)
	}
	again := w.request(a)
	again.Number = number
	if got := w.huaweiPayer(w.begun(a, again)); got != at {
		t.Errorf("the same number is the same order: %s, %s", got, at)
	}
	w.mustPlay(page, "outcome=succeed")
	e := w.paid(a, w.hears())
	if q := w.query(a, number); q.State != channel.StatePaid || q.Amount != e.Amount || q.Reference != e.Reference || q.Reference == "" || q.PaidAt != e.PaidAt {
		t.Errorf("query %+v, notification %+v", q, e)
	}
	if err := a.Close(t.Context(), w.ref(number)); !errors.Is(err, channel.ErrAlreadyPaid) {
		t.Errorf("close of a paid order: %v", err)
	}
	if _, err := a.Start(t.Context(), again); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("start with a paid number: %v", err)
	}
	w.huaweiRefunds(a, number)
	w.huaweiUnpaid(a)
	w.huaweiStatement(a, number)
}

// huaweiPayer follows the code to the payer's page.
func (w *world) huaweiPayer(page string) string {
	w.t.Helper()
	res, err := http.Get(page)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("the payer's page: HTTP %d", res.StatusCode)
	}
	return res.Request.URL.String()
}

func (w *world) begun(a channel.Adapter, r channel.StartRequest) string {
	w.t.Helper()
	page, _ := w.begin(a, r)
	return page
}

// paid reads a notification of a success.
func (w *world) paid(a channel.Adapter, n channel.Notification) channel.Event {
	w.t.Helper()
	e, err := a.ParseNotification(w.t.Context(), n)
	if err != nil || e.State != channel.StatePaid || e.ID == "" || e.Amount != money.New(1234, "CNY") || e.PaidAt.IsZero() {
		w.t.Fatalf("%+v %v", e, err)
	}
	return e
}

// huaweiRefunds plays refunds of a paid order: a part, the same again, more than is left, one that fails, one that takes its time.
func (w *world) huaweiRefunds(a channel.Adapter, number string) {
	w.t.Helper()
	ask := func(refund string, minor int64) (channel.Event, error) {
		return a.Refund(w.t.Context(), channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: refund, Amount: money.New(minor, "CNY")},
			Reason: "退款", NotifyURL: w.url + "/notify/" + string(a.Channel())})
	}
	state := func(refund string) channel.Event {
		e, err := a.QueryRefund(w.t.Context(), w.ref(number), channel.Ref{Number: refund})
		if err != nil {
			w.t.Error(err)
		}
		return e
	}
	part := freshNumber()
	if e := state(part); e.State != channel.StateNotFound {
		w.t.Errorf("nobody asked: %+v", e)
	}
	e, err := ask(part, 1000)
	if err != nil || e.State != channel.StatePending || e.Reference == "" {
		w.t.Fatalf("%+v %v", e, err)
	}
	told := w.hears()
	n, err := a.ParseNotification(w.t.Context(), told)
	if err != nil || n.State != channel.StateRefunded || n.Number != number || n.RefundNumber != part || n.Amount.Minor != 1000 || n.Reference != e.Reference {
		w.t.Errorf("notification: %+v %v", n, err)
	}
	w.huaweiRefundOf(a, number, channel.Ref{Number: part, Reference: e.Reference}, told)
	if q := state(part); q.State != channel.StateRefunded || q.Amount.Minor != 1000 || q.Reference != e.Reference {
		w.t.Errorf("query: %+v", q)
	}
	if again, err := ask(part, 1000); err != nil || again.Reference != e.Reference {
		w.t.Errorf("the same number is the same refund: %+v %v", again, err)
	}
	if _, err := ask(part, 999); !errors.Is(err, channel.ErrUnknown) {
		w.t.Errorf("the same number with another amount: %v", err)
	}
	if _, err := ask(freshNumber(), 235); !errors.Is(err, channel.ErrDeclined) {
		w.t.Errorf("more than is left: %v", err)
	}
	if _, err := a.Refund(w.t.Context(), channel.RefundRequest{Payment: channel.Ref{Number: "NOBODY"}, Refund: channel.Ref{Number: "X", Amount: money.New(1, "CNY")}, NotifyURL: w.url}); !errors.Is(err, channel.ErrDeclined) {
		w.t.Errorf("of an order that is not there: %v", err)
	}
	w.treat(a, "call", "refund_fail")
	fails := freshNumber()
	if _, err := ask(fails, 100); err != nil {
		w.t.Error(err)
	}
	if n, err := a.ParseNotification(w.t.Context(), w.hears()); err != nil || n.State != channel.StateRefundFailed || state(fails).State != channel.StateRefundFailed {
		w.t.Errorf("%+v %v", n, err)
	}
	w.treat(a, "call", "refund_late:1h")
	late := freshNumber()
	if _, err := ask(late, 100); err != nil || state(late).State != channel.StatePending {
		w.t.Errorf("on its way: %v %+v", err, state(late))
	}
	if _, err := ask(freshNumber(), 10); !errors.Is(err, channel.ErrUnknown) {
		w.t.Errorf("two refunds of an order at a time: %v", err)
	}
	if _, err := ask(late, 100); err != nil {
		w.t.Errorf("the same refund again: %v", err)
	}
	w.treat(a, "call", "normal")
}

// huaweiRefundOf asks for a refund that is done by Huawei Pay's number, and hears its callback, which does not name the merchant, when it
// is nobody's and when Huawei Pay does not answer.
func (w *world) huaweiRefundOf(a channel.Adapter, number string, refund channel.Ref, told channel.Notification) {
	w.t.Helper()
	ask := func(r channel.Ref) (channel.State, error) {
		e, err := a.QueryRefund(w.t.Context(), w.ref(number), r)
		return e.State, err
	}
	if state, err := ask(refund); state != channel.StateRefunded || err != nil {
		w.t.Errorf("by Huawei Pay's number: %s %v", state, err)
	}
	if state, err := ask(channel.Ref{Number: refund.Number, Reference: refund.Reference + "0"}); state != channel.StateNotFound || err != nil {
		w.t.Errorf("by a number that is none: %s %v", state, err)
	}
	if state, err := ask(channel.Ref{Number: refund.Number + "0", Reference: refund.Reference}); !errors.Is(err, channel.ErrUnknown) {
		w.t.Errorf("another refund's number: %s %v", state, err)
	}
	if strings.Contains(string(told.Body), "mercNo") {
		w.t.Errorf("the callback names the merchant: %s", told.Body)
	}
	w.treat(a, "call", "error500")
	if _, err := a.ParseNotification(w.t.Context(), told); !errors.Is(err, channel.ErrUnknown) {
		w.t.Errorf("Huawei Pay does not say whose it is, so it has to come again: %v", err)
	}
	w.treat(a, "call", "normal")
	rename := func(from, to string) {
		if _, err := w.home.DB.Exec(w.t.Context(), "UPDATE sandbox_refunds SET reference = ? WHERE reference = ?", to, from); err != nil {
			w.t.Fatal(err)
		}
	}
	rename(refund.Reference, "somebody else's")
	if _, err := a.ParseNotification(w.t.Context(), told); !errors.Is(err, channel.ErrForged) {
		w.t.Errorf("of another merchant's refund: %v", err)
	}
	rename("somebody else's", refund.Reference)
}

// huaweiUnpaid: declined, closed before and after the wallet was opened, paid all the same, over.
func (w *world) huaweiUnpaid(a channel.Adapter) {
	w.t.Helper()
	number, page := w.start(a)
	w.mustPlay(page, "outcome=decline")
	if e, err := a.ParseNotification(w.t.Context(), w.hears()); err != nil || e.State != channel.StateDeclined || w.query(a, number).State != channel.StateDeclined {
		w.t.Errorf("declined: %+v %v", e, err)
	}
	for _, open := range []bool{false, true} {
		number, page := w.start(a)
		if open {
			w.huaweiPayer(page)
		}
		for range 2 {
			if err := a.Close(w.t.Context(), w.ref(number)); err != nil {
				w.t.Errorf("opened %v: %v", open, err)
			}
		}
		if e := w.query(a, number); e.State != channel.StateDeclined {
			w.t.Errorf("closed: %+v", e)
		}
		w.mustPlay(page, "outcome=succeed&late=true")
		w.paid(a, w.hears())
	}
	if err := a.Close(w.t.Context(), channel.Ref{Number: "NOBODY"}); err != nil {
		w.t.Errorf("close of what is not there: %v", err)
	}
	r := w.request(a)
	r.Amount.Currency = "USD"
	if _, err := a.Start(w.t.Context(), r); !errors.Is(err, channel.ErrDeclined) {
		w.t.Errorf("dollars: %v", err)
	}
	r = w.request(a)
	r.Subject = ""
	if _, err := a.Start(w.t.Context(), r); !errors.Is(err, channel.ErrDeclined) {
		w.t.Errorf("no subject: %v", err)
	}
}

// huaweiStatement: today's is not there before tomorrow, and has the payment, its fee, and the refund.
func (w *world) huaweiStatement(a channel.Adapter, number string) {
	w.t.Helper()
	today := channel.DayOf(a, w.clock.Now())
	if _, err := a.Statement(w.t.Context(), today); !errors.Is(err, channel.ErrNoStatement) {
		w.t.Errorf("before the day is over: %v", err)
	}
	w.clock.advance(24 * time.Hour)
	defer w.clock.advance(-24 * time.Hour)
	s, err := a.Statement(w.t.Context(), today)
	if err != nil || s.Day != today || len(s.Hash) != 64 {
		w.t.Fatalf("%+v %v", s, err)
	}
	from, to := a.StatementDay(today)
	var paid, back []channel.Line
	for _, l := range s.Lines {
		if l.At.Before(from) || !l.At.Before(to) || l.Raw == "" || l.Reference == "" {
			w.t.Errorf("%+v", l)
		}
		switch {
		case l.Number == number && l.RefundNumber == "":
			paid = append(paid, l)
		case l.Number == number:
			back = append(back, l)
		}
	}
	if len(paid) != 1 || paid[0].Amount != money.New(1234, "CNY") || paid[0].Fee != money.New(7, "CNY") || paid[0].State != channel.StatePaid || paid[0].Reference != w.query(a, number).Reference {
		w.t.Errorf("%+v", paid)
	}
	if len(back) != 1 || back[0].Amount != money.New(1000, "CNY") || back[0].State != channel.StateRefunded {
		w.t.Errorf("what failed or is on its way is not in it: %+v", back)
	}
	if s, err := a.Statement(w.t.Context(), today.Next(-3)); err != nil || len(s.Lines) != 0 {
		w.t.Errorf("a day without trades: %+v %v", s, err)
	}
}

// A callback's signature holds by a second implementation of SM2, and one that this makes is accepted; anything that was touched is not.
func (w *world) huaweiCallbacks(a channel.Adapter) {
	t := w.t
	k, err := w.sandbox.HuaweiPay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, page := w.start(a)
	w.mustPlay(page, "outcome=succeed")
	n := w.hears()
	w.paid(a, n)
	fields, text := signedText(t, n.Body)
	signature, err := base64.StdEncoding.DecodeString(fields["sign"].(string))
	if err != nil || !point(t, k.PublicKey).Verify([]byte(text), signature) {
		t.Errorf("not by the second implementation: %v", err)
	}

	mine, err := other.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := huaweipay.New(huaweipay.Config{BaseURL: w.url + sandbox.HuaweiPayPath, MerchantNumber: k.MerchantNumber, AppID: k.AppID, AuthID: k.AuthID, PrivateKey: k.PrivateKey,
		PublicKey: "04" + hex.EncodeToString(mine.X.FillBytes(make([]byte, 32))) + hex.EncodeToString(mine.Y.FillBytes(make([]byte, 32))), PageURL: k.PageURL, Mode: guard.Sandbox})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(change func(f map[string]any)) channel.Notification {
		f, _ := signedText(t, n.Body)
		change(f)
		body, _ := json.Marshal(f)
		f, text := signedText(t, body)
		signature, err := mine.Sign(rand.Reader, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		f["sign"] = base64.StdEncoding.EncodeToString(signature)
		body, _ = json.Marshal(f)
		return channel.Notification{Header: n.Header, Body: body}
	}
	w.paid(b, sign(func(map[string]any) {}))
	w.paid(b, sign(func(f map[string]any) { // fields may come that nobody has heard of
		f["new"], f["none"], f["empty"] = []any{map[string]any{"b": 1.5, "a": true}, map[string]any{"a": ";="}}, nil, ""
	}))
	for what, change := range map[string]func(map[string]any){
		"another merchant":      func(f map[string]any) { f["mercNo"] = "101700000000" },
		"no merchant":           func(f map[string]any) { delete(f, "mercNo") },
		"another application":   func(f map[string]any) { f["appId"] = "1" },
		"no order":              func(f map[string]any) { delete(f, "mercOrderNo") },
		"no id":                 func(f map[string]any) { delete(f, "callbackId") },
		"encrypted":             func(f map[string]any) { f["dataType"] = "encrypt" },
		"an amount in words":    func(f map[string]any) { f["totalAmount"] = "much" },
		"paid without amount":   func(f map[string]any) { delete(f, "totalAmount") },
		"a refund of a foreign": func(f map[string]any) { f["mercRefundNo"], f["mercNo"] = "R1", "101700000000" },
	} {
		if _, err := b.ParseNotification(t.Context(), sign(change)); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	body := string(n.Body)
	for what, changed := range map[string]string{
		"amount": strings.Replace(body, `"totalAmount":1234`, `"totalAmount":1235`, 1), "a field more": strings.Replace(body, "{", `{"x":"y",`, 1),
		"half": body[:len(body)/2], "two": body + body, "no signature": strings.Replace(body, `"sign":`, `"sing":`, 1), "nothing": "", "null": "null", "signed by another": string(sign(func(map[string]any) {}).Body),
	} {
		if changed == body {
			t.Fatal(what)
		}
		if _, err := a.ParseNotification(t.Context(), channel.Notification{Body: []byte(changed)}); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.treat(a, "notify", "forge")
	_, page = w.start(a)
	w.mustPlay(page, "outcome=succeed")
	if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
		t.Errorf("forged: %v", err)
	}
}

// What goes wrong at the provider is never taken for a refusal, and nothing unsigned for an answer.
func (w *world) huaweiMisbehaves(a channel.Adapter) {
	t := w.t
	number, page := w.start(a)
	w.huaweiPayer(page)
	w.treat(a, "call", "wrong_amount")
	w.mustPlay(page, "outcome=succeed")
	n, err := a.ParseNotification(t.Context(), w.hears())
	if err != nil || n.Amount.Minor != 1235 || w.query(a, number).Amount.Minor != 1235 {
		t.Errorf("%+v %v", n, err)
	}
	today := channel.DayOf(a, w.clock.Now()).Next(-1)
	for _, call := range []string{"error500", "bad_signature"} {
		w.treat(a, "call", call)
		for what, err := range map[string]error{
			"start": second(a.Start(t.Context(), w.request(a))), "query": second(a.Query(t.Context(), w.ref(number))), "close": a.Close(t.Context(), w.ref(number)),
			"refund":    second(a.Refund(t.Context(), channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: "R", Amount: money.New(1, "CNY")}, NotifyURL: w.url})),
			"refunds":   second(a.QueryRefund(t.Context(), w.ref(number), channel.Ref{Number: "R"})),
			"statement": second(a.Statement(t.Context(), today)),
		} {
			if !errors.Is(err, channel.ErrUnknown) {
				t.Errorf("%s, %s: %v", call, what, err)
			}
		}
	}
	w.treat(a, "call", "normal")

	// An order that was touched opens no wallet.
	u, _ := url.Parse(page)
	order := u.Query().Get("order")
	for _, changed := range []string{"", "{}", strings.Replace(order, `"app_id":"5`, `"app_id":"6`, 1), strings.Replace(order, `"prepay_id":"`, `"prepay_id":"x`, 1)} {
		u.RawQuery = url.Values{"order": {changed}}.Encode()
		if code, _ := w.get(u.String()); code != http.StatusBadRequest || changed == order {
			t.Errorf("%q: HTTP %d", changed, code)
		}
	}
	k, err := w.sandbox.HuaweiPay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Nor does one that is over ten minutes old, however well it is signed.
	for age, want := range map[time.Duration]int{9 * time.Minute: http.StatusOK, 11 * time.Minute: http.StatusGone} {
		u.RawQuery = url.Values{"order": {orderMade(t, k, order, time.Now().Add(-age))}}.Encode()
		if code, _ := w.get(u.String()); code != want {
			t.Errorf("%s old: HTTP %d", age, code)
		}
	}
	// Nor does the gateway take calls of others, or bills for nothing.
	c := huaweipay.Config{BaseURL: w.url + sandbox.HuaweiPayPath, MerchantNumber: "101700000000", AppID: k.AppID, AuthID: k.AuthID, PrivateKey: k.PrivateKey, PublicKey: k.PublicKey,
		PageURL: k.PageURL, Mode: guard.Sandbox}
	stranger, err := huaweipay.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Start(t.Context(), w.request(a)); !errors.Is(err, channel.ErrUnavailable) {
		t.Errorf("another merchant: %v", err)
	}
	if code, _ := w.get(w.url + sandbox.HuaweiPayPath + "/bill"); code != http.StatusForbidden {
		t.Errorf("a bill for nothing: HTTP %d", code)
	}
}

func second[T any](_ T, err error) error { return err }
