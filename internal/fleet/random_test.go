package fleet_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/refund"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// payments is how many a run plays on each home: PAYDESK_TEST_PAYMENTS, 1,000 where it says nothing.
func payments() int {
	if n, err := strconv.Atoi(os.Getenv("PAYDESK_TEST_PAYMENTS")); err == nil && n > 0 {
		return n
	}
	return 1000
}

// moods are how providers behave by turns; a provider that tells another amount is not among them, for its own books say what was paid.
var moods = []treatment{
	{"normal", "normal"}, {"normal", "normal"}, {"normal", "normal"}, {"drop", "normal"}, {"duplicate", "normal"}, {"delay:200ms", "normal"}, {"forge", "normal"},
	{"normal", "slow:50ms"}, {"normal", "error500"}, {"normal", "timeout_after_success"}, {"normal", "bad_signature"}, {"normal", "clock_skew"}, {"normal", "paid_after_close"},
	{"normal", "refund_fail"}, {"normal", "refund_late:1s"}, {"drop", "timeout_after_success"},
}

// Thousands of payments through all channels while providers lose, repeat, delay, forge, hang and fail at random, and payers pay, refuse,
// leave, cancel, come late, come back and are refunded: in the end the ledger is the providers' books to the cent.
func TestRandomFaults(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		seed := uint64(time.Now().UnixNano())
		if n, err := strconv.ParseUint(os.Getenv("PAYDESK_TEST_SEED"), 10, 64); err == nil {
			seed = n
		}
		t.Logf("PAYDESK_TEST_SEED=%d", seed)
		w.give(w.yuan, money.New(100_000_00, "CNY"))
		w.give(w.dollars, money.New(100_000_00, "USD"))
		over, stop := context.WithCancel(w.ctx)
		var weather sync.WaitGroup
		weather.Go(func() { w.changeMoods(over, rand.New(rand.NewPCG(seed, 0))) })
		weather.Go(func() { w.letTimePass(over, rand.New(rand.NewPCG(seed, 1))) })

		began := time.Now()
		const workers = 16
		var mu sync.Mutex
		var all []played
		var running sync.WaitGroup
		for i := range workers {
			running.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i)+2))
				var mine []models.Payment
				for range payments() / workers {
					x, err := w.playRandom(r)
					if err == nil && x.payment.Purpose == models.PurposeOrders {
						mine = append(mine, x.payment)
					}
					if err == nil && len(mine) > 0 && r.IntN(2) == 0 { // of one that has had its time
						err = w.refundSome(r, mine[r.IntN(len(mine))])
					}
					if err != nil {
						t.Errorf("%+v: %v", x, err)
						return
					}
					mu.Lock()
					all = append(all, x)
					mu.Unlock()
				}
			})
		}
		running.Wait()
		t.Logf("played in %s", time.Since(began))
		stop()
		weather.Wait()
		for _, ch := range names {
			w.behave(ch, "normal", "normal")
		}
		w.settle()
		t.Logf("settled after %s", time.Since(began))
		ends := map[models.PaymentStatus]int{}
		for _, x := range all {
			w.agrees(x)
			if !x.payment.ID.IsZero() {
				ends[w.now(x.payment).Status]++
			}
		}
		for _, ch := range names {
			w.books(ch)
		}
		w.clean()
		w.refundsEnded()
		t.Logf("%d payments: %v; late %d, refunds %d", len(all), ends, w.count("SELECT COUNT(*) FROM payments WHERE late_amount > 0"), w.count("SELECT COUNT(*) FROM refunds WHERE status = 'SUCCEEDED'"))
	})
}

// refundsEnded wants every refund to have come to its end; of one that has not, it tells what its channel says.
func (w *world) refundsEnded() {
	w.Helper()
	var open []models.Refund
	w.must(w.DB.Gorm(w.ctx).Where("status = 'PROCESSING'").Find(&open).Error)
	for _, r := range open {
		p, err := w.payments.ByID(w.ctx, r.AccountID, r.PaymentID)
		w.must(err)
		ev, err := w.channels[r.Channel].QueryRefund(w.ctx, payment.RefOf(p), channel.Ref{Number: r.Number, Reference: r.ChannelReference, MadeAt: r.ID.Time()})
		w.Errorf("%s: a refund of %d has no end after %d looks: %+v, %v", r.Channel, r.OnlineAmount, r.SweepCount, ev, err)
	}
}

func (w *world) changeMoods(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		m := moods[r.IntN(len(moods))]
		w.behave(names[r.IntN(len(names))], m.notify, m.call)
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// letTimePass moves the clock by a second or so at a time; now and then by a minute, so that some payments run out.
func (w *world) letTimePass(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		d := time.Duration(r.IntN(2000)) * time.Millisecond
		if r.IntN(20) == 0 {
			d = time.Minute
		}
		w.clock.shift.Add(int64(d))
		_ = w.sweeper.RunDue(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// playRandom plays a payment of a random kind through a random channel to a random outcome.
func (w *world) playRandom(r *rand.Rand) (played, error) {
	ch := names[r.IntN(len(names))]
	x := played{outcome: append(outcomes, "outcome=succeed", "outcome=succeed", "return")[r.IntN(len(outcomes)+3)]}
	p, err := w.startRandom(r, ch)
	var refused *fault.Fault
	switch {
	case errors.Is(err, fault.ErrUnavailable): // the card could not be read: nothing was begun
		return x, nil
	case errors.As(err, &refused) && refused.Code == "METHOD_NOT_FOUND":
		return x, nil
	case err != nil:
		return x, err
	}
	x.payment = p
	if p.Status != models.PaymentRequiresAction {
		return x, nil
	}
	outcome := x.outcome
	if outcome == "return" {
		outcome = "outcome=succeed"
	}
	if err := w.choose(p, outcome); err != nil {
		return x, err
	}
	if x.outcome == "return" {
		res, err := http.Get(w.server.URL + "/return/" + p.Number)
		if err != nil {
			return x, err
		}
		res.Body.Close()
	}
	return x, nil
}

func (w *world) startRandom(r *rand.Rand, ch models.PaymentChannel) (models.Payment, error) {
	who, currency := w.payerOf(ch)
	minor := 1000 + r.Int64N(5000)
	online, err := w.online(ch, minor)
	if err != nil {
		return models.Payment{}, err
	}
	if r.IntN(2) == 0 {
		return w.payments.TopUp(w.ctx, who, online)
	}
	o, err := w.order(ch, minor)
	if err != nil {
		return models.Payment{}, err
	}
	f := payment.Funding{Online: &online}
	if r.IntN(3) == 0 {
		part := money.New(300, currency)
		f.Balance, online.Amount.Minor = &part, minor-300
	}
	return w.payments.Pay(w.ctx, who, payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: f}})
}

// refundSome sends a part back, twice at most; what is refused because it is not paid, or because nothing is left, is as it should be.
func (w *world) refundSome(r *rand.Rand, p models.Payment) error {
	for range 1 + r.IntN(2) {
		part := money.New(1+r.Int64N(p.OnlineAmount), money.Currency(p.Currency))
		_, err := w.refunds.Refund(w.ctx, refund.Input{PaymentID: p.ID, Amount: &part, Reason: "random", By: "operator"})
		var refused *fault.Fault
		if err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	return nil
}
