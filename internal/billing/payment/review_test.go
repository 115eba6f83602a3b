package payment_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/models"
)

// reviewer is a channel that has the payer's money and says of it what the test wants; until then it is the one it stands around.
type reviewer struct {
	channel.Adapter
	mu             sync.Mutex
	state          channel.State // empty: that of the trade
	silent         bool
	asked, started int
}

// review puts a reviewer around a channel.
func (w *world) review(ch models.PaymentChannel) *reviewer {
	r := &reviewer{Adapter: w.payments.Channels[ch]}
	w.payments.Channels[ch] = r
	return r
}

func (r *reviewer) says(s channel.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state, r.silent = s, false
}

func (r *reviewer) Start(ctx context.Context, q channel.StartRequest) (channel.Started, error) {
	r.mu.Lock()
	r.started++
	r.mu.Unlock()
	return r.Adapter.Start(ctx, q)
}

func (r *reviewer) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	switch {
	case r.silent:
		return channel.Event{}, channel.ErrUnknown
	case r.state == "":
		return r.Adapter.Query(ctx, p)
	}
	return channel.Event{Number: p.Number, Reference: "C" + p.Number, State: r.state, Amount: p.Amount}, nil
}

func (r *reviewer) Close(ctx context.Context, p channel.Ref) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == channel.StateInReview || r.state == channel.StatePaid {
		return channel.ErrAlreadyPaid
	}
	return r.Adapter.Close(ctx, p)
}

// underReview pays an order through a channel that takes the money and does not decide.
func (w *world) underReview() (*reviewer, models.Order, models.Payment) {
	w.Helper()
	r, o := w.review(models.ChannelAlipay), w.place(false, "42.00")[0]
	p, err := w.payments.Pay(w.ctx, w.payer, through(o, models.ChannelAlipay, 4200))
	w.must(err)
	r.says(channel.StateInReview)
	w.advance(16 * time.Second)
	if p = w.now(p); p.Status != models.PaymentProcessing || p.ActionMethod != "" || p.ActionExpiresAt != nil || p.Version != 3 {
		w.Fatalf("under review: %+v", p)
	}
	return r, o, p
}

// A payment whose money the provider reviews is neither expired nor canceled nor begun anew, and its order is not payable twice. It ends as
// the provider says, days after its own end and that of its order.
func TestMoneyUnderReviewIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			says   channel.State
			status models.PaymentStatus
			order  models.OrderStatus
		}{
			{channel.StatePaid, models.PaymentSucceeded, models.OrderProcessing},
			{channel.StateDeclined, models.PaymentFailed, models.OrderExpired},
			{channel.StateClosed, models.PaymentFailed, models.OrderExpired},
			{channel.StatePending, models.PaymentFailed, models.OrderExpired}, // it has given the money back and waits for other
		} {
			r, o, p := w.underReview()
			patient := func(when string) {
				t.Helper()
				if now := w.now(p); now.Status != models.PaymentProcessing || now.Version != 3 || now.SweepAt == nil || w.orderNow(o).ActivePaymentID != p.ID {
					t.Fatalf("%s, %s: %+v", c.says, when, now)
				}
				if _, err := w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID); !fault.Is(err, "PAYMENT_NOT_CANCELABLE") {
					t.Errorf("%s, %s: canceled: %v", c.says, when, err)
				}
				if _, err := w.payments.Pay(w.ctx, w.payer, through(o, models.ChannelWeChatPay, 4200)); !fault.Is(err, "ORDER_BEING_PAID") {
					t.Errorf("%s, %s: payable twice: %v", c.says, when, err)
				}
			}
			patient("at once")
			w.advance(20 * time.Minute)
			patient("after its end")
			r.silent = true
			w.advance(2 * time.Hour)
			patient("the channel is silent")
			r.says(channel.StateInReview)
			w.advance(8 * 24 * time.Hour)
			patient("after its order's end")
			for _, unsure := range []channel.State{channel.StateNotFound, channel.StateApproved, "SOMETHING_NEW"} {
				r.says(unsure)
				w.advance(time.Hour)
				patient(string(unsure) + " in between")
			}
			r.says(channel.StateInReview)
			w.advance(time.Hour)
			before := r.asked
			w.advance(50 * time.Minute)
			if r.asked != before {
				t.Errorf("asked %d times within an hour", r.asked-before)
			}
			r.says(c.says)
			w.advance(time.Hour)
			now, paid := w.now(p), w.orderNow(o)
			if now.Status != c.status || paid.Status != c.order || !paid.ActivePaymentID.IsZero() || now.LateAmount != 0 || w.available() != 0 {
				t.Errorf("%s: %s, its order %s held by %s", c.says, now.Status, paid.Status, paid.ActivePaymentID)
			}
			if c.status == models.PaymentFailed && now.FailureCode != "PAYMENT_DECLINED" {
				t.Errorf("%s: %s", c.says, now.FailureCode)
			}
			if r.started != 1 {
				t.Errorf("started %d times", r.started)
			}
			w.payments.Channels[models.ChannelAlipay] = r.Adapter
		}
		w.underReview()
		w.advance(3 * 24 * time.Hour) // left so: the audit finds nothing wrong with it
	})
}

// Who cancels while nobody knows yet that the money is taken learns that it cannot be canceled any more.
func TestCancelFindsAReview(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.review(models.ChannelAlipay)
		p, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 900))
		w.must(err)
		r.says(channel.StateInReview)
		if _, err := w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID); !fault.Is(err, "PAYMENT_NOT_CANCELABLE") || w.now(p).Status != models.PaymentProcessing {
			t.Errorf("%v, %s", err, w.now(p).Status)
		}
		var said []string
		for range 2 { // the second is told of what stands
			v, err := w.payments.Apply(w.ctx, models.ChannelAlipay, channel.Event{Number: p.Number, State: channel.StateInReview})
			w.must(err)
			said = append(said, string(v))
		}
		events, err := w.payments.Events(w.ctx, p.AccountID, []models.ID{p.ID})
		w.must(err)
		if fmt.Sprint(said) != "[NOTHING NOTHING]" || len(events[p.ID]) != 3 || events[p.ID][2].Note != "payment.note.in_review" {
			t.Errorf("%v %+v", said, events[p.ID])
		}
		r.says(channel.StatePaid)
		w.advance(16 * time.Second)
		if w.now(p).Status != models.PaymentSucceeded || w.available() != 900 {
			t.Errorf("%s, %d available", w.now(p).Status, w.available())
		}
	})
}

// Lesson 7: money that is reviewed for days after its payment's end is not lost sight of.
func TestReviewAfterTheEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.review(models.ChannelAlipay)
		p, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 900))
		w.must(err)
		_, err = w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID)
		w.must(err)
		r.says(channel.StateInReview)
		for range 8 {
			w.advance(25 * time.Hour)
		}
		if now := w.now(p); now.Status != models.PaymentCanceled || now.SweepAt == nil {
			t.Fatalf("%+v", now)
		}
		r.says(channel.StatePaid)
		w.advance(25 * time.Hour)
		if now := w.now(p); now.Status != models.PaymentCanceled || now.LateAmount != 900 || w.available() != 900 {
			t.Errorf("late %d, %d available", now.LateAmount, w.available())
		}
	})
}

// A dispute books nothing and is shown to the operator, whether it names a payment of ours or none; in the log are ids alone.
func TestDispute(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.payments.Log = slog.New(slog.NewTextHandler(&log, nil))
		p, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 900))
		w.must(err)
		w.play(p, "outcome=succeed")
		p = w.reaches(p, models.PaymentSucceeded)
		for _, number := range []string{p.Number, "", "NOTOURS"} {
			for range 2 {
				v, err := w.payments.Apply(w.ctx, models.ChannelAlipay, channel.Event{ID: "WH-1", Number: number, Reference: "PP-D-1", State: channel.StateDisputed, Amount: cny(900)})
				if err != nil || v != payment.Disputed {
					t.Errorf("%q: %s, %v", number, v, err)
				}
			}
		}
		if now := w.now(p); now.Status != models.PaymentSucceeded || now.Version != p.Version || w.available() != 900 {
			t.Errorf("%+v, %d available", now, w.available())
		}
		if text := log.String(); strings.Count(text, "level=WARN") != 6 || strings.Count(text, p.ID.String()) != 2 || strings.Count(text, "PP-D-1") != 6 {
			t.Error(text)
		}
	})
}

// A review that lasts for more than a month holds its order for ever: somebody is told, once a day, until it has ended; by ids alone.
func TestAReviewThatLastsIsReported(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		w.payments.Log = slog.New(slog.NewTextHandler(&log, nil))
		r, _, p := w.underReview()
		reported := func(when string, want int) {
			t.Helper()
			if n := strings.Count(log.String(), `level=ERROR msg="channel still reviews the payer's money after a month"`); n != want {
				t.Errorf("%s: reported %d times, not %d", when, n, want)
			}
		}
		w.advance(30 * 24 * time.Hour)
		reported("before", 0)
		w.advance(time.Hour)
		for range 3 {
			reported("a month after its end", 1)
			w.advance(time.Hour)
		}
		w.advance(20 * time.Hour)
		w.advance(time.Hour)
		reported("a day later", 2)
		r.silent = true
		w.advance(25 * time.Hour)
		reported("nobody says anything", 3)
		if !strings.Contains(log.String(), "payment="+p.ID.String()) || strings.Contains(log.String(), "42.00") {
			t.Error(log.String())
		}
		r.says(channel.StateDeclined)
		w.advance(25 * time.Hour)
		w.advance(25 * time.Hour)
		reported("it has ended", 3)
	})
}
