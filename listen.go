package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/console"
	"paydesk/internal/demo"
	"paydesk/internal/dev"
	"paydesk/internal/platform/auth"
	"paydesk/internal/sandbox"
	"paydesk/models"
	"paydesk/page"
	"paydesk/resolvers"
)

// TEMPORARY until internal/platform/httpapi lands.
func (a *app) listen(ctx context.Context, l net.Listener) error {
	r := resolvers.New(resolvers.Services{Accounts: a.accounts, Orders: a.orders, Payments: a.payments, Ledger: a.ledger, Policy: a.policy, Health: a.channels.Healthy, Live: a.hub, Clock: a.clock, Log: a.log,
		QRImage: func(id models.ID) string { return a.public + "/qr/" + id.String() }, RequestID: func(context.Context) string { return "" }})
	srv := handler.New(r.Schema())
	srv.AddTransport(transport.Websocket{InitFunc: func(ctx context.Context, p transport.InitPayload) (context.Context, *transport.InitPayload, error) {
		if t := strings.TrimPrefix(p.Authorization(), "Bearer "); t != "" {
			v, err := a.verifier.Verify(ctx, t)
			if err != nil {
				return ctx, nil, err
			}
			ctx = auth.With(ctx, v)
		}
		return ctx, nil, nil
	}, KeepAlivePingInterval: 10 * time.Second})
	srv.AddTransport(transport.SSE{})
	srv.AddTransport(transport.GET{})
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	srv.Use(extension.Introspection{})
	srv.Use(r.Extension())
	srv.SetErrorPresenter(r.Present)
	srv.SetRecoverFunc(r.Recover)
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, req *http.Request) {
		if t := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "); t != "" {
			v, err := a.verifier.Verify(req.Context(), t)
			if err != nil {
				http.Error(w, `{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}`, 401)
				return
			}
			req = req.WithContext(auth.With(req.Context(), v))
		}
		srv.ServeHTTP(w, req)
	})
	mux.HandleFunc("/webhooks/{channel}", func(w http.ResponseWriter, req *http.Request) {
		a.inbox.Serve(w, req, models.PaymentChannel(req.PathValue("channel")))
	})
	mux.Handle("/", page.Handler())
	mux.Handle("/graphiql/", console.Handler())
	if a.cfg.Dev {
		mux.Handle(sandbox.Prefix, a.sandbox)
		mux.Handle("/dev/", dev.New(a.devConfig()))
	}
	s := &http.Server{Handler: mux}
	go func() { <-ctx.Done(); _ = s.Shutdown(context.Background()) }()
	if err := s.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

func (a *app) devConfig() dev.Config {
	return dev.Config{Issuer: a.issuer, Clock: a.shifted, RunDue: a.sweeper.RunDue,
		People: func(ctx context.Context) ([]dev.Person, error) {
			people, err := demo.Personas(ctx, a.accounts)
			out := make([]dev.Person, len(people))
			for i, p := range people {
				out[i] = dev.Person(p)
			}
			return out, err
		},
		Account:  func(ctx context.Context, id models.ID) (bool, error) { _, found, err := a.accounts.ByID(ctx, id); return found, err },
		Messages: func(context.Context, models.ID) ([]dev.Message, error) { return nil, nil },
	}
}
