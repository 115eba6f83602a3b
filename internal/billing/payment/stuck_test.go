package payment_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/channel"
	"paydesk/models"
)

// A channel that goes on telling another amount must not keep a payment open and its order held for ever (contract.md §5:
// the hold ends when the payment expires).
func TestAnotherAmountDoesNotHoldTheOrderForEver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			o := w.place(false, "42.00")[0]
			p, err := w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200))
			w.must(err)
			w.behave(ch, `"notify":"drop"`)
			w.play(p, "outcome=succeed")
			_, err = w.DB.Exec(w.ctx, "UPDATE sandbox_trades SET amount = 4100 WHERE number = ?", p.Number)
			w.must(err)
			w.advance(16 * time.Second)
			if now := w.now(p); now.Status != models.PaymentRequiresAction {
				t.Fatalf("%s: %+v", ch, now)
			}
			w.advance(20 * time.Minute)
			if now := w.now(p); now.Status != models.PaymentExpired || !w.orderNow(o).ActivePaymentID.IsZero() || now.LateAmount != 0 {
				t.Errorf("%s: %s, held by %s", ch, now.Status, w.orderNow(o).ActivePaymentID)
			}
			w.behave(ch, `"notify":"normal"`)
		}
		var items, sum int64
		_, err := w.DB.QueryRow(w.ctx, []any{&items, &sum}, "SELECT COUNT(*), COALESCE(SUM(amount), 0) FROM suspense_items")
		w.must(err)
		if items != 2 || sum != 8200 || w.available() != 0 {
			t.Errorf("%d items of %d, %d available", items, sum, w.available())
		}
	})
}

// Lesson 7: a success after the end is found although the notification was lost and the channel did not answer any of the
// questions that were planned.
func TestLateWatchOutlivesAnOutage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			before := w.available()
			w.behave(ch, `"notify":"drop"`)
			p, err := w.payments.TopUp(w.ctx, w.payer, online(ch, 900))
			w.must(err)
			page := w.withContent(p)
			p, err = w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID)
			w.must(err)
			w.play(page, "outcome=succeed&late=true")
			w.behave(ch, `"notify":"drop","call":"error500"`)
			for _, d := range []time.Duration{2 * time.Minute, 12 * time.Minute, 2 * time.Hour, 25 * time.Hour, 25 * time.Hour} {
				w.advance(d)
			}
			w.behave(ch, `"notify":"drop","call":"normal"`)
			w.advance(25 * time.Hour)
			if now := w.now(p); now.LateAmount != 900 || w.available() != before+900 || now.SweepAt != nil {
				t.Errorf("%s: late %d, %d available, next look %v", ch, now.LateAmount, w.available()-before, now.SweepAt)
			}
			w.behave(ch, `"notify":"normal"`)
		}
	})
}

// meeting is a channel whose answers come only when several are asked for at once.
type meeting struct {
	channel.Adapter
	in, wanted atomic.Int64
	all        chan struct{}
}

func (m *meeting) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	if m.in.Add(1) == m.wanted.Load() {
		close(m.all)
	}
	select {
	case <-m.all:
		return m.Adapter.Query(ctx, p)
	case <-time.After(10 * time.Second):
		return channel.Event{}, channel.ErrUnknown
	}
}

// A channel that is slow to answer costs one answer's time, not one for each open payment.
func TestSlowChannelIsAskedInParallel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := &meeting{Adapter: w.payments.Channels[models.ChannelAlipay], all: make(chan struct{})}
		m.wanted.Store(4)
		w.payments.Channels[models.ChannelAlipay] = m
		for range 4 {
			_, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 900))
			w.must(err)
		}
		w.clock.mu.Lock()
		w.clock.shift += 16 * time.Second
		w.clock.mu.Unlock()
		began := time.Now()
		if n, err := w.payments.Sweep(w.ctx, 100); err != nil || n != 4 {
			t.Fatal(n, err)
		}
		if took := time.Since(began); took > 9*time.Second {
			t.Errorf("one after the other: %s", took)
		}
	})
}

// Lesson 14: what orders cost together is never less than one of them, however large they are.
func TestASumThatDoesNotFitIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100)
		const third = "61489146912365172.06" // three of them are two fen more than 64 bits hold
		b := w.place(true, third, third, third)
		if _, err := w.payments.Pay(w.ctx, w.payer, fromBalance(b[0], 2)); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") {
			t.Error(err)
		}
		if w.available() != 100 || w.orderNow(b[0]).Status != models.OrderPendingPayment {
			t.Error("paid for next to nothing")
		}
	})
}

// A channel that answers nothing any more does not hold an order for ever, and its money is not lost when it speaks again.
func TestSilentChannel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.place(false, "42.00")[0]
		p, err := w.payments.Pay(w.ctx, w.payer, through(o, models.ChannelAlipay, 4200))
		w.must(err)
		w.behave(models.ChannelAlipay, `"notify":"drop"`)
		w.play(p, "outcome=succeed")
		w.behave(models.ChannelAlipay, `"notify":"drop","call":"error500"`)
		w.advance(30 * time.Minute)
		if now := w.now(p); now.Status != models.PaymentRequiresAction {
			t.Fatal("without an answer nothing is certain:", now.Status)
		}
		w.advance(50 * time.Minute)
		if now := w.now(p); now.Status != models.PaymentExpired || !w.orderNow(o).ActivePaymentID.IsZero() {
			t.Fatalf("an hour of silence after its end: %s", now.Status)
		}
		w.behave(models.ChannelAlipay, `"notify":"drop","call":"normal"`)
		w.advance(2 * time.Hour)
		if w.available() != 4200 || w.lines(models.KindLatePayment) != 1 {
			t.Errorf("the money is lost: %d", w.available())
		}
	})
}
