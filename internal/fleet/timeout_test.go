package fleet_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func (w *world) keyed(who payment.Payer, key, input string) context.Context {
	r := idempotency.Request{Scope: who.AccountID.String(), Mutation: "pay", Key: key}
	copy(r.Hash[:], input)
	return idempotency.With(w.ctx, r)
}

// Lesson 1 on every channel: a provider that takes the order and hangs leaves the payment open, never failed. Twenty repeats with the same
// key and five with new ones make one trade there and one payment here; asked again with the same number it gives the payer his page, and
// he is charged once.
func TestATimeOutIsUnknown(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newWorld(t, home)
		if card, ok := w.channels[models.ChannelBankCard]; ok {
			w.channels[models.ChannelBankCard] = readable{card, w}
		}
		var running sync.WaitGroup
		for _, ch := range names {
			running.Go(func() { w.timesOut(ch) })
		}
		running.Wait()
		if t.Failed() {
			return
		}
		w.settle()
		for _, ch := range names {
			w.books(ch)
		}
		w.clean()
	})
}

// readable is a channel whose cards can be read even while it hangs.
type readable struct {
	channel.Adapter
	w *world
}

// Inspect asks when the provider answers, and leaves it hanging again.
func (r readable) Inspect(ctx context.Context, token string) (channel.Card, error) {
	r.w.behave(r.Channel(), "normal", "normal")
	defer r.w.behave(r.Channel(), "normal", "timeout_after_success")
	return r.Adapter.(channel.CardReader).Inspect(ctx, token)
}

func (w *world) timesOut(ch models.PaymentChannel) {
	who, _ := w.payerOf(ch)
	o, err := w.order(ch, 4321)
	online, err2 := w.online(ch, 4321)
	if err != nil || err2 != nil {
		w.Error(ch, err, err2)
		return
	}
	in := payment.PayInput{OrderID: o.ID, Agreed: payment.Agreed{Funding: payment.Funding{Online: &online}}}
	w.behave(ch, "normal", "timeout_after_success")
	p, err := w.payments.Pay(w.keyed(who, string(ch), "one"), who, in)
	if err != nil || p.Status.Terminal() {
		w.Errorf("%s: %s, %v: a time-out is unknown", ch, p.Status, err)
		return
	}
	var repeats sync.WaitGroup
	for i := range 25 {
		repeats.Go(func() {
			key := string(ch)
			if i >= 20 {
				key += string(rune('a' + i - 20))
			}
			again, err := w.payments.Pay(w.keyed(who, key, "one"), who, in)
			switch {
			case i < 20 && err == nil && again.ID != p.ID:
				w.Errorf("%s: another payment under the same key", ch)
			case i < 20 && err != nil && !fault.Is(err, "IDEMPOTENCY_IN_PROGRESS"), i >= 20 && !fault.Is(err, "ORDER_BEING_PAID"):
				w.Errorf("%s: %d: %v", ch, i, err)
			}
		})
	}
	repeats.Wait()
	w.behave(ch, "normal", "normal")
	p, err = w.payments.Pay(w.keyed(who, string(ch), "one"), who, in)
	if err != nil || p.Status != models.PaymentRequiresAction {
		w.Errorf("%s: taken up again: %s, %v", ch, p.Status, err)
		return
	}
	if err := w.choose(p, "outcome=succeed"); err != nil {
		w.Error(ch, err)
		return
	}
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end) && w.now(p).Status != models.PaymentSucceeded; <-time.After(10 * time.Millisecond) {
	}
	if p = w.now(p); p.Status != models.PaymentSucceeded {
		w.Errorf("%s: %s after it was paid", ch, p.Status)
	}
	if n := w.count("SELECT COUNT(*) FROM sandbox_trades WHERE channel = ?", string(ch)); n != 1 {
		w.Errorf("%s: %d trades for one payment", ch, n)
	}
}
