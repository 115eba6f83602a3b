package order_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

// waits places an order that waits for somebody else's decision.
func (e *env) waits(s models.OrderStatus) models.Order {
	e.t.Helper()
	o := newOrder("12.50")
	o.Status = s
	return e.place(o)[0]
}

// reached gives the account addresses to be told at.
func (e *env) reached(country string) {
	e.exec("UPDATE accounts SET email = 'payer@example.com', phone = '+86 138 0000 0000', country = ? WHERE id = ?", country, e.account)
}

func (e *env) letters() []notify.Message {
	e.t.Helper()
	told, err := notify.New(e.db).Of(e.ctx, e.account)
	e.must(err)
	return told
}

// HW-17, HW-36: what was reviewed can be paid or is canceled, and the account is told at its phone and its e-mail, once; the same
// decision again changes nothing, another one is refused.
func TestReview(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.reached("CN")
		for _, c := range []struct {
			approve bool
			want    models.OrderStatus
			says    string
		}{{true, models.OrderPendingPayment, "已通过审批，现在可以"}, {false, models.OrderCanceled, "原因：“超出预算”。"}} {
			e.exec("DELETE FROM messages WHERE account_id = ?", e.account)
			o := e.waits(models.OrderPendingReview)
			for range 2 {
				got, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Approve: c.approve, Reason: "超出预算", By: "u-zhou"})
				if err != nil || got.Status != c.want {
					t.Errorf("%v: %s (%v)", c.approve, got.Status, err)
				}
			}
			told := e.letters()
			if len(told) != 2 || told[0].Kind == told[1].Kind {
				t.Fatalf("told %+v", told)
			}
			for _, m := range told {
				if !strings.Contains(m.Body, o.Number) || !strings.Contains(m.Body, c.says) || !strings.Contains(m.Body, "12.50") {
					t.Errorf("%s says %q", m.Kind, m.Body)
				}
				if to := map[string]string{"SMS": "+86 138 0000 0000", "EMAIL": "payer@example.com"}[m.Kind]; m.To != to {
					t.Errorf("%s to %s", m.Kind, m.To)
				}
			}
			if _, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Approve: !c.approve}); !fault.Is(err, "ORDER_NOT_REVIEWABLE") {
				t.Errorf("another decision: %v", err)
			}
			e.exec("UPDATE orders SET status = 'PROCESSING' WHERE account_id = ? AND id = ?", e.account, o.ID)
			if got, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Approve: c.approve}); err != nil || got.Status != models.OrderProcessing {
				t.Errorf("the same, later: %s (%v)", got.Status, err)
			}
			if n := len(e.letters()); n != 2 {
				t.Errorf("%d letters in the end", n)
			}
		}
	})
}

// HW-18: what was confirmed can be paid, and the account is told.
func TestConfirm(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.reached("US")
		o := e.waits(models.OrderPendingConfirmation)
		if _, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Approve: true}); !fault.Is(err, "ORDER_NOT_REVIEWABLE") {
			t.Errorf("reviewed: %v", err)
		}
		for range 2 {
			if got, err := e.Confirm(e.ctx, o.ID, "u-zhou"); err != nil || got.Status != models.OrderPendingPayment {
				t.Errorf("%s (%v)", got.Status, err)
			}
		}
		if told := e.letters(); len(told) != 2 || !strings.Contains(told[0].Body, "is confirmed. You can pay it now") {
			t.Errorf("told %+v", told)
		}
	})
}

// HW-9: an order whose bundle still waits is not said to be payable.
func TestApprovalNamesWhatStillWaits(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.reached("HK")
		first, second := newOrder("1"), newOrder("2")
		first.Status, second.Status = models.OrderPendingReview, models.OrderPendingReview
		bundle := e.bundle(first, second, newOrder("3"))
		_, err := e.Review(e.ctx, order.Review{OrderID: bundle[0].ID, Approve: true})
		e.must(err)
		if told := e.letters(); !strings.Contains(told[0].Body, "關聯訂單一起支付："+bundle[1].Number+"。") {
			t.Errorf("told %q", told[0].Body)
		}
		e.exec("DELETE FROM messages WHERE account_id = ?", e.account)
		_, err = e.Review(e.ctx, order.Review{OrderID: bundle[1].ID, Approve: true})
		e.must(err)
		if told := e.letters(); !strings.Contains(told[0].Body, "現在可以") {
			t.Errorf("told %q", told[0].Body)
		}
	})
}

// Nothing else can be decided about, and nobody is told of it.
func TestNotReviewable(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.reached("CN")
		over := e.waits(models.OrderPendingReview)
		e.clock.advance(8 * 24 * time.Hour)
		expired := e.set(e.waits(models.OrderPendingConfirmation), models.OrderExpired)
		for name, c := range map[string]struct {
			order models.ID
			code  string
		}{
			"never in review":        {e.place(newOrder("1"))[0].ID, "ORDER_NOT_REVIEWABLE"},
			"canceled by its buyer":  {e.set(e.place(newOrder("1"))[0], models.OrderCanceled).ID, "ORDER_NOT_REVIEWABLE"},
			"over, though not swept": {over.ID, "ORDER_EXPIRED"},
			"expired":                {expired.ID, "ORDER_EXPIRED"},
			"not there":              {models.NewID(), "ORDER_NOT_FOUND"},
		} {
			for _, approve := range []bool{true, false} {
				if _, err := e.Review(e.ctx, order.Review{OrderID: c.order, Approve: approve}); !fault.Is(err, c.code) {
					t.Errorf("%s: review %v", name, err)
				}
			}
			_, err := e.Confirm(e.ctx, c.order, "u")
			if !fault.Is(err, c.code) {
				t.Errorf("%s: confirm %v", name, err)
			}
			if f, _ := fault.As(err); c.code == "ORDER_EXPIRED" && f.Detail == nil {
				t.Errorf("%s: no order with it", name)
			}
		}
		o := e.waits(models.OrderPendingReview)
		for reason, code := range map[string]string{strings.Repeat("长", 501): "INVALID_INPUT", "4242 4242 4242 4242": "CARD_DATA_NOT_ACCEPTED"} {
			if _, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Reason: reason}); !fault.Is(err, code) {
				t.Errorf("%q: %v", reason, err)
			}
		}
		if e.status(o) != models.OrderPendingReview || len(e.letters()) != 0 {
			t.Error("something was changed or told")
		}
		if _, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Reason: strings.Repeat("长", 500)}); err != nil {
			t.Error(err)
		}
	})
}

// Two who decide at once: one decision, told once.
func TestReviewedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.reached("CN")
		o := e.waits(models.OrderPendingReview)
		var approved, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				_, err := e.Review(e.ctx, order.Review{OrderID: o.ID, Approve: i%2 == 0})
				switch {
				case err == nil && i%2 == 0:
					approved.Add(1)
				case err == nil:
					refused.Add(1)
				case !fault.Is(err, "ORDER_NOT_REVIEWABLE"):
					t.Error(err)
				}
			})
		}
		all.Wait()
		want := models.OrderPendingPayment
		if refused.Load() > 0 {
			want = models.OrderCanceled
		}
		if approved.Load()+refused.Load() != 5 || e.status(o) != want || len(e.letters()) != 2 {
			t.Errorf("%d approved, %d refused, %s, %d letters", approved.Load(), refused.Load(), e.status(o), len(e.letters()))
		}
	})
}
