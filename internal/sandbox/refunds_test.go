package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/models"
)

// paidTrade is a trade of 12.34 that the payer has paid; its notification has been heard.
func (w *world) paidTrade(a channel.Adapter) channel.RefundRequest {
	w.t.Helper()
	number, page := w.start(a)
	w.mustPlay(page, "outcome=succeed")
	w.hears()
	p := w.ref(number)
	return channel.RefundRequest{Payment: p, Refund: channel.Ref{Number: freshNumber(), Amount: p.Amount, MadeAt: time.Now()},
		Reason: "退款 <broken> & 100% " + strings.Repeat("长", 200), NotifyURL: w.url + "/notify/" + string(a.Channel())}
}

func (w *world) refund(a channel.Adapter, r channel.RefundRequest) channel.Event {
	w.t.Helper()
	e, err := a.Refund(w.t.Context(), r)
	if err != nil {
		w.t.Fatal("refund: ", err)
	}
	return e
}

func (w *world) askRefund(a channel.Adapter, r channel.RefundRequest) channel.Event {
	w.t.Helper()
	e, err := a.QueryRefund(w.t.Context(), r.Payment, r.Refund)
	if err != nil {
		w.t.Fatal("query refund: ", err)
	}
	return e
}

// refundHeard waits for the notification of a refund. Alipay's tells of the trade: that it was paid, as before.
func (w *world) refundHeard(a channel.Adapter, r channel.RefundRequest, want channel.State) {
	w.t.Helper()
	e, err := a.ParseNotification(w.t.Context(), w.hears())
	if err != nil {
		w.t.Fatal(err)
	}
	if a.Channel() == models.ChannelAlipay {
		if e.RefundNumber != "" || e.State != channel.StatePaid || e.Amount != r.Payment.Amount {
			w.t.Errorf("told %+v", e)
		}
		return
	}
	if e.Number != r.Payment.Number || e.RefundNumber != r.Refund.Number || e.State != want || e.ID == "" || len(e.Reference) != 28 {
		w.t.Errorf("told %+v, want %s", e, want)
	}
	if want == channel.StateRefunded && (e.Amount != r.Refund.Amount || time.Since(e.PaidAt).Abs() > time.Minute) {
		w.t.Errorf("told %+v", e)
	}
}

// D10, lesson 18: parts of a trade go back under numbers of their own, and never more than was paid; the provider says so when asked
// and by itself. A number again is the same refund.
func TestRefundInParts(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		if e := w.askRefund(a, r); e.State != channel.StateNotFound {
			t.Errorf("never asked for: %+v", e)
		}
		r.Refund.Amount = money.New(1000, "CNY")
		first := w.refund(a, r)
		atOnce := channel.StatePending
		if a.Channel() == models.ChannelAlipay {
			atOnce = channel.StateRefunded
		}
		if first.State != atOnce || first.RefundNumber != r.Refund.Number || first.Number != r.Payment.Number {
			t.Errorf("at once: %+v", first)
		}
		w.refundHeard(a, r, channel.StateRefunded)
		for range 3 { // the same number is the same refund
			w.refund(a, r)
		}
		if e := w.askRefund(a, r); e.State != channel.StateRefunded || e.Amount != r.Refund.Amount || time.Since(e.PaidAt).Abs() > time.Minute {
			t.Errorf("asked: %+v", e)
		}
		other := r
		other.Refund.Number, other.Refund.Amount = freshNumber(), money.New(235, "CNY")
		if _, err := a.Refund(t.Context(), other); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("a cent too much: %v", err)
		}
		if e := w.askRefund(a, other); e.State != channel.StateNotFound {
			t.Errorf("refused: %+v", e)
		}
		other.Refund.Amount = money.New(234, "CNY")
		w.refund(a, other)
		w.refundHeard(a, other, channel.StateRefunded)
		if e := w.query(a, r.Payment.Number); e.State != channel.StatePaid || e.Amount != r.Payment.Amount {
			t.Errorf("the payment itself stays paid: %+v", e)
		}
		w.hearsNothing()
		if n := w.count("SELECT refunded FROM sandbox_trades WHERE number = ?", r.Payment.Number); n != 1234 {
			t.Errorf("%d went back", n)
		}
	})
}

// Lesson 18: refunds that race never exceed what was paid, whatever their numbers.
func TestRefundsThatRace(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		r.Refund.Amount = money.New(300, "CNY")
		var all sync.WaitGroup
		for i := range 12 {
			mine := r
			if i%2 == 0 {
				mine.Refund.Number = freshNumber()
			}
			all.Go(func() { _, _ = a.Refund(t.Context(), mine) })
		}
		all.Wait()
		if n := w.count("SELECT COUNT(*) FROM sandbox_refunds WHERE number = ?", r.Payment.Number); n != 4 {
			t.Errorf("%d refunds of 3.00 out of 12.34", n)
		}
	})
}

func TestRefundRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		unknown, unpaid, dollars := r, r, r
		unknown.Payment.Number = freshNumber()
		unpaid.Payment.Number, _ = w.start(a)
		dollars.Refund.Amount.Currency = "USD"
		for name, bad := range map[string]channel.RefundRequest{"unknown": unknown, "unpaid": unpaid, "dollars": dollars} {
			if _, err := a.Refund(t.Context(), bad); !errors.Is(err, channel.ErrDeclined) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.Refund.Amount = money.New(100, "CNY")
		w.refund(a, r)
		r.Refund.Amount = money.New(101, "CNY")
		// Another amount under the number: what became of the first is only told when asked.
		if _, err := a.Refund(t.Context(), r); err == nil || w.askRefund(a, r).Amount.Minor != 100 {
			t.Errorf("another amount under the number: %v", err)
		}
		w.settled()
	})
}

// Refunds that the provider takes its time for, and those that fail.
func TestRefundLateAndFailed(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		w.treat(a, "call", "refund_late:400ms")
		if e := w.refund(a, r); e.State != channel.StatePending {
			t.Errorf("late: %+v", e)
		}
		if e := w.askRefund(a, r); e.State == channel.StateRefunded {
			t.Errorf("late, asked: %+v", e)
		}
		if e := w.refund(a, r); e.State != channel.StatePending {
			t.Errorf("late, again: %+v", e)
		}
		w.until("refunded", func() bool { return w.askRefund(a, r).State == channel.StateRefunded })
		w.refundHeard(a, r, channel.StateRefunded)

		r = w.paidTrade(a)
		w.treat(a, "call", "refund_fail")
		if a.Channel() == models.ChannelAlipay {
			if _, err := a.Refund(t.Context(), r); !errors.Is(err, channel.ErrDeclined) || !strings.Contains(err.Error(), "SELLER_BALANCE_NOT_ENOUGH") {
				t.Errorf("failed: %v", err)
			}
		} else {
			w.refund(a, r)
			w.refundHeard(a, r, channel.StateRefundFailed)
			if e := w.askRefund(a, r); e.State != channel.StateRefundFailed {
				t.Errorf("failed: %+v", e)
			}
		}
		w.treat(a, "call", "normal")
		r.Refund.Number = freshNumber() // what failed took nothing: all of it can still go back
		w.refund(a, r)
		w.refundHeard(a, r, channel.StateRefunded)
	})
}

// Lesson 1: a call whose answer is lost has an unknown outcome, and the same number finds it done, once.
func TestRefundWhoseAnswerIsLost(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		w.treat(a, "call", "error500")
		if _, err := a.Refund(t.Context(), r); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("500: %v", err)
		}
		if _, err := a.QueryRefund(t.Context(), r.Payment, r.Refund); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("500, asked: %v", err)
		}
		w.treat(a, "call", "normal")
		if e := w.askRefund(a, r); e.State != channel.StateNotFound {
			t.Errorf("it never happened: %+v", e)
		}
		w.refund(a, r)
		w.settled()
		w.hears()
		if e := w.askRefund(a, r); e.State != channel.StateRefunded {
			t.Errorf("asked: %+v", e)
		}
	})
}

// A forged notification of a refund books nothing; wrong keys and foreign answers decide nothing.
func TestRefundsAreSigned(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		r := w.paidTrade(a)
		w.treat(a, "notify", "forge")
		w.refund(a, r)
		if _, err := a.ParseNotification(t.Context(), w.hears()); !errors.Is(err, channel.ErrForged) {
			t.Errorf("forged, and taken: %v", err)
		}
		k := w.creds()
		k.Alipay.PrivateKey, k.WeChatPay.PrivateKey = k.WeChatPay.PrivateKey, k.Alipay.PrivateKey
		if _, err := adapterOf(t, a.Channel(), w, k).Refund(t.Context(), r); !errors.Is(err, channel.ErrUnavailable) {
			t.Errorf("signed by nobody: %v", err)
		}
		k = w.creds()
		k.Alipay.AlipayPublicKey, k.WeChatPay.PublicKey = k.WeChatPay.PublicKey, k.Alipay.AlipayPublicKey
		deaf := adapterOf(t, a.Channel(), w, k)
		if _, err := deaf.Refund(t.Context(), r); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("an answer that is not the provider's: %v", err)
		}
		if _, err := deaf.QueryRefund(t.Context(), r.Payment, r.Refund); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("an answer that is not the provider's: %v", err)
		}
	})
}

// WeChat Pay takes the money from the merchant and cannot hand it to the payer: neither done nor failed, and the day's bill has it on
// its way. It ends under the same number.
func TestRefundHeld(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelWeChatPay}, func(t *testing.T, w *world, a channel.Adapter) {
		toNoon(w, a)
		r := w.paidTrade(a)
		w.treat(a, "call", "refund_held")
		w.refund(a, r)
		w.refundHeard(a, r, channel.StateHeld)
		if e := w.askRefund(a, r); e.State != channel.StateHeld || e.Detail != "ABNORMAL" || len(e.Reference) != 28 {
			t.Errorf("asked: %+v", e)
		}
		w.treat(a, "call", "normal")
		again := r
		again.Refund.Number = freshNumber()
		if _, err := a.Refund(t.Context(), again); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("its money has left us, and goes back a second time: %v", err)
		}
		day := channel.DayOf(a, w.clock.Now())
		w.clock.advance(24 * time.Hour)
		w.states(a, w.statement(a, day, 2), r.Payment.Number, r.Refund.Number, channel.StatePending, 1234)
		w.treat(a, "call", "refund_limited")
		for range 10 { // no outage: a breaker stays closed
			if e := w.refund(a, again); e.State != channel.StatePending || e.Reference != "" {
				t.Errorf("too soon: %+v", e)
			}
		}
		if e := w.askRefund(a, again); e.State != channel.StateNotFound {
			t.Errorf("too soon, asked: %+v", e)
		}
		w.treat(a, "call", "normal")
		if code := w.behave(`{"channel":"ALIPAY","call":"refund_held"}`); code != http.StatusBadRequest {
			t.Errorf("Alipay has no such refunds: HTTP %d", code)
		}
	})
}
