package payment_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/payment"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/page"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// partnered gives the payer a partner with money, in fen; the partner is returned as who decides for it.
func (w *world) partnered(minor int64) payment.Payer {
	w.Helper()
	customer := w.payer
	partner := w.newPayer("MAINLAND", "CNY", "")
	w.payer = partner
	if minor > 0 {
		w.give(minor)
	}
	w.payer = customer
	_, err := w.accounts.Update(w.ctx, customer.AccountID, account.Update{PartnerID: &partner.AccountID})
	w.must(err)
	return partner
}

func askingPartner(o models.Order, message string) payment.PayInput {
	return payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Partner: &payment.PartnerPart{Message: message}}}}
}

// asks makes the payer ask its partner for an order.
func (w *world) asks(o models.Order) models.Payment {
	w.Helper()
	p, err := w.payments.Pay(w.ctx, w.payer, askingPartner(o, ""))
	w.must(err)
	if p.Status != models.PaymentRequiresAction {
		w.Fatalf("%+v", p)
	}
	return p
}

func (w *world) availableOf(account models.ID) int64 {
	w.Helper()
	b, err := w.ledger.Balance(w.ctx, account)
	w.must(err)
	return b.Available()
}

// told are the messages of an account with this text in them, by kind.
func (w *world) told(account models.ID, text string) (kinds []string) {
	w.Helper()
	all, err := notify.New(w.DB).Of(w.ctx, account)
	w.must(err)
	for _, m := range all {
		if strings.Contains(m.Body, text) {
			kinds = append(kinds, m.Kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

var bySMSAndEmail = []string{notify.Email, notify.SMS}

// HW-22, HW-35, HW-R21: the partner is asked by SMS and e-mail, its balance pays, the customer is told.
func TestPartnerPays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		bundle := w.place(true, "30.00", "12.50")
		p, err := w.payments.Pay(w.ctx, w.payer, askingPartner(bundle[0], "our November servers"))
		w.must(err)
		end := p.CreatedAt.Add(72 * time.Hour)
		if p.Status != models.PaymentRequiresAction || p.ActionKind != models.ActionAwaitPartner || p.PartnerAmount != 42_50 || p.PartnerID != partner.AccountID || p.Version != 2 ||
			p.ExpiresAt == nil || !p.ExpiresAt.Equal(end) || p.PartnerMessage != "our November servers" {
			t.Fatalf("%+v", p)
		}
		events, err := w.payments.Events(w.ctx, p.AccountID, []models.ID{p.ID})
		w.must(err)
		if e := events[p.ID]; len(e) != 2 || e[0].Status != models.PaymentProcessing || e[1].Note != "payment.note.partner_asked" {
			t.Errorf("timeline %+v", e)
		}
		for _, text := range []string{"Example 请您代付", "42.50", bundle[0].Number + ", " + bundle[1].Number, "our November servers", p.Number, end.In(time.FixedZone("CST", 8*3600)).Format("2006-01-02 15:04")} {
			if kinds := w.told(partner.AccountID, text); !slices.Equal(kinds, bySMSAndEmail) {
				t.Errorf("the partner was told %q by %v", text, kinds)
			}
		}
		if _, err := w.payments.Pay(w.ctx, w.payer, fromBalance(bundle[1], 42_50)); !fault.Is(err, "ORDER_BEING_PAID") {
			t.Error("held orders were paid again:", err)
		}
		done, err := w.payments.ApprovePartner(w.ctx, partner, p.ID)
		w.must(err)
		if done.Status != models.PaymentSucceeded || done.Version != 3 || done.ActionKind != "" || w.availableOf(partner.AccountID) != 57_50 || w.available() != 0 {
			t.Errorf("%+v, %d left", done, w.availableOf(partner.AccountID))
		}
		for _, o := range bundle {
			if now := w.orderNow(o); now.Status != models.OrderProcessing || now.Paid != o.AmountDue || !now.ActivePaymentID.IsZero() {
				t.Errorf("%+v", now)
			}
		}
		lines, err := w.ledger.Statement(w.ctx, partner.AccountID, ledger.Filter{Kinds: []models.TransactionKind{models.KindOrderPayment}}, page.Page{Size: 5})
		w.must(err)
		if len(lines.Items) != 1 || lines.Items[0].Amount != -42_50 || lines.Items[0].PaymentID != p.ID {
			t.Errorf("the partner's statement: %+v", lines.Items)
		}
		if kinds := w.told(w.payer.AccountID, "has paid"); !slices.Equal(kinds, bySMSAndEmail) {
			t.Error("the customer was told by", kinds)
		}
		for _, again := range []error{second(w.payments.ApprovePartner(w.ctx, partner, p.ID)), second(w.payments.DeclinePartner(w.ctx, partner, p.ID, ""))} {
			if !fault.Is(again, "PAYMENT_ENDED") {
				t.Error("decided twice:", again)
			}
		}
	})
}

func second(_ models.Payment, err error) error { return err }

// HW-R21: a refusal frees the orders at once, with the partner's reason, and the customer pays himself.
func TestPartnerDeclines(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		o := w.place(false, "30.00")[0]
		p := w.asks(o)
		for reason, code := range map[string]string{strings.Repeat("长", 501): "INVALID_INPUT", "not with 4242 4242 4242 4242": "CARD_DATA_NOT_ACCEPTED"} {
			if err := second(w.payments.DeclinePartner(w.ctx, partner, p.ID, reason)); !fault.Is(err, code) {
				t.Error(err)
			}
		}
		p, err := w.payments.DeclinePartner(w.ctx, partner, p.ID, "over the budget of this quarter")
		w.must(err)
		if p = w.now(p); p.Status != models.PaymentFailed || p.FailureCode != "PAYMENT_DECLINED" || p.DeclineReason != "over the budget of this quarter" || w.availableOf(partner.AccountID) != 100_00 {
			t.Errorf("%+v", p)
		}
		if kinds := w.told(w.payer.AccountID, "over the budget of this quarter"); !slices.Equal(kinds, bySMSAndEmail) {
			t.Error("the customer was told by", kinds)
		}
		w.give(30_00)
		_, err = w.payments.Pay(w.ctx, w.payer, fromBalance(o, 30_00))
		w.must(err)
	})
}

// Contract §7: 72 hours, never past an order's end; then it expires and holds nothing. The customer may take it back before.
func TestPartnerTakesTooLong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		soon := w.place(false, "1.00")[0]
		lapses := w.clock.Now().Add(5 * time.Hour)
		_, err := w.DB.Exec(w.ctx, "UPDATE orders SET expires_at = ? WHERE account_id = ? AND id = ?", lapses, soon.AccountID, soon.ID)
		w.must(err)
		first, o := w.asks(soon), w.place(false, "2.00", "3.00")
		if !first.ExpiresAt.Equal(lapses) {
			t.Errorf("waits past the order's end: %v, %v", first.ExpiresAt, lapses)
		}
		later, canceled := w.asks(o[0]), w.asks(o[1])
		_, err = w.payments.Cancel(w.ctx, w.payer.AccountID, canceled.ID)
		w.must(err)
		w.advance(6 * time.Hour)
		if w.now(first).Status != models.PaymentExpired || w.orderNow(soon).Status != models.OrderExpired || w.now(later).Status != models.PaymentRequiresAction {
			t.Errorf("%+v %+v", w.now(first), w.orderNow(soon))
		}
		w.clock.mu.Lock()
		w.clock.shift += 67 * time.Hour // over, and no sweep yet
		w.clock.mu.Unlock()
		for _, p := range []models.Payment{first, later, canceled} {
			if err := second(w.payments.ApprovePartner(w.ctx, partner, p.ID)); !fault.Is(err, "PAYMENT_ENDED") {
				t.Error("approved after its end:", err)
			}
		}
		if w.now(later).Status != models.PaymentExpired || w.availableOf(partner.AccountID) != 100_00 || !w.orderNow(o[0]).ActivePaymentID.IsZero() || !w.orderNow(o[1]).ActivePaymentID.IsZero() {
			t.Errorf("%+v", w.now(later))
		}
		swept := w.asks(o[0])
		w.advance(73 * time.Hour)
		if p := w.now(swept); p.Status != models.PaymentExpired || !w.orderNow(o[0]).ActivePaymentID.IsZero() {
			t.Errorf("%+v", p)
		}
	})
}

// HW-35, HW-R21: a partner without money leaves the payment waiting and is told what is missing; with it, it pays.
func TestPartnerWithoutMoney(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(10_00)
		p := w.asks(w.place(false, "30.00")[0])
		err := second(w.payments.ApprovePartner(w.ctx, partner, p.ID))
		f, ok := fault.As(err)
		if !ok || f.Code != "INSUFFICIENT_BALANCE" || strings.Join(f.Field, ".") != "input.paymentId" {
			t.Fatal(err)
		}
		if d := f.Detail.(*fault.InsufficientBalance); d.Available != cny(10_00) || d.Required != cny(30_00) || d.Shortfall != cny(20_00) {
			t.Errorf("%+v", d)
		}
		if now := w.now(p); now.Status != models.PaymentRequiresAction || now.Version != 2 || w.availableOf(partner.AccountID) != 10_00 {
			t.Errorf("%+v", now)
		}
		customer := w.payer
		w.payer = partner
		w.give(20_00)
		w.payer = customer
		p, err = w.payments.ApprovePartner(w.ctx, partner, p.ID)
		w.must(err)
		if p.Status != models.PaymentSucceeded || w.availableOf(partner.AccountID) != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// Contract §4: the same key approves once, and tells the same again.
func TestApprovalIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		p := w.asks(w.place(false, "30.00")[0])
		ctx := w.keyed("approve", "x")
		for range 3 {
			got, err := w.payments.ApprovePartner(ctx, partner, p.ID)
			w.must(err)
			if got.Status != models.PaymentSucceeded || got.ID != p.ID {
				t.Errorf("%+v", got)
			}
			w.must(w.Redis.FlushDB(w.ctx).Err()) // the database remembers
		}
		if w.availableOf(partner.AccountID) != 70_00 {
			t.Error("paid more than once")
		}
		if err := second(w.payments.ApprovePartner(w.keyed("approve", "y"), partner, p.ID)); !fault.Is(err, "IDEMPOTENCY_KEY_REUSED") {
			t.Error(err)
		}
	})
}

// Who has no partner, or one that cannot pay, is told so (HW-22); nothing is written.
func TestPartnerNotAvailable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.place(false, "30.00", "0.00")
		refused := func(why, code string, in payment.PayInput) {
			t.Helper()
			if err := second(w.payments.Pay(w.ctx, w.payer, in)); !fault.Is(err, code) {
				t.Errorf("%s: %v, not %s", why, err, code)
			}
		}
		refused("none", "PARTNER_NOT_AVAILABLE", askingPartner(o[0], ""))
		partner := w.partnered(0)
		refused("nothing to pay", "FUNDING_MISMATCH", askingPartner(o[1], ""))
		refused("a long message", "INVALID_INPUT", askingPartner(o[0], strings.Repeat("x", 501)))
		refused("a card in the message", "CARD_DATA_NOT_ACCEPTED", askingPartner(o[0], "take 5555555555554444"))
		besides := askingPartner(o[0], "")
		ten := cny(10_00)
		besides.Funding.Balance = &ten
		refused("with a balance part", "FUNDING_MISMATCH", besides)
		closing := models.AccountClosing
		_, err := w.accounts.Update(w.ctx, partner.AccountID, account.Update{Status: &closing})
		w.must(err)
		refused("a closing one", "PARTNER_NOT_AVAILABLE", askingPartner(o[0], ""))
		american := w.newPayer("INTERNATIONAL", "USD", "")
		_, err = w.accounts.Update(w.ctx, w.payer.AccountID, account.Update{PartnerID: &american.AccountID})
		w.must(err)
		refused("one with another currency", "PARTNER_NOT_AVAILABLE", askingPartner(o[0], ""))
		if !w.orderNow(o[0]).ActivePaymentID.IsZero() {
			t.Error("a refused payment holds an order")
		}
		required := models.IdentityRequired
		_, err = w.accounts.Update(w.ctx, w.payer.AccountID, account.Update{Identity: &required})
		w.must(err)
		refused("an unknown customer", "IDENTITY_REQUIRED", askingPartner(o[0], ""))
	})
}

// A partner that is leaving, or has to prove who it is, pays nothing; the payment waits on.
func TestPartnerThatMayNotPay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		p := w.asks(w.place(false, "30.00")[0])
		required, closing := models.IdentityRequired, models.AccountClosing
		for code, u := range map[string]account.Update{"IDENTITY_REQUIRED": {Identity: &required}, "ACCOUNT_NOT_ACTIVE": {Status: &closing}} {
			_, err := w.accounts.Update(w.ctx, partner.AccountID, u)
			w.must(err)
			if err := second(w.payments.ApprovePartner(w.ctx, partner, p.ID)); !fault.Is(err, code) {
				t.Errorf("%v, not %s", err, code)
			}
			active, verified := models.AccountActive, models.IdentityVerified
			_, err = w.accounts.Update(w.ctx, partner.AccountID, account.Update{Status: &active, Identity: &verified})
			w.must(err)
		}
		if w.now(p).Status != models.PaymentRequiresAction {
			t.Errorf("%+v", w.now(p))
		}
	})
}

// Contract §7: a customer that is leaving, or has to prove who it is, pays no orders, by its partner neither; the payment waits on, and
// nothing has moved.
func TestPartnerOfACustomerThatMayNotPay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		o := w.place(false, "30.00")[0]
		p := w.asks(o)
		approve := func() error { return second(w.payments.ApprovePartner(w.keyed("approve", "x"), partner, p.ID)) }
		for _, c := range []struct{ column, value, was, code string }{
			{"identity", "REQUIRED", "VERIFIED", "IDENTITY_REQUIRED"}, {"status", "CLOSING", "ACTIVE", "ACCOUNT_NOT_ACTIVE"}, {"status", "CLOSED", "ACTIVE", "ACCOUNT_NOT_ACTIVE"},
		} {
			set := func(value string) {
				_, err := w.DB.Exec(w.ctx, "UPDATE accounts SET "+c.column+" = ? WHERE id = ?", value, p.AccountID)
				w.must(err)
			}
			set(c.value)
			err := approve()
			if f, ok := fault.As(err); !ok || f.Code != c.code || strings.Join(f.Field, ".") != "input.paymentId" {
				t.Errorf("%s: %v, not %s", c.value, err, c.code)
			}
			set(c.was)
			if now := w.now(p); now.Status != models.PaymentRequiresAction || w.orderNow(o).ActivePaymentID != p.ID || w.availableOf(partner.AccountID) != 100_00 {
				t.Errorf("%+v", now)
			}
		}
		w.must(approve()) // with the same key: nothing was done by it
		if w.now(p).Status != models.PaymentSucceeded {
			t.Errorf("%+v", w.now(p))
		}
	})
}

// HW-35: a message of 500 characters is whole in the e-mail and short in the SMS.
func TestALongMessageToThePartner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner, message := w.partnered(0), strings.Repeat("为十一月的服务器付款", 50)
		_, err := w.payments.Pay(w.ctx, w.payer, askingPartner(w.place(false, "30.00")[0], message))
		w.must(err)
		whole, short := w.told(partner.AccountID, message), w.told(partner.AccountID, string([]rune(message)[:69])+"…")
		if !slices.Equal(whole, []string{notify.Email}) || !slices.Equal(short, []string{notify.SMS}) {
			t.Errorf("whole by %v, short by %v", whole, short)
		}
	})
}

// HW-35: when the partner's time is over the customer is told, once, whoever finds out; who takes the payment back knows it himself.
func TestTheCustomerIsToldThatThePartnersTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(100_00)
		o := w.place(false, "1.00", "2.00", "3.00")
		swept, late, canceled := w.asks(o[0]), w.asks(o[1]), w.asks(o[2])
		w.must(second(w.payments.Cancel(w.ctx, w.payer.AccountID, canceled.ID)))
		w.clock.mu.Lock()
		w.clock.shift += 73 * time.Hour // over, and no sweep yet
		w.clock.mu.Unlock()
		for range 2 {
			if err := second(w.payments.ApprovePartner(w.ctx, partner, late.ID)); !fault.Is(err, "PAYMENT_ENDED") {
				t.Error(err)
			}
		}
		w.advance(time.Minute)
		w.advance(time.Hour)
		for p, want := range map[*models.Payment][]string{&swept: bySMSAndEmail, &late: bySMSAndEmail, &canceled: nil} {
			if kinds := w.told(p.AccountID, "so payment "+p.Number+" (orders O"); w.now(*p).Status != models.PaymentExpired && want != nil || !slices.Equal(kinds, want) {
				t.Errorf("%s: told by %v, want %v", w.now(*p).Status, kinds, want)
			}
		}
	})
}

// Nobody but the partner that was asked decides: strangers, the customer himself and a partner about its own payments are told
// that there is no such payment (contract §7).
func TestOnlyTheAskedPartnerDecides(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner, stranger := w.partnered(100_00), w.newPayer("MAINLAND", "CNY", "")
		p := w.asks(w.place(false, "30.00")[0])
		theirs, err := w.payments.TopUp(w.ctx, partner, online(models.ChannelAlipay, 5_00))
		w.must(err)
		for _, c := range []struct {
			who payment.Payer
			id  models.ID
		}{{stranger, p.ID}, {w.payer, p.ID}, {partner, theirs.ID}, {partner, models.NewID()}} {
			for _, err := range []error{second(w.payments.ApprovePartner(w.ctx, c.who, c.id)), second(w.payments.DeclinePartner(w.ctx, c.who, c.id, ""))} {
				if !fault.Is(err, "PAYMENT_NOT_FOUND") {
					t.Error(err)
				}
			}
		}
		if _, err := w.payments.Cancel(w.ctx, partner.AccountID, p.ID); !fault.Is(err, "PAYMENT_NOT_FOUND") {
			t.Error("a partner canceled its customer's payment:", err)
		}
	})
}

// Approvals, refusals, the customer's cancellation and the end of its time, all at once: one end, and the money is where that
// end says, and so is the coupon; who loses is told that it has ended, and nothing else.
func TestPartnerRaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const rounds, price = 40, 7_00
		partner := w.partnered(rounds * price)
		ends := map[models.PaymentStatus]int{}
		for round := range rounds {
			o := w.place(false, "8.00")[0]
			in := askingPartner(o, "")
			in.CouponIDs = w.grant(1, models.CouponCash, "1.00", "")
			p, err := w.payments.Pay(w.ctx, w.payer, in)
			w.must(err)
			before := w.availableOf(partner.AccountID)
			race := []func() error{
				func() error { return second(w.payments.ApprovePartner(w.ctx, partner, p.ID)) },
				func() error { return second(w.payments.ApprovePartner(w.ctx, partner, p.ID)) },
				func() error { return second(w.payments.DeclinePartner(w.ctx, partner, p.ID, "no")) },
				func() error { return second(w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID)) },
			}
			if round%2 == 0 {
				race = append(race, func() error {
					w.clock.mu.Lock()
					w.clock.shift += 73 * time.Hour
					w.clock.mu.Unlock()
					_, err := w.payments.Sweep(w.ctx, 10)
					return err
				})
			}
			start := make(chan struct{})
			var all sync.WaitGroup
			for i := range race {
				do := race[(i+round)%len(race)]
				all.Go(func() {
					<-start
					if err := do(); err != nil && !fault.Is(err, "PAYMENT_ENDED") && !fault.Is(err, "PAYMENT_NOT_CANCELABLE") {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			end, now := w.now(p), w.orderNow(o)
			ends[end.Status]++
			spent, taken := before-w.availableOf(partner.AccountID), now.Status == models.OrderProcessing
			paid := end.Status == models.PaymentSucceeded
			if !end.Status.Terminal() || end.Version != 3 || paid != (spent == price) || !paid && spent != 0 || paid != taken || !now.ActivePaymentID.IsZero() {
				t.Fatalf("%+v: the partner paid %d, order %s held by %s", end, spent, now.Status, now.ActivePaymentID)
			}
			if c := w.coupon(in.CouponIDs[0]); !c.PaymentID.IsZero() || paid != (c.Remaining == 0) || !paid && c.Remaining != 1_00 {
				t.Fatalf("%s: %+v", end.Status, c)
			}
		}
		t.Log(ends)
		if len(ends) < 2 {
			t.Error("no race:", ends)
		}
	})
}

// hooked is a clock that does something before it tells the time for the first time.
type hooked struct {
	*testClock
	once sync.Once
	do   func()
}

func (c *hooked) Now() time.Time {
	c.once.Do(c.do)
	return c.testClock.Now()
}

// HW-R10, lesson 13: an approval that is done after another end has read the payment, and before that gives anything back, wins: what it
// took stays taken, and the loser says that the payment has ended. On SQLite nobody comes in between.
func TestEndsThatAreOvertaken(t *testing.T) {
	w := newWorld(t, testenv.MySQL(t))
	partner := w.partnered(100_00)
	for code, end := range map[string]func(*payment.Service, models.ID) error{
		"PAYMENT_NOT_CANCELABLE": func(s *payment.Service, id models.ID) error { return second(s.Cancel(w.ctx, w.payer.AccountID, id)) },
		"PAYMENT_ENDED": func(s *payment.Service, id models.ID) error {
			return second(s.DeclinePartner(w.ctx, partner, id, "no"))
		},
	} {
		in := askingPartner(w.place(false, "8.00")[0], "")
		in.CouponIDs = w.grant(1, models.CouponCash, "1.00", "")
		p, err := w.payments.Pay(w.ctx, w.payer, in)
		w.must(err)
		c := w.payments.Config
		c.Clock = &hooked{testClock: w.clock, do: func() { w.must(second(w.payments.ApprovePartner(w.ctx, partner, p.ID))) }}
		if err := end(payment.New(c), p.ID); !fault.Is(err, code) {
			t.Errorf("%v, not %s", err, code)
		}
		if now, c := w.now(p), w.coupon(in.CouponIDs[0]); now.Status != models.PaymentSucceeded || !c.PaymentID.IsZero() || c.Remaining != 0 {
			t.Errorf("%+v %+v", now, c)
		}
	}
}

// Contract §3: a partner's people read their own payments and those they were asked for, in one list with pages and a count; a
// stranger's are in nobody's.
func TestPartnerReadsWhatItWasAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner, customer := w.partnered(1000_00), w.payer
		var want []models.ID
		for i := range 7 {
			var p models.Payment
			var err error
			if i%2 == 0 {
				p = w.asks(w.place(false, "1.00")[0])
			} else {
				p, err = w.payments.TopUp(w.ctx, partner, online(models.ChannelAlipay, 1_00))
			}
			w.must(err)
			want = append([]models.ID{p.ID}, want...)
			if _, err := w.payments.TopUp(w.ctx, customer, online(models.ChannelAlipay, 2_00)); err != nil { // none of the partner's business
				t.Fatal(err)
			}
		}
		mine := payment.Filter{AsPartner: true}
		if n, err := w.payments.Count(w.ctx, partner.AccountID, mine); err != nil || n != 7 {
			t.Errorf("counted %d, %v", n, err)
		}
		for size := 1; size <= 8; size++ {
			if got := w.walk(partner.AccountID, mine, size, false); !slices.Equal(got, want) {
				t.Errorf("pages of %d: %v, want %v", size, got, want)
			}
			back := w.walk(partner.AccountID, mine, size, true)
			if !slices.Equal(back, want) {
				t.Errorf("pages of %d from the end: %v, want %v", size, back, want)
			}
		}
		if got := w.walk(partner.AccountID, payment.Filter{}, 20, false); len(got) != 3 {
			t.Errorf("the account's own list: %v", got)
		}
		mine.Statuses = []models.PaymentStatus{models.PaymentRequiresAction}
		mine.Purposes = []models.PaymentPurpose{models.PurposeOrders}
		if got := w.walk(partner.AccountID, mine, 20, false); len(got) != 4 {
			t.Errorf("what waits: %v", got)
		}
		for who, n := range map[models.ID]int{partner.AccountID: 7, customer.AccountID: 4, w.newPayer("MAINLAND", "CNY", "").AccountID: 0} {
			if rows, err := w.payments.ForPartner(w.ctx, who, want); err != nil || len(rows) != n {
				t.Errorf("%d of 7 by id, want %d (%v)", len(rows), n, err)
			}
		}
	})
}

// walk reads a list to its end, or from there to its start, in pages.
func (w *world) walk(account models.ID, f payment.Filter, size int, backward bool) (ids []models.ID) {
	w.Helper()
	p := page.Page{Size: size, Backward: backward}
	for range 100 {
		r, err := w.payments.List(w.ctx, account, f, p)
		w.must(err)
		var here []models.ID
		for _, row := range r.Items {
			here = append(here, row.ID)
		}
		more, edge := r.HasNext, len(r.Items)-1
		if backward {
			ids, more, edge = append(here, ids...), r.HasPrevious, 0
		} else {
			ids = append(ids, here...)
		}
		if !more {
			return ids
		}
		c, err := page.ParseCursor(r.Cursor(r.Items[edge]))
		w.must(err)
		if backward {
			p.Before = &c
		} else {
			p.After = &c
		}
	}
	w.Fatal("no end")
	return nil
}

// The list of what a partner was asked has an index, however many payments there are.
func TestPartnersListIsIndexed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(0)
		for range 30 {
			w.asks(w.place(false, "1.00")[0])
		}
		explain := "EXPLAIN QUERY PLAN "
		if w.DB.Dialect() != database.SQLite {
			explain = "EXPLAIN FORMAT=JSON "
		}
		var plan strings.Builder
		w.must(w.DB.Query(w.ctx, func(r *sql.Rows) error {
			columns, err := r.Columns()
			if err != nil {
				return err
			}
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(sql.RawBytes)
			}
			err = r.Scan(values...)
			for _, v := range values {
				fmt.Fprintf(&plan, "%s ", *v.(*sql.RawBytes))
			}
			return err
		}, explain+"SELECT * FROM payments WHERE partner_id = ? AND account_id <> ? ORDER BY created_at DESC, id DESC LIMIT 21", partner.AccountID, partner.AccountID))
		if text := plan.String(); !strings.Contains(text, "payments_partner") || strings.Contains(text, "filesort") || strings.Contains(text, "TEMP B-TREE") {
			t.Error(text)
		}
	})
}

// HW-13, HW-35, HW-R10: a partner pays a merged payment with a discount and a coupon: locked while it waits, free after every end
// without money, consumed with the approval.
func TestPartnerPaysAMergedPaymentWithBenefits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		partner := w.partnered(1000_00)
		orders := append(w.placeN(7, false), w.placeN(3, true)...) // 28.00 and 6.00
		coupon, discount := w.grant(1, models.CouponCash, "5.00", "")[0], w.discount("10")
		in := payment.MergeInput{OrderIDs: idsOf(orders[:8]), Agreed: payment.Agreed{CouponIDs: []string{coupon}, DiscountID: discount, Funding: payment.Funding{Partner: &payment.PartnerPart{}}}}
		for _, end := range []func(models.Payment) error{
			func(p models.Payment) error { return second(w.payments.DeclinePartner(w.ctx, partner, p.ID, "")) },
			func(p models.Payment) error { return second(w.payments.Cancel(w.ctx, w.payer.AccountID, p.ID)) },
			func(p models.Payment) error { w.advance(73 * time.Hour); return nil },
			func(p models.Payment) error { return second(w.payments.ApprovePartner(w.ctx, partner, p.ID)) },
		} {
			p, err := w.payments.MergePay(w.ctx, w.payer, in)
			w.must(err)
			if c := w.coupon(coupon); p.PartnerAmount != 25_60 || c.PaymentID != p.ID || c.Remaining != 0 {
				t.Fatalf("asks %d, coupon %+v", p.PartnerAmount, c)
			}
			w.must(end(p))
			c, paid := w.coupon(coupon), w.now(p).Status == models.PaymentSucceeded
			if !w.now(p).Status.Terminal() || !c.PaymentID.IsZero() || paid != (c.Remaining == 0) || !paid && c.Remaining != 5_00 {
				t.Errorf("%s: %+v", w.now(p).Status, c)
			}
			if n := w.statuses(orders); paid && n[models.OrderProcessing] != 10 || !paid && n[models.OrderPendingPayment] != 10 {
				t.Errorf("%s: %v", w.now(p).Status, n)
			}
			w.clean()
		}
		if got := w.availableOf(partner.AccountID); got != 974_40 {
			t.Error("the partner has", got)
		}
		if kinds := w.told(partner.AccountID, "用于 10 个订单（"); len(kinds) != 8 {
			t.Error("the partner was told by", kinds)
		}
	})
}
