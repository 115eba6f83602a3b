package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"paydesk/internal/billing/audit"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/database"
)

const usage = `paydesk: the GraphQL backend-for-frontend of a cloud vendor's billing pages

  paydesk [serve]   migrate and serve (default)
  paydesk migrate   bring the database's schema to the newest
  paydesk audit     check every ledger and payment invariant, print figures, exit 1 if one is broken
  paydesk reconcile compare channels' daily statements with the ledger; see paydesk reconcile --help
  paydesk version   print the version

Everything else is said by environment variables; README.md lists them.
`

// run does what the words ask for and returns the exit code.
func run(ctx context.Context, words []string, out, errs io.Writer) int {
	command := "serve"
	if len(words) > 0 {
		command = words[0]
	}
	var err error
	switch {
	case command == "reconcile":
		err = reconcileCommand(ctx, words[1:], out, errs)
	case len(words) > 1:
		err = fmt.Errorf("%q is one word too many; see paydesk help", words[1])
	case command == "serve":
		err = serve(ctx, errs)
	case command == "migrate":
		err = withDatabase(ctx, func(ctx context.Context, _ *config.Config, db *database.DB) error { return database.Migrate(ctx, db) })
	case command == "audit":
		err = withDatabase(ctx, func(ctx context.Context, cfg *config.Config, db *database.DB) error {
			return auditAll(ctx, cfg, db, out)
		})
	case command == "version":
		fmt.Fprintln(out, version())
	case command == "help", command == "-h", command == "--help":
		fmt.Fprint(out, usage)
	default:
		err = fmt.Errorf("%q is no command; see paydesk help", command)
	}
	if err != nil {
		fmt.Fprintln(errs, "paydesk:", err)
		return 1
	}
	return 0
}

func withDatabase(ctx context.Context, fn func(context.Context, *config.Config, *database.DB) error) error {
	cfg, err := config.LoadData()
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, cfg, db), db.Close())
}

func auditAll(ctx context.Context, cfg *config.Config, db *database.DB, out io.Writer) error {
	var c clock.Clock = clock.System{}
	if cfg.Dev {
		shifted, err := clock.NewShifted(ctx, db, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		c = shifted
	}
	report, err := audit.Run(ctx, db, c.Now())
	if err != nil {
		return err
	}
	if err := report.Write(out); err != nil {
		return err
	}
	if !report.Clean() {
		return fmt.Errorf("audit: %d invariants are broken", len(report.Findings))
	}
	return nil
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "paydesk (unknown build)"
	}
	text := "paydesk " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.time" {
			text += " " + s.Value
		}
	}
	return text + " " + info.GoVersion
}
