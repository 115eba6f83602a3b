package e2e

import (
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

const (
	absorbRate   = 200             // notifications a second
	absorbOldest = 2 * time.Second // that the oldest one may have waited when the last is sent
)

// absorbed is how many notifications are sent: PAYDESK_TEST_NOTIFICATIONS, 400 where it says nothing.
func absorbed() int {
	if n, err := strconv.Atoi(os.Getenv("PAYDESK_TEST_NOTIFICATIONS")); err == nil && n > 0 {
		return n
	}
	return 400
}

// TestNotificationsAreAbsorbed sends notifications of two providers at a steady 200 a second, whether or not the earlier ones are
// answered: all are applied, none is lost, and at the end none has waited for two seconds.
func TestNotificationsAreAbsorbed(t *testing.T) {
	n := absorbed()
	home := testenv.MySQL(t)
	listen := freeAddress(t)
	gate := newGateway(t, listen)
	gate.captured = make(chan notification, n)
	s := start(t, append(homeEnv(home), "PAYDESK_PUBLIC_URL="+gate.URL), options{listen: listen})
	customers, letters := s.paidAndUntold(t, gate, n)

	sent, done := make([]time.Time, n), make([]time.Time, n)
	began := time.Now()
	var sending sync.WaitGroup
	for i, letter := range letters {
		sent[i] = began.Add(time.Duration(i) * time.Second / absorbRate)
		time.Sleep(time.Until(sent[i])) // the rate is what is tested
		sending.Go(func() {
			got, err := gate.deliver(letter)
			if err != nil || refused(got) {
				t.Errorf("answered %d %q, %v: the provider would have to repeat it", got.status, got.answer, err)
			}
			done[i] = time.Now()
		})
	}
	end := time.Now()
	sending.Wait()
	var took []time.Duration
	var oldest time.Duration
	for i := range n {
		if took = append(took, done[i].Sub(sent[i])); done[i].After(end) {
			oldest = max(oldest, end.Sub(sent[i]))
		}
	}
	slices.Sort(took)
	t.Logf("%d notifications in %.1f s: acknowledged after %v (median), %v (99 of 100), %v (all); the oldest at the end had waited %v", n, end.Sub(began).Seconds(), took[n/2], took[n*99/100], took[n-1], oldest)
	if oldest > absorbOldest {
		t.Errorf("at the end one had waited for %v", oldest)
	}
	var applied int
	if _, err := home.DB.QueryRow(t.Context(), []any{&applied}, "SELECT COUNT(*) FROM inbox WHERE verdict = 'APPLIED' AND next_at IS NULL"); err != nil || applied != n {
		t.Errorf("%d of %d were applied when they were acknowledged, %v", applied, n, err)
	}
	for i, c := range customers[:min(n, len(customers))] {
		paid := (n-i-1)/len(customers) + 1
		c.want(t, strconv.Itoa(paid)+".00", map[string]int{"TOP_UP": paid})
	}
}

// paidAndUntold makes so many top-ups of 1.00 through two channels, of some customers in turn, whose payers have paid while the gate kept
// the notifications; the channels answer no questions from then on, so that nobody finds out.
func (s *server) paidAndUntold(t *testing.T, gate *gateway, n int) (customers []*customer, letters []notification) {
	t.Helper()
	channels := []string{"ALIPAY", "WECHAT_PAY"}
	for range 20 {
		customers = append(customers, s.customer(t))
	}
	gate.hold(true)
	codes := make([]string, n)
	inParallel(n, func(i int) {
		r, err := customers[i%len(customers)].topUp(unique("top-up"), channels[i%len(channels)], "1.00")
		if err != nil || r.Payment == nil || r.Payment.NextAction == nil {
			t.Errorf("no payment: %+v, %v", r, err)
			return
		}
		codes[i] = r.Payment.NextAction.Content
	})
	if t.Failed() {
		t.FailNow()
	}
	for _, channel := range channels {
		s.behave(t, channel, map[string]string{"call": "error500"})
		t.Cleanup(func() { s.behave(t, channel, map[string]string{"call": "normal"}) }) // not sooner: the sweep would find some before they are told
	}
	inParallel(n, func(i int) {
		if err := payer(codes[i], "succeed"); err != nil {
			t.Error(err)
		}
	})
	for range n {
		select {
		case letter := <-gate.captured:
			letters = append(letters, letter)
		case <-time.After(20 * time.Second):
			t.Fatalf("only %d of %d notifications came", len(letters), n)
		}
	}
	return customers, letters
}

// inParallel does n things, eight at a time.
func inParallel(n int, do func(i int)) {
	var all sync.WaitGroup
	next := make(chan int)
	for range 8 {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}
