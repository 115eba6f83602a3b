package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/console"
	"paydesk/graph/model"
	"paydesk/internal/billing/suspense"
	"paydesk/internal/demo"
	"paydesk/internal/dev"
	"paydesk/internal/platform/blob"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/httpapi"
	"paydesk/internal/platform/links"
	"paydesk/internal/platform/persisted"
	"paydesk/internal/platform/qr"
	"paydesk/internal/platform/telemetry"
	"paydesk/internal/webhook"
	"paydesk/models"
	"paydesk/page"
	"paydesk/resolvers"
)

// listen puts the faces on the edge and answers until ctx ends and everything is drained.
func (a *app) listen(ctx context.Context, listener net.Listener) error {
	a.watch(a.registry)
	signer, err := links.New(ctx, a.db, func() string { return a.public })
	if err != nil {
		return err
	}
	pictures, files := qr.New(signer, a.payments.Action), blob.NewFiles(a.files, signer)
	face := resolvers.New(resolvers.Services{
		Accounts: a.accounts, Orders: a.orders, Payments: a.payments, Refunds: a.refunds, Ledger: a.ledger, Verification: a.codes, Benefits: a.benefits, Requests: a.requests, Reconciliations: a.days, Suspense: suspense.New(a.db), Notifications: a.inbox, Checkout: a.checkout, Policy: a.policy, Health: a.channels.Healthy, Live: a.hub, Clock: a.clock, Log: a.log,
		QRImage: pictures.URL, CardField: a.cardField, FileURL: files.URL, RequestID: telemetry.RequestID,
	})
	edge, err := newEdge(httpapi.Options{
		Schema: face.Schema(), Extensions: []graphql.HandlerExtension{face.Extension()}, Present: face.Present, Recover: face.Recover,
		Verifier: a.verifier, Log: a.log, Metrics: a.registry, Slow: a.cfg.Log.Slow, Dev: a.cfg.Dev, Origins: a.cfg.Origins, Public: a.public, Scrape: a.cfg.MetricsToken, Scalars: model.Scalars(), Limits: a.cfg.Limits, Timeouts: a.cfg.HTTP, Limiter: a.limiter, Proxies: a.cfg.Rates.Proxies,
		Persisted: a.persisted(), Documents: persisted.NewStore(a.redis, a.cfg.Persisted.TTL, a.log),
		Ready: []httpapi.Check{
			{Name: "database", Run: a.db.Ping},
			{Name: "migrations", Run: func(ctx context.Context) error {
				done, err := database.Migrated(ctx, a.db)
				if err == nil && !done {
					err = errors.New("the schema is older than this binary")
				}
				return err
			}},
			{Name: "redis", Run: func(ctx context.Context) error { return a.redis.Ping(ctx).Err() }},
		},
		Webhook: a.inbox.Serve, Return: webhook.Return{Payments: a.payments, Log: a.log}, Pictures: pictures, Files: files, Page: page.Handler(a.public, a.own, a.cfg.UnionPay.BaseURL),
		Develop: a.develop(), Sandbox: a.play(), GraphiQL: console.Handler(),
	})
	if err != nil {
		return a.notServed(err)
	}
	a.log.Info("documents are registered", "count", len(a.persisted().Documents), "only", a.cfg.Persisted.Only)
	a.log.Info("paydesk serves", "address", a.public, "database", a.db.Dialect(), "development", a.cfg.Dev, "policy", a.cfg.Policy)
	return edge.Serve(ctx, listener)
}

// develop and play are nil outside development: then nothing of them is mounted.
func (a *app) play() http.Handler {
	if a.sandbox == nil {
		return nil
	}
	return a.sandbox
}

func (a *app) develop() http.Handler {
	if !a.cfg.Dev {
		return nil
	}
	return dev.New(dev.Config{
		Issuer: a.issuer, Clock: a.shifted, RunDue: a.sweeper.RunDue,
		People: func(ctx context.Context) ([]dev.Person, error) {
			people, err := demo.Personas(ctx, a.accounts)
			out := make([]dev.Person, len(people))
			for i, p := range people {
				out[i] = dev.Person(p)
			}
			return out, err
		},
		Account: func(ctx context.Context, id models.ID) (bool, error) {
			_, found, err := a.accounts.ByID(ctx, id)
			return found, err
		},
		Messages: func(ctx context.Context, account models.ID) ([]dev.Message, error) {
			rows, err := a.messages.Of(ctx, account)
			out := make([]dev.Message, len(rows))
			for i, m := range rows {
				out[i] = dev.Message{Kind: m.Kind, To: m.To, Subject: m.Subject, Body: m.Body, Code: m.Code, At: m.At}
			}
			return out, err
		},
	})
}
