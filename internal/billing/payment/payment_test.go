package payment_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/payment"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

var wallets = []models.PaymentChannel{models.ChannelAlipay, models.ChannelWeChatPay}

// PA-9 to PA-13, HW-28: choose, amount, scan, and the money is there with the success.
func TestTopUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, ch := range wallets {
			p, err := w.payments.TopUp(w.ctx, w.payer, online(ch, 12345))
			w.must(err)
			if p.Status != models.PaymentRequiresAction || p.ActionKind != models.ActionScanQR || p.ActionContent == "" || p.Version != 2 || len(p.Number) < 20 || len(p.Number) > 32 {
				t.Fatalf("%s: %+v", ch, p)
			}
			w.play(p, "outcome=succeed")
			p = w.reaches(p, models.PaymentSucceeded)
			if got, want := w.available(), int64(12345*(i+1)); got != want || p.ChannelReference == "" || p.CompletedAt == nil || p.Version != 3 {
				t.Errorf("%s: available %d, want %d; %+v", ch, got, want, p)
			}
			if content, ok, err := w.payments.Action(w.ctx, p.ID); err != nil || !ok || content == "" {
				t.Errorf("the picture's link is still good (contract §3): %q %v", content, err)
			}
			events, err := w.payments.Events(w.ctx, p.AccountID, []models.ID{p.ID})
			w.must(err)
			if len(events[p.ID]) != 3 {
				t.Errorf("timeline %+v", events)
			}
		}
	})
}

// HW-6, HW-23, HW-1: pay from the balance, done at once; PA-1, HW-24: without enough money nothing moves.
func TestPayFromBalance(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10000)
		o := w.place(false, "99.50")[0]
		p, err := w.payments.Pay(w.ctx, w.payer, fromBalance(o, 9950))
		w.must(err)
		if now := w.orderNow(o); p.Status != models.PaymentSucceeded || w.available() != 50 || now.Status != models.OrderProcessing || now.Paid != 9950 {
			t.Fatalf("%+v, %d left, %+v", p, w.available(), now)
		}
		_, err = w.payments.Pay(w.ctx, w.payer, fromBalance(o, 9950))
		if !fault.Is(err, "ORDER_STATUS_CHANGED") {
			t.Error("paid twice:", err)
		}
		o = w.place(false, "0.51")[0]
		_, err = w.payments.Pay(w.ctx, w.payer, fromBalance(o, 51))
		f, _ := fault.As(err)
		if d, ok := f.Detail.(*fault.InsufficientBalance); !ok || d.Available != cny(50) || d.Required != cny(51) || d.Shortfall != cny(1) {
			t.Errorf("%+v", f)
		}
		if w.available() != 50 || w.orderNow(o).Status != models.OrderPendingPayment {
			t.Error("a refused payment moved something")
		}
	})
}

// HW-8, HW-9, TX-R2: linked orders come along, all or none.
func TestLinkedOrdersComeAlong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10000)
		b := w.place(true, "10.00", "20.00", "30.00")
		if _, err := w.payments.Pay(w.ctx, w.payer, fromBalance(b[0], 1000)); !fault.Is(err, "FUNDING_MISMATCH") {
			t.Error(err)
		}
		_, err := w.payments.Pay(w.ctx, w.payer, fromBalance(b[1], 6000))
		w.must(err)
		for _, o := range b {
			if w.orderNow(o).Status != models.OrderProcessing {
				t.Error("left behind", o.Number)
			}
		}
		b = w.place(true, "1.00", "2.00")
		_, err = w.orders.Cancel(w.ctx, w.payer.AccountID, b[1].ID)
		w.must(err)
		_, err = w.payments.Pay(w.ctx, w.payer, fromBalance(b[0], 300))
		f, ok := fault.As(err)
		if !ok || f.Code != "ORDER_STATUS_CHANGED" {
			t.Fatal(err)
		}
		if d := f.Detail.(*fault.OrdersNotPayable); len(d.Blocked) != 2 || len(d.Remaining) != 0 {
			t.Errorf("%+v", d)
		}
	})
}

// HW-26, HW-28: an order through a channel is held until the payment ends; a second payment is told so.
func TestPayThroughAChannel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			o := w.place(false, "42.00")[0]
			p, err := w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200))
			w.must(err)
			if _, err := w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200)); !fault.Is(err, "ORDER_BEING_PAID") {
				t.Error(err)
			}
			if _, err := w.orders.Cancel(w.ctx, w.payer.AccountID, o.ID); !fault.Is(err, "ORDER_BEING_PAID") {
				t.Error(err)
			}
			w.play(p, "outcome=succeed")
			w.reaches(p, models.PaymentSucceeded)
			if now := w.orderNow(o); now.Status != models.OrderProcessing || now.Paid != 4200 || !now.ActivePaymentID.IsZero() {
				t.Errorf("%+v", now)
			}
			if w.available() != 0 {
				t.Error("an online payment of an order touched the balance")
			}
		}
	})
}

// A declined payment fails and frees its orders; an abandoned one expires (HW-3, D4).
func TestDeclineAbandonCancel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			o := w.place(false, "42.00")[0]
			p, err := w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200))
			w.must(err)
			w.play(p, "outcome=decline")
			w.advance(16 * time.Second)
			if p = w.now(p); p.Status != models.PaymentFailed || p.FailureCode != "PAYMENT_DECLINED" || !w.orderNow(o).ActivePaymentID.IsZero() {
				t.Errorf("%s declined: %+v", ch, p)
			}
			p, err = w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200))
			w.must(err)
			w.play(p, "outcome=abandon")
			w.advance(14 * time.Minute)
			if p = w.now(p); p.Status != models.PaymentRequiresAction {
				t.Errorf("%s abandoned, before its end: %s", ch, p.Status)
			}
			w.advance(2 * time.Minute)
			if p = w.now(p); p.Status != models.PaymentExpired || !w.orderNow(o).ActivePaymentID.IsZero() {
				t.Errorf("%s abandoned: %+v", ch, p)
			}
			p, err = w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200))
			w.must(err)
			p, err = w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID)
			w.must(err)
			if p.Status != models.PaymentCanceled || !w.orderNow(o).ActivePaymentID.IsZero() {
				t.Errorf("%s canceled: %+v", ch, p)
			}
			if _, err := w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID); !fault.Is(err, "PAYMENT_NOT_CANCELABLE") {
				t.Error(err)
			}
		}
	})
}

// Lesson 7: success after expiry or cancellation is in the balance as LATE_PAYMENT, once; the order stays as it is.
func TestLatePayment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, ch := range wallets {
			o := w.place(false, "42.00")[0]
			p, err := w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200))
			w.must(err)
			w.advance(20 * time.Minute)
			if p = w.now(p); p.Status != models.PaymentExpired {
				t.Fatal(p.Status)
			}
			late, err := w.payments.Pay(w.ctx, w.payer, through(o, ch, 4200)) // paid anew meanwhile
			w.must(err)
			w.behave(ch, `"notify":"duplicate"`)
			content := w.content(late)
			w.play(w.withContent(p), "outcome=succeed&late=true")
			w.until("late payment", func() bool { return w.lines(models.KindLatePayment) == int64(i+1) })
			w.behave(ch, `"notify":"normal"`)
			if now := w.now(p); now.Status != models.PaymentExpired || now.LateAmount != 4200 {
				t.Errorf("%+v", now)
			}
			told, err := notify.New(w.DB).Of(w.ctx, w.payer.AccountID)
			w.must(err)
			if len(told) != 2*(i+1) || !strings.Contains(told[0].Body, p.Number) || !strings.Contains(told[0].Body, "42.00") {
				t.Errorf("told to the customer: %+v", told)
			}
			if got := w.available(); got != int64(4200*(i+1)) {
				t.Errorf("available %d", got)
			}
			late.ActionContent = content
			w.play(late, "outcome=succeed")
			w.reaches(late, models.PaymentSucceeded)
		}
	})
}

// Lesson 6: every notification dropped; the sweep finds the success, also one that came after the end.
func TestDroppedNotifications(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			w.behave(ch, `"notify":"drop"`)
			before := w.available()
			p, err := w.payments.TopUp(w.ctx, w.payer, online(ch, 700))
			w.must(err)
			w.play(p, "outcome=succeed")
			w.advance(16 * time.Second)
			if p = w.now(p); p.Status != models.PaymentSucceeded || w.available() != before+700 {
				t.Errorf("%s: %s, %d", ch, p.Status, w.available()-before)
			}
			p, err = w.payments.TopUp(w.ctx, w.payer, online(ch, 800))
			w.must(err)
			content := w.withContent(p)
			p, err = w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID)
			w.must(err)
			w.play(content, "outcome=succeed&late=true")
			w.advance(time.Hour)
			if w.available() != before+1500 || w.now(p).Status != models.PaymentCanceled {
				t.Errorf("%s late: %d", ch, w.available()-before)
			}
			w.behave(ch, `"notify":"normal"`)
		}
	})
}

// Lesson 25: a forged success moves nothing; the true one is found by asking.
func TestForgedNotification(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, ch := range wallets {
			before := w.available()
			w.behave(ch, `"notify":"forge"`)
			p, err := w.payments.TopUp(w.ctx, w.payer, online(ch, 700))
			w.must(err)
			w.play(p, "outcome=succeed")
			w.until("a refused delivery", func() bool {
				var n int64
				_, err := w.DB.QueryRow(w.ctx, []any{&n}, "SELECT COUNT(*) FROM sandbox_notifications WHERE channel = ? AND attempts > 0", string(ch))
				return err == nil && n > 0
			})
			if w.available() != before || w.now(p).Status != models.PaymentRequiresAction {
				t.Fatal("a forged notification moved money")
			}
			w.behave(ch, `"notify":"normal"`)
			w.advance(16 * time.Second)
			if w.available() != before+700 {
				t.Error("the true success was not found")
			}
		}
	})
}

// Lesson 1: the channel takes the call and does not answer; the caller retries with the same and with new keys. One trade.
func TestTimeoutIsUnknown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.place(false, "42.00")[0]
		w.behave(models.ChannelAlipay, `"notify":"normal","call":"error500"`)
		p, err := w.payments.Pay(w.keyed("k", "a"), w.payer, through(o, models.ChannelAlipay, 4200))
		w.must(err)
		if p.Status != models.PaymentProcessing {
			t.Fatal(p.Status)
		}
		if _, err := w.payments.Pay(w.ctx, w.payer, through(o, models.ChannelAlipay, 4200)); !fault.Is(err, "ORDER_BEING_PAID") {
			t.Error(err)
		}
		w.behave(models.ChannelAlipay, `"notify":"normal","call":"normal"`)
		again, err := w.payments.Pay(w.keyed("k", "a"), w.payer, through(o, models.ChannelAlipay, 4200))
		w.must(err)
		if again.ID != p.ID || again.Status != models.PaymentRequiresAction {
			t.Fatalf("the same key resumes with the same number: %+v", again)
		}
		w.play(again, "outcome=succeed")
		w.reaches(p, models.PaymentSucceeded)
	})
}

// Lesson 13 over the whole path: 50 payments of 3.00 on a balance of 100.00.
func TestParallelPayments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10000)
		amounts := make([]string, 50)
		for i := range amounts {
			amounts[i] = "3.00"
		}
		placed := w.place(false, amounts...)
		var paid, short atomic.Int64
		var wg sync.WaitGroup
		for _, o := range placed {
			wg.Go(func() {
				_, err := w.payments.Pay(w.ctx, w.payer, fromBalance(o, 300))
				switch {
				case err == nil:
					paid.Add(1)
				case fault.Is(err, "INSUFFICIENT_BALANCE"):
					short.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if paid.Load() != 33 || short.Load() != 17 || w.available() != 100 {
			t.Fatalf("%d paid, %d short, %d left", paid.Load(), short.Load(), w.available())
		}
	})
}

// Lessons 1 and 10, HW-4, HW-R4: one key, 20 calls, Redis emptied among them: one payment, one debit.
func TestOneKeyManyCalls(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10000)
		o := w.place(false, "3.00")[0]
		var wg sync.WaitGroup
		var ids sync.Map
		for i := range 20 {
			wg.Go(func() {
				if i%6 == 5 {
					w.Redis.FlushDB(w.ctx)
				}
				p, err := w.payments.Pay(w.keyed("k", "a"), w.payer, fromBalance(o, 300))
				if err != nil {
					t.Error(err)
				}
				ids.Store(p.ID, true)
			})
		}
		wg.Wait()
		n := 0
		ids.Range(func(any, any) bool { n++; return true })
		if n != 1 || w.available() != 9700 || w.lines(models.KindOrderPayment) != 1 {
			t.Fatalf("%d payments, %d left", n, w.available())
		}
		if _, err := w.payments.Pay(w.keyed("k", "b"), w.payer, fromBalance(o, 300)); !fault.Is(err, "IDEMPOTENCY_KEY_REUSED") {
			t.Error(err)
		}
	})
}

// Lesson 11, 200 parallel payments by different orders of one account and one order wanted by many: each order once.
func TestOneOrderManyPayers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10000)
		o := w.place(false, "3.00")[0]
		var paid atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := w.payments.Pay(w.ctx, w.payer, fromBalance(o, 300))
				if err == nil {
					paid.Add(1)
				} else if !fault.Is(err, "ORDER_STATUS_CHANGED") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if paid.Load() != 1 || w.available() != 9700 {
			t.Fatalf("%d paid, %d left", paid.Load(), w.available())
		}
	})
}

// What later issues bring is refused with its code; bad funding says what is wrong.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10000)
		o := w.place(false, "3.00")[0]
		pay := func(change func(*payment.PayInput)) error {
			in := fromBalance(o, 300)
			change(&in)
			_, err := w.payments.Pay(w.ctx, w.payer, in)
			return err
		}
		half, usd := cny(150), cny(300)
		usd.Currency = "USD"
		for want, change := range map[string]func(*payment.PayInput){
			"COUPON_NOT_APPLICABLE":   func(in *payment.PayInput) { in.CouponIDs = []string{"cpn_x"} },
			"DISCOUNT_NOT_APPLICABLE": func(in *payment.PayInput) { in.DiscountID = "dsc_x" },
			"PARTNER_NOT_AVAILABLE":   func(in *payment.PayInput) { in.Funding = payment.Funding{Partner: &payment.PartnerPart{}} },
			"FUNDING_MISMATCH":        func(in *payment.PayInput) { in.Funding = payment.Funding{Balance: &half} },
			"CURRENCY_MISMATCH":       func(in *payment.PayInput) { in.Funding = payment.Funding{Balance: &usd} },
			"QUOTE_CHANGED":           func(in *payment.PayInput) { in.ExpectedTotal, in.Funding = &half, payment.Funding{Balance: &half} },
			"ORDER_NOT_FOUND":         func(in *payment.PayInput) { in.OrderID = models.NewID() },
		} {
			if err := pay(change); !fault.Is(err, want) {
				t.Errorf("want %s, got %v", want, err)
			}
		}
		stranger := w.newPayer("MAINLAND", "CNY", "")
		if _, err := w.payments.Pay(w.ctx, stranger, fromBalance(o, 300)); !fault.Is(err, "ORDER_NOT_FOUND") {
			t.Error("another account's order:", err)
		}
		if _, err := w.payments.Cancel(w.ctx, stranger.AccountID, models.NewID()); !fault.Is(err, "PAYMENT_NOT_FOUND") {
			t.Error(err)
		}
		if _, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelAlipay, 9)); !fault.Is(err, "AMOUNT_OUT_OF_RANGE") { // PA-20: 0.10 at least
			t.Error(err)
		}
		delete(w.payments.Channels, models.ChannelQQWallet) // as where nobody has configured it
		if _, err := w.payments.TopUp(w.ctx, w.payer, online(models.ChannelQQWallet, 900)); !fault.Is(err, "CHANNEL_NOT_AVAILABLE") {
			t.Error(err)
		}
		if w.available() != 10000 {
			t.Error("a refusal moved money")
		}
	})
}
