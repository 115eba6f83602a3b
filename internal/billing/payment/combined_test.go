package payment_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// parts is a funding of two parts.
func parts(balance, on int64) payment.Funding {
	b, o := cny(balance), online(models.ChannelAlipay, on)
	return payment.Funding{Balance: &b, Online: &o}
}

// statement are the kinds and amounts of the payer's newest lines, oldest of them first.
func (w *world) statement(n int) (out []string) {
	w.Helper()
	lines, err := w.ledger.Statement(w.ctx, w.payer.AccountID, ledger.Filter{}, page.First(max(n, 1)))
	w.must(err)
	for _, l := range slices.Backward(lines.Items) {
		out = append(out, fmt.Sprint(l.Kind, " ", l.Amount))
	}
	return out
}

// refusing is a channel that takes no payment.
type refusing struct{ channel.Adapter }

func (refusing) Start(context.Context, channel.StartRequest) (channel.Started, error) {
	return channel.Started{}, channel.ErrDeclined
}

// HW-33, D3, lesson 13: every end of the online part of a combined payment, of one order and of thirty, with a discount and
// coupons, leaves balance, frozen money, statement, orders and coupons right.
func TestEndsOfACombinedPayment(t *testing.T) {
	ends := map[string]struct {
		status models.PaymentStatus
		late   bool // the online money comes all the same
		end    func(w *world, p models.Payment) models.Payment
	}{
		"success": {models.PaymentSucceeded, false, func(w *world, p models.Payment) models.Payment {
			w.behave(models.ChannelAlipay, `"notify":"duplicate"`)
			w.play(p, "outcome=succeed")
			p = w.reaches(p, models.PaymentSucceeded)
			w.behave(models.ChannelAlipay, `"notify":"normal"`)
			return p
		}},
		"decline": {models.PaymentFailed, false, func(w *world, p models.Payment) models.Payment {
			w.play(p, "outcome=decline")
			w.advance(16 * time.Second)
			return w.now(p)
		}},
		"refused at once": {models.PaymentFailed, false, nil},
		"abandon": {models.PaymentExpired, false, func(w *world, p models.Payment) models.Payment {
			w.play(p, "outcome=abandon")
			w.advance(20 * time.Minute)
			return w.now(p)
		}},
		"cancel": {models.PaymentCanceled, false, func(w *world, p models.Payment) models.Payment {
			p, err := w.payments.Cancel(w.ctx, p.AccountID, p.ID)
			w.must(err)
			return p
		}},
		"late success": {models.PaymentExpired, true, func(w *world, p models.Payment) models.Payment {
			page := w.withContent(p)
			w.advance(20 * time.Minute)
			w.play(page, "outcome=succeed&late=true")
			w.until("late payment", func() bool { return w.now(p).LateAmount > 0 })
			return w.now(p)
		}},
		"orders gone": {models.PaymentFailed, true, func(w *world, p models.Payment) models.Payment {
			// never by our own hand: a hold is respected. But were it so, no money is lost.
			_, err := w.DB.Exec(w.ctx, "UPDATE orders SET active_payment_id = NULL, status = 'CANCELED' WHERE account_id = ? AND active_payment_id = ?", p.AccountID, p.ID)
			w.must(err)
			w.play(p, "outcome=succeed")
			return w.reaches(p, models.PaymentFailed)
		}},
	}
	each(t, func(t *testing.T, w *world) {
		for _, n := range []int{1, 30} {
			for name, c := range ends {
				w.give(5_000)
				orders := w.placeN(n, false)
				in := payment.MergeInput{OrderIDs: idsOf(orders), Agreed: payment.Agreed{CouponIDs: w.grant(2, models.CouponCash, "0.20", ""), DiscountID: w.discount("10")}}
				total := sumOf(orders)*9/10 - 40
				in.Funding = parts(30, total-30)
				before, lines := w.available(), w.lines()
				alipay := w.payments.Channels[models.ChannelAlipay]
				if c.end == nil {
					w.payments.Channels[models.ChannelAlipay] = refusing{alipay}
				}
				p, err := w.payments.MergePay(w.ctx, w.payer, in)
				w.must(err)
				w.payments.Channels[models.ChannelAlipay] = alipay
				if c.end != nil {
					b, err := w.ledger.Balance(w.ctx, p.AccountID)
					w.must(err)
					if p.Status != models.PaymentRequiresAction || b.Frozen != 30 || b.Available() != before-30 || w.coupon(in.CouponIDs[0]).PaymentID != p.ID {
						t.Fatalf("%s: while it waits: %s, %+v", name, p.Status, b)
					}
					if _, err := w.payments.MergePay(w.ctx, w.payer, in); !fault.Is(err, "ORDER_BEING_PAID") {
						t.Errorf("%s: %v", name, err)
					}
					w.clean()
					p = c.end(w, p)
				}
				w.ended(name, p, c.status, c.late, orders, in.CouponIDs)
				b, err := w.ledger.Balance(w.ctx, p.AccountID)
				w.must(err)
				want, available := []string{"FREEZE -30", "UNFREEZE 30"}, before
				switch {
				case c.status == models.PaymentSucceeded:
					want, available = append(want, "ORDER_PAYMENT -30"), before-30
				case c.late:
					want, available = append(want, fmt.Sprint("LATE_PAYMENT ", total-30)), before+total-30
				}
				if got := w.statement(int(w.lines() - lines)); b.Available() != available || b.Frozen != 0 || !slices.Equal(got, want) {
					t.Errorf("%s of %d: available %d, want %d; frozen %d; statement %v", name, n, b.Available(), available, b.Frozen, got)
				}
				w.clean()
			}
		}
	})
}

// ended compares what a payment that has ended leaves.
func (w *world) ended(name string, p models.Payment, status models.PaymentStatus, late bool, orders []models.Order, coupons []string) {
	w.Helper()
	if p.Status != status || late != (p.LateAmount > 0) {
		w.Fatalf("%s: %+v", name, p)
	}
	order, rest := models.OrderPendingPayment, int64(20)
	switch {
	case status == models.PaymentSucceeded:
		order, rest = models.OrderProcessing, 0
	case name == "orders gone":
		order = models.OrderCanceled
	}
	if got := w.statuses(orders); got[order] != len(orders) {
		w.Errorf("%s: orders %v", name, got)
	}
	for _, id := range coupons {
		if c := w.coupon(id); !c.PaymentID.IsZero() || c.Remaining != rest {
			w.Errorf("%s: coupon has %d of 20, locked %v", name, c.Remaining, !c.PaymentID.IsZero())
		}
	}
}

// Lesson 13, D3: a success and other ends that come at the same time end the hold once, whoever wins.
func TestRacingEndsOfACombinedPayment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		for range 5 {
			orders := w.placeN(3, false)
			in := payment.MergeInput{OrderIDs: idsOf(orders), Agreed: payment.Agreed{CouponIDs: w.grant(2, models.CouponCash, "0.20", ""), Funding: parts(250, 310)}}
			p, err := w.payments.MergePay(w.ctx, w.payer, in)
			w.must(err)
			before := w.available()
			var ends sync.WaitGroup
			ends.Go(func() { w.play(p, "outcome=succeed&late=true") })
			for range 3 {
				ends.Go(func() {
					_, err := w.payments.Cancel(w.ctx, p.AccountID, p.ID)
					if err != nil && !fault.Is(err, "PAYMENT_NOT_CANCELABLE") && !errors.Is(err, fault.ErrUnavailable) { // the success was quicker
						t.Error(err)
					}
				})
			}
			ends.Wait()
			w.until("the money", func() bool {
				p = w.now(p)
				return p.Status == models.PaymentSucceeded || p.LateAmount > 0
			})
			want, rest := before, int64(0)
			if p.Status != models.PaymentSucceeded {
				want, rest = before+560, 20 // the frozen part and the late one
			}
			for _, id := range in.CouponIDs {
				if c := w.coupon(id); !c.PaymentID.IsZero() || c.Remaining != rest {
					t.Errorf("%s: coupon %+v", p.Status, c)
				}
			}
			if b, _ := w.ledger.Balance(w.ctx, p.AccountID); b.Available() != want || b.Frozen != 0 {
				t.Errorf("%s: %d, want %d; frozen %d", p.Status, b.Available(), want, b.Frozen)
			}
			w.clean()
		}
	})
}

// HW-7, HW-33, TX-R1, contract §7: what the person chose sums to the total, a part of zero counts as not given; PAY_REMAINING makes amounts
// ceilings: one kind pays the rest, combined keeps its balance part up to the total.
func TestFundingOfAMergedPayment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		m, zero, on, none := cny(600), cny(0), online(models.ChannelAlipay, 600), online(models.ChannelAlipay, 0)
		few, over := parts(300, 200), parts(700, 100)
		for _, c := range []struct {
			name            string
			funding         payment.Funding
			remaining       bool // and one order of 3.00 is canceled: 3.00 are left
			balance, online int64
			code            string
		}{
			{"balance", payment.Funding{Balance: &m, Online: &none}, false, 600, 0, ""},
			{"online", payment.Funding{Balance: &zero, Online: &on}, false, 0, 600, ""},
			{"both", parts(100, 500), false, 100, 500, ""},
			{"nothing", payment.Funding{}, false, 0, 0, "FUNDING_MISMATCH"},
			{"zeros", payment.Funding{Balance: &zero, Online: &none}, false, 0, 0, "FUNDING_MISMATCH"},
			{"too little", few, false, 0, 0, "FUNDING_MISMATCH"},
			{"too much", over, false, 0, 0, "FUNDING_MISMATCH"},
			{"a part below the channel's minimum", parts(595, 5), false, 0, 0, "AMOUNT_OUT_OF_RANGE"},
			{"partner and balance", payment.Funding{Balance: &m, Partner: &payment.PartnerPart{}}, false, 0, 0, "FUNDING_MISMATCH"},
			{"rest from the balance", payment.Funding{Balance: &m}, true, 300, 0, ""},
			{"rest online", payment.Funding{Online: &on}, true, 0, 300, ""},
			{"rest of both", parts(100, 500), true, 100, 200, ""},
			{"balance part covers the rest", parts(400, 200), true, 300, 0, ""},
			{"ceilings too low", parts(50, 100), true, 0, 0, "FUNDING_MISMATCH"},
			{"nothing for the rest", payment.Funding{}, true, 0, 0, "FUNDING_MISMATCH"},
		} {
			orders := w.placeN(3, false)
			in := payment.MergeInput{OrderIDs: idsOf(orders), PayRemaining: c.remaining, Agreed: payment.Agreed{Funding: c.funding}}
			if c.remaining {
				_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, orders[2].ID)
				w.must(err)
			}
			p, err := w.payments.MergePay(w.ctx, w.payer, in)
			if c.code != "" {
				if !fault.Is(err, c.code) {
					t.Errorf("%s: %v, want %s", c.name, err, c.code)
				}
				continue
			}
			if err != nil || p.BalanceAmount != c.balance || p.OnlineAmount != c.online || p.Amount != c.balance+c.online {
				t.Errorf("%s: %d + %d of %d, %v", c.name, p.BalanceAmount, p.OnlineAmount, p.Amount, err)
			}
		}
		// PAY_REMAINING with nothing to leave out: the amounts are ceilings all the same, expectedTotal is not.
		orders := w.placeN(2, false)
		in := payment.MergeInput{OrderIDs: idsOf(orders), PayRemaining: true, Agreed: payment.Agreed{Funding: parts(100, 500)}}
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if p.BalanceAmount != 100 || p.OnlineAmount != 200 {
			t.Errorf("%+v", p)
		}
	})
}

// HW-24, HW-33: a combined payment whose balance part is not there says what is missing; nothing is held or frozen.
func TestCombinedWithoutEnoughBalance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100)
		orders := w.placeN(3, false)
		_, err := w.payments.MergePay(w.ctx, w.payer, payment.MergeInput{OrderIDs: idsOf(orders), Agreed: payment.Agreed{Funding: parts(150, 450), CouponIDs: nil}})
		f, _ := fault.As(err)
		if !fault.Is(err, "INSUFFICIENT_BALANCE") || f.Detail.(*fault.InsufficientBalance).Shortfall != cny(50) {
			t.Fatal(err)
		}
		for _, o := range orders {
			if !w.orderNow(o).ActivePaymentID.IsZero() {
				t.Error("held by nothing")
			}
		}
		if b, _ := w.ledger.Balance(w.ctx, w.payer.AccountID); b.Available() != 100 || b.Frozen != 0 || w.lines() != 1 {
			t.Errorf("%+v", b)
		}
	})
}

// HW-34, D2: a combined payment of an account with operation protection needs a code, bound to the person, the orders with
// those linked to them, and the amounts as they were named; it is used up by the payment. Nothing else needs one.
func TestCombinedPaymentNeedsACode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		w.codes.wanted, w.codes.right = true, "123456"
		bundle, gone := w.placeN(3, true), w.placeN(1, false)[0]
		_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, gone.ID)
		w.must(err)
		in := payment.MergeInput{OrderIDs: []models.ID{bundle[0].ID, gone.ID}, PayRemaining: true, Agreed: payment.Agreed{Funding: parts(100, 600)}}
		for code, want := range map[string]string{"": "VERIFICATION_REQUIRED", "000000": "VERIFICATION_FAILED"} {
			in.VerificationCode = code
			if _, err := w.payments.MergePay(w.ctx, w.payer, in); !fault.Is(err, want) {
				t.Errorf("%q: %v", code, err)
			}
		}
		if b, _ := w.ledger.Balance(w.ctx, w.payer.AccountID); b.Frozen != 0 || w.codes.spent != 0 {
			t.Error("frozen without a code")
		}
		in.VerificationCode = "123456"
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		use := w.codes.checks[len(w.codes.checks)-1]
		if p.OnlineAmount != 500 || w.codes.spent != 1 || use.UserID != "user" || use.AccountID != w.payer.AccountID || use.Scene != models.SceneCombinedPayment || use.Balance != cny(100) || use.Online != cny(600) ||
			!slices.Equal(use.OrderIDs, append([]models.ID{bundle[0].ID, gone.ID}, bundle[1].ID, bundle[2].ID)) {
			t.Errorf("%+v", use)
		}
		checks := len(w.codes.checks)
		one := w.placeN(1, false)
		if _, err := w.payments.MergePay(w.ctx, w.payer, merged(one)); err != nil || len(w.codes.checks) != checks {
			t.Error("a code for a payment from the balance:", err)
		}
		if _, err := w.payments.Pay(w.ctx, w.payer, through(w.placeN(1, false)[0], models.ChannelAlipay, 100)); err != nil || len(w.codes.checks) != checks {
			t.Error("a code for an online payment:", err)
		}
	})
}
