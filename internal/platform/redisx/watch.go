package redisx

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/telemetry/trace"
)

// Watch tells observe of every round trip of a client: its command ("pipeline" for several), its time, and whether it failed (an
// answer that there is nothing is none). Beneath a span each has one of its own: the command, never keys or values.
func Watch(client redis.UniversalClient, observe func(command string, took time.Duration, err error)) {
	client.AddHook(watch{observe})
}

type watch struct {
	observe func(command string, took time.Duration, err error)
}

func (watch) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

func (w watch) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return w.round(ctx, cmd.Name(), func() error { return next(ctx, cmd) })
	}
}

func (w watch) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return w.round(ctx, "pipeline", func() error { return next(ctx, cmds) })
	}
}

func (w watch) round(ctx context.Context, command string, run func() error) error {
	_, span := trace.Child(ctx, trace.Client, command)
	span.Set("db.system.name", "redis")
	span.Set("db.operation.name", command)
	start := time.Now()
	err := run()
	failed := err
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "NOSCRIPT") {
		failed = nil
	}
	w.observe(command, time.Since(start), failed)
	if failed != nil {
		span.Fail("failed")
	}
	span.End()
	return err
}
