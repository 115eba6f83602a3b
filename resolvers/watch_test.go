package resolvers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"paydesk/internal/platform/auth"
)

const statusQuery = `subscription($id: ID!) { paymentStatus(paymentId: $id) { status version timeline { version } account { number } } }`

// watched runs a subscription and gives its answers as they come; the channel closes with it.
func (w *world) watched(ctx context.Context, query string, variables map[string]any) <-chan answer {
	next, out := w.start(ctx, query, variables), make(chan answer)
	go func() {
		defer close(out)
		for {
			r := next(ctx)
			if r == nil {
				return
			}
			var a answer
			raw, _ := json.Marshal(r)
			_ = json.Unmarshal(raw, &a)
			select {
			case out <- a:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (w *world) next(c <-chan answer) answer {
	w.Helper()
	select {
	case a, ok := <-c:
		if !ok {
			w.Fatal("the subscription has ended")
		}
		return a
	case <-time.After(10 * time.Second):
		w.Fatal("nothing came")
	}
	return answer{}
}

func (w *world) ended(c <-chan answer) {
	w.Helper()
	select {
	case a, ok := <-c:
		if ok {
			w.Fatalf("more came: %s %+v", a.Data, a.Errors)
		}
	case <-time.After(10 * time.Second):
		w.Fatal("the subscription goes on")
	}
}

const startTopUp = `mutation { topUp(input: {idempotencyKey: "k", online: {channel: ALIPAY, amount: {amount: "100.00", currency: "CNY"}}}) { payment { id version } } }`

// Lesson 24, PA-12: the state at once, then as its version grows, and the end after a terminal status.
func TestPaymentStatus(t *testing.T) {
	w := newWorld(t)
	id := w.at(w.ask(startTopUp), "topUp.payment.id").(string)
	ctx, cancel := context.WithCancel(w.context(w.viewer))
	defer cancel()
	status := w.watched(ctx, statusQuery, vars("id", id))
	if got := string(w.next(status).Data); got != fmt.Sprintf(`{"paymentStatus":{"status":"REQUIRES_ACTION","version":2,"timeline":[{"version":1},{"version":2}],"account":{"number":%q}}}`, w.me.Number) {
		t.Fatal(got)
	}
	w.ask(`mutation($id: ID!) { cancelPayment(input: {paymentId: $id}) { payment { status } } }`, "id", id)
	if got := string(w.next(status).Data); got != fmt.Sprintf(`{"paymentStatus":{"status":"CANCELED","version":3,"timeline":[{"version":1},{"version":2},{"version":3}],"account":{"number":%q}}}`, w.me.Number) {
		t.Fatal(got)
	}
	w.ended(status)
	late := w.watched(ctx, statusQuery, vars("id", id)) // one that has ended is told once
	w.next(late)
	w.ended(late)
}

func TestSubscriptionsAreForTheirOwner(t *testing.T) {
	w := newWorld(t)
	id := w.at(w.ask(startTopUp), "topUp.payment.id")
	stranger := &auth.Viewer{UserID: "s", Role: auth.Creator, AccountID: w.open("Stranger").ID}
	for _, c := range []struct {
		viewer *auth.Viewer
		query  string
		id     any
		code   string
	}{
		{stranger, statusQuery, id, "NOT_FOUND"},
		{w.viewer, statusQuery, "pay_nonsense", "NOT_FOUND"},
		{nil, statusQuery, id, "UNAUTHENTICATED"},
		{&auth.Viewer{UserID: "o", Role: auth.Operator}, `subscription { balanceChanged { version } }`, nil, "FORBIDDEN"},
	} {
		ctx, cancel := context.WithCancel(w.context(c.viewer))
		if got := w.code(w.next(w.watched(ctx, c.query, vars("id", c.id)))); got != c.code {
			t.Errorf("%s, not %s", got, c.code)
		}
		cancel()
	}
}

// hears waits until the hub is subscribed at Redis: its goroutines are there for good.
func (w *world) hears() {
	w.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		channels, err := w.home.Redis.PubSubChannels(context.Background(), "*").Result()
		w.must(err)
		if len(channels) > 0 {
			return
		}
		if time.Now().After(deadline) {
			w.Fatal("the hub does not subscribe")
		}
	}
}

// A subscription ends with its token, and leaves nothing behind when its client goes.
func TestSubscriptionsEnd(t *testing.T) {
	w := newWorld(t)
	w.hears()
	before := goleak.IgnoreCurrent()
	short := *w.viewer
	short.Expires = time.Now().Add(200 * time.Millisecond)
	balance := w.watched(w.context(&short), `subscription { balanceChanged { version available { amount } } }`, nil)
	w.next(balance)
	w.ended(balance)
	for range 100 {
		ctx, cancel := context.WithCancel(w.context(w.viewer))
		c := w.watched(ctx, `subscription { balanceChanged { version available { amount } } }`, nil)
		w.next(c)
		w.give(w.me, 100)
		w.next(c)
		cancel()
	}
	const peer = "github.com/alicebob/miniredis/v2/server.(*Server).servePeer" // connections of the test's Redis stay open
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction(peer), goleak.IgnoreAnyFunction(peer+".func2"))
	if n := w.hub.Watching(); n != 0 {
		t.Errorf("%d watchers are left", n)
	}
}
