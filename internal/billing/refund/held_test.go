package refund_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/refund"
	"paydesk/internal/billing/suspense"
	"paydesk/internal/channel"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Adapters tell our numbers from strangers' in a statement of the whole merchant account.
func TestNumbersAreKnownAsOurs(t *testing.T) {
	for range 1000 {
		if n := payment.NewNumber(time.Now()); !channel.NamesOurs(n) || !channel.NamesOurs("`4200001,`"+n+"\t,`x") {
			t.Fatal(n)
		}
	}
	for _, text := range []string{"", "SHOP-1", "4200002345202611211234567890", "2026112122001412345678901234", "20260101000000abcdefghjkmn", "20260101000000ABCDEFGHJKMNX"} {
		if channel.NamesOurs(text) {
			t.Errorf("%q is not ours", text)
		}
	}
}

// shown are the items of suspense.
func (w *world) shown() []models.SuspenseItem {
	w.Helper()
	list, err := suspense.New(w.DB).List(w.ctx, page.First(10))
	w.must(err)
	return list.Items
}

// A refund that has left us and cannot reach the payer (WeChat Pay: ABNORMAL) is neither done nor failed: nothing is booked, its amount
// cannot be refunded a second time, an operator sees it, and what the provider makes of it in the end is booked once.
func TestHeldRefund(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, how := range []string{"normal", "drop"} { // told, and found by asking
			var log bytes.Buffer
			c := w.refunds.Config
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
			asking := refund.New(c)
			p := w.paid(bill(0, 60_00, wechat), w.place(models.Prepaid, "60.00"))
			before := w.book("clearing:WECHAT_PAY")
			w.behave(wechat, `"notify":"`+how+`","call":"refund_held"`)
			w.mustRefund(p, all, 50_00)
			for range 2 {
				w.clock.mu.Lock()
				w.clock.shift += 16 * time.Second
				w.clock.mu.Unlock()
				_, err := asking.Sweep(w.ctx, 100)
				w.must(err)
			}
			w.until("an operator sees it", func() bool { return len(w.shown()) == 1 })
			item, r := w.shown()[0], w.of(p)[0]
			if item.Reason != "REFUND_HELD" || item.PaymentID != p.ID || item.Amount != 0 {
				t.Errorf("%s: %+v", how, item)
			}
			if how == "drop" && (strings.Count(log.String(), "waits for somebody") != 1 || !strings.Contains(log.String(), "reference="+r.ChannelReference)) {
				t.Errorf("once, with the provider's number: %s", log.String())
			}
			if r.Status != models.RefundProcessing || len(r.ChannelReference) != 28 || w.book("refunding:WECHAT_PAY") != 50_00 || w.book("clearing:WECHAT_PAY") != before {
				t.Errorf("%s: %+v", how, r)
			}
			if _, err := w.refund(p, all, 50_00); err == nil {
				t.Errorf("%s: its amount was free for another refund", how)
			}
			w.clean()
			// Somebody settles it at the provider, under the same number.
			_, err := w.DB.Exec(w.ctx, "UPDATE sandbox_refunds SET outcome = 'SUCCEEDED' WHERE refund_number = ?", r.Number)
			w.must(err)
			w.behave(wechat, `"notify":"normal","call":"normal"`)
			w.advance(25 * time.Hour)
			if w.ends(p, models.RefundSucceeded); len(w.shown()) != 0 || w.book("clearing:WECHAT_PAY") != before+50_00 {
				t.Errorf("%s: still shown, or not booked: %+v", how, w.shown())
			}
			v, err := w.refunds.Apply(w.ctx, wechat, channel.Event{Number: p.Number, RefundNumber: r.Number, Reference: "R", State: channel.StateHeld})
			if w.must(err); v != "NOTHING" || len(w.shown()) != 0 {
				t.Errorf("%s, told after its end what was true before it: %s", how, v)
			}
			w.mustRefund(p, all, 0)
			w.ends(p, models.RefundSucceeded)
			if sum, n := w.wentBack(p); sum != 60_00 || n != 2 {
				t.Errorf("%s: %d in %d refunds", how, sum, n)
			}
		}
	})
}

// A refund that had ended here and is held after all is shown, once: what had gone back has bounced, and what had been refused has left us.
func TestHeldAfterItHadEnded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var log bytes.Buffer
		c := w.refunds.Config
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		told := refund.New(c)
		for _, c := range []struct {
			call, reason, line string
			status             models.RefundStatus
			amount             int64
		}{
			{"normal", "REFUND_RETURNED", "a refund has bounced", models.RefundSucceeded, 60_00},
			{"refund_fail", "REFUND_HELD", "waits for somebody", models.RefundFailed, 0},
		} {
			before, suspended := len(w.shown()), w.book("suspense:WECHAT_PAY")
			p := w.paid(bill(0, 60_00, wechat), w.place(models.Prepaid, "60.00"))
			w.behave(wechat, `"call":"`+c.call+`"`)
			w.mustRefund(p, all, 0)
			r := w.ends(p, c.status)
			w.behave(wechat, `"call":"normal"`)
			_, err := w.DB.Exec(w.ctx, "UPDATE sandbox_refunds SET outcome = 'HELD' WHERE refund_number = ?", r.Number)
			w.must(err)
			for _, want := range []payment.Verdict{payment.Suspense, payment.Nothing, payment.Nothing} {
				v, err := told.Apply(w.ctx, wechat, channel.Event{Number: p.Number, RefundNumber: r.Number, Reference: "R", State: channel.StateHeld, Detail: "ABNORMAL"})
				if v != want || err != nil {
					t.Errorf("%s: %s %v, not %s", c.status, v, err, want)
				}
			}
			items := w.shown()
			if len(items) != before+1 || strings.Count(log.String(), c.line) != 1 || w.book("suspense:WECHAT_PAY")-suspended != c.amount {
				t.Fatalf("%s: %+v, %d in suspense\n%s", c.status, items, w.book("suspense:WECHAT_PAY"), log.String())
			}
			if item := items[before]; item.Reason != c.reason || item.Amount != c.amount || item.PaymentID != p.ID || w.of(p)[0].Status != c.status {
				t.Errorf("%s: %+v, refund %s", c.status, item, w.of(p)[0].Status)
			}
			w.clean()
		}
		// The one that had been refused arrives in the end: that is another item, and this one goes.
		var number, trade string
		_, err := w.DB.QueryRow(w.ctx, []any{&number, &trade}, "SELECT refund_number, number FROM sandbox_refunds WHERE refund_number IN (SELECT number FROM refunds WHERE status = 'FAILED')")
		w.must(err)
		v, err := told.Apply(w.ctx, wechat, channel.Event{Number: trade, RefundNumber: number, Reference: "R", State: channel.StateRefunded, Amount: cny(60_00)})
		if items := w.shown(); v != payment.Suspense || err != nil || len(items) != 2 || items[1].Reason != "REFUNDED_AFTER_FAILURE" {
			t.Errorf("%s %v %+v", v, err, items)
		}
		w.clean()
	})
}

// WeChat Pay wants a minute between refunds of one trade. What it will not take yet waits and goes back later, once each.
func TestRefundsTooCloseTogether(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.paid(bill(0, 60_00, wechat), w.place(models.Prepaid, "60.00"))
		w.mustRefund(p, all, 10_00)
		w.ends(p, models.RefundSucceeded)
		w.behave(wechat, `"call":"refund_limited"`)
		for range 3 {
			if _, err := w.refund(p, all, 10_00); err != nil {
				t.Fatal(err)
			}
		}
		w.advance(16 * time.Second)
		for _, r := range w.of(p)[:3] {
			if r.Status != models.RefundProcessing {
				t.Errorf("%+v", r)
			}
		}
		w.behave(wechat, `"call":"normal"`)
		w.advance(time.Minute)
		w.until("all of them", func() bool {
			sum, n := w.wentBack(p)
			return sum == 40_00 && n == 4
		})
		for _, r := range w.of(p) {
			w.until("booked", func() bool {
				now, err := w.refunds.ByID(w.ctx, r.AccountID, r.ID)
				return err == nil && now.Status == models.RefundSucceeded
			})
		}
	})
}
