package refund_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/input"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// A refund takes as many statements for 30 orders as for 2, also where the channel refuses it or coupons return; only POSTPAID orders
// that are still frozen cost some each, for each is charged by lines of its own.
func TestStatementsDoNotGrowWithTheOrders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(w.payer, 2000_00)
		for name, refund := range map[string]func(orders int) int{
			"balance": func(n int) int {
				p := w.paid(bill(int64(n)*10_00, 0, ""), w.place(models.Prepaid, amounts(n)...))
				return w.statements(p)
			},
			"with coupons": func(n int) int {
				coupon := w.coupon(fmt.Sprintf("%d.00", n))
				p := w.paid(bill(int64(n)*9_00, 0, ""), w.place(models.Prepaid, amounts(n)...), coupon)
				return w.statements(p)
			},
			"refused": func(n int) int {
				w.behave(ali, `"call":"normal"`)
				p := w.paid(bill(int64(n)*5_00, int64(n)*5_00, ali), w.place(models.Prepaid, amounts(n)...))
				w.behave(ali, `"call":"refund_fail"`)
				count := w.statements(p)
				if len(w.of(p)) != 2 {
					t.Error("not refused")
				}
				return count
			},
		} {
			if few, many := refund(2), refund(30); few != many {
				t.Errorf("%s: %d statements for 2 orders, %d for 30", name, few, many)
			}
		}
	})
}

func amounts(n int) []string { return strings.Split(strings.Repeat("10.00 ", n-1)+"10.00", " ") }

// statements counts those of a refund of all that is left.
func (w *world) statements(p models.Payment) int {
	w.Helper()
	var counter *database.Counter
	before := w.ctx
	defer func() { w.ctx = before }()
	w.ctx, counter = database.WithCounter(w.ctx)
	w.mustRefund(p, all, 0)
	return counter.N()
}

func (w *world) coupon(face string) string {
	w.Helper()
	granted, err := w.benefits.Grant(w.ctx, benefit.Coupons{AccountID: w.payer.AccountID, Name: "c", Kind: models.CouponCash, Face: input.Amount{Decimal: face, Currency: "CNY"}, ValidTo: w.clock.Now().Add(1000 * time.Hour)})
	w.must(err)
	return granted[0].ID.Encode(models.PrefixCoupon)
}
