package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// emptyRedis empties Redis again and again until the returned function is called: Redis is never the truth (contract.md §4).
func emptyRedis(t testing.TB, home testenv.Home) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			if err := home.Redis.FlushDB(ctx).Err(); err != nil && ctx.Err() == nil {
				t.Error("FLUSHDB: ", err)
				return
			}
			time.Sleep(time.Millisecond) // as often as it likes, but not in the way of everything else
		}
	})
	return func() { cancel(); done.Wait() }
}

// together runs n calls at once and gives what each of them gave.
func together(n int, call func(i int) (result, error)) ([]result, error) {
	results, failures := make([]result, n), make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			results[i], failures[i] = call(i)
		})
	}
	close(begin)
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// TestRaces: however many pay at once, and whatever becomes of Redis meanwhile, the balance is spent once and never more
// (HW-23, HW-24, lessons 10 and 11).
func TestRaces(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		for _, emptied := range []bool{false, true} {
			name := map[bool]string{false: "redis kept", true: "redis emptied"}[emptied]
			t.Run(name, func(t *testing.T) {
				around := func(work func()) {
					if emptied {
						stop := emptyRedis(t, home)
						defer stop()
					}
					work()
				}
				t.Run("50 payments of 3.00 on 100.00", func(t *testing.T) { manyPayments(t, s, around) })
				t.Run("20 calls with one key", func(t *testing.T) { oneKey(t, s, around) })
				t.Run("20 top-ups with one key", func(t *testing.T) { oneTopUp(t, s, around) })
			})
		}
	})
}

func manyPayments(t *testing.T, s *server, around func(func())) {
	c := s.customer(t)
	c.charge(t, "ALIPAY", "100.00")
	orders := c.orders(t, 50, "3.00")
	var results []result
	var err error
	around(func() {
		results, err = together(50, func(i int) (result, error) { return c.pay(unique("race"), orders[i], balanceOf("3.00")) })
	})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range results {
		if r.Payment != nil {
			counts[r.Payment.Status]++
		} else {
			counts[r.code()]++
		}
	}
	if counts["SUCCEEDED"] != 33 || counts["INSUFFICIENT_BALANCE"] != 17 {
		t.Errorf("got %v, want 33 SUCCEEDED and 17 INSUFFICIENT_BALANCE", counts)
	}
	c.want(t, "1.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 33})
}

// oneKey: the same call from twenty sides at once, and once more after Redis is empty, is one payment.
func oneKey(t *testing.T, s *server, around func(func())) {
	c := s.customer(t)
	c.charge(t, "WECHAT_PAY", "100.00")
	order, key := c.orders(t, 1, "30.00")[0], unique("same")
	around(func() {
		samePayment(t, 20, func() (result, error) { return c.pay(key, order, balanceOf("30.00")) })
		samePayment(t, 20, func() (result, error) { return c.pay(key, order, balanceOf("30.00")) }) // between: replayed
	})
	c.want(t, "70.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
}

// oneTopUp: likewise where a channel is called in between.
func oneTopUp(t *testing.T, s *server, around func(func())) {
	c, key := s.customer(t), unique("same")
	around(func() {
		p := samePayment(t, 20, func() (result, error) { return c.topUp(key, "ALIPAY", "12.34") })
		if p.NextAction == nil {
			p = c.awaitStatus(t, p.ID, "REQUIRES_ACTION")
		}
		if err := payer(p.NextAction.Content, "succeed"); err != nil {
			t.Fatal(err)
		}
		c.awaitStatus(t, p.ID, "SUCCEEDED")
	})
	c.want(t, "12.34", map[string]int{"TOP_UP": 1})
}

// samePayment runs a call n times at once and wants the same payment from each. A call that is told to come again, because
// the first still runs, does.
func samePayment(t *testing.T, n int, call func() (result, error)) payment {
	t.Helper()
	results, err := together(n, func(int) (result, error) {
		for {
			r, err := call()
			if err != nil || r.code() != "IDEMPOTENCY_IN_PROGRESS" {
				return r, err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, r := range results {
		if r.Payment == nil {
			t.Fatalf("a call with the same key gave %v", r.Errors)
		}
		ids[r.Payment.ID]++
	}
	if len(ids) != 1 {
		t.Fatalf("%d payments for one key: %v", len(ids), ids)
	}
	return *results[0].Payment
}

// TestKeyOfAnotherInput: the same key with other words is refused, and nothing moves (contract.md §4).
func TestKeyOfAnotherInput(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		c := start(t, homeEnv(home), options{}).customer(t)
		c.charge(t, "ALIPAY", "50.00")
		orders, key := c.orders(t, 2, "5.00"), unique("reused")
		samePayment(t, 1, func() (result, error) { return c.pay(key, orders[0], balanceOf("5.00")) })
		for _, when := range []string{"redis kept", "redis emptied"} {
			r, err := c.pay(key, orders[1], balanceOf("5.00"))
			if err != nil || r.code() != "IDEMPOTENCY_KEY_REUSED" {
				t.Errorf("%s: %+v, %v, want IDEMPOTENCY_KEY_REUSED", when, r, err)
			}
			if err := home.Redis.FlushDB(context.Background()).Err(); err != nil {
				t.Fatal(err)
			}
		}
		c.want(t, "45.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
	})
}
