package refund_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/refund"
	"paydesk/internal/channel"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Lesson 1: a process that dies between the commit and the call, or between the call and its answer, leaves a refund that the sweep
// brings to its end with the same number: exactly one at the provider, however many sweep.
func TestLostCallsAreSweptWithTheSameNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range both {
			w.behave(ch, `"notify":"drop"`)
		}
		for _, lost := range []string{"before", "after", "refused"} {
			for _, ch := range both {
				w.behave(ch, `"notify":"normal"`)
				o := w.place(models.Prepaid, "60.00")[0]
				p := w.paid(bill(0, 60_00, ch), []models.Order{o})
				w.behave(ch, `"notify":"drop"`)
				w.lines[ch].lose(lost)
				w.mustRefund(p, all, 25_00)
				r := w.of(p)[0]
				if _, n := w.wentBack(p); (n == 0) != (lost == "before") {
					t.Errorf("%s %s: %d at the provider", ch, lost, n)
				}
				if lost != "refused" && r.Status != models.RefundProcessing {
					t.Errorf("%s %s: %+v", ch, lost, r)
				}
				w.clean()
				w.lines[ch].lose("")
				var sweeps sync.WaitGroup
				w.clock.mu.Lock()
				w.clock.shift += 16 * time.Second
				w.clock.mu.Unlock()
				for range 3 {
					sweeps.Go(func() {
						if _, err := w.refunds.Sweep(w.ctx, 100); err != nil {
							t.Error(err)
						}
					})
				}
				sweeps.Wait()
				w.advance(16 * time.Second) // what WeChat Pay has accepted is asked for once more
				if r = w.of(p)[0]; r.Status != models.RefundSucceeded {
					t.Errorf("%s %s: %+v", ch, lost, r)
				}
				if sum, n := w.wentBack(p); sum != 25_00 || n != 1 || len(w.of(p)) != 1 {
					t.Errorf("%s %s: %d in %d refunds at the provider", ch, lost, sum, n)
				}
			}
		}
	})
}

// Contract §5: the same key resumes a call that never was, with the same number.
func TestSameKeyResumes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.paid(bill(0, 60_00, ali), w.place(models.Prepaid, "60.00"))
		ctx := idempotency.With(w.ctx, idempotency.Request{Scope: "s", Mutation: "refundPayment", Key: "k"})
		in := refund.Input{PaymentID: p.ID, Reason: "r"}
		w.lines[ali].lose("before")
		_, err := w.refunds.Refund(ctx, in)
		w.must(err)
		w.lines[ali].lose("")
		_, err = w.refunds.Refund(ctx, in)
		w.must(err)
		if r := w.of(p); len(r) != 1 || r[0].Status != models.RefundSucceeded {
			t.Errorf("%+v", r)
		}
		if sum, n := w.wentBack(p); sum != 60_00 || n != 1 {
			t.Errorf("%d in %d", sum, n)
		}
	})
}

// A provider that is away costs time, nothing else: the refund is asked after and called again until it answers.
func TestProviderAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range both {
			p := w.paid(bill(0, 60_00, ch), w.place(models.Prepaid, "60.00"))
			w.behave(ch, `"call":"error500"`)
			w.mustRefund(p, all, 0)
			for range 4 {
				w.advance(16 * time.Second)
			}
			if r := w.of(p)[0]; r.Status != models.RefundProcessing || r.SweepCount != 4 {
				t.Errorf("%s: %+v", ch, r)
			}
			w.behave(ch, `"call":"normal"`)
			w.advance(16 * time.Second)
			w.advance(16 * time.Second)
			w.ends(p, models.RefundSucceeded)
			if sum, n := w.wentBack(p); sum != 60_00 || n != 1 {
				t.Errorf("%s: %d in %d", ch, sum, n)
			}
			calls := w.lines[ch].calls
			w.advance(100 * time.Hour)
			if w.lines[ch].calls != calls {
				t.Error("called again after its end")
			}
		}
	})
}

// A refund that its channel refuses counts for nothing: all of it can go back again.
func TestFailedRefundGivesBackItsPlace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range both {
			orders := w.place(models.Prepaid, "40.00", "20.00")
			p := w.paid(bill(0, 60_00, ch), orders)
			w.behave(ch, `"call":"refund_fail"`)
			w.mustRefund(p, all, 0)
			r := w.ends(p, models.RefundFailed)
			now, err := w.payments.ByID(w.ctx, p.AccountID, p.ID)
			w.must(err)
			if now.Refunded != 0 || r.Amount != 60_00 || w.status(orders[0]) != models.OrderProcessing || w.told(w.payer, p.Number) != 0 || w.book("refunding:"+string(ch)) != 0 {
				t.Errorf("%s: %d %+v", ch, now.Refunded, r)
			}
			w.clean()
			w.behave(ch, `"call":"normal"`)
			w.mustRefund(p, all, 0)
			w.ends(p, models.RefundSucceeded)
			if sum, _ := w.wentBack(p); sum != 60_00 || w.status(orders[1]) != models.OrderRefunded || w.book("clearing:"+string(ch)) != 0 {
				t.Errorf("%s: %d %s", ch, sum, w.status(orders[1]))
			}
		}
	})
}

// Of a combined payment's refund the balance part stays where it went; the part that the channel refused goes back later.
func TestFailedPartOfACombinedRefund(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 30_01)
		orders := w.place(models.Prepaid, "66.66", "33.35")
		p := w.paid(bill(30_01, 70_00, wechat), orders)
		w.behave(wechat, `"call":"refund_fail"`)
		w.mustRefund(p, all, 50_00)
		w.until("the refusal", func() bool { return len(w.of(p)) == 2 })
		now, err := w.payments.ByID(w.ctx, p.AccountID, p.ID)
		w.must(err)
		if now.Refunded != 15_00 || w.balance(w.payer).Available() != 15_00 {
			t.Errorf("%d, %d", now.Refunded, w.balance(w.payer).Available())
		}
		for _, r := range w.of(p) {
			switch r.Status {
			case models.RefundFailed:
				if r.Amount != 35_00 || r.OnlineAmount != 35_00 || r.BalanceAmount != 0 {
					t.Errorf("%+v", r)
				}
			case models.RefundSucceeded:
				if r.Amount != 15_00 || r.BalanceAmount != 15_00 || r.Channel != "" {
					t.Errorf("%+v", r)
				}
			default:
				t.Errorf("%+v", r)
			}
		}
		w.clean()
		w.behave(wechat, `"call":"normal"`)
		w.mustRefund(p, all, 35_00) // what the channel refused is made up for first
		if r := w.of(p)[0]; r.OnlineAmount != 35_00 || r.BalanceAmount != 0 {
			t.Errorf("%+v", r)
		}
		w.mustRefund(p, all, 0)
		w.until("all of it", func() bool {
			return w.status(orders[0]) == models.OrderRefunded && w.status(orders[1]) == models.OrderRefunded
		})
		if sum, _ := w.wentBack(p); sum != 70_00 || w.balance(w.payer).Available() != 30_01 {
			t.Errorf("%d, %d", sum, w.balance(w.payer).Available())
		}
	})
}

// Lessons 3 and 5: what a channel says of a refund is booked once, in whatever order and however often; what it says after the end, of
// another amount or of an unknown number changes nothing that has ended.
func TestWhatAChannelSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.place(models.Prepaid, "60.00")[0]
		p := w.paid(bill(0, 60_00, wechat), []models.Order{o})
		w.behave(wechat, `"call":"refund_late:1h"`)
		w.mustRefund(p, all, 0)
		r := w.of(p)[0]
		say := func(state channel.State, minor int64, number string) payment.Verdict {
			v, err := w.refunds.Apply(w.ctx, wechat, channel.Event{Number: p.Number, RefundNumber: number, Reference: "R", State: state, Amount: cny(minor)})
			w.must(err)
			return v
		}
		for _, c := range []struct {
			state  channel.State
			minor  int64
			number string
			want   payment.Verdict
		}{
			{channel.StateRefunded, 60_00, "20260101000000ABCDEFGHJKMN", payment.UnknownReference},
			{channel.StatePending, 0, r.Number, payment.Nothing},
			{channel.StateNotFound, 0, r.Number, payment.Nothing},
			{channel.StateRefunded, 59_99, r.Number, payment.Nothing},
		} {
			if v := say(c.state, c.minor, c.number); v != c.want || w.of(p)[0].Status != models.RefundProcessing {
				t.Errorf("%+v: %s", c, v)
			}
		}
		if v, err := w.refunds.Apply(w.ctx, ali, channel.Event{Number: p.Number, RefundNumber: r.Number, State: channel.StateRefunded, Amount: cny(60_00)}); v != payment.UnknownReference || err != nil {
			t.Error("another channel's word", v, err)
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		verdicts := map[payment.Verdict]int{}
		for range 20 {
			group.Go(func() {
				v := say(channel.StateRefunded, 60_00, r.Number)
				mu.Lock()
				defer mu.Unlock()
				verdicts[v]++
			})
		}
		group.Wait()
		if verdicts[payment.Applied] != 1 || verdicts[payment.Nothing] != 19 || w.book("clearing:WECHAT_PAY") != 0 || w.told(w.payer, p.Number) != 2 {
			t.Errorf("%v, %d, told %d", verdicts, w.book("clearing:WECHAT_PAY"), w.told(w.payer, p.Number))
		}
		// It bounces, days later perhaps: the money is ours again and nobody's, once.
		for _, want := range []payment.Verdict{payment.Suspense, payment.Nothing} {
			if v := say(channel.StateRefundFailed, 0, r.Number); v != want || w.of(p)[0].Status != models.RefundSucceeded || w.status(o) != models.OrderRefunded {
				t.Errorf("failed after it had succeeded: %s %s", v, w.of(p)[0].Status)
			}
		}
		if w.book("suspense:WECHAT_PAY") != 60_00 || w.book("clearing:WECHAT_PAY") != -60_00 {
			t.Errorf("bounced: %d in suspense, %d in clearing", w.book("suspense:WECHAT_PAY"), w.book("clearing:WECHAT_PAY"))
		}
	})
}

// A channel that sends back after all what it had refused: the refund stays as it ended, the money is in suspense, once.
func TestRefundedAfterItHadFailed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.paid(bill(0, 60_00, wechat), w.place(models.Prepaid, "60.00"))
		w.behave(wechat, `"call":"refund_fail"`)
		w.mustRefund(p, all, 0)
		r := w.ends(p, models.RefundFailed)
		for i := range 2 {
			v, err := w.refunds.Apply(w.ctx, wechat, channel.Event{Number: p.Number, RefundNumber: r.Number, Reference: "R", State: channel.StateRefunded, Amount: cny(60_00)})
			if want := []payment.Verdict{payment.Suspense, payment.Nothing}[i]; v != want || err != nil {
				t.Errorf("%s %v, not %s", v, err, want)
			}
		}
		if w.of(p)[0].Status != models.RefundFailed || w.book("suspense:WECHAT_PAY") != -60_00 || w.book("clearing:WECHAT_PAY") != 0 {
			t.Errorf("%+v %d %d", w.of(p)[0], w.book("suspense:WECHAT_PAY"), w.book("clearing:WECHAT_PAY"))
		}
	})
}

// WeChat Pay's notification ends a refund without being asked; forged and repeated ones change nothing.
func TestRefundIsNotified(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, how := range []string{"normal", "duplicate", "delay:50ms"} {
			p := w.paid(bill(0, 60_00, wechat), w.place(models.Prepaid, "60.00"))
			w.behave(wechat, `"notify":"`+how+`"`)
			w.mustRefund(p, all, 0)
			w.ends(p, models.RefundSucceeded)
			w.behave(wechat, `"notify":"normal"`)
		}
		p := w.paid(bill(0, 60_00, wechat), w.place(models.Prepaid, "60.00"))
		w.behave(wechat, `"notify":"forge","call":"refund_late:1h"`)
		w.mustRefund(p, all, 0)
		w.arrive()
		w.until("the forged one refused", func() bool {
			var n int
			_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM sandbox_notifications WHERE forged = 1 AND last_answer LIKE '401%'")
			return err == nil && n == 1
		})
		if r := w.of(p)[0]; r.Status != models.RefundProcessing {
			t.Errorf("a forged word was taken: %+v", r)
		}
		w.advance(16 * time.Second)
		w.ends(p, models.RefundSucceeded)
		w.until("the inbox", func() bool {
			var n int
			_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM inbox WHERE verdict NOT IN ('APPLIED', 'NOTHING', 'REFUSED')")
			return err == nil && n == 0
		})
	})
}

// Refunds of many payments of one account wait for each other, never in a circle.
func TestRefundsOfOneAccountAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 300_00)
		var paid []models.Payment
		for range 10 {
			paid = append(paid, w.paid(bill(30_00, 0, ""), w.place(models.Prepaid, "10.00", "20.00")))
		}
		var group sync.WaitGroup
		for _, p := range paid {
			for range 3 {
				group.Go(func() {
					if _, err := w.refund(p, all, 10_00); err != nil {
						t.Error(err)
					}
				})
			}
		}
		group.Wait()
		if w.balance(w.payer).Available() != 300_00 {
			t.Error(w.balance(w.payer).Available())
		}
	})
}

// A refund whose channel is not configured any more is on its way until it is again, and each look at it says so.
func TestChannelGoneIsLogged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.paid(bill(0, 60_00, ali), w.place(models.Prepaid, "60.00"))
		w.lines[ali].lose("before")
		w.mustRefund(p, all, 0)
		var log bytes.Buffer
		c := w.refunds.Config
		c.Channels, c.Log = channel.Registry{wechat: w.lines[wechat]}, slog.New(slog.NewTextHandler(&log, nil))
		gone := refund.New(c)
		for looks := 1; looks <= 2; looks++ {
			w.clock.mu.Lock()
			w.clock.shift += 16 * time.Second
			w.clock.mu.Unlock()
			_, err := gone.Sweep(w.ctx, 100)
			w.must(err)
			if n := strings.Count(log.String(), "level=WARN"); n != looks || w.of(p)[0].Status != models.RefundProcessing || !strings.Contains(log.String(), w.of(p)[0].ID.String()) {
				t.Errorf("%d warnings after %d looks: %s", n, looks, log.String())
			}
		}
		w.lines[ali].lose("")
		w.advance(16 * time.Second)
		w.ends(p, models.RefundSucceeded)
	})
}
