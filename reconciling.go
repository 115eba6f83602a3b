package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"paydesk/internal/billing/reconcile"
	"paydesk/internal/channel"
	"paydesk/internal/fleet"
	"paydesk/internal/platform/config"
	"paydesk/models"
)

// comparing are the words of paydesk reconcile.
type comparing struct {
	channel models.PaymentChannel // empty: all that are configured
	day     channel.Day           // empty: each channel's last day that is over
	csv     string                // a file; "-" is the standard output
}

const reconcileUsage = `paydesk reconcile: compare channels' daily statements with the ledger

  paydesk reconcile [--channel NAME] [--day 2026-11-21] [--csv FILE]

  --channel NAME   one channel (ALIPAY, WECHAT_PAY, …); every configured one by default
  --day DAY        a day that is over, as the channel reckons it; yesterday by default
  --csv FILE       write every movement as CSV; - is the standard output (the table then goes to the standard error)

Lost notifications are repaired: the channel is asked, and what it says is booked. It may run as often as you like, also while the
server runs. It exits 1 when a difference waits for a person or a statement could not be had. docs/reconciliation.md has more.
`

// parseComparing reads the words; flag.ErrHelp where help is wanted.
func parseComparing(words []string) (c comparing, err error) {
	set := flag.NewFlagSet("reconcile", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	name, day := set.String("channel", "", ""), set.String("day", "", "")
	set.StringVar(&c.csv, "csv", "", "")
	if err := set.Parse(words); err != nil {
		return c, err
	}
	if set.NArg() > 0 {
		return c, fmt.Errorf("%q is one word too many", set.Arg(0))
	}
	if c.channel = models.PaymentChannel(*name); *name != "" && !slices.Contains(fleet.Names, c.channel) {
		return c, fmt.Errorf("--channel is %q; one of %v is wanted", *name, fleet.Names)
	}
	if *day != "" {
		if c.day, err = channel.ParseDay(*day); err != nil {
			return c, fmt.Errorf("--day: %w", err)
		}
	}
	return c, nil
}

// reconcileCommand is paydesk reconcile.
func reconcileCommand(ctx context.Context, words []string, out, errs io.Writer) error {
	c, err := parseComparing(words)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, reconcileUsage)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; see paydesk reconcile --help", err)
	}
	return withProduct(ctx, func(a *app) error { return c.run(ctx, a, out, errs) })
}

// withProduct assembles the product for a command. Nothing of it is served but, in development, the sandbox, to this process alone: its
// books are in the database, so that it does not matter whether a server runs beside.
func withProduct(ctx context.Context, fn func(*app) error) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	if cfg.Dev {
		cfg.PublicURL = "" // the sandbox's addresses are those of this process
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // closed by the server as well
	a, err := assemble(ctx, cfg, slog.New(slog.DiscardHandler), listener)
	if err != nil {
		return err
	}
	if a.sandbox != nil {
		server := &http.Server{Handler: a.sandbox, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(listener) }() // ends with Close
		defer server.Close()                       //nolint:errcheck // nothing is lost
	}
	return errors.Join(fn(a), a.close())
}

func (c comparing) run(ctx context.Context, a *app, out, errs io.Writer) error {
	names := slices.DeleteFunc(slices.Clone(fleet.Names), func(n models.PaymentChannel) bool { return a.channels[n] == nil })
	if c.channel != "" {
		names = []models.PaymentChannel{c.channel}
	}
	if len(names) == 0 {
		return errors.New("no channel is configured")
	}
	var reports []reconcile.Report
	open, missing := 0, 0
	for _, name := range names {
		r, err := c.compare(ctx, a, name)
		if err != nil {
			return err
		}
		if r.CompletedAt == nil {
			missing++
		}
		open += len(r.Open)
		reports = append(reports, r)
	}
	table := out
	if c.csv == "-" {
		table = errs
	}
	if err := errors.Join(reconcile.Write(table, reports), c.write(ctx, a, reports, out)); err != nil {
		return err
	}
	if open > 0 || missing > 0 {
		return fmt.Errorf("reconcile: %d differences are open, %d days could not be compared", open, missing)
	}
	return nil
}

// compare runs one channel's day. Where another instance is at it, it waits for that one's result.
func (c comparing) compare(ctx context.Context, a *app, name models.PaymentChannel) (reconcile.Report, error) {
	day := c.day
	if day == "" {
		day, _ = a.days.LastDay(name)
	}
	for {
		r, err := a.days.Run(ctx, name, day)
		switch {
		case errors.Is(err, reconcile.ErrNotOver):
			return r, fmt.Errorf("%s: %s is not over", name, day)
		case errors.Is(err, reconcile.ErrNoChannel):
			return r, fmt.Errorf("%s is not configured", name)
		case err != nil || r.Status != models.ReconciliationRunning:
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// write puts the movements of all reports into one file.
func (c comparing) write(ctx context.Context, a *app, reports []reconcile.Report, out io.Writer) (err error) {
	if c.csv == "" {
		return nil
	}
	if c.csv != "-" {
		file, failed := os.Create(c.csv)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	head := true
	for _, r := range reports {
		wrote, err := a.days.WriteCSV(ctx, r.Reconciliation, out, head)
		if err != nil {
			return err
		}
		head = head && !wrote
	}
	return nil
}
