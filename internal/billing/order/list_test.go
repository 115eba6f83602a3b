package order_test

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/order"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/page"
	"paydesk/models"

	"pgregory.net/rapid"
)

// shelf places orders whose sort keys are often equal, and gives them as they are kept.
func (e *env) shelf(n int) []models.Order {
	e.t.Helper()
	statuses := []models.OrderStatus{models.OrderPendingPayment, models.OrderPendingReview, models.OrderCompleted, models.OrderExpired}
	var all []models.Order
	for i := range n {
		if i%3 == 0 {
			e.clock.advance(time.Millisecond)
		}
		in := newOrder([]string{"1", "2.50", "1"}[i%3])
		in.ProductType = []string{"ECS", "RDS"}[i/2%2]
		in.Type = []string{"NEW_PURCHASE", "RENEWAL", "CHANGE"}[i%3]
		end := e.clock.Now().Add(time.Duration(i%4) * time.Hour).Add(time.Hour)
		in.ExpiresAt = &end
		all = append(all, e.set(e.place(in)[0], statuses[i%len(statuses)]))
		all[i].Status = statuses[i%len(statuses)]
	}
	return all
}

// sorted is what a list should be, by the plainest means.
func sorted(all []models.Order, q order.Query) []models.Order {
	f := q.Filter
	out := slices.DeleteFunc(slices.Clone(all), func(o models.Order) bool {
		return !strings.HasPrefix(o.Number, f.Number) || len(f.Statuses) > 0 && !slices.Contains(f.Statuses, o.Status) ||
			len(f.Types) > 0 && !slices.Contains(f.Types, o.Type) || len(f.ProductTypes) > 0 && !slices.Contains(f.ProductTypes, o.ProductType) ||
			f.CreatedFrom != nil && o.CreatedAt.Before(*f.CreatedFrom) || f.CreatedTo != nil && !o.CreatedAt.Before(*f.CreatedTo)
	})
	slices.SortFunc(out, func(a, b models.Order) int {
		c := a.CreatedAt.Compare(b.CreatedAt)
		switch q.OrderBy {
		case order.ByExpiresAt:
			c = a.ExpiresAt.Compare(*b.ExpiresAt)
		case order.ByAmountDue:
			c = cmp.Compare(a.AmountDue, b.AmountDue)
		}
		if c == 0 {
			c = bytes.Compare(a.ID[:], b.ID[:])
		}
		if !q.Ascending {
			c = -c
		}
		return c
	})
	return out
}

func drawQuery(t *rapid.T, account models.ID, all []models.Order) order.Query {
	some := func(label string, from []string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, len(from), rapid.ID).Draw(t, label)
	}
	q := order.Query{
		AccountID: account,
		OrderBy:   rapid.SampledFrom([]order.Field{"", order.ByCreatedAt, order.ByExpiresAt, order.ByAmountDue}).Draw(t, "orderBy"),
		Ascending: rapid.Bool().Draw(t, "ascending"),
		Total:     rapid.Bool().Draw(t, "total"),
	}
	q.Filter.Types = some("types", []string{"NEW_PURCHASE", "RENEWAL", "CHANGE"})
	q.Filter.ProductTypes = some("productTypes", []string{"ECS", "RDS"})
	for _, s := range some("statuses", []string{"PENDING_PAYMENT", "PENDING_REVIEW", "COMPLETED", "EXPIRED"}) {
		q.Filter.Statuses = append(q.Filter.Statuses, models.OrderStatus(s))
	}
	if o := rapid.SampledFrom(all).Draw(t, "some order"); rapid.Bool().Draw(t, "from") {
		q.Filter.CreatedFrom = &o.CreatedAt
	} else if rapid.Bool().Draw(t, "to") {
		q.Filter.CreatedTo = &o.CreatedAt
	}
	if rapid.Bool().Draw(t, "number") {
		number := rapid.SampledFrom(all).Draw(t, "numbered").Number
		q.Filter.Number = number[:rapid.IntRange(1, len(number)).Draw(t, "prefix")]
	}
	return q
}

// HW-5, a stable sort: pages of any size, in any order, filtered in any way, walked forwards or backwards, give every row
// once and in order, also where sort keys are equal.
func TestListGivesEveryRowOnce(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		all := e.shelf(25)
		stranger := *e
		stranger.account = e.openAccount(models.AccountActive, "CNY")
		stranger.place(newOrder("1"))
		rapid.Check(t, func(t *rapid.T) {
			q := drawQuery(t, e.account, all)
			want := sorted(all, q)
			size, backward := rapid.IntRange(1, 30).Draw(t, "size"), rapid.Bool().Draw(t, "backward")
			var got []models.Order
			var edge *string
			for {
				var err error
				if backward {
					q.Page, err = page.Parse(nil, nil, &size, edge)
				} else {
					q.Page, err = page.Parse(&size, edge, nil, nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				l, err := e.List(e.ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if q.Total && *l.Total != int64(len(want)) {
					t.Fatalf("total %d of %d", *l.Total, len(want))
				}
				more := l.HasNext
				if backward {
					got, more = append(slices.Clone(l.Items), got...), l.HasPrevious
				} else {
					got = append(got, l.Items...)
				}
				if !more {
					break
				}
				c := l.Cursor(l.Items[len(l.Items)-1])
				if backward {
					c = l.Cursor(l.Items[0])
				}
				edge = &c
			}
			if numbers(got) != numbers(want) {
				t.Fatalf("got  %s\nwant %s", numbers(got), numbers(want))
			}
		})
	})
}

func TestListBetweenCursors(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		want := sorted(e.shelf(9), order.Query{})
		l, err := e.List(e.ctx, order.Query{AccountID: e.account, Page: page.First(9)})
		e.must(err)
		after, before, two := l.Cursor(l.Items[2]), l.Cursor(l.Items[7]), 2
		p, err := page.Parse(&two, &after, nil, &before)
		e.must(err)
		l, err = e.List(e.ctx, order.Query{AccountID: e.account, Page: p})
		if err != nil || numbers(l.Items) != numbers(want[3:5]) || !l.HasNext || !l.HasPrevious {
			t.Errorf("first two: %s (%v)", numbers(l.Items), err)
		}
		p, err = page.Parse(nil, &after, &two, &before)
		e.must(err)
		l, err = e.List(e.ctx, order.Query{AccountID: e.account, Page: p})
		if err != nil || numbers(l.Items) != numbers(want[5:7]) || !l.HasPrevious {
			t.Errorf("last two: %s (%v)", numbers(l.Items), err)
		}
		_, err = e.List(e.ctx, order.Query{AccountID: e.account, Page: p, OrderBy: order.ByAmountDue})
		if !errors.As(err, new(page.Invalid)) {
			t.Errorf("a cursor of another order: %v", err)
		}
	})
}

// The number of statements does not depend on the page's size: one, and one more where linked orders are wanted and there
// are any.
func TestListStatements(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.shelf(12)
		bundle := e.bundle(newOrder("1"), newOrder("2"))
		e.bundle(newOrder("3"), newOrder("4"))
		for _, size := range []int{1, 2, 14, 50} {
			ctx, counter := database.WithCounter(e.ctx)
			l, err := e.List(ctx, order.Query{AccountID: e.account, Page: page.First(size), Total: true, Linked: true})
			e.must(err)
			if counter.N() != 2 {
				t.Errorf("%d statements for %d: %s", counter.N(), size, strings.Join(counter.Statements(), "\n"))
			}
			if *l.Total != 16 {
				t.Errorf("total %d", *l.Total)
			}
			if size == 50 && numbers(l.Linked[bundle[0].BundleID]) != numbers(bundle) {
				t.Errorf("linked: %+v", l.Linked)
			}
		}
		ctx, counter := database.WithCounter(e.ctx)
		_, err := e.List(ctx, order.Query{AccountID: e.account, Page: page.First(50), Linked: true, Filter: order.Filter{Statuses: []models.OrderStatus{models.OrderCompleted}}})
		if err != nil || counter.N() != 1 {
			t.Errorf("%d statements without bundles (%v)", counter.N(), err)
		}
	})
}

func TestListCountsAnEmptyLaterPage(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.shelf(3)
		l, err := e.List(e.ctx, order.Query{AccountID: e.account, Page: page.First(3)})
		e.must(err)
		end := l.Cursor(l.Items[2])
		p, err := page.Parse(nil, &end, nil, nil)
		e.must(err)
		l, err = e.List(e.ctx, order.Query{AccountID: e.account, Page: p, Total: true})
		if err != nil || len(l.Items) != 0 || *l.Total != 3 || !l.HasPrevious || l.HasNext {
			t.Errorf("%+v (%v)", l, err)
		}
		l, err = e.List(e.ctx, order.Query{AccountID: e.openAccount(models.AccountActive, "CNY"), Page: page.First(3), Total: true})
		if err != nil || len(l.Items) != 0 || *l.Total != 0 {
			t.Errorf("empty: %+v (%v)", l, err)
		}
	})
}

// HW-5: a number is searched by the letter: nothing in it stands for other characters, capitals count, and what no number can
// have finds nothing, on both homes.
func TestListByNumber(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		for _, n := range []string{"CS_1", "CSx1", "CS%2", "cs_1", "CS_1-b", "~~"} {
			o := newOrder("1")
			o.Number = n
			e.place(o)
		}
		for search, want := range map[string]string{
			"CS_1": "CS_1 CS_1-b ", "CS_": "CS_1 CS_1-b ", "CS%": "CS%2 ", "cs": "cs_1 ", " CSx1 ": "CSx1 ", "%": "", "_": "", "~": "~~ ", "~~": "~~ ", "~~~": "",
			"CS 1": "", "CS_1\x00": "", "ＣＳ": "", "\x7f": "", strings.Repeat("C", 65): "", "": "CS%2 CS_1 CS_1-b CSx1 cs_1 ~~ ", "  ": "CS%2 CS_1 CS_1-b CSx1 cs_1 ~~ ",
		} {
			l, err := e.List(e.ctx, order.Query{AccountID: e.account, Filter: order.Filter{Number: search}, Page: page.First(20), Total: true})
			e.must(err)
			slices.SortFunc(l.Items, func(a, b models.Order) int { return cmp.Compare(a.Number, b.Number) })
			if got := numbers(l.Items); got != want || int(*l.Total) != strings.Count(want, " ") {
				t.Errorf("%q finds %q (%d), not %q", search, got, *l.Total, want)
			}
		}
	})
}
