package live_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"paydesk/internal/platform/live"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func start(t *testing.T, client redis.UniversalClient) *live.Hub {
	t.Helper()
	h := live.New(client, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { h.Run(ctx) })
	t.Cleanup(func() { stop(); run.Wait() })
	return h
}

func awaits(t *testing.T, wake <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-wake:
	case <-time.After(10 * time.Second):
		t.Fatal("not woken: ", what)
	}
}

func quiet(t *testing.T, wake <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-wake:
		t.Fatal("woken: ", what)
	default:
	}
}

// publishUntilHeard is how a test waits for a subscription to stand.
func publishUntilHeard(t *testing.T, from *live.Hub, topic string, wake <-chan struct{}) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		_ = from.Publish(t.Context(), topic)
		select {
		case <-wake:
			return
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatal("never heard")
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		a, b := start(t, home.Redis), start(t, home.Redis)
		topic := live.Payment(models.NewID())
		wake, stop := b.Watch(topic)
		defer stop()
		publishUntilHeard(t, a, topic, wake)

		other, stopOther := b.Watch(live.Balance(models.NewID()))
		defer stopOther()
		quiet(t, other, "by another topic")
		for range 100 { // folded into one
			if err := a.Publish(t.Context(), "x", topic); err != nil {
				t.Fatal(err)
			}
		}
		awaits(t, wake, "by the other process")
	})
}

func TestLocalWakeUpNeedsNoRedis(t *testing.T) {
	mini := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: mini.Addr(), MaxRetries: -1})
	defer client.Close()
	for name, h := range map[string]*live.Hub{"no Redis": start(t, nil), "Redis away": start(t, client)} {
		if name == "Redis away" {
			mini.Close()
		}
		wake, stop := h.Watch("t")
		second, stopSecond := h.Watch("t")
		_ = h.Publish(t.Context(), "t", "u")
		awaits(t, wake, name)
		awaits(t, second, name)
		_ = h.Publish(t.Context(), "t")
		_ = h.Publish(t.Context(), "t")
		awaits(t, wake, name)
		quiet(t, wake, "two wake-ups are one")
		stopSecond()
		stop()
		stop() // twice does no harm
		if n := h.Watching(); n != 0 {
			t.Fatal(n)
		}
	}
}

// What was published while Redis was away is made up for: everybody looks once after the reconnect.
func TestReconnectWakesEverybody(t *testing.T) {
	mini := miniredis.NewMiniRedis()
	if err := mini.Start(); err != nil {
		t.Fatal(err)
	}
	defer mini.Close()
	link := testenv.NewLink(t, mini.Addr()) // miniredis itself, restarted, for a moment answers that it knows no SUBSCRIBE
	open := func() redis.UniversalClient {
		c := redis.NewClient(&redis.Options{Addr: link.Address, MaxRetries: -1})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	a, b := start(t, open()), start(t, open())
	wake, stop := b.Watch("t")
	defer stop()
	publishUntilHeard(t, a, "t", wake)
	link.Cut()
	if err := a.Publish(t.Context(), "t"); err == nil {
		t.Fatal("nobody heard, and no error")
	}
	quiet(t, wake, "while Redis is away")
	link.Pass()
	awaits(t, wake, "after the reconnect")
	publishUntilHeard(t, a, "t", wake)
}

func TestManyWatchersUnderRace(t *testing.T) {
	h := start(t, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 100 {
				wake, stop := h.Watch("t")
				_ = h.Publish(context.Background(), "t")
				<-wake
				stop()
			}
		})
	}
	all.Wait()
	if n := h.Watching(); n != 0 {
		t.Fatal(n)
	}
}

func TestNoGoroutineStays(t *testing.T) {
	before := goleak.IgnoreCurrent()
	mini := miniredis.NewMiniRedis()
	if err := mini.Start(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: mini.Addr()})
	h := live.New(client, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { h.Run(ctx) })
	wake, unwatch := h.Watch("t")
	other := live.New(client, slog.New(slog.DiscardHandler))
	publishUntilHeard(t, other, "t", wake)
	unwatch()
	stop()
	run.Wait()
	_ = client.Close()
	mini.Close()
	goleak.VerifyNone(t, before)
}
