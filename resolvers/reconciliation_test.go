package resolvers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/auth"
	"paydesk/models"
)

const (
	reconcileMutation = `mutation($in: ReconcileInput!) { reconcile(input: $in) { errors { code field message } reconciliation { id channel day status open runs note completedAt counts { class count amount { amount } } report { name contentType size url } } } }`
	resolveMutation   = `mutation($in: ResolveDifferenceInput!) { resolveDifference(input: $in) { errors { code field message } difference { id resolvedAt resolution payment { number } } } }`
	daysQuery         = `query($filter: ReconciliationFilter, $first: Int, $after: String, $last: Int, $before: String) { reconciliations(filter: $filter, first: $first, after: $after, last: $last, before: $before) { totalCount
		pageInfo { hasNextPage hasPreviousPage endCursor startCursor } edges { cursor node { id day } } nodes { id channel day status open report { url } } } }`
	differencesQuery = `query($filter: DifferenceFilter, $first: Int, $after: String) { differences(filter: $filter, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
		edges { cursor node { id } } nodes { id channel day class isRefund number reference payment { number } ours { amount } theirs { amount currency } ourState theirState evidence repaired foundAt resolvedAt resolution } } }`
	reconciliationNodes = `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Reconciliation { open report { name } } ... on Difference { payment { number } } } }`
)

// bills is a channel whose statements a test writes.
type bills struct {
	shop
	days map[channel.Day][]channel.Line
}

func (b bills) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

func (b bills) Statement(_ context.Context, day channel.Day) (channel.Statement, error) {
	lines, ok := b.days[day]
	if !ok {
		return channel.Statement{}, channel.ErrNoStatement
	}
	return channel.Statement{Day: day, Lines: lines, Hash: string(day)}, nil
}

func (bills) Query(_ context.Context, p channel.Ref) (channel.Event, error) {
	return channel.Event{Number: p.Number, State: channel.StatePending}, nil
}

// An operator compares a day, reads what differs and closes it; a page takes as many statements as a large one.
func TestReconciliation(t *testing.T) {
	w := newWorld(t)
	p, err := w.payments.TopUp(context.Background(), payment.Payer{AccountID: w.me.ID, UserID: "u", Locale: "en"}, payment.Online{Channel: models.ChannelAlipay, Amount: money.New(1000, "CNY")})
	w.must(err)
	line := func(number string, minor int64) channel.Line {
		return channel.Line{Number: number, Reference: "R" + number, Amount: money.New(minor, "CNY"), State: channel.StatePaid, At: time.Now(), Raw: "=raw " + number}
	}
	w.bills["2026-10-03"] = []channel.Line{line(p.Number, 1000), line("A", 200), line("B", 300)}
	w.bills["2026-10-01"], w.bills["2026-10-02"] = nil, nil
	compare := func(ch, day string) map[string]any {
		t.Helper()
		return w.staff(reconcileMutation, "in", vars("channel", ch, "day", day))
	}
	got := compare("ALIPAY", "2026-10-03")
	for path, want := range map[string]any{"status": "DIFFERENT", "open": float64(3), "runs": float64(1), "note": nil, "counts.0.class": "ONLY_THEIRS", "counts.0.count": float64(2), "counts.0.amount.amount": "5.00",
		"counts.1.class": "STATE_DIFFERS", "report.name": "reconciliation-ALIPAY-2026-10-03.csv", "report.contentType": "text/csv; charset=utf-8"} {
		w.want(got, "reconcile.reconciliation."+path, want)
	}
	if url, _ := w.at(got, "reconcile.reconciliation.report.url").(string); !strings.HasPrefix(url, "https://paydesk.example/files/") {
		t.Error(url)
	}
	w.want(compare("ALIPAY", "2026-10-01"), "reconcile.reconciliation.status", "CLEAN")
	w.want(compare("ALIPAY", "2026-10-02"), "reconcile.reconciliation.open", float64(0))

	// What stands in the way is said.
	for day, c := range map[string][3]string{"2126-10-03": {"ALIPAY", "INVALID_INPUT", "day"}, "2026-09-01": {"ALIPAY", "INVALID_INPUT", "day"}, "2026-10-03": {"PAYPAL", "CHANNEL_NOT_AVAILABLE", "channel"}} {
		got := compare(c[0], day)
		w.want(got, "reconcile.errors.0.code", c[1])
		w.want(got, "reconcile.errors.0.field.0", c[2])
		w.want(got, "reconcile.reconciliation", nil)
	}

	// Days, newest first.
	days := w.staff(daysQuery)
	w.want(days, "reconciliations.totalCount", float64(4))
	for n, want := range []string{"2026-10-03 DIFFERENT", "2026-10-02 CLEAN", "2026-10-01 CLEAN", "2026-09-01 FAILED"} {
		at := fmt.Sprint("reconciliations.nodes.", n)
		if got := fmt.Sprint(w.at(days, at+".day"), " ", w.at(days, at+".status")); got != want {
			t.Errorf("%s: %s, not %s", at, got, want)
		}
	}
	w.want(days, "reconciliations.nodes.3.report", nil)
	next := w.staff(daysQuery, "first", 2, "after", w.at(days, "reconciliations.edges.0.cursor"))
	w.want(next, "reconciliations.nodes.1.day", "2026-10-01")
	w.want(next, "reconciliations.pageInfo.hasNextPage", true)
	back := w.staff(daysQuery, "last", 1, "before", w.at(next, "reconciliations.edges.0.cursor"))
	w.want(back, "reconciliations.nodes.0.day", "2026-10-03")
	for want, filter := range map[string]map[string]any{"2": {"statuses": []string{"CLEAN"}}, "1": {"dayFrom": "2026-10-03"}, "3": {"dayTo": "2026-10-02"}, "0": {"channels": []string{"PAYPAL"}}} {
		if got := fmt.Sprint(w.at(w.staff(daysQuery, "filter", filter), "reconciliations.totalCount")); got != want {
			t.Errorf("%v matches %s, not %s", filter, got, want)
		}
	}

	// Differences, oldest first; those that wait where nothing is asked.
	open := w.staff(differencesQuery)
	w.want(open, "differences.totalCount", float64(3))
	var foreign, ours string
	for n := range 3 {
		at := fmt.Sprint("differences.nodes.", n)
		switch w.at(open, at+".number") {
		case p.Number:
			ours = w.at(open, at+".id").(string)
			for path, want := range map[string]any{"class": "STATE_DIFFERS", "payment.number": p.Number, "ourState": "REQUIRES_ACTION", "theirState": "PAID", "ours": nil, "theirs.amount": "10.00", "isRefund": false, "repaired": false} {
				w.want(open, at+"."+path, want)
			}
		case "A":
			foreign = w.at(open, at+".id").(string)
			w.want(open, at+".payment", nil)
			w.want(open, at+".reference", "RA")
			if e := w.at(open, at+".evidence").(string); !strings.Contains(e, "=raw A") {
				t.Error(e)
			}
		}
	}
	page := w.staff(differencesQuery, "first", 2)
	w.want(w.staff(differencesQuery, "first", 2, "after", w.at(page, "differences.pageInfo.endCursor")), "differences.edges.0.node.id", w.at(open, "differences.nodes.2.id"))
	for _, query := range []string{daysQuery, differencesQuery} {
		if one, many := w.statements(query, vars("first", 1)), w.statements(query, vars("first", 100)); one != many {
			t.Errorf("one takes %d statements, more take %d", one, many)
		}
	}

	// One is closed, once, with a reason.
	closing := func(id, reason string) map[string]any {
		return w.staff(resolveMutation, "in", vars("differenceId", id, "reason", reason))
	}
	for reason, want := range map[string][2]string{" ": {"INVALID_INPUT", "reason"}, "card 5555555555554444": {"CARD_DATA_NOT_ACCEPTED", "reason"}} {
		got := closing(foreign, reason)
		w.want(got, "resolveDifference.errors.0.code", want[0])
		w.want(got, "resolveDifference.errors.0.field.0", want[1])
	}
	w.want(closing(ours, "the provider corrects it"), "resolveDifference.difference.payment.number", p.Number)
	for _, id := range []string{ours, "dif_nonsense", models.NewID().Encode(models.PrefixDifference)} {
		w.want(closing(id, "again"), "resolveDifference.errors.0.field.0", "differenceId")
	}
	for want, filter := range map[string]map[string]any{"2": {"open": true}, "1": {"open": false}, "3": {"day": "2026-10-03"}, "0": {"classes": []string{"LATE"}, "channels": []string{"ALIPAY"}}} {
		if got := fmt.Sprint(w.at(w.staff(differencesQuery, "filter", filter), "differences.totalCount")); got != want {
			t.Errorf("%v matches %s, not %s", filter, got, want)
		}
	}

	// As nodes; for operators alone.
	day := w.at(days, "reconciliations.nodes.0.id").(string)
	nodes := w.staff(reconciliationNodes, "ids", []string{day, ours})
	w.want(nodes, "nodes.0.open", float64(2))
	w.want(nodes, "nodes.0.report.name", "reconciliation-ALIPAY-2026-10-03.csv")
	w.want(nodes, "nodes.1.payment.number", p.Number)
	for _, role := range []auth.Role{auth.Creator, auth.Finance, auth.Service} {
		v := &auth.Viewer{UserID: "u", Role: role, AccountID: w.me.ID}
		if role == auth.Service {
			v.AccountID = models.ID{}
		}
		for _, c := range []struct {
			text string
			vars map[string]any
		}{{daysQuery, nil}, {differencesQuery, nil}, {reconcileMutation, vars("in", vars("channel", "ALIPAY", "day", "2026-10-03"))}, {resolveMutation, vars("in", vars("differenceId", foreign, "reason", "r"))}} {
			if code := w.code(w.as(v, c.text, c.vars)); code != "FORBIDDEN" {
				t.Errorf("%s: %s", role, code)
			}
		}
		if a := w.as(v, reconciliationNodes, vars("ids", []string{day, ours})); string(a.Data) != `{"nodes":[null,null]}` {
			t.Errorf("%s reads by ids: %s", role, a.Data)
		}
	}
}
