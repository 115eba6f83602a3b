package refund_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/refund"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

var all models.ID // the zero order: all of a payment's

// D10: what was paid from the balance goes back there at once; in part the order keeps its status, in full it is REFUNDED.
func TestBalanceGoesBackAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		o := w.place(models.Prepaid, "60.00")[0]
		p := w.paid(bill(60_00, 0, ""), []models.Order{o})
		version := p.Version
		p = w.mustRefund(p, all, 25_01)
		if p.Refunded != 25_01 || w.balance(w.payer).Available() != 65_01 || w.status(o) != models.OrderProcessing {
			t.Errorf("in part: %+v, %d, %s", p, w.balance(w.payer).Available(), w.status(o))
		}
		p = w.mustRefund(p, all, 0)
		if p.Refunded != 60_00 || w.balance(w.payer).Available() != 100_00 || w.status(o) != models.OrderRefunded {
			t.Errorf("in full: %+v, %d, %s", p, w.balance(w.payer).Available(), w.status(o))
		}
		if p.Version != version || p.Status != models.PaymentSucceeded {
			t.Errorf("a refund is no transition of its payment: %+v", p)
		}
		if n := w.lineCount(w.payer, models.KindRefund); n != 2 {
			t.Errorf("%d lines in the statement", n)
		}
		refunds := w.of(p)
		if len(refunds) != 2 || refunds[0].Amount != 34_99 || refunds[0].Status != models.RefundSucceeded || refunds[0].Reason != "the server is broken" || refunds[0].CreatedBy != "operator" || refunds[0].CompletedAt == nil {
			t.Errorf("%+v", refunds)
		}
		if w.told(w.payer, "¥25.01 of payment "+p.Number) != 2 || w.told(w.payer, "the server is broken") != 4 {
			t.Error("the customer is told by SMS and e-mail of each")
		}
		if _, err := w.refund(p, all, 0); !fault.Is(err, "REFUND_NOT_ALLOWED") {
			t.Errorf("nothing is left: %v", err)
		}
		if _, err := w.refund(p, all, 1); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") {
			t.Errorf("a cent more: %v", err)
		}
	})
}

// D10: what was paid through a channel goes back through it, and takes its time: revenue → refunding → clearing.
func TestOnlineGoesBackThroughItsChannel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range both {
			o := w.place(models.Prepaid, "60.00")[0]
			p := w.paid(bill(0, 60_00, ch), []models.Order{o})
			w.behave(ch, `"call":"refund_late:1h"`)
			p = w.mustRefund(p, all, 0)
			r := w.of(p)[0]
			if p.Refunded != 60_00 || r.Status != models.RefundProcessing || r.Channel != ch || r.OnlineAmount != 60_00 || w.status(o) != models.OrderProcessing {
				t.Errorf("%s on its way: %+v %+v %s", ch, p, r, w.status(o))
			}
			if w.book("refunding:"+string(ch)) != 60_00 || w.book("clearing:"+string(ch)) != -60_00 || w.told(w.payer, p.Number) != 0 {
				t.Errorf("%s on its way: %d %d", ch, w.book("refunding:"+string(ch)), w.book("clearing:"+string(ch)))
			}
			w.clean()
			w.arrive()
			if ch == ali { // Alipay's word about a refund names the trade alone: it is asked
				w.advance(20 * time.Second)
			}
			r = w.ends(p, models.RefundSucceeded)
			if w.status(o) != models.OrderRefunded || r.ChannelReference == "" || r.CompletedAt == nil || r.SweepAt != nil {
				t.Errorf("%s done: %+v %s", ch, r, w.status(o))
			}
			if w.book("refunding:"+string(ch)) != 0 || w.book("clearing:"+string(ch)) != 0 || w.told(w.payer, "¥60.00 of your payment "+p.Number) != 2 {
				t.Errorf("%s done: %d %d", ch, w.book("refunding:"+string(ch)), w.book("clearing:"+string(ch)))
			}
			if sum, n := w.wentBack(p); sum != 60_00 || n != 1 || w.lineCount(w.payer, models.KindRefund) != 0 {
				t.Errorf("%s: %d in %d refunds", ch, sum, n)
			}
			w.behave(ch, `"call":"normal"`)
		}
	})
}

// HW-R19: where the policy says so an online part goes to the balance, at once.
func TestOnlineGoesToTheBalanceWherePolicySaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.rules.Refunds.OnlineTo = policy.RefundToBalance
		w.give(w.payer, 30_00)
		o := w.place(models.Prepaid, "100.00")[0]
		p := w.paid(bill(30_00, 70_00, ali), []models.Order{o})
		p = w.mustRefund(p, all, 50_00)
		if r := w.of(p)[0]; r.Status != models.RefundSucceeded || r.BalanceAmount != 15_00 || r.OnlineAmount != 35_00 || r.Channel != "" || w.balance(w.payer).Available() != 50_00 {
			t.Errorf("%+v, %d", r, w.balance(w.payer).Available())
		}
		w.mustRefund(p, all, 0)
		if n := w.lineCount(w.payer, models.KindRefund); n != 2 || w.balance(w.payer).Available() != 100_00 || w.status(o) != models.OrderRefunded {
			t.Errorf("%d lines, %d, %s", n, w.balance(w.payer).Available(), w.status(o))
		}
		if _, n := w.wentBack(p); n != 0 || w.book("clearing:ALIPAY") != -70_00 {
			t.Error("the channel was asked")
		}
	})
}

// D10: each part gives in proportion, and all refunds together give back exactly each of them.
func TestPartsGiveInProportion(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 33_33)
		o := w.place(models.Prepaid, "100.00")[0]
		p := w.paid(bill(33_33, 66_67, wechat), []models.Order{o})
		for _, c := range []struct{ amount, balance, online int64 }{{10_00, 3_33, 6_67}, {10_00, 3_34, 6_66}, {1, 0, 1}, {0, 26_66, 53_33}} {
			p = w.mustRefund(p, all, c.amount)
			if r := w.of(p)[0]; r.BalanceAmount != c.balance || r.OnlineAmount != c.online {
				t.Errorf("%d: %d and %d", c.amount, r.BalanceAmount, r.OnlineAmount)
			}
		}
		if w.balance(w.payer).Available() != 33_33 {
			t.Error("the balance part goes back at once", w.balance(w.payer).Available())
		}
		w.until("all of it", func() bool { return w.status(o) == models.OrderRefunded })
		if sum, n := w.wentBack(p); sum != 66_67 || n != 4 {
			t.Errorf("%d in %d", sum, n)
		}
	})
}

// HW-R19, D10: what a partner paid goes back to the partner's balance; both are told.
func TestPartnerGetsItsMoneyBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.newPayer()
		w.give(partner, 100_00)
		_, err := w.accounts.Update(w.ctx, w.payer.AccountID, account.Update{PartnerID: &partner.AccountID})
		w.must(err)
		orders := w.place(models.Prepaid, "40.00", "20.00")
		in := payment.MergeInput{OrderIDs: []models.ID{orders[0].ID, orders[1].ID}, Agreed: payment.Agreed{Funding: payment.Funding{Partner: &payment.PartnerPart{}}}}
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if _, err := w.refund(p, all, 0); !fault.Is(err, "REFUND_NOT_ALLOWED") {
			t.Errorf("not paid yet: %v", err)
		}
		p, err = w.payments.ApprovePartner(w.ctx, partner, p.ID)
		w.must(err)
		p = w.mustRefund(p, orders[0].ID, 10_00)
		if w.balance(partner).Available() != 50_00 || w.balance(w.payer).Available() != 0 || w.of(p)[0].PartnerAmount != 10_00 {
			t.Errorf("%d and %d, %+v", w.balance(partner).Available(), w.balance(w.payer).Available(), w.of(p)[0])
		}
		given := w.of(p)[0].ID
		for who, n := range map[models.ID]int{partner.AccountID: 1, w.payer.AccountID: 1, w.newPayer().AccountID: 0} {
			if rows, err := w.refunds.ForPartner(w.ctx, who, []models.ID{given, models.NewID()}); err != nil || len(rows) != n {
				t.Errorf("%d refunds by id, want %d (%v)", len(rows), n, err)
			}
		}
		w.mustRefund(p, all, 0)
		if w.balance(partner).Available() != 100_00 || w.status(orders[0]) != models.OrderRefunded || w.status(orders[1]) != models.OrderRefunded {
			t.Errorf("%d, %s", w.balance(partner).Available(), w.status(orders[0]))
		}
		if w.told(partner, "back to your balance") != 4 || w.told(w.payer, "went back to the partner") != 4 || w.lineCount(partner, models.KindRefund) != 2 {
			t.Error("not told")
		}
	})
}

// Lesson 18: 50 partial refunds at once never send more back than was paid, from the balance and through a channel.
func TestParallelRefundsNeverExceed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		for _, f := range []payment.Funding{bill(100_00, 0, ""), bill(0, 100_00, wechat)} {
			orders := w.place(models.Prepaid, "70.00", "30.00")
			p := w.paid(f, orders)
			var group sync.WaitGroup
			var mu sync.Mutex
			done, refused := 0, 0
			for i := range 50 {
				var o models.ID
				if i%5 == 0 {
					o = orders[i%2].ID
				}
				group.Go(func() {
					_, err := w.refund(p, o, 3_00)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						done++
					case fault.Is(err, "AMOUNT_OUT_OF_RANGE"):
						refused++
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if done != 33 || refused != 17 {
				t.Errorf("%d refunds of 3.00 out of 100.00, %d refused", done, refused)
			}
			p = w.mustRefund(p, all, 0)
			if p.Refunded != 100_00 {
				t.Errorf("%d of 100.00", p.Refunded)
			}
			w.until("all of it", func() bool {
				return w.status(orders[0]) == models.OrderRefunded && w.status(orders[1]) == models.OrderRefunded
			})
			if f.Online == nil {
				continue
			}
			if sum, n := w.wentBack(p); sum != 100_00 || n != 34 {
				t.Errorf("the provider sent %d back in %d refunds", sum, n)
			}
		}
		if w.balance(w.payer).Available() != 100_00 {
			t.Error(w.balance(w.payer).Available())
		}
	})
}

// One order's share alone, and never more than that.
func TestOneOrderOfMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		orders := w.place(models.Prepaid, "30.00", "20.00", "50.00")
		p := w.paid(bill(100_00, 0, ""), orders)
		if _, err := w.refund(p, orders[1].ID, 20_01); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") {
			t.Errorf("more than the order: %v", err)
		}
		w.mustRefund(p, orders[1].ID, 0)
		if w.status(orders[1]) != models.OrderRefunded || w.status(orders[0]) != models.OrderProcessing || w.balance(w.payer).Available() != 20_00 {
			t.Errorf("%s %s", w.status(orders[1]), w.status(orders[0]))
		}
		if _, err := w.refund(p, orders[1].ID, 0); !fault.Is(err, "REFUND_NOT_ALLOWED") {
			t.Errorf("nothing is left of it: %v", err)
		}
		w.mustRefund(p, all, 40_00) // over what the others have left: 30 and 50
		shares, err := w.payments.Allocations(w.ctx, p.AccountID, []models.ID{p.ID})
		w.must(err)
		back := map[models.ID]int64{}
		for _, sh := range shares[p.ID] {
			back[sh.OrderID] = sh.Refunded
		}
		if back[orders[0].ID] != 15_00 || back[orders[1].ID] != 20_00 || back[orders[2].ID] != 25_00 {
			t.Errorf("%v", back)
		}
		w.mustRefund(p, all, 0)
		if w.status(orders[0]) != models.OrderRefunded || w.status(orders[2]) != models.OrderRefunded || w.balance(w.payer).Available() != 100_00 {
			t.Errorf("%s", w.status(orders[0]))
		}
	})
}

// HW-R12, HW-R18, TX-R8, D10: the coupons of an order return when all its money has gone back, and not before.
func TestCouponsReturnWithTheWholeOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		count := 2
		granted, err := w.benefits.Grant(w.ctx, benefit.Coupons{AccountID: w.payer.AccountID, Name: "c", Kind: models.CouponCash, Face: input.Amount{Decimal: "30.00", Currency: "CNY"}, ValidTo: w.clock.Now().Add(1000 * time.Hour), Count: &count})
		w.must(err)
		rest := func() (sum int64) {
			rows, err := w.benefits.ByIDs(w.ctx, w.payer.AccountID, []models.ID{granted[0].ID, granted[1].ID})
			w.must(err)
			return rows[0].Remaining + rows[1].Remaining
		}
		ids := []string{granted[0].ID.Encode(models.PrefixCoupon), granted[1].ID.Encode(models.PrefixCoupon)}
		orders := w.place(models.Prepaid, "100.00", "50.00")
		p := w.paid(bill(0, 90_00, wechat), orders, ids...) // 60.00 are spread 40.00 and 20.00
		w.mustRefund(p, orders[0].ID, 59_99)
		w.ends(p, models.RefundSucceeded)
		if rest() != 0 {
			t.Errorf("%d have returned with a part", rest())
		}
		w.behave(wechat, `"call":"refund_late:1h"`)
		w.mustRefund(p, orders[0].ID, 0)
		if rest() != 0 || w.status(orders[0]) == models.OrderRefunded {
			t.Errorf("%d have returned before the money", rest())
		}
		w.arrive()
		w.ends(p, models.RefundSucceeded)
		if rest() != 40_00 || w.status(orders[0]) != models.OrderRefunded {
			t.Errorf("%d of 40.00 have returned, %s", rest(), w.status(orders[0]))
		}
		w.behave(wechat, `"call":"normal"`)
		w.mustRefund(p, all, 0)
		w.ends(p, models.RefundSucceeded)
		if rest() != 60_00 {
			t.Errorf("%d of 60.00 have returned", rest())
		}
	})
}

// An order that coupons paid in full ends with a refund too, once, and its coupon returns.
func TestRefundOfWhatCostNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		granted, err := w.benefits.Grant(w.ctx, benefit.Coupons{AccountID: w.payer.AccountID, Name: "c", Kind: models.CouponCash, Face: input.Amount{Decimal: "30.00", Currency: "CNY"}, ValidTo: w.clock.Now().Add(1000 * time.Hour)})
		w.must(err)
		o := w.place(models.Prepaid, "30.00")[0]
		p := w.paid(bill(0, 0, ""), []models.Order{o}, granted[0].ID.Encode(models.PrefixCoupon))
		w.mustRefund(p, all, 0)
		c, _, err := w.benefits.ByID(w.ctx, w.payer.AccountID, granted[0].ID)
		w.must(err)
		if c.Remaining != 30_00 || w.status(o) != models.OrderRefunded || w.lineCount(w.payer) != 0 {
			t.Errorf("%+v %s", c, w.status(o))
		}
		if _, err := w.refund(p, all, 0); !fault.Is(err, "REFUND_NOT_ALLOWED") {
			t.Errorf("again: %v", err)
		}
	})
}

// Contract §5: a refund ends what is frozen for a POSTPAID order; after its settlement only what was charged can go back.
func TestPostpaid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		orders := w.place(models.Postpaid, "40.00", "30.00", "20.00")
		p := w.paid(bill(90_00, 0, ""), orders)
		if b := w.balance(w.payer); b.Frozen != 90_00 || b.Available() != 10_00 {
			t.Fatalf("%+v", b)
		}
		w.mustRefund(p, orders[0].ID, 0)
		if b := w.balance(w.payer); b.Frozen != 50_00 || b.Available() != 50_00 || w.status(orders[0]) != models.OrderRefunded {
			t.Errorf("whole: %+v %s", b, w.status(orders[0]))
		}
		w.mustRefund(p, orders[1].ID, 10_00)
		if b := w.balance(w.payer); b.Frozen != 20_00 || b.Available() != 60_00 {
			t.Errorf("in part, the rest is charged: %+v", b)
		}
		_, err := w.payments.SettleFreeze(w.ctx, orders[2].ID, cny(5_00))
		w.must(err)
		if _, err := w.refund(p, orders[2].ID, 5_01); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") {
			t.Errorf("more than was charged: %v", err)
		}
		p = w.mustRefund(p, all, 0)
		if b := w.balance(w.payer); b.Frozen != 0 || b.Available() != 100_00 || p.Refunded != 90_00 || w.status(orders[2]) != models.OrderRefunded {
			t.Errorf("%+v, %d, %s", b, p.Refunded, w.status(orders[2]))
		}
	})
}

// D6: code money comes back as code money: it can be spent, not withdrawn.
func TestCodeMoneyComesBackAsSuch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		for _, q := range []string{"UPDATE balances SET cash = cash - 5000, code_money = code_money + 5000", "UPDATE postings SET cash_after = cash_after - 5000, code_money_after = code_money_after + 5000 WHERE seq IS NOT NULL"} {
			_, err := w.DB.Exec(w.ctx, q)
			w.must(err)
		}
		p := w.paid(bill(70_00, 0, ""), w.place(models.Prepaid, "70.00"))
		for _, c := range []struct{ amount, cash, code int64 }{{30_00, 30_00, 30_00}, {30_00, 40_00, 50_00}, {0, 50_00, 50_00}} {
			w.mustRefund(p, all, c.amount)
			if b := w.balance(w.payer); b.Cash != c.cash || b.CodeMoney != c.code {
				t.Errorf("after %d: cash %d, code money %d", c.amount, b.Cash, b.CodeMoney)
			}
		}
	})
}

// Contract §4: one key is one refund, however often and by how many at once.
func TestOneKeyIsOneRefund(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 100_00)
		p := w.paid(bill(0, 100_00, ali), w.place(models.Prepaid, "100.00"))
		key := func(hash string) context.Context {
			r := idempotency.Request{Scope: "sub:operator", Mutation: "refundPayment", Key: "k"}
			copy(r.Hash[:], hash)
			return idempotency.With(w.ctx, r)
		}
		amount := cny(10_00)
		in := refund.Input{PaymentID: p.ID, Amount: &amount, Reason: "r"}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if now, err := w.refunds.Refund(key("a"), in); err != nil || now.ID != p.ID || now.Refunded != 10_00 {
					t.Error(now.Refunded, err)
				}
			})
		}
		group.Wait()
		if _, err := w.refunds.Refund(key("b"), in); !fault.Is(err, "IDEMPOTENCY_KEY_REUSED") {
			t.Errorf("another input: %v", err)
		}
		w.must(w.Redis.FlushDB(w.ctx).Err())
		_, err := w.refunds.Refund(key("a"), in)
		w.must(err)
		if sum, n := w.wentBack(p); len(w.of(p)) != 1 || sum != 10_00 || n != 1 {
			t.Errorf("%d refunds, %d at the provider", len(w.of(p)), n)
		}
	})
}

func TestRefundFaults(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 200_00)
		orders := w.place(models.Prepaid, "60.00", "40.00")
		paid := w.paid(bill(60_00, 0, ""), orders[:1])
		topUp, err := w.payments.TopUp(w.ctx, w.payer, payment.Online{Channel: ali, Amount: cny(10_00)})
		w.must(err)
		w.play(topUp)
		w.until("topped up", func() bool { return w.balance(w.payer).Available() == 150_00 })
		open, err := w.payments.Pay(w.ctx, w.payer, payment.PayInput{OrderID: orders[1].ID, Agreed: payment.Agreed{Funding: bill(0, 40_00, ali)}})
		w.must(err)
		usd, jpy, zero, much := cny(1), cny(1), cny(0), cny(60_01)
		usd.Currency, jpy.Currency = "USD", "JPY"
		for name, c := range map[string]struct {
			in   refund.Input
			code string
		}{
			"no such payment":  {refund.Input{PaymentID: models.NewID()}, "PAYMENT_NOT_FOUND"},
			"a top-up":         {refund.Input{PaymentID: topUp.ID}, "REFUND_NOT_ALLOWED"},
			"not paid":         {refund.Input{PaymentID: open.ID}, "REFUND_NOT_ALLOWED"},
			"another order":    {refund.Input{PaymentID: paid.ID, OrderID: orders[1].ID}, "ORDER_NOT_FOUND"},
			"too much":         {refund.Input{PaymentID: paid.ID, Amount: &much}, "AMOUNT_OUT_OF_RANGE"},
			"nothing":          {refund.Input{PaymentID: paid.ID, Amount: &zero}, "AMOUNT_INVALID"},
			"dollars":          {refund.Input{PaymentID: paid.ID, Amount: &usd}, "CURRENCY_MISMATCH"},
			"yen":              {refund.Input{PaymentID: paid.ID, Amount: &jpy}, "CURRENCY_MISMATCH"},
			"no reason":        {refund.Input{PaymentID: paid.ID, Reason: "  "}, "INVALID_INPUT"},
			"a reason of 501":  {refund.Input{PaymentID: paid.ID, Reason: fmt.Sprintf("%0501d", 0)}, "INVALID_INPUT"},
			"a card's number":  {refund.Input{PaymentID: paid.ID, Reason: "to 4242 4242 4242 4242"}, "CARD_DATA_NOT_ACCEPTED"},
			"a card's number+": {refund.Input{PaymentID: paid.ID, Reason: "４２４２４２４２４２４２４２４２"}, "CARD_DATA_NOT_ACCEPTED"},
		} {
			if c.in.Reason == "" {
				c.in.Reason = "r"
			}
			if _, err := w.refunds.Refund(w.ctx, c.in); !fault.Is(err, c.code) {
				t.Errorf("%s: %v, not %s", name, err, c.code)
			}
		}
		w.until("nothing moved", func() bool { return len(w.of(paid)) == 0 && w.balance(w.payer).Available() == 150_00 })
		_, err = w.payments.Cancel(w.ctx, w.payer.AccountID, open.ID)
		w.must(err)
		if _, err := w.refund(open, all, 0); !fault.Is(err, "REFUND_NOT_ALLOWED") {
			t.Errorf("canceled: %v", err)
		}
	})
}
