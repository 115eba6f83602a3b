package fleet_test

import (
	"fmt"
	"testing"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// permutations calls fn with every order of n things.
func permutations(n int, fn func([]int)) {
	var walk func(done, left []int)
	walk = func(done, left []int) {
		if len(left) == 0 {
			fn(done)
			return
		}
		for i, x := range left {
			rest := append(append([]int{}, left[:i]...), left[i+1:]...)
			walk(append(done[:len(done):len(done)], x), rest)
		}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	walk(nil, all)
}

// Lesson 5: providers promise no order. Whatever the order of what is said of a payment, with duplicates, it ends in the same state; and
// where a provider contradicts itself, the money that came is there once all the same.
func TestEveryOrderOfEvents(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		states := map[string][]channel.State{
			"paid":          {channel.StateNotFound, channel.StatePending, channel.StatePaid, channel.StatePaid, channel.StatePending},
			"unpaid":        {channel.StateNotFound, channel.StatePending, channel.StateDeclined, channel.StateClosed, channel.StateDeclined},
			"contradictory": {channel.StatePending, channel.StatePaid, channel.StateClosed, channel.StatePaid, channel.StateDeclined},
		}
		for i, name := range []string{"paid", "unpaid", "contradictory"} {
			ch := names[i%len(names)]
			ends := map[string]int{}
			permutations(len(states[name]), func(order []int) {
				ends[w.ended(ch, states[name], order)]++
			})
			want := map[string][]string{"paid": {"SUCCEEDED, 0 late, 777 in 1"}, "unpaid": {"FAILED, 0 late, 0 in 0"},
				"contradictory": {"SUCCEEDED, 0 late, 777 in 1", "FAILED, 777 late, 777 in 1"}}[name]
			seen := 0
			for _, end := range want {
				seen += ends[end]
			}
			if seen != 120 {
				t.Errorf("%s: %v", name, ends)
			}
		}
		w.clean()
	})
}

// ended applies statements to a fresh top-up, in an order, and says how it ended.
func (w *world) ended(ch models.PaymentChannel, states []channel.State, order []int) string {
	w.Helper()
	who, currency := w.payerOf(ch)
	online, err := w.online(ch, 777)
	w.must(err)
	p, err := w.payments.TopUp(w.ctx, who, online)
	w.must(err)
	for _, i := range order {
		ev := channel.Event{Number: p.Number, Reference: "T" + p.Number, State: states[i]}
		if ev.State == channel.StatePaid {
			ev.Amount = money.New(777, currency)
		}
		_, err := w.payments.Apply(w.ctx, ch, ev)
		w.must(err)
	}
	p = w.now(p)
	sum := w.count("SELECT COALESCE(SUM(amount), 0) FROM postings WHERE account_id = ? AND payment_id = ? AND book = 'customer'", p.AccountID, p.ID)
	lines := w.count("SELECT COUNT(*) FROM postings WHERE account_id = ? AND payment_id = ? AND book = 'customer'", p.AccountID, p.ID)
	return fmt.Sprintf("%s, %d late, %d in %d", p.Status, p.LateAmount, sum, lines)
}
