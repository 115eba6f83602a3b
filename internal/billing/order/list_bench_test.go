package order_test

import (
	"context"
	"testing"
	"time"

	"paydesk/internal/billing/order"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/page"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// A page of 50 orders, on the embedded home: allocations say what reading rows costs in Go.
func BenchmarkList(b *testing.B) {
	home := testenv.Embedded(b)
	c := &fakeClock{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
	e := &env{t: b, db: home.DB, clock: c, ctx: context.Background()}
	e.Service = order.New(home.DB, notify.New(home.DB), c, idempotency.New(home.DB, home.Redis, c), order.Rules{Validity: time.Hour})
	e.account = e.openAccount(models.AccountActive, "CNY")
	for range 60 {
		e.place(newOrder("1"))
	}
	b.ReportAllocs()
	for b.Loop() {
		if l, err := e.List(e.ctx, order.Query{AccountID: e.account, Page: page.First(50)}); err != nil || len(l.Items) != 50 {
			b.Fatal(err)
		}
	}
}
