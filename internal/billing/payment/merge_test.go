package payment_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// placeN places n orders of 1.00, 2.00, …
func (w *world) placeN(n int, bundle bool) []models.Order {
	w.Helper()
	amounts := make([]string, n)
	for i := range amounts {
		amounts[i] = fmt.Sprintf("%d.00", i+1)
	}
	return w.place(bundle, amounts...)
}

func idsOf(orders []models.Order) (ids []models.ID) {
	for _, o := range orders {
		ids = append(ids, o.ID)
	}
	return ids
}

func sumOf(orders []models.Order) (sum int64) {
	for _, o := range orders {
		sum += o.AmountDue
	}
	return sum
}

// merged is a merged payment from the balance, of what the orders cost.
func merged(orders []models.Order) payment.MergeInput {
	m := cny(sumOf(orders))
	return payment.MergeInput{OrderIDs: idsOf(orders), Agreed: payment.Agreed{Funding: payment.Funding{Balance: &m}, ExpectedTotal: &m}}
}

func (w *world) statuses(orders []models.Order) map[models.OrderStatus]int {
	w.Helper()
	out := map[models.OrderStatus]int{}
	for _, o := range orders {
		out[w.orderNow(o).Status]++
	}
	return out
}

func (w *world) place1(change func(*order.NewOrder)) models.Order {
	w.Helper()
	w.numbers++
	o := newOrder(fmt.Sprint("O", w.numbers), "1.00")
	change(&o)
	placed, err := w.orders.Place(w.ctx, order.Placement{AccountID: w.payer.AccountID, Orders: []order.NewOrder{o}})
	w.must(err)
	return placed[0]
}

// HW-13, D1: thirty orders, linked ones counted, are paid at once; 31 are too many before anything happens.
func TestMergePayCountsLinkedOrders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		bundle, single := w.placeN(3, true), w.placeN(28, false)
		in := merged(append(slices.Clone(single[:27]), bundle...))
		in.OrderIDs = idsOf(append(slices.Clone(single[:27]), bundle[1])) // its mates come along
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if got := w.statuses(append(single[:27], bundle...))[models.OrderProcessing]; got != 30 || p.Status != models.PaymentSucceeded {
			t.Fatalf("%d of 30 paid, %s", got, p.Status)
		}
		if w.lines(models.KindOrderPayment) != 1 {
			t.Error("one payment is one line of the statement")
		}
		shares, err := w.payments.Allocations(w.ctx, w.payer.AccountID, []models.ID{p.ID})
		w.must(err)
		if len(shares[p.ID]) != 30 {
			t.Errorf("%d allocations", len(shares[p.ID]))
		}

		left, bundle := w.available(), w.placeN(3, true)
		single = append(single[27:], w.placeN(28, false)...) // 29 and a bundle of 3 make 32
		in = merged(append(slices.Clone(single), bundle...))
		in.OrderIDs = idsOf(append(slices.Clone(single), bundle[0]))
		_, err = w.payments.MergePay(w.ctx, w.payer, in)
		f, _ := fault.As(err)
		if !fault.Is(err, "TOO_MANY_ORDERS") || f.Args["maximum"] != 30 {
			t.Errorf("%v", err)
		}
		if _, err := w.payments.MergePay(w.ctx, w.payer, payment.MergeInput{}); !fault.Is(err, "NO_ORDERS") {
			t.Error(err)
		}
		if w.available() != left || w.statuses(single)[models.OrderPendingPayment] != 29 {
			t.Error("a refusal moved something")
		}
	})
}

// HW-14, HW-15, HW-16, lesson 9: k of 30 orders change between quote and payment. No money moves and the lists are exact;
// PAY_REMAINING pays exactly the rest, also when the same key asks again; with all 30 changed there is nothing to pay.
func TestStatusChangesBetweenQuoteAndPayment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, k := range []int{1, 29, 30} {
			w.give(100_000)
			orders := w.placeN(30, false)
			in, before := merged(orders), w.available()
			for _, o := range orders[:k] {
				_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, o.ID)
				w.must(err)
			}
			want := "ORDER_STATUS_CHANGED"
			if k == 30 {
				want = "ALL_ORDERS_STATUS_CHANGED"
			}
			_, err := w.payments.MergePay(w.ctx, w.payer, in)
			w.lists(err, want, orders[:k], orders[k:])
			if w.available() != before || w.statuses(orders)[models.OrderPendingPayment] != 30-k {
				t.Fatalf("k=%d: a refused payment moved something", k)
			}
			in.PayRemaining = true
			key := fmt.Sprint("remaining", k)
			p, err := w.payments.MergePay(w.keyed(key, "a"), w.payer, in)
			if k == 30 {
				w.lists(err, want, orders, nil)
				continue
			}
			w.must(err)
			rest := sumOf(orders[k:])
			if p.Amount != rest || before-w.available() != rest || w.statuses(orders)[models.OrderProcessing] != 30-k {
				t.Errorf("k=%d: paid %d of %d, %v", k, p.Amount, rest, w.statuses(orders))
			}
			again, err := w.payments.MergePay(w.keyed(key, "a"), w.payer, in)
			w.must(err)
			for _, p := range []models.Payment{p, again} {
				var removed []string
				for _, r := range p.Terms.Removed {
					removed = append(removed, r.OrderID)
				}
				if p.ID != again.ID || !slices.Equal(removed, encoded(orders[:k])) || p.Terms.Removed[0].Code != "ORDER_STATUS_CHANGED" {
					t.Errorf("k=%d: removed %v", k, p.Terms.Removed)
				}
			}
		}
	})
}

func encoded(orders []models.Order) (out []string) {
	for _, o := range orders {
		out = append(out, o.ID.Encode(models.PrefixOrder))
	}
	return out
}

// lists compares a refusal with what should be in it.
func (w *world) lists(err error, code string, blocked, remaining []models.Order) {
	w.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		w.Fatalf("%v, want %s", err, code)
	}
	d := f.Detail.(*fault.OrdersNotPayable)
	var got []models.Order
	for _, b := range d.Blocked {
		got = append(got, b.Order)
	}
	if !slices.Equal(idsOf(got), idsOf(blocked)) || !slices.Equal(idsOf(d.Remaining), idsOf(remaining)) {
		w.Errorf("%s: %d blocked, %d remaining, want %d and %d", code, len(got), len(d.Remaining), len(blocked), len(remaining))
	}
}

// meanwhile lets something happen after each quote, before the payment is written.
type meanwhile struct {
	payment.Quoter
	happens func()
}

func (m *meanwhile) Quote(ctx context.Context, r checkout.Request) (checkout.Quote, error) {
	q, err := m.Quoter.Quote(ctx, r)
	if fn := m.happens; fn != nil {
		m.happens = nil
		fn()
	}
	return q, err
}

func (w *world) afterQuote(fn func()) {
	m, ok := w.payments.Checkout.(*meanwhile)
	if !ok {
		m = &meanwhile{Quoter: w.payments.Checkout}
		w.payments.Checkout = m
	}
	m.happens = fn
}

// HW-14: what changes after the judgement, before the transaction, is seen by the transaction: judged again, with the same
// lists; PAY_REMAINING pays the rest of it.
func TestStatusChangesWhileItIsPaid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		for _, k := range []int{1, 29, 30} {
			for _, channel := range []bool{false, true} {
				orders := w.placeN(30, false)
				in, before := merged(orders), w.available()
				if channel {
					on := online(models.ChannelAlipay, sumOf(orders))
					in.Funding = payment.Funding{Online: &on}
				}
				w.afterQuote(func() {
					for _, o := range orders[:k] {
						_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, o.ID)
						w.must(err)
					}
				})
				want := "ORDER_STATUS_CHANGED"
				if k == 30 {
					want = "ALL_ORDERS_STATUS_CHANGED"
				}
				_, err := w.payments.MergePay(w.ctx, w.payer, in)
				w.lists(err, want, orders[:k], orders[k:])
				if got := w.statuses(orders)[models.OrderPendingPayment]; w.available() != before || got != 30-k {
					t.Fatalf("k=%d: %d pending, %d moved", k, got, before-w.available())
				}
			}
		}
		orders := w.placeN(30, false)
		in, before := merged(orders), w.available()
		in.PayRemaining = true
		w.afterQuote(func() {
			_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, orders[7].ID)
			w.must(err)
		})
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if rest := sumOf(orders) - orders[7].AmountDue; p.Amount != rest || before-w.available() != rest || len(p.Terms.Removed) != 1 {
			t.Errorf("paid %d, want %d; removed %v", p.Amount, rest, p.Terms.Removed)
		}
	})
}

// Contract §5, HW-17, HW-18: the order of judgement is too many, in review, to be confirmed, all changed, some changed. What
// waits for somebody else is not left out. HW-8: a bundle goes as a whole.
func TestOrderOfJudgement(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		plain := w.placeN(2, false)
		changed := w.placeN(2, false)
		for _, o := range changed {
			_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, o.ID)
			w.must(err)
		}
		review := w.place1(func(o *order.NewOrder) { o.Status = models.OrderPendingReview })
		confirm := w.place1(func(o *order.NewOrder) { o.Status = models.OrderPendingConfirmation })
		bundle := w.placeN(2, true)
		_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, bundle[1].ID)
		w.must(err)
		all := func(lists ...[]models.Order) []models.Order { return slices.Concat(lists...) }
		for _, c := range []struct {
			code               string
			asked              []models.Order
			blocked, remaining []models.Order
		}{
			{"ORDER_PENDING_REVIEW", all(plain, changed, []models.Order{confirm, review}), all(changed, []models.Order{confirm, review}), plain},
			{"ORDER_PENDING_CONFIRMATION", all(plain, changed, []models.Order{confirm}), all(changed, []models.Order{confirm}), plain},
			{"ALL_ORDERS_STATUS_CHANGED", changed, changed, nil},
			{"ORDER_STATUS_CHANGED", all(plain, changed), changed, plain},
			{"ORDER_STATUS_CHANGED", all(plain, bundle[:1]), bundle, plain},
		} {
			in := merged(c.asked)
			_, err := w.payments.MergePay(w.ctx, w.payer, in)
			w.lists(err, c.code, c.blocked, c.remaining)
			if c.code == "ORDER_STATUS_CHANGED" {
				continue
			}
			in.PayRemaining = true
			_, err = w.payments.MergePay(w.ctx, w.payer, in)
			w.lists(err, c.code, c.blocked, c.remaining)
		}
		if w.available() != 100_000 {
			t.Error("a refusal moved money")
		}
		in := merged(all(plain, bundle))
		in.PayRemaining = true
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if p.Amount != sumOf(plain) || len(p.Terms.Removed) != 2 {
			t.Errorf("%d paid, removed %+v", p.Amount, p.Terms.Removed)
		}
	})
}

// HW-14: an order that another payment holds is said to be being paid, and PAY_REMAINING goes on without it.
func TestMergePayAndAHeldOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(100_000)
		orders := w.placeN(3, false)
		_, err := w.payments.Pay(w.ctx, w.payer, through(orders[1], models.ChannelAlipay, 200))
		w.must(err)
		in := merged(orders)
		_, err = w.payments.MergePay(w.ctx, w.payer, in)
		w.lists(err, "ORDER_BEING_PAID", orders[1:2], []models.Order{orders[0], orders[2]})
		in.PayRemaining = true
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if p.Amount != 400 || p.Terms.Removed[0].Code != "ORDER_BEING_PAID" {
			t.Errorf("%+v", p)
		}
	})
}

// HW-20: what overlaps the customer's contract is paid only when that is confirmed, and who confirmed when is kept.
func TestOutsideContractIsConfirmed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10_000)
		orders := append(w.placeN(2, false), w.place1(func(o *order.NewOrder) { o.OutsideContract = true }))
		in := merged(orders)
		_, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.lists(err, "OUTSIDE_CONTRACT_CONFIRMATION_REQUIRED", orders[2:], orders[:2])
		in.ConfirmOutsideContract = true
		p, err := w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if p = w.now(p); !p.Terms.OutsideContract || p.CreatedBy != "user" || p.CreatedAt.IsZero() {
			t.Errorf("not audited: %+v", p)
		}
		in = merged(w.placeN(2, false))
		in.ConfirmOutsideContract = true
		p, err = w.payments.MergePay(w.ctx, w.payer, in)
		w.must(err)
		if w.now(p).Terms.OutsideContract {
			t.Error("nothing was outside the contract")
		}
	})
}

// Design §2, D9: what a merged payment asks of the database does not grow with its orders, whatever pays it.
func TestStatementsOfAMergedPayment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(1_000_000)
		count := func(n int, fund func(total int64) payment.Funding) int {
			orders := w.placeN(n, false)
			in := merged(orders)
			in.Funding = fund(sumOf(orders))
			in.CouponIDs = append(in.CouponIDs, w.grant(1, "CASH", "0.50", "")...)
			in.ExpectedTotal = nil
			ctx, counter := database.WithCounter(w.ctx)
			_, err := w.payments.MergePay(ctx, w.payer, in)
			w.must(err)
			return counter.N()
		}
		balance := func(total int64) payment.Funding { m := cny(total - 50); return payment.Funding{Balance: &m} }
		combined := func(total int64) payment.Funding {
			m, on := cny(100), online(models.ChannelAlipay, total-150)
			return payment.Funding{Balance: &m, Online: &on}
		}
		for name, fund := range map[string]func(int64) payment.Funding{"balance": balance, "combined": combined} {
			count(2, fund) // prepares
			two, thirty := count(2, fund), count(30, fund)
			t.Logf("%s: %d statements for 2 orders, %d for 30", name, two, thirty)
			if two != thirty || thirty > 25 { // measured: 16 from the balance, 25 with a channel and what is frozen
				t.Errorf("%s: %d statements for 2 orders, %d for 30", name, two, thirty)
			}
		}
	})
}

// TX-1, design §2: what orders charged by use freeze is one line each and a few statements in all, alone and among orders that are paid.
func TestStatementsOfPostpaidOrders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(1_000_000)
		for name, prepaid := range map[string]int{"alone": 0, "mixed": 1} {
			count := func(n int) int {
				amounts := slices.Repeat([]string{"5.00"}, n)
				orders := w.byUse(amounts, amounts[:n*prepaid]...)
				lines := w.lines(models.KindFreeze)
				ctx, counter := database.WithCounter(w.ctx)
				_, err := w.payments.MergePay(ctx, w.payer, merged(orders))
				w.must(err)
				if got := w.lines(models.KindFreeze) - lines; got != int64(n) {
					t.Errorf("%s: %d orders, %d lines", name, n, got)
				}
				return counter.N()
			}
			count(1) // prepares
			one, two, many := count(1), count(2), count(30/(1+prepaid))
			t.Logf("%s: %d statements for one, %d for two, %d for thirty orders", name, one, two, many)
			if two != many || one != two || many > 17 { // measured: 14, and 17 with a payment beside what is frozen
				t.Errorf("%s: %d statements for one, %d for two, %d for thirty orders", name, one, two, many)
			}
		}
	})
}

// QUOTE_CHANGED carries the quote as it now is; expectedTotal is a ceiling only where orders were left out (HW-19).
func TestQuoteChanged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10_000)
		orders := w.placeN(3, false)
		for _, remaining := range []bool{false, true} {
			in, more := merged(orders), cny(700)
			in.ExpectedTotal, in.PayRemaining = &more, remaining
			_, err := w.payments.MergePay(w.ctx, w.payer, in)
			f, _ := fault.As(err)
			if !fault.Is(err, "QUOTE_CHANGED") || f.Detail.(*checkout.Changed).Quote.Priced.Total != 600 {
				t.Errorf("%v", err)
			}
		}
		_, err := w.orders.Cancel(w.ctx, w.payer.AccountID, orders[2].ID)
		w.must(err)
		in, less := merged(orders), cny(299)
		in.ExpectedTotal, in.PayRemaining = &less, true
		if _, err := w.payments.MergePay(w.ctx, w.payer, in); !fault.Is(err, "QUOTE_CHANGED") {
			t.Error("more than the ceiling:", err)
		}
		if w.available() != 10_000 {
			t.Error("a changed quote was charged")
		}
		var f *fault.Fault
		if _, err := w.payments.MergePay(w.ctx, w.payer, payment.MergeInput{OrderIDs: []models.ID{orders[0].ID, models.NewID()}}); !errors.As(err, &f) || f.Code != "ORDER_NOT_FOUND" || !slices.Equal(f.Field, []string{"input", "orderIds", "1"}) {
			t.Error(err)
		}
	})
}
