// Package live wakes whoever watches something when it changed, in this process at once and in the others through Redis.
// A wake-up carries no data: the watcher re-reads the database. It may be lost (Redis is away, a reconnect), so watchers
// also re-read now and then; it is never the truth.
package live

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"paydesk/models"
)

// Topics.

// Payment is the topic of a payment.
func Payment(id models.ID) string { return "payment:" + id.String() }

// Balance is the topic of an account's balance.
func Balance(account models.ID) string { return "balance:" + account.String() }

// Clock is the topic of the development clock.
const Clock = "clock"

// Hub fans wake-ups out to the watchers of this process, over one Redis subscription for all of them. Safe for
// concurrent use.
type Hub struct {
	redis redis.UniversalClient // nil: this process alone
	log   *slog.Logger
	bus   bus
	self  string // what this process publishes is not heard again

	mu       sync.RWMutex
	watchers map[string]map[*watcher]struct{}
}

type watcher struct{ wake chan struct{} }

// poke never blocks: a wake-up that is waiting already stands for this one too.
func (w *watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// New makes a hub; it hears other processes while Run runs. client may be nil.
func New(client redis.UniversalClient, log *slog.Logger) *Hub {
	return &Hub{redis: client, log: log, bus: newBus(client), self: uuid.NewString(), watchers: map[string]map[*watcher]struct{}{}}
}

// Watch begins to watch a topic. The channel holds one wake-up, in which all that came since the last look are folded.
// stop must be called; the channel is never closed.
func (h *Hub) Watch(topic string) (wake <-chan struct{}, stop func()) {
	w := &watcher{wake: make(chan struct{}, 1)}
	h.mu.Lock()
	all, ok := h.watchers[topic]
	if !ok {
		all = map[*watcher]struct{}{}
		h.watchers[topic] = all
	}
	all[w] = struct{}{}
	h.mu.Unlock()
	return w.wake, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(all, w)
		if len(all) == 0 && len(h.watchers[topic]) == 0 {
			delete(h.watchers, topic)
		}
	}
}

// Publish wakes the watchers of the topics: those of this process before it returns and whatever becomes of Redis, the
// others by one command per shard. The error says that the others may not have heard.
func (h *Hub) Publish(ctx context.Context, topics ...string) error {
	for _, t := range topics {
		h.wake(t)
	}
	if h.redis == nil || len(topics) == 0 {
		return nil
	}
	return h.bus.publish(ctx, h.self, topics)
}

// Watching is how many watchers there are, for metrics.
func (h *Hub) Watching() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := 0
	for _, all := range h.watchers {
		n += len(all)
	}
	return n
}

func (h *Hub) wake(topic string) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for w := range h.watchers[topic] {
		w.poke()
	}
}

// heard takes a message of another process: its name and the topics, separated by spaces.
func (h *Hub) heard(payload string) {
	sender, topics, _ := strings.Cut(payload, " ")
	if sender == h.self {
		return
	}
	for t := range strings.FieldsSeq(topics) {
		h.wake(t)
	}
}
