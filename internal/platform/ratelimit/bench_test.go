package ratelimit

import (
	"log/slog"
	"testing"
	"time"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func benchmark(b *testing.B, run func(l *Limiter, v *auth.Viewer) time.Duration) {
	l := New(testenv.Embedded(b).Redis, config.Rates{User: 1e9, Account: 1e9, Money: 1e9, SignIn: 1e9, Guesses: 10}, false, slog.New(slog.DiscardHandler))
	v := &auth.Viewer{UserID: "user_01jd8x7c9kfq2a5v3m4n6p8r0s", Role: auth.Finance, AccountID: models.NewID()}
	b.ReportAllocs()
	for b.Loop() {
		if run(l, v) > 0 {
			b.Fatal("refused")
		}
	}
}

// BenchmarkOperation is what the limits add to a query: user and account, no round trip.
func BenchmarkOperation(b *testing.B) {
	benchmark(b, func(l *Limiter, v *auth.Viewer) time.Duration { return l.Operation(b.Context(), v, "") })
}

func BenchmarkOperationParallel(b *testing.B) {
	l := New(testenv.Embedded(b).Redis, config.Rates{User: 1e9, Account: 1e9, Money: 1e9, SignIn: 1e9, Guesses: 10}, false, slog.New(slog.DiscardHandler))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		v := &auth.Viewer{UserID: models.NewID().String(), Role: auth.Finance, AccountID: models.NewID()}
		for pb.Next() {
			l.Operation(b.Context(), v, "")
		}
	})
}

// BenchmarkMutation is one round trip, to a Redis of its own.
func BenchmarkMutation(b *testing.B) {
	l := New(testenv.MySQL(b).Redis, config.Rates{User: 1e9, Account: 1e9, Money: 1e9, SignIn: 1e9, Guesses: 10}, false, slog.New(slog.DiscardHandler))
	v := &auth.Viewer{UserID: "user", Role: auth.Finance, AccountID: models.NewID()}
	b.ReportAllocs()
	for b.Loop() {
		if l.Mutation(b.Context(), v, 1) > 0 {
			b.Fatal("refused")
		}
	}
}
