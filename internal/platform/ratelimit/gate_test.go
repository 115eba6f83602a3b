package ratelimit

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/redisx"
)

// gate stands in front of a Redis, and can be shut.
type gate struct {
	listener net.Listener
	behind   string
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	mode     mode
}

type mode int

const (
	passes mode = iota
	cut         // nobody is there: connections end at once
	hangs       // somebody is there, and never answers
)

// behind opens a client that reaches a home's Redis through a gate.
func behind(t *testing.T, home string) (redis.UniversalClient, *gate) {
	t.Helper()
	scheme, rest, _ := strings.Cut(home, "://")
	host, db, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		host = host[at+1:]
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, behind: host, open: map[net.Conn]struct{}{}}
	go g.serve()
	client, end, err := redisx.Open(scheme + "://" + strings.Replace(rest, host, l.Addr().String(), 1))
	if err != nil {
		t.Fatal(err, db)
	}
	t.Cleanup(func() {
		_ = end()
		_ = l.Close()
		g.turn(cut)
	})
	return client, g
}

func (g *gate) serve() {
	for {
		c, err := g.listener.Accept()
		if err != nil {
			return
		}
		go g.pass(c)
	}
}

func (g *gate) pass(c net.Conn) {
	defer c.Close()
	g.mu.Lock()
	if g.mode == cut {
		g.mu.Unlock()
		return
	}
	g.open[c] = struct{}{}
	g.mu.Unlock()
	to, err := net.Dial("tcp", g.behind)
	if err != nil {
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(c, to); _ = c.Close() }()
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		g.mu.Lock()
		swallow := g.mode == hangs
		g.mu.Unlock()
		if !swallow {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
}

func (g *gate) turn(m mode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mode = m
	if m != hangs { // what hung is ended too
		for c := range g.open {
			_ = c.Close()
		}
		clear(g.open)
	}
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
