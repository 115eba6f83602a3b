package e2e

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/testenv"
)

// TestCrash kills the server between any two steps of topUp and pay, starts it again and wants everything whole: the same
// key gives one payment, the money moves once, nothing stays held, and the audit is clean (contract.md §4 and §5).
func TestCrash(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		walked := map[string]bool{}
		for _, w := range walks() {
			walked[w.step] = true
			t.Run(w.step+" in "+w.job, func(t *testing.T) { walk(t, home, w) })
		}
		for _, step := range failpoint.All {
			if !walked[step] {
				t.Errorf("no walk passes step %s", step)
			}
		}
	})
}

// aWalk is one job that dies at one step.
type aWalk struct {
	step string
	job  string // "topUp", "pay from balance", "pay online"
}

// walks pairs every step with each job that passes it.
func walks() (list []aWalk) {
	jobs := map[string][]string{
		"topup.":   {"topUp"},
		"channel.": {"topUp", "pay online"},
		"settle.":  {"topUp", "pay online"},
		"pay.":     {"pay from balance", "pay online"},
	}
	// What pay does only where it moves the balance itself, and only where it holds the orders.
	balanceOnly, holdOnly := []string{failpoint.PayBooked}, []string{failpoint.PayFrozen}
	for _, step := range failpoint.All {
		for prefix, names := range jobs {
			if !strings.HasPrefix(step, prefix) {
				continue
			}
			for _, job := range names {
				if job == "pay online" && slices.Contains(balanceOnly, step) || job == "pay from balance" && slices.Contains(holdOnly, step) {
					continue
				}
				list = append(list, aWalk{step, job})
			}
		}
	}
	return list
}

// walk prepares with a healthy server, dies with one that has the failpoint, and finishes with a healthy one again, all at
// one address on one home.
func walk(t *testing.T, home testenv.Home, w aWalk) {
	o := options{tags: "failpoint", listen: freeAddress(t)}
	healthy := launch(t, homeEnv(home), o)
	healthy.awaitReady(t)
	c := healthy.customer(t)
	c.charge(t, "ALIPAY", "100.00")
	order, key := c.orders(t, 1, "30.00")[0], unique("crash")
	healthy.stop(t)

	doomed := o
	doomed.env = []string{"PAYDESK_FAILPOINT=" + w.step}
	mortal := launch(t, homeEnv(home), doomed)
	mortal.awaitReady(t)
	if err := try(c, w.job, key, order); err != nil && !errors.Is(err, errTransport) {
		t.Errorf("before it died, the server said: %v", err)
	}
	mortal.awaitKilled(t)

	s := start(t, homeEnv(home), o)
	p := finish(t, s, c, w.job, key, order)
	whole(t, c, w.job, p)
}

// try does the job up to its death, with the payer where there is one.
func try(c *customer, job, key, order string) error {
	r, err := call(c, job, key, order)
	if err != nil || r.Payment == nil || r.Payment.NextAction == nil {
		return err
	}
	return payerGone(payer(r.Payment.NextAction.Content, "succeed"))
}

// payerGone: the payer's page is served by the process that is about to die, which may be before it has answered.
func payerGone(err error) error {
	if err != nil {
		return errors.Join(errTransport, err)
	}
	return nil
}

func call(c *customer, job, key, order string) (result, error) {
	switch job {
	case "topUp":
		return c.topUp(key, "ALIPAY", "30.00")
	case "pay online":
		return c.pay(key, order, onlineOf("ALIPAY", "30.00"))
	}
	return c.pay(key, order, balanceOf("30.00"))
}

// finish does the job again with the same key, twice, and lets time do the rest.
func finish(t *testing.T, s *server, c *customer, job, key, order string) payment {
	t.Helper()
	c.s = s
	first := samePayment(t, 1, func() (result, error) { return call(c, job, key, order) })
	again := samePayment(t, 1, func() (result, error) { return call(c, job, key, order) })
	if first.ID != again.ID {
		t.Fatalf("one key, two payments: %s and %s", first.ID, again.ID)
	}
	if p := c.payment(t, first.ID); p.Status == "REQUIRES_ACTION" {
		_ = payer(p.NextAction.Content, "succeed") // it may be paid already: then the page says no, and the sweep finds it
	}
	s.advance(t, "20s")
	return c.awaitStatus(t, first.ID, "SUCCEEDED")
}

// whole: one payment of that key, the money moved once, versions without a gap, the order free or paid.
func whole(t *testing.T, c *customer, job string, p payment) {
	t.Helper()
	switch job {
	case "topUp":
		c.want(t, "130.00", map[string]int{"TOP_UP": 2})
	case "pay from balance":
		c.want(t, "70.00", map[string]int{"TOP_UP": 1, "ORDER_PAYMENT": 1})
	case "pay online":
		c.want(t, "100.00", map[string]int{"TOP_UP": 1})
	}
	for i, e := range p.Timeline {
		if e.Version != i+1 {
			t.Errorf("timeline: event %d has version %d: %+v", i, e.Version, p.Timeline)
		}
	}
	if len(p.Timeline) != p.Version {
		t.Errorf("version %d with %d events", p.Version, len(p.Timeline))
	}
	var out struct {
		Orders   struct{ Nodes []struct{ Status string } }
		Payments struct{ Nodes []struct{ ID string } }
	}
	c.must(t, `{ orders { nodes { status } } payments { nodes { id } } }`, nil, &out)
	wantOrder := map[string]string{"topUp": "PENDING_PAYMENT"}[job]
	if wantOrder == "" {
		wantOrder = "PROCESSING"
	}
	if len(out.Orders.Nodes) != 1 || out.Orders.Nodes[0].Status != wantOrder {
		t.Errorf("orders %+v, want one %s", out.Orders.Nodes, wantOrder)
	}
	if len(out.Payments.Nodes) != 2 { // the charge before, and this one
		t.Errorf("%d payments, want 2", len(out.Payments.Nodes))
	}
}
