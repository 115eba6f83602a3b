package reconcile

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/platform/database"
	"paydesk/models"
)

// comparison is one run over a channel's day.
type comparison struct {
	*Service
	adapter channel.Adapter
	rec     models.Reconciliation
	day     channel.Day
	view    view
	earlier map[string]models.Difference // by line key
	silent  int                          // movements that the channel said nothing of when it was asked
}

// compare does all of it. Cause says why there is no statement to compare with.
func (c *comparison) compare(ctx context.Context) (cause, err error) {
	from, to := c.adapter.StatementDay(c.day)
	c.view = view{from: from, to: to, day: c.day, now: c.Clock.Now(), span: c.adapter.StatementDay}
	lines, cause, err := c.download(ctx)
	if cause != nil || err != nil {
		return cause, err
	}
	entries, err := c.booked(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if c.earlier, err = c.differences(ctx); err != nil {
		return nil, err
	}
	results, err := c.judge(ctx, group(lines, entries))
	if err != nil {
		return nil, err
	}
	return nil, c.finish(ctx, results, int64(len(lines)))
}

// group brings both sides together.
func group(lines []line, entries []entry) map[key]*movement {
	out := map[key]*movement{}
	of := func(k key) *movement {
		if out[k] == nil {
			out[k] = &movement{key: k}
		}
		return out[k]
	}
	for _, l := range lines {
		m := of(l.of())
		m.lines = append(m.lines, l)
	}
	for _, e := range entries {
		m := of(e.of())
		m.entries = append(m.entries, e)
	}
	for _, m := range out {
		slices.SortStableFunc(m.lines, func(a, b line) int { return cmp.Compare(a.key, b.key) })
	}
	return out
}

// judge sorts out what matches at once; the rest, which is little on a good day, is looked up in full, and asked for where a notification
// may have been lost.
func (c *comparison) judge(ctx context.Context, all map[key]*movement) ([]result, error) {
	var out []result
	rest := map[key]*movement{}
	for k, m := range all {
		if w, was := c.earlier[m.text()]; was {
			m.was = &w
		}
		if m.plain() && m.was == nil {
			out = append(out, result{movement: m, line: &m.lines[0], key: m.text(), class: models.ClassMatched})
		} else {
			rest[k] = m
		}
	}
	if len(rest) > 0 {
		if err := c.known(ctx, rest); err != nil {
			return nil, err
		}
		if err := c.repair(ctx, rest); err != nil {
			return nil, err
		}
		for _, m := range rest {
			out = append(out, c.view.judge(m)...)
		}
		c.inform(ctx, out)
	}
	slices.SortFunc(out, func(a, b result) int { return cmp.Or(a.when().Compare(b.when()), strings.Compare(a.key, b.key)) })
	return out, nil
}

// plain: one line that moved money, and the ledger has just that on this day.
func (m *movement) plain() bool {
	if len(m.lines) != 1 || len(m.entries) != 1 || !m.lines[0].moved() {
		return false
	}
	l, e := m.lines[0], m.entries[0]
	return l.Amount == e.amount && (l.State == channel.StateRefunded) == (m.kind == models.MovementRefund) && (l.RefundNumber == "" || l.Number == "" || l.Number == e.number)
}

// known looks up everything about movements: whose they are, all that the ledger has of them, and what statements of other days say.
func (c *comparison) known(ctx context.Context, by map[key]*movement) error {
	if err := c.owners(ctx, by); err != nil {
		return err
	}
	if err := c.postings(ctx, by); err != nil {
		return err
	}
	return c.elsewhere(ctx, by)
}

// when is the result's moment: the statement's, or the ledger's.
func (r result) when() time.Time {
	if r.line != nil {
		return r.line.At
	}
	return r.entries[0].at
}

// batches cuts a set of texts into lists of bounded length, in order.
func batches(set map[string]bool) iter.Seq[[]string] {
	return slices.Chunk(slices.Sorted(maps.Keys(set)), batch)
}

// among is the list of an IN condition with its arguments.
func among[T any](values []T, before ...any) (marks string, args []any) {
	return database.Marks(len(values)), database.Args(before, values)
}
