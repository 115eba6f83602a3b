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

// client serves an endpoint and gives a function that asks it once.
func client(b *testing.B, serve func(context.Context, net.Listener) error) (ask func()) {
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
	b.Cleanup(func() {
		_ = c.Close()
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	body := `{"operationName":"Home","query":"query Home {` + strings.Repeat(` \n  a: __typename`, 12) + ` # ` + strings.Repeat("x y ", 100) + `\n}"}`
	request := load.Post(nil, "/graphql", strings.Repeat("x", 600), []byte(body))
	return func() {
		if status, answer, err := c.Do(request); err != nil || status != 200 || !strings.Contains(string(answer), `"a"`) {
			b.Fatal(status, string(answer), err)
		}
	}
}

// processor is the CPU time of this process, the client's too, in nanoseconds.
func processor(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// turn is how many requests one endpoint answers before it is the other's turn: long beside the clock of CPU time, short beside
// what neighbours of the machine do.
const turn = 200

// BenchmarkEdge asks for nothing, through the edge and without it, in turns: the difference of their CPU times is what the edge costs.
func BenchmarkEdge(b *testing.B) {
	o := options(b)
	edge, err := httpapi.New(o)
	if err != nil {
		b.Fatal(err)
	}
	plain, err := bare.New(o)
	if err != nil {
		b.Fatal(err)
	}
	asks := [2]func(){client(b, edge.Serve), client(b, plain.Serve)}
	var spent [2]int64
	for b.Loop() {
		for i, ask := range asks {
			begin := processor(b)
			for range turn {
				ask()
			}
			spent[i] += processor(b) - begin
		}
	}
	each := func(ns int64) float64 { return float64(ns) / float64(b.N*turn) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(each(spent[0]), "paydesk-cpu-ns")
	b.ReportMetric(each(spent[1]), "bare-cpu-ns")
	b.ReportMetric(each(spent[0]-spent[1]), "edge-cpu-ns")
}
