package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/tenpay"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// tencent are the two of one family.
var tencent = []models.PaymentChannel{models.ChannelQQWallet, models.ChannelTenpay}

// tencentRefund asks for a part of a trade of 12.34 back.
func (w *world) tencentRefund(a channel.Adapter, number string, minor int64) channel.RefundRequest {
	return channel.RefundRequest{Payment: channel.Ref{Number: number, Amount: money.New(1234, "CNY")}, Refund: channel.Ref{Number: freshNumber(), Amount: money.New(minor, "CNY")},
		Reason: "退款", NotifyURL: w.url + "/notify/" + string(a.Channel())}
}

// refundEnds asks until the refund is no longer on its way.
func (w *world) refundEnds(a channel.Adapter, r channel.RefundRequest) (e channel.Event) {
	w.t.Helper()
	w.until("the refund's end", func() bool { e = w.askRefund(a, r); return e.State != channel.StatePending })
	return e
}

// TX-2, TX-6, TX-22: the full cycle of both, as their providers' documents have it: start, pay, be told, ask, refund in parts, and the day's
// statement, which agrees with the books to the fen.
func TestTencentCycle(t *testing.T) {
	eachOf(t, tencent, func(t *testing.T, w *world, a channel.Adapter) {
		if e := w.query(a, freshNumber()); e.State != channel.StateNotFound {
			t.Errorf("a number never started is %s", e.State)
		}
		r := w.request(a)
		r.ReturnURL, r.BankCode, r.Subject = w.url+"/return/"+r.Number, "BOCOM", "充值, <a> & 100%, 元"
		first, err := a.Start(t.Context(), r)
		again, err2 := a.Start(t.Context(), r)
		if err != nil || err2 != nil || first.QR != again.QR || first.URL != again.URL || (first.QR == "") == (first.URL == "") {
			t.Fatalf("%+v %v, again %+v %v", first, err, again, err2)
		}
		page := w.follow(first.Action)
		other := r
		other.Amount = money.New(1235, "CNY")
		if _, err := a.Start(t.Context(), other); a.Channel() == models.ChannelQQWallet && !errors.Is(err, channel.ErrUnknown) { // Tenpay's page refuses it
			t.Errorf("another amount under the number: %v", err)
		}
		if e := w.query(a, r.Number); e.State != channel.StatePending {
			t.Errorf("at the page: %s", e.State)
		}
		if code, html := w.get(page); code != http.StatusOK || !strings.Contains(html, "12.34") {
			t.Errorf("the payer's page: HTTP %d", code)
		}
		w.mustPlay(page, "outcome=succeed")
		asked := w.query(a, r.Number)
		told, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil || told.ID == "" {
			t.Fatalf("%+v %v", told, err)
		}
		for what, e := range map[string]channel.Event{"query": asked, "notification": told} {
			if e.State != channel.StatePaid || e.Amount != money.New(1234, "CNY") || e.Number != r.Number || len(e.Reference) != 28 || time.Since(e.PaidAt).Abs() > time.Minute {
				t.Errorf("%s: %+v", what, e)
			}
		}
		byReference := channel.Ref{Number: r.Number, Reference: told.Reference}
		if e, err := a.Query(t.Context(), byReference); err != nil || e != asked {
			t.Errorf("by the provider's number: %+v %v", e, err)
		}
		w.hearsNothing() // acknowledged at once
		if a.Channel() == models.ChannelTenpay && w.count(`SELECT COUNT(*) FROM sandbox_trades WHERE number = ? AND detail LIKE '%"bank":"BOCOM"%'`, r.Number) != 1 {
			t.Error("the chosen bank is not kept")
		}
		w.refundsOf(a, r.Number)
		w.statementOf(a, told)
	})
}

// refundsOf sends 10.00 and 2.34 back, and nothing more.
func (w *world) refundsOf(a channel.Adapter, number string) {
	w.t.Helper()
	first, second, much := w.tencentRefund(a, number, 1000), w.tencentRefund(a, number, 234), w.tencentRefund(a, number, 235)
	if e := w.askRefund(a, first); e.State != channel.StateNotFound {
		w.t.Errorf("never asked for: %+v", e)
	}
	for range 2 { // the same number is the same refund
		if e := w.refund(a, first); e.RefundNumber != first.Refund.Number || e.Number != number || len(e.Reference) != 28 {
			w.t.Errorf("%+v", e)
		}
	}
	if _, err := a.Refund(w.t.Context(), much); !errors.Is(err, channel.ErrDeclined) {
		w.t.Errorf("a fen too much: %v", err)
	}
	if e := w.askRefund(a, much); e.State != channel.StateNotFound {
		w.t.Errorf("refused: %+v", e)
	}
	other := first
	other.Refund.Amount = money.New(999, "CNY")
	if _, err := a.Refund(w.t.Context(), other); !errors.Is(err, channel.ErrUnknown) {
		w.t.Errorf("another amount under the number: %v", err)
	}
	w.refund(a, second)
	for _, r := range []channel.RefundRequest{first, second} {
		if e := w.askRefund(a, r); e.State != channel.StateRefunded || e.Amount != r.Refund.Amount || time.Since(e.PaidAt).Abs() > time.Minute {
			w.t.Errorf("%+v", e)
		}
		if a.Channel() == models.ChannelTenpay { // QQ Wallet is silent about refunds
			e, err := a.ParseNotification(w.t.Context(), w.hears())
			if err != nil || e.State != channel.StateRefunded || e.RefundNumber == "" || e.Number != number || e.ID == "" {
				w.t.Errorf("told %+v %v", e, err)
			}
		}
	}
	unpaid, _ := w.start(a)
	for what, number := range map[string]string{"unpaid": unpaid, "unknown": freshNumber()} {
		if _, err := a.Refund(w.t.Context(), w.tencentRefund(a, number, 100)); !errors.Is(err, channel.ErrDeclined) {
			w.t.Errorf("%s: %v", what, err)
		}
	}
	if e := w.query(a, number); e.State != channel.StatePaid || e.Amount.Minor != 1234 {
		w.t.Errorf("the payment itself stays paid: %+v", e)
	}
	w.hearsNothing()
}

// statementOf reads what the trade's day says once its file is there; midnight may have come in between.
func (w *world) statementOf(a channel.Adapter, paid channel.Event) {
	w.t.Helper()
	today := channel.DayOf(a, w.clock.Now())
	_, end := a.StatementDay(today)
	w.noStatement(a, today, "a day that is not over")
	w.clock.advance(end.Add(50 * time.Hour).Sub(w.clock.Now()))
	day := today.Next(-1)
	var lines []channel.Line
	for d := range 3 {
		s, err := a.Statement(w.t.Context(), day.Next(d))
		if err != nil || s.Day != day.Next(d) || len(s.Hash) != 64 {
			w.t.Fatalf("%+v %v", s, err)
		}
		from, to := a.StatementDay(s.Day)
		for _, l := range s.Lines {
			if l.At.Before(from) || !l.At.Before(to) || l.Raw == "" {
				w.t.Errorf("%+v is not of %s", l, s.Day)
			}
		}
		lines = append(lines, s.Lines...)
	}
	sums := map[channel.State]int64{}
	for _, l := range lines {
		sums[l.State] += l.Amount.Minor
		if l.Number != paid.Number || (l.RefundNumber == "") != (l.State == channel.StatePaid) || l.State == channel.StatePaid && l.Reference != paid.Reference {
			w.t.Errorf("%+v", l)
		}
	}
	if len(lines) != 3 || sums[channel.StatePaid] != 1234 || sums[channel.StateRefunded] != 1234 {
		w.t.Errorf("%d lines, %v", len(lines), sums)
	}
	if s, err := a.Statement(w.t.Context(), "2026-01-01"); err != nil || len(s.Lines) != 0 {
		w.t.Errorf("a day without trades: %+v %v", s, err)
	}
}

func (w *world) noStatement(a channel.Adapter, day channel.Day, what string) {
	w.t.Helper()
	if s, err := a.Statement(w.t.Context(), day); !errors.Is(err, channel.ErrNoStatement) {
		w.t.Errorf("%s: %+v %v", what, s, err)
	}
}

// with is the channel's adapter with something else in its configuration.
func (w *world) with(c models.PaymentChannel, change func(merchant, key, pass *string)) channel.Adapter {
	w.t.Helper()
	q, err := w.sandbox.QQWallet(w.t.Context())
	p, err2 := w.sandbox.Tenpay(w.t.Context())
	change(&q.MchID, &q.APIKey, &q.OperatorPass)
	change(&p.Partner, &p.Key, &p.OperatorPass)
	qq, err3 := tenpay.NewQQ(tenpay.QQConfig{BaseURL: w.url + sandbox.QQWalletPath, MchID: q.MchID, APIKey: q.APIKey, Operator: q.Operator, OperatorPass: q.OperatorPass, Mode: guard.Sandbox})
	old, err4 := tenpay.New(tenpay.Config{BaseURL: w.url + sandbox.TenpayPath, Partner: p.Partner, Key: p.Key, Operator: p.Operator, OperatorPass: p.OperatorPass, Mode: guard.Sandbox})
	if err := errors.Join(err, err2, err3, err4); err != nil {
		w.t.Fatal(err)
	}
	if c == models.ChannelQQWallet {
		return qq
	}
	return old
}

// Lessons 3 and 25: what is not the provider's, for us and unchanged, proves nothing; whom the provider does not know gets nothing done.
func TestTencentSignatures(t *testing.T) {
	eachOf(t, tencent, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		n := w.hears()
		forged := func(what string, a channel.Adapter, body string) {
			t.Helper()
			if body == string(n.Body) && what != "another merchant" && what != "another key" {
				t.Fatalf("%s changes nothing", what)
			}
			if e, err := a.ParseNotification(t.Context(), channel.Notification{Header: n.Header, Body: []byte(body)}); !errors.Is(err, channel.ErrForged) || strings.Contains(err.Error(), "KEY") {
				t.Errorf("%s: %+v %v", what, e, err)
			}
		}
		forged("another merchant", w.with(a.Channel(), func(m, _, _ *string) { *m = "1999999999" }), string(n.Body))
		forged("another key", w.with(a.Channel(), func(_, k, _ *string) { *k = "KEY" }), string(n.Body))
		change := func(from, to string) string { return strings.Replace(string(n.Body), from, to, 1) }
		forged("another amount", a, change("1234", "1235"))
		forged("another number", a, change(number, freshNumber()))
		forged("nothing", a, "")
		if a.Channel() == models.ChannelQQWallet {
			forged("a document type", a, `<!DOCTYPE xml [<!ENTITY x "SUCCESS">]>`+string(n.Body))
			forged("an entity", a, change("<![CDATA[SUCCESS]]>", "&x;"))
			forged("an element twice", a, change("<xml>", "<xml><total_fee>1</total_fee>"))
			forged("elements in elements", a, change("<xml>", "<xml><a><b>1</b></a>"))
			forged("two documents", a, string(n.Body)+string(n.Body))
			forged("cut off", a, string(n.Body)[:len(n.Body)-8])
		} else {
			forged("a field twice", a, string(n.Body)+"&total_fee=1")
			forged("a field more", a, string(n.Body)+"&attach=1")
			form, _ := url.ParseQuery(string(n.Body))
			form.Del("sign")
			forged("no signature", a, form.Encode())
		}

		stranger := w.with(a.Channel(), func(_, k, _ *string) { *k = "KEY" })
		r := w.tencentRefund(a, number, 100)
		_, err := stranger.Query(t.Context(), channel.Ref{Number: number})
		_, err2 := stranger.Refund(t.Context(), r)
		_, err3 := stranger.Statement(t.Context(), "2026-01-01")
		for _, err := range []error{err, err2, err3} {
			if !errors.Is(err, channel.ErrUnavailable) || strings.Contains(err.Error(), "KEY") {
				t.Errorf("signed by nobody: %v", err)
			}
		}
		if _, err := w.with(a.Channel(), func(_, _, p *string) { *p = "secret" }).Refund(t.Context(), r); errors.Is(err, channel.ErrDeclined) || err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("an operator with a wrong password: %v", err)
		}
		_, page = w.start(a)
		w.treat(a, "call", "bad_signature")
		w.mustPlay(page, "outcome=succeed")
		if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("signed by nobody, and taken: %v", err)
		}
		if e, err := a.Query(t.Context(), channel.Ref{Number: number}); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("an answer signed by nobody: %+v %v", e, err)
		}
		r.NotifyURL = ""
		if e, err := a.Refund(t.Context(), r); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("an answer signed by nobody: %+v %v", e, err)
		}
		w.treat(a, "call", "normal")
		if _, err := w.home.DB.Exec(t.Context(), "UPDATE sandbox_notifications SET next_at = NULL"); err != nil { // it would come again
			t.Fatal(err)
		}
		w.treat(a, "notify", "forge")
		_, page = w.start(a)
		w.mustPlay(page, "outcome=succeed")
		if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("forged, and taken: %v", err)
		}
		w.hearsNothing()
	})
}

// Lesson 1, and what else a provider does or fails to do.
func TestTencentMisbehaves(t *testing.T) {
	eachOf(t, tencent, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.request(a)
		_, page := w.start(a)
		w.treat(a, "call", "error500")
		if _, err := a.Query(t.Context(), r.Ref); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("500: %v", err)
		}
		w.treat(a, "call", "wrong_amount")
		w.mustPlay(page, "outcome=succeed")
		told, err := a.ParseNotification(t.Context(), w.hears())
		if err != nil || told.Amount != money.New(1235, "CNY") || w.query(a, told.Number).Amount != money.New(1235, "CNY") {
			t.Errorf("rightly signed, another amount: %+v %v", told, err)
		}
		w.treat(a, "call", "timeout_after_success")
		back := w.tencentRefund(a, told.Number, 1234)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := a.Refund(ctx, back); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("time-out: %v", err)
		}
		w.treat(a, "call", "normal")
		if e := w.refundEnds(a, back); e.State != channel.StateRefunded {
			t.Errorf("the deed was not done: %+v", e)
		}
		w.forget()

		w.treat(a, "notify", "duplicate")
		w.treat(a, "call", "clock_skew")
		number, page := w.start(a)
		w.mustPlay(page, "outcome=succeed")
		for range 3 {
			if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.Number != number || time.Since(e.PaidAt) < 15*time.Minute {
				t.Errorf("duplicates, by a clock that is wrong: %+v %v", e, err)
			}
		}
		w.treat(a, "notify", "normal")
		late := w.tencentRefund(a, number, 100)
		w.treat(a, "call", "refund_late:300ms")
		if e := w.refund(a, late); e.State != channel.StatePending {
			t.Errorf("late: %+v", e)
		}
		if e := w.askRefund(a, late); e.State != channel.StatePending {
			t.Errorf("late, asked: %+v", e)
		}
		if e := w.refundEnds(a, late); e.State != channel.StateRefunded {
			t.Errorf("late: %+v", e)
		}
		w.treat(a, "call", "refund_fail")
		failed := w.tencentRefund(a, number, 100)
		w.refund(a, failed)
		if e := w.askRefund(a, failed); e.State != channel.StateRefundFailed {
			t.Errorf("failed: %+v", e)
		}
		w.treat(a, "call", "normal")
		w.settled()
		w.forget()
		w.ends(a)
	})
}

// ends: trades that end without being paid, and what is paid all the same.
func (w *world) ends(a channel.Adapter) {
	w.t.Helper()
	closes := a.Channel() == models.ChannelQQWallet // Tenpay has no operation for it
	number, page := w.start(a)
	w.mustPlay(page, "outcome=decline")
	w.hearsNothing() // a success alone is told
	if e := w.query(a, number); closes && e.State != channel.StateDeclined || !closes && e.State != channel.StateClosed {
		w.t.Errorf("declined: %s", e.State)
	}
	number, page = w.start(a)
	for range 2 {
		if err := a.Close(w.t.Context(), w.ref(number)); err != nil {
			w.t.Errorf("close: %v", err)
		}
	}
	if e := w.query(a, number); closes && e.State != channel.StateClosed || !closes && e.State != channel.StatePending {
		w.t.Errorf("closed: %s", e.State)
	}
	w.mustPlay(page, "outcome=succeed&late=true")
	if e := w.query(a, number); e.State != channel.StatePaid {
		w.t.Errorf("late: %s", e.State)
	}
	if err := a.Close(w.t.Context(), w.ref(number)); !errors.Is(err, channel.ErrAlreadyPaid) {
		w.t.Errorf("closing a paid trade: %v", err)
	}
	if err := a.Close(w.t.Context(), channel.Ref{Number: freshNumber()}); err != nil {
		w.t.Errorf("closing what is not known: %v", err)
	}
	if closes {
		w.treat(a, "call", "paid_after_close")
		number, _ = w.start(a)
		if err := a.Close(w.t.Context(), w.ref(number)); err == nil || w.query(a, number).State != channel.StatePaid {
			w.t.Errorf("closed while the payer was just paying: %v", err)
		}
		w.treat(a, "call", "normal")
		again := w.request(a)
		again.Number = number
		if _, err := a.Start(w.t.Context(), again); !errors.Is(err, channel.ErrUnknown) {
			w.t.Errorf("a paid trade is to be asked for, not declined: %v", err)
		}
	}
	number, page = w.start(a)
	w.clock.advance(31 * time.Minute)
	if e := w.query(a, number); closes && e.State != channel.StatePending || !closes && e.State != channel.StateClosed {
		w.t.Errorf("expired: %s", e.State)
	}
	if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
		w.t.Errorf("paying after the end: HTTP %d", code)
	}
	w.settled()
	w.forget()
}

// forget throws away what was heard.
func (w *world) forget() {
	w.settled()
	for len(w.heard) > 0 {
		<-w.heard
	}
}
