package payment_test

import (
	"slices"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// A list of payments can be paged to its end and back, with and without a filter; nobody else's are in it.
func TestListIsPagedBothWays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.give(10_000)
		var want []models.ID
		for _, o := range w.place(false, "1.00", "2.00", "3.00", "4.00", "5.00") {
			p, err := w.payments.Pay(t.Context(), w.payer, fromBalance(o, o.AmountDue))
			w.must(err)
			want = append([]models.ID{p.ID}, want...)
		}
		long, one := time.Unix(0, 0), 2
		filters := []payment.Filter{{}, {Purposes: []models.PaymentPurpose{models.PurposeOrders}, Statuses: []models.PaymentStatus{models.PaymentSucceeded}, CreatedFrom: &long}}
		for _, f := range filters {
			var got []models.ID
			list := func(p page.Page, err error) page.Result[models.Payment] {
				w.must(err)
				r, err := w.payments.List(t.Context(), w.payer.AccountID, f, p)
				w.must(err)
				return r
			}
			r := list(page.Parse(&one, nil, nil, nil))
			for {
				for _, p := range r.Items {
					got = append(got, p.ID)
				}
				if !r.HasNext {
					break
				}
				after := r.Cursor(r.Items[len(r.Items)-1])
				r = list(page.Parse(&one, &after, nil, nil))
			}
			if !slices.Equal(got, want) {
				t.Errorf("forward: %v, want %v", got, want)
			}
			before := r.Cursor(r.Items[0])
			if r = list(page.Parse(nil, nil, &one, &before)); len(r.Items) != 2 || r.Items[1].ID != want[3] || !r.HasPrevious {
				t.Errorf("backward: %+v", r.Items)
			}
			if n, err := w.payments.Count(t.Context(), w.payer.AccountID, f); err != nil || n != 5 {
				t.Errorf("counted %d, %v", n, err)
			}
		}
	})
}
