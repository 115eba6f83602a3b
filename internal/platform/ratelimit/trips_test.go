package ratelimit

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/redisx"
	"paydesk/internal/platform/testenv"
)

// behind opens a client that reaches a home's Redis through a gate.
func behind(t *testing.T, home string) (redis.UniversalClient, *testenv.Link) {
	t.Helper()
	scheme, rest, _ := strings.Cut(home, "://")
	host, db, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		host = host[at+1:]
	}
	link := testenv.NewLink(t, host)
	client, end, err := redisx.Open(scheme + "://" + strings.Replace(rest, host, link.Address, 1))
	if err != nil {
		t.Fatal(err, db)
	}
	t.Cleanup(func() { _ = end() })
	return client, link
}

// trips counts the round trips of scripts: a pipeline is one. The greetings of a new connection are none.
type trips struct{ n atomic.Int64 }

func (c *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.count(cmd); return next(ctx, cmd) }
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { c.count(cmds[0]); return next(ctx, cmds) }
}

func (c *trips) count(cmd redis.Cmder) {
	if strings.HasPrefix(cmd.Name(), "eval") {
		c.n.Add(1)
	}
}
