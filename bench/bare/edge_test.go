package bare_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"paydesk/bench/bare"
	"paydesk/bench/load"
	"paydesk/graph"
	"paydesk/graph/model"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/httpapi"
	"paydesk/internal/platform/ratelimit"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// somebody's token is always good: what checking one costs is no part of the comparison.
type somebody struct{ *auth.Viewer }

func (s somebody) Verify(context.Context, string) (*auth.Viewer, error) { return s.Viewer, nil }
func (s somebody) Recall(string) (*auth.Viewer, bool)                   { return s.Viewer, true }

func options(b *testing.B) httpapi.Options {
	b.Helper()
	b.Setenv("PAYDESK_DEV", "true")
	cfg, err := config.Load()
	if err != nil {
		b.Fatal(err)
	}
	v := &auth.Viewer{UserID: "user_01jd8x7c9kfq2a5v3m4n6p8r0s", Role: auth.Finance, AccountID: models.NewID()}
	log := slog.New(slog.DiscardHandler)
	return httpapi.Options{
		Schema: graph.NewExecutableSchema(graph.Config{}), Verifier: somebody{v}, Log: log, Limits: cfg.Limits, Timeouts: cfg.HTTP, Scalars: model.Scalars(),
		Limiter:   ratelimit.New(testenv.Embedded(b).Redis, config.Rates{User: 1e9, Account: 1e9, Money: 1e9, SignIn: 1e9, Guesses: 10}, false, log),
		Persisted: httpapi.Persisted{Cache: 100},
	}
}

func run(b *testing.B, serve func(context.Context, net.Listener) error) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l) }()
	c, err := load.Dial(l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	body := `{"operationName":"Home","query":"query Home {` + strings.Repeat(` \n  a: __typename`, 12) + ` # ` + strings.Repeat("x y ", 100) + `\n}"}`
	request := load.Post(nil, "/graphql", strings.Repeat("x", 600), []byte(body))
	if status, answer, err := c.Do(request); err != nil || status != 200 || !strings.Contains(string(answer), `"a"`) {
		b.Fatal(status, string(answer), err)
	}
	b.ReportAllocs()
	before := processor(b)
	for b.Loop() {
		if _, _, err := c.Do(request); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
	_ = c.Close()
	stop()
	<-done
}

// processor is the CPU time of this process, the client's too.
func processor(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkEdge is a request that asks for nothing, through the edge and without it: their difference is what the edge costs.
func BenchmarkEdge(b *testing.B) {
	o := options(b)
	b.Run("paydesk", func(b *testing.B) {
		o.Metrics = nil
		edge, err := httpapi.New(o)
		if err != nil {
			b.Fatal(err)
		}
		run(b, edge.Serve)
	})
	b.Run("bare", func(b *testing.B) {
		edge, err := bare.New(o)
		if err != nil {
			b.Fatal(err)
		}
		run(b, edge.Serve)
	})
}
