package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/crew"
	"paydesk/models"
)

const (
	hands    = 8   // how many movements a channel is asked about at a time
	maxAsked = 100 // for evidence alone, in one run
)

// repair asks the channel about movements of which the statement knows an end that we were not told of, and books what the channel says
// by the rules of payments and refunds. Nothing is booked from the statement alone.
func (c *comparison) repair(ctx context.Context, by map[key]*movement) error {
	var lost []*movement
	for _, m := range by {
		if m.lost() && !c.view.elsewhere(m) {
			lost = append(lost, m)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	var mu sync.Mutex
	var failed error
	_, err := crew.Do(ctx, hands, lost, func(m *movement) bool {
		a := c.ask(ctx, m)
		var err error
		if a.err == nil && m.confirmed(a.ev) {
			_, err = c.applier(m).Apply(context.WithoutCancel(ctx), c.rec.Channel, a.ev)
		}
		mu.Lock()
		defer mu.Unlock()
		m.asked = &a
		if a.err != nil {
			c.silent++
		}
		failed = errors.Join(failed, err)
		return true
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	again := map[key]*movement{}
	for _, m := range lost {
		again[m.key] = m
	}
	if err := c.owners(ctx, again); err != nil {
		return err
	}
	return c.postings(ctx, again)
}

// lost: it is ours, and the statement tells something of it that is not known here: a notification may have been lost.
func (m *movement) lost() bool {
	return len(m.entries) == 0 && m.known() && slices.ContainsFunc(m.lines, m.news)
}

// news: the line says that it has ended, or that a payment's money is under way, or a refund that failed here. Of a refund that is on its
// way here as well there is nothing to ask: its own sweep does.
func (m *movement) news(l line) bool {
	switch {
	case l.moved():
		return true
	case m.kind == models.MovementPayment:
		return l.onItsWay()
	case l.onItsWay(), l.held():
		return m.refund.Status == models.RefundFailed
	}
	return l.State == channel.StateRefundFailed && m.refund.Status == models.RefundProcessing
}

// confirmed: the channel says now that it has ended as a statement could say it.
func (m *movement) confirmed(ev channel.Event) bool {
	if m.kind == models.MovementRefund {
		return ev.State == channel.StateRefunded || ev.State == channel.StateRefundFailed
	}
	return ev.State == channel.StatePaid
}

func (c *comparison) applier(m *movement) Applier {
	if m.kind == models.MovementRefund {
		return c.Refunds
	}
	return c.Payments
}

// ask queries the channel about a movement that is ours.
func (c *comparison) ask(ctx context.Context, m *movement) (a answer) {
	a.at = c.Clock.Now()
	if m.kind == models.MovementPayment {
		a.ev, a.err = c.adapter.Query(ctx, payment.RefOf(*m.payment))
		return a
	}
	a.ev, a.err = c.adapter.QueryRefund(ctx, payment.RefOf(*m.payment), refOf(*m.refund))
	return a
}

// refOf names a refund to its channel.
func refOf(r models.Refund) channel.Ref {
	return channel.Ref{Number: r.Number, Reference: r.ChannelReference, Amount: money.New(r.OnlineAmount, money.Currency(r.Currency)), MadeAt: r.ID.Time()}
}

// inform asks the channel about what a person will have to look at, for evidence alone: nothing is booked of it.
func (c *comparison) inform(ctx context.Context, results []result) {
	var open []*movement
	for _, r := range results {
		new := r.was == nil || r.was.Class != r.class || r.was.ResolvedAt != nil
		if r.waits() && new && r.known() && r.payment != nil && r.asked == nil && len(open) < maxAsked {
			open = append(open, r.movement)
		}
	}
	_, _ = crew.Do(ctx, hands, open, func(m *movement) bool { // ctx over: the evidence is shorter
		a := c.ask(ctx, m)
		m.asked = &a
		return true
	})
}
