package payment_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// byUse places orders that are charged by use, and some that are not.
func (w *world) byUse(postpaid []string, prepaid ...string) (out []models.Order) {
	w.Helper()
	p := order.Placement{AccountID: w.payer.AccountID}
	for i, amount := range append(append([]string{}, postpaid...), prepaid...) {
		w.numbers++
		o := newOrder(fmt.Sprint("O", w.numbers), amount)
		if i < len(postpaid) {
			o.ChargingMode = models.Postpaid
		}
		p.Orders = append(p.Orders, o)
	}
	out, err := w.orders.Place(w.ctx, p)
	w.must(err)
	return out
}

func (w *world) balance() models.Balance {
	w.Helper()
	b, err := w.ledger.Balance(w.ctx, w.payer.AccountID)
	w.must(err)
	return b
}

// newest lines of the payer's statement.
func (w *world) newest(n int) []models.Posting {
	w.Helper()
	r, err := w.ledger.Statement(w.ctx, w.payer.AccountID, ledger.Filter{}, page.Page{Size: n})
	w.must(err)
	return r.Items
}

// TX-1, contract §5: what is charged by use freezes its amount, from the balance alone; too little says what is missing.
func TestPostpaidFreezes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(50_00)
		o := w.byUse([]string{"80.00"})[0]
		err := second(w.payments.Pay(w.ctx, w.payer, fromBalance(o, 80_00)))
		f, _ := fault.As(err)
		if d, ok := f.Detail.(*fault.InsufficientBalance); !ok || f.Code != "INSUFFICIENT_BALANCE" || d.Available != cny(50_00) || d.Required != cny(80_00) || d.Shortfall != cny(30_00) {
			t.Fatalf("%+v", err)
		}
		w.give(50_00)
		_, err = w.accounts.Update(w.ctx, w.payer.AccountID, account.Update{PartnerID: &w.newPayerIn("CNY").AccountID})
		w.must(err)
		on, rest, thirty := online(models.ChannelAlipay, 80_00), online(models.ChannelAlipay, 50_00), cny(30_00)
		for name, funding := range map[string]payment.Funding{"online": {Online: &on}, "partner": {Partner: &payment.PartnerPart{}}, "combined": {Balance: &thirty, Online: &rest}} {
			if err := second(w.payments.Pay(w.ctx, w.payer, payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: funding}})); !fault.Is(err, "FUNDING_NOT_ALLOWED") {
				t.Errorf("%s: %v", name, err)
			} else if f, _ := fault.As(err); f.Args["reason"] != messages.Key(checkout.ReasonPostpaid) {
				t.Errorf("%s: why is %v", name, f.Args)
			}
		}
		p, err := w.payments.Pay(w.ctx, w.payer, fromBalance(o, 80_00))
		w.must(err)
		b, now := w.balance(), w.orderNow(o)
		if p.Status != models.PaymentSucceeded || now.Status != models.OrderProcessing || b.Available() != 20_00 || b.Frozen != 80_00 {
			t.Errorf("%+v %+v %+v", p, now, b)
		}
		if lines := w.newest(9); len(lines) != 3 || lines[0].Kind != models.KindFreeze || lines[0].Amount != -80_00 || lines[0].OrderID != o.ID || lines[0].PaymentID != p.ID {
			t.Errorf("%+v", lines)
		}
		frozen, found, err := w.ledger.Frozen(w.ctx, o.AccountID, "order:"+o.ID.String())
		if err != nil || !found || frozen.Amount != 80_00 || frozen.EndedAt != nil {
			t.Errorf("%+v %v", frozen, err)
		}
	})
}

func (w *world) newPayerIn(currency string) *payment.Payer {
	p := w.newPayer("MAINLAND", currency, "")
	return &p
}

// TX-1, HW-13: orders charged by use and orders paid in advance go into one payment: these are paid, those frozen, each with its
// own amount, and what is missing is told of the whole.
func TestPostpaidAmongPrepaid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_00)
		orders := w.byUse([]string{"5.00", "7.00"}, "11.00", "13.00")
		orders[0], orders[2] = orders[2], orders[0]
		p, err := w.payments.MergePay(w.ctx, w.payer, merged(orders))
		w.must(err)
		if b := w.balance(); p.Amount != 36_00 || b.Available() != 64_00 || b.Frozen != 12_00 {
			t.Errorf("%+v %+v", p, b)
		}
		for _, o := range orders {
			f, found, err := w.ledger.Frozen(w.ctx, o.AccountID, "order:"+o.ID.String())
			w.must(err)
			if postpaid := o.ChargingMode == models.Postpaid; postpaid != found || postpaid && f.Amount != o.AmountDue || w.orderNow(o).Status != models.OrderProcessing {
				t.Errorf("%s order of %d: %+v", o.ChargingMode, o.AmountDue, f)
			}
		}
		w.clean()
		for _, prepaid := range []string{"60.00", "10.00"} { // missing when it comes to pay, and when it comes to freeze
			more := w.byUse([]string{"5.00", "62.00"}, prepaid)
			err := second(w.payments.MergePay(w.ctx, w.payer, merged(more)))
			f, ok := fault.As(err)
			if !ok || f.Code != "INSUFFICIENT_BALANCE" {
				t.Fatal(err)
			}
			if d := f.Detail.(*fault.InsufficientBalance); d.Available != cny(64_00) || d.Required != cny(sumOf(more)) || d.Shortfall != cny(sumOf(more)-64_00) {
				t.Errorf("%+v", d)
			}
		}
		if b := w.balance(); b.Available() != 64_00 || b.Frozen != 12_00 {
			t.Errorf("a refused payment moved something: %+v", b)
		}
	})
}

// Contract §5: settleFreeze charges up to what is frozen and releases the rest; zero releases all. It happens once.
func TestSettleFreeze(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_00)
		for charge, lines := range map[int64][]models.TransactionKind{
			0:     {models.KindUnfreeze},
			12_34: {models.KindOrderPayment, models.KindUnfreeze},
			40_00: {models.KindOrderPayment, models.KindUnfreeze},
		} {
			before := w.balance()
			o := w.byUse([]string{"40.00"})[0]
			p, err := w.payments.Pay(w.ctx, w.payer, fromBalance(o, 40_00))
			w.must(err)
			if _, err := w.payments.SettleFreeze(w.ctx, o.ID, cny(40_01)); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") {
				t.Error(err)
			}
			if _, err := w.payments.SettleFreeze(w.ctx, o.ID, money.New(1, "USD")); !fault.Is(err, "CURRENCY_MISMATCH") {
				t.Error(err)
			}
			ctx := w.keyed(fmt.Sprint("settle", charge), "x")
			for range 2 {
				settled, err := w.payments.SettleFreeze(ctx, o.ID, cny(charge))
				w.must(err)
				if settled.ID != o.ID || settled.Paid != charge || settled.Status != models.OrderProcessing {
					t.Errorf("%+v", settled)
				}
				w.must(w.Redis.FlushDB(w.ctx).Err()) // the database remembers
			}
			if b := w.balance(); b.Available() != before.Available()-charge || b.Frozen != 0 {
				t.Errorf("charged %d: %+v", charge, b)
			}
			for i, line := range w.newest(len(lines)) {
				if line.Kind != lines[i] || line.OrderID != o.ID || line.PaymentID != p.ID {
					t.Errorf("line %d of a charge of %d: %+v", i, charge, line)
				}
			}
			if now := w.now(p); now.Refunded != 40_00-charge || now.Status != models.PaymentSucceeded {
				t.Errorf("a refund could give again what was released: %+v", now)
			}
			if _, err := w.payments.SettleFreeze(w.ctx, o.ID, cny(0)); !fault.Is(err, "ORDER_STATUS_CHANGED") {
				t.Error("settled twice:", err)
			}
			w.clean()
		}
		unpaid := w.byUse([]string{"1.00"}, "1.00")
		for _, o := range unpaid {
			if _, err := w.payments.SettleFreeze(w.ctx, o.ID, cny(0)); !fault.Is(err, "ORDER_STATUS_CHANGED") {
				t.Error("nothing is frozen:", err)
			}
		}
		if _, err := w.payments.SettleFreeze(w.ctx, models.NewID(), cny(0)); !fault.Is(err, "ORDER_NOT_FOUND") {
			t.Error(err)
		}
	})
}

// A freeze that used the credit line is charged though the line was lowered since, to what is used at least. What
// is released repays credit first.
func TestSettleFreezeOfCredit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.payer = w.newPayer("MAINLAND", "CNY", "50.00")
		w.give(10_00)
		o := w.byUse([]string{"30.00", "25.00"})
		for _, one := range o {
			_, err := w.payments.Pay(w.ctx, w.payer, fromBalance(one, one.AmountDue))
			w.must(err)
		}
		if b := w.balance(); b.Available() != 0 || b.CreditUsed != 45_00 || b.Frozen != 55_00 {
			t.Fatalf("%+v", b)
		}
		_, err := w.payments.SettleFreeze(w.ctx, o[0].ID, cny(5_00))
		w.must(err)
		if b := w.balance(); b.Available() != 0 || b.CreditUsed != 20_00 || b.Frozen != 25_00 {
			t.Errorf("%+v", b)
		}
		_, err = w.accounts.Update(w.ctx, w.payer.AccountID, account.Update{CreditLimit: &input.Amount{Decimal: "20.00", Currency: "CNY"}})
		w.must(err)
		_, err = w.payments.SettleFreeze(w.ctx, o[1].ID, cny(25_00))
		w.must(err)
		if b := w.balance(); b.Frozen != 0 || b.Available()-b.CreditUsed != -20_00 {
			t.Errorf("%+v", b)
		}
	})
}

// Several settlements of one order at once: one is done.
func TestSettleFreezeRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(1000_00)
		for range 10 {
			o := w.byUse([]string{"20.00"})[0]
			_, err := w.payments.Pay(w.ctx, w.payer, fromBalance(o, 20_00))
			w.must(err)
			before := w.balance()
			var done atomic.Int64
			var all sync.WaitGroup
			start := make(chan struct{})
			for n := range int64(6) {
				all.Go(func() {
					<-start
					_, err := w.payments.SettleFreeze(w.ctx, o.ID, cny(n+1))
					if err == nil {
						done.Add(n + 1)
					} else if !fault.Is(err, "ORDER_STATUS_CHANGED") {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			if b := w.balance(); done.Load() == 0 || done.Load() > 6 || b.Available() != before.Available()+20_00-done.Load() || b.Frozen != 0 {
				t.Fatalf("%d done: %+v", done.Load(), b)
			}
		}
	})
}
