package benefit_test

import (
	"slices"
	"testing"
	"time"

	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Coupons are listed newest first, by pages in both directions, those that can be used alone where asked.
func TestList(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		var all []models.ID
		for n := range 7 {
			g := e.cash("5")
			g.Count = ref(2) // of the same moment: the id decides
			g.ValidTo = e.clock.Now().Add(time.Duration(n+1) * 24 * time.Hour)
			out, err := e.Grant(e.ctx, g)
			e.must(err)
			all = append([]models.ID{out[1].ID, out[0].ID}, all...)
			e.clock.advance(time.Minute)
		}
		other := e.cash("5")
		other.AccountID = e.openAccount(models.AccountActive)
		e.grant(other)
		walk := func(usable, backward bool) (got []models.ID) {
			p := page.Page{Size: 3, Backward: backward}
			for {
				r, err := e.List(e.ctx, e.account, usable, p)
				e.must(err)
				ids := make([]models.ID, len(r.Items))
				for i, c := range r.Items {
					ids[i] = c.ID
				}
				more, next := r.HasNext, r.Items[len(r.Items)-1]
				if backward {
					got, more, next = append(ids, got...), r.HasPrevious, r.Items[0]
				} else {
					got = append(got, ids...)
				}
				if !more {
					return got
				}
				cursor := r.Cursor(next)
				var err2 error
				if backward {
					p, err2 = page.Parse(nil, nil, ref(3), &cursor)
				} else {
					p, err2 = page.Parse(ref(3), &cursor, nil, nil)
				}
				e.must(err2)
			}
		}
		for _, backward := range []bool{false, true} {
			if got := walk(false, backward); !slices.Equal(got, all) {
				t.Errorf("backward %v: %v, want %v", backward, got, all)
			}
		}
		e.clock.advance(24 * time.Hour) // the two oldest are over
		used := e.read(models.Coupon{AccountID: e.account, ID: all[0]})
		p := e.reserved([]models.Coupon{used}, use(used, models.NewID(), 500))
		if got, want := walk(true, false), all[1:12]; !slices.Equal(got, want) {
			t.Errorf("locked: %v, want %v", got, want)
		}
		e.end(p, models.PaymentSucceeded)
		if got, want := walk(true, true), all[1:12]; !slices.Equal(got, want) {
			t.Errorf("used: %v, want %v", got, want)
		}
		for usable, want := range map[bool]int64{false: 14, true: 11} {
			if n, err := e.Count(e.ctx, e.account, usable); n != want || err != nil {
				t.Errorf("usable %v: %d %v", usable, n, err)
			}
		}
		wrong := page.Page{Size: 1, After: &page.Cursor{Sort: 'x'}}
		if _, err := e.List(e.ctx, e.account, false, wrong); err == nil {
			t.Error("a cursor of another list was taken")
		}
	})
}
