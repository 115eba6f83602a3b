package live

import (
	"context"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	channel = "paydesk:live"
	// shards spread the wake-ups over the nodes of a cluster (sharded pub/sub: one subscription per slot).
	shards = 16
	// wakeAllBatch watchers are woken every wakeAllPause after a reconnect, so that they do not all read at once.
	wakeAllBatch = 100
	wakeAllPause = 10 * time.Millisecond
)

// bus is how messages travel: plain pub/sub on one channel, or sharded where there is a cluster.
type bus struct {
	client  redis.UniversalClient
	sharded bool
}

func newBus(client redis.UniversalClient) bus {
	_, sharded := client.(*redis.ClusterClient)
	return bus{client, sharded}
}

func (b bus) publish(ctx context.Context, sender string, topics []string) error {
	if !b.sharded {
		return b.client.Publish(ctx, channel, sender+" "+strings.Join(topics, " ")).Err()
	}
	var parts [shards][]string
	for _, t := range topics {
		h := fnv.New32a()
		_, _ = h.Write([]byte(t))
		i := h.Sum32() % shards
		parts[i] = append(parts[i], t)
	}
	pipe := b.client.Pipeline()
	for i, part := range parts {
		if len(part) > 0 {
			pipe.SPublish(ctx, shardChannel(i), sender+" "+strings.Join(part, " "))
		}
	}
	_, err := pipe.Exec(ctx)
	return err
}

func (b bus) subscribe(ctx context.Context) []*redis.PubSub {
	if !b.sharded {
		return []*redis.PubSub{b.client.Subscribe(ctx, channel)}
	}
	subs := make([]*redis.PubSub, shards)
	for i := range subs {
		subs[i] = b.client.SSubscribe(ctx, shardChannel(i))
	}
	return subs
}

func shardChannel(i int) string { return channel + ":{" + strconv.Itoa(i) + "}" }

// Run hears the other processes until ctx ends. The client reconnects by itself; what was missed meanwhile is made up
// for by waking every watcher.
func (h *Hub) Run(ctx context.Context) {
	if h.redis == nil {
		<-ctx.Done()
		return
	}
	var all sync.WaitGroup
	for _, sub := range h.bus.subscribe(ctx) {
		all.Go(func() { h.listen(ctx, sub) })
	}
	all.Wait()
}

func (h *Hub) listen(ctx context.Context, sub *redis.PubSub) {
	messages := sub.ChannelWithSubscriptions(redis.WithChannelSize(1000), redis.WithChannelHealthCheckInterval(time.Second))
	defer func() {
		_ = sub.Close()
		for range messages { // until the client's own goroutines have ended
		}
	}()
	subscribed := false
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			switch m := m.(type) {
			case *redis.Message:
				h.heard(m.Payload)
			case *redis.Subscription:
				if subscribed {
					h.log.Info("live: heard from Redis again, everybody looks once")
					h.wakeAll(ctx)
				}
				subscribed = true
			}
		}
	}
}

// wakeAll wakes every watcher, a few at a time.
func (h *Hub) wakeAll(ctx context.Context) {
	h.mu.RLock()
	var everybody []*watcher
	for _, all := range h.watchers {
		for w := range all {
			everybody = append(everybody, w)
		}
	}
	h.mu.RUnlock()
	for i, w := range everybody {
		if i%wakeAllBatch == wakeAllBatch-1 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wakeAllPause):
			}
		}
		w.poke()
	}
}
