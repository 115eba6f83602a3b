// Command paydesk is the GraphQL backend-for-frontend behind the billing pages of a cloud vendor's console.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"paydesk/internal/demo"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/telemetry"
)

// The collector runs when the heap has grown fivefold: requests are short and garbage is cheap next to memory. The soft limit
// keeps that from growing without end. Both are Go's own variables where they are set.
const (
	gcPercent   = 400
	memoryLimit = 2 << 30 // bytes
)

func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

func main() {
	tune()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// serve runs the product until ctx ends, then lets running requests end and tells subscriptions to reconnect.
func serve(ctx context.Context, logTo io.Writer) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(logTo, cfg.Log.Level, cfg.Log.Format)
	for _, name := range cfg.Unknown {
		log.Warn("this variable means nothing", "variable", name)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("PAYDESK_LISTEN is %q: %w", cfg.Listen, err)
	}
	defer listener.Close() //nolint:errcheck // closed by the server as well
	a, err := assemble(ctx, cfg, log, listener)
	if err != nil {
		return err
	}
	if cfg.Dev {
		if _, err := demo.Seed(ctx, demo.Config{DB: a.db, Clock: a.clock, Policy: a.policy, Outbox: a.outbox, Log: log}); err != nil {
			return errors.Join(fmt.Errorf("demo data: %w", err), a.close())
		}
	}
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, loop := range a.loops() {
		running.Go(func() { loop(background) })
	}
	err = a.listen(ctx, listener)
	end()
	running.Wait()
	return errors.Join(err, a.close())
}

// loops are what runs beside the requests, each until its context ends.
func (a *app) loops() []func(context.Context) {
	loops := []func(context.Context){a.hub.Run, a.outbox.Run, a.sweeper.Run}
	if a.shifted != nil {
		loops = append(loops, a.shifted.Run)
	}
	if a.sandbox != nil {
		loops = append(loops, a.sandbox.Run)
	}
	return loops
}
