package resolvers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/complexity"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/database"
	"paydesk/models"
	"paydesk/resolvers"
)

const (
	suspenseQuery = `query($first: Int, $after: String, $last: Int, $before: String) { suspense(first: $first, after: $after, last: $last, before: $before) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
		edges { cursor node { id payment { number } } } nodes { id amount { amount currency } channel reason payment { number status } bankCredit { id } createdAt } } }`
	notificationsQuery = `query($filter: NotificationFilter, $first: Int, $after: String) { notifications(filter: $filter, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
		edges { cursor node { id } } nodes { id channel verdict number payment { number } attempts receivedAt nextAttemptAt headers { name value } body } } }`
	operatorNodes = `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on SuspenseItem { payment { number } } ... on Notification { payment { number } } } }`
)

// placeless gives so many payments, each of another account, whose channel tells of another amount than was asked for.
func (w *world) placeless(count int) (numbers []string) {
	w.Helper()
	ctx := context.Background()
	for n := range count {
		who := payment.Payer{AccountID: w.open("Somebody").ID, UserID: "u", Locale: "en"}
		p, err := w.payments.TopUp(ctx, who, payment.Online{Channel: models.ChannelAlipay, Amount: money.New(1000, "CNY")})
		w.must(err)
		ev := channel.Event{Number: p.Number, Reference: "R" + p.Number, State: channel.StatePaid, Amount: money.New(int64(100+n), "CNY")}
		verdict, err := w.payments.Apply(ctx, models.ChannelAlipay, ev)
		w.must(err)
		if verdict != payment.Suspense {
			w.Fatal(verdict)
		}
		numbers = append(numbers, p.Number)
	}
	return numbers
}

func (w *world) statements(query string, variables map[string]any) int {
	w.Helper()
	ctx, counter := database.WithCounter(w.context(desk))
	if got := w.start(ctx, query, variables)(ctx); len(got.Errors) > 0 {
		w.Fatal(got.Errors)
	}
	return int(counter.N())
}

// An operator reads what no rule could place, oldest first, whosever it is, and what left us as well; a page takes as many statements as
// a large one.
func TestSuspense(t *testing.T) {
	w := newWorld(t)
	numbers := w.placeless(5)
	ctx := context.Background()
	_, err := w.home.DB.Exec(ctx, "INSERT INTO suspense_items (id, account_id, payment_id, channel, currency, amount, reason, reference, created_at) VALUES (?,NULL,NULL,'','CNY',-250,'REFUNDED_AFTER_FAILURE','x',?)",
		models.NewID(), time.Now().UTC().Add(time.Minute))
	w.must(err)
	all := w.staff(suspenseQuery)
	w.want(all, "suspense.totalCount", float64(6))
	for n, number := range numbers {
		at := fmt.Sprint("suspense.nodes.", n)
		w.want(all, at+".payment.number", number)
		w.want(all, at+".payment.status", "REQUIRES_ACTION")
		w.want(all, at+".amount.amount", fmt.Sprintf("1.0%d", n))
		w.want(all, at+".channel", "ALIPAY")
		w.want(all, at+".reason", "AMOUNT_MISMATCH")
		w.want(all, fmt.Sprintf("suspense.edges.%d.node.payment.number", n), number)
	}
	w.want(all, "suspense.nodes.5.amount.amount", "-2.50")
	w.want(all, "suspense.nodes.5.channel", nil)
	w.want(all, "suspense.nodes.5.payment", nil)
	page := w.staff(suspenseQuery, "first", 2)
	next := w.staff(suspenseQuery, "first", 2, "after", w.at(page, "suspense.pageInfo.endCursor"))
	w.want(next, "suspense.nodes.1.payment.number", numbers[3])
	w.want(next, "suspense.pageInfo.hasNextPage", true)
	back := w.staff(suspenseQuery, "last", 1, "before", w.at(next, "suspense.edges.0.cursor"))
	w.want(back, "suspense.nodes.0.payment.number", numbers[1])
	if one, many := w.statements(suspenseQuery, vars("first", 1)), w.statements(suspenseQuery, vars("first", 100)); one != many || many != 3 {
		t.Errorf("one item takes %d statements, six take %d", one, many)
	}
	if n := w.statements(`{ suspense { nodes { id } } }`, nil); n != 1 {
		t.Errorf("items alone take %d statements", n)
	}
	w.onlyOperators(suspenseQuery, w.at(all, "suspense.nodes.0.id").(string), numbers[0])
}

// An operator reads what channels reported, newest first: as it came, with what became of it.
func TestNotifications(t *testing.T) {
	w := newWorld(t)
	numbers := w.placeless(3)
	now := time.Now().UTC().Truncate(time.Second)
	for n, number := range append(numbers, "") {
		verdict, body, due := "SUSPENSE", []byte(`{"total":"€"}`), any(nil)
		switch n {
		case 1:
			verdict, due = "RECEIVED", now.Add(time.Hour)
		case 2:
			verdict = "DISPUTED"
		case 3:
			verdict, body = "REFUSED", []byte{0xff, 0x00}
		}
		_, err := w.home.DB.Exec(context.Background(), "INSERT INTO inbox (id, channel, dedup_key, headers, body, event, verdict, number, attempts, next_at, received_at) VALUES (?,?,?,?,?,'{}',?,?,?,?,?)",
			models.NewID(), "ALIPAY", fmt.Sprint(n), `{"wechatpay-nonce":"n","content-type":"text/plain"}`, body, verdict, number, n, due, now.Add(time.Duration(n)*time.Second))
		w.must(err)
	}
	all := w.staff(notificationsQuery)
	w.want(all, "notifications.totalCount", float64(4))
	for path, want := range map[string]any{"0.verdict": "REFUSED", "0.number": nil, "0.payment": nil, "0.body": "/wA=", "0.attempts": float64(3), "1.payment.number": numbers[2], "2.nextAttemptAt": now.Add(time.Hour).Format(time.RFC3339),
		"3.body": `{"total":"€"}`, "3.headers.0.name": "content-type", "3.headers.1.value": "n", "3.nextAttemptAt": nil, "3.receivedAt": now.Format(time.RFC3339), "3.number": numbers[0]} {
		w.want(all, "notifications.nodes."+path, want)
	}
	next := w.staff(notificationsQuery, "first", 2, "after", w.at(all, "notifications.edges.0.cursor"))
	w.want(next, "notifications.nodes.0.number", numbers[2])
	w.want(next, "notifications.pageInfo.hasNextPage", true)
	for want, filter := range map[string]map[string]any{"2": {"verdicts": []string{"SUSPENSE", "DISPUTED"}}, "1": {"number": numbers[1]}, "0": {"channels": []string{"WECHAT_PAY"}}, "3": {"verdicts": []string{"SUSPENSE", "DISPUTED", "REFUSED"}, "channels": []string{"ALIPAY"}}, "4": {"verdicts": []string{}}} {
		if got := fmt.Sprint(w.at(w.staff(notificationsQuery, "filter", filter), "notifications.totalCount")); got != want {
			t.Errorf("%v matches %s, not %s", filter, got, want)
		}
	}
	if one, many := w.statements(notificationsQuery, vars("first", 1)), w.statements(notificationsQuery, vars("first", 100)); one > many || many != 3 {
		t.Errorf("one takes %d statements, four take %d", one, many)
	}
	w.onlyOperators(notificationsQuery, w.at(all, "notifications.nodes.3.id").(string), numbers[0])
}

// onlyOperators: the list is refused to everybody else, and by its id a thing of it is not there for them.
func (w *world) onlyOperators(list, id, number string) {
	w.Helper()
	for _, role := range []auth.Role{auth.Creator, auth.Finance, auth.Collaborator, auth.Partner, auth.Service} {
		v := &auth.Viewer{UserID: "u", Role: role, AccountID: w.me.ID}
		if role == auth.Service {
			v.AccountID = models.ID{}
		}
		if code := w.code(w.as(v, list, nil)); code != "FORBIDDEN" {
			w.Errorf("%s reads the list: %s", role, code)
		}
		if a := w.as(v, operatorNodes, vars("ids", []string{id})); string(a.Data) != `{"nodes":[null]}` || len(a.Errors) > 0 {
			w.Errorf("%s reads it by its id: %s", role, a.Data)
		}
	}
	got := w.staff(operatorNodes, "ids", []string{id, id[:4] + strings.Repeat("0", 25) + "1"})
	w.want(got, "nodes.0.id", id)
	w.want(got, "nodes.0.payment.number", number)
	w.want(got, "nodes.1", nil)
}

// What operators page through costs what it is: a page times its elements.
func TestOperatorsListsAreWeighed(t *testing.T) {
	schema := resolvers.New(resolvers.Services{}).Schema()
	for _, list := range []string{"suspense", "notifications", "reconciliations", "differences"} {
		cost := func(size int) int {
			doc, err := gqlparser.LoadQueryWithRules(schema.Schema(), fmt.Sprintf("{ %s(first: %d) { nodes { id } } }", list, size), rules.NewDefaultRules())
			if err != nil {
				t.Fatal(err)
			}
			return complexity.Calculate(context.Background(), schema, doc.Operations[0], nil)
		}
		if small, large := cost(1), cost(100); large < 50*small {
			t.Errorf("%s: %d for one, %d for a hundred", list, small, large)
		}
	}
}
