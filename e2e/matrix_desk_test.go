package e2e

import (
	"slices"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// deskKinds are things that operators alone may see, whosever money they are about: their lists carry @hasRole, and by an id they are not
// there for anybody else.
var deskKinds = []string{"suspenseItem", "notification", "reconciliation", "difference"}

// isDesk reports whether the operation names a thing of the operators' desk.
func (o operation) isDesk() bool {
	return slices.ContainsFunc(o.slots, func(s slot) bool { return slices.Contains(deskKinds, s.kinds[0]) })
}

// desk brings about what only operators see, each about a payment of the account: money that fits no payment, with the notification that
// told of it, and a day that was compared, with a difference.
func (w *matrixWorld) desk(t *testing.T, home testenv.Home, p *party) {
	t.Helper()
	// The channel tells another amount on and on: did it correct itself, nothing would be left in suspense while the matrix looks.
	w.behave(t, "QQ_WALLET", map[string]string{"call": "wrong_amount"})
	r, err := p.topUp(unique("mismatch"), "QQ_WALLET", "40.00")
	odd := started(t, r, err)
	if err := payer(odd.NextAction.Content, "succeed"); err != nil {
		t.Fatal(err)
	}
	type list struct {
		Edges []struct {
			Cursor string
			Node   struct {
				ID, Number string
				Payment    *struct{ ID string }
			}
		}
	}
	var out struct {
		Suspense, Notifications, Reconciliations, Differences list
		Reconcile                                             struct{ Errors []userError }
	}
	desk := w.any["OPERATOR"]
	await(t, 20*time.Second, "money is in suspense", func() (bool, error) {
		err := desk.ask(`{ suspense { edges { cursor node { id payment { id } } } } }`, nil, &out)
		return len(out.Suspense.Edges) > 0, err
	})
	desk.must(t, `mutation($in: ReconcileInput!) { reconcile(input: $in) { errors { code message } } }`,
		map[string]any{"in": map[string]any{"channel": "ALIPAY", "day": time.Now().Add(-72 * time.Hour).Format(time.DateOnly)}}, &out)
	w.differs(t, home, odd.Number, odd.ID)
	desk.must(t, `query($number: String!) { notifications(filter: {number: $number}) { edges { cursor node { id number payment { id } } } } reconciliations { edges { cursor node { id } } } differences { edges { cursor node { id payment { id } } } } }`,
		map[string]any{"number": odd.Number}, &out)
	for kind, l := range map[string]list{"suspenseItem": out.Suspense, "notification": out.Notifications, "reconciliation": out.Reconciliations, "difference": out.Differences} {
		if len(l.Edges) == 0 || l.Edges[0].Node.Payment != nil && l.Edges[0].Node.Payment.ID != odd.ID {
			t.Fatalf("%s: %+v", kind, out)
		}
		first := l.Edges[0]
		p.things[kind], p.things[kind+".cursor"] = first.Node.ID, first.Cursor
		if first.Node.Number != "" {
			p.things[kind+".number"] = first.Node.Number
		}
		p.secrets = append(p.secrets, first.Node.ID)
	}
	p.secrets = append(p.secrets, odd.ID, odd.Number)
}

// differs writes a difference of that day as a comparison would.
func (w *matrixWorld) differs(t *testing.T, home testenv.Home, number, payment string) {
	t.Helper()
	id, err := models.Decode(models.PrefixPayment, payment)
	if err != nil {
		t.Fatal(err)
	}
	account, err := models.Decode(models.PrefixAccount, w.owner.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	if _, err := home.DB.Exec(t.Context(), "INSERT INTO differences (id, channel, day, line_key, class, kind, number, account_id, payment_id, currency, theirs, theirs_state, evidence, found_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		models.NewID(), "ALIPAY", now.Add(-72*time.Hour).Format(time.DateOnly), "PAYMENT:"+number, string(models.ClassOnlyTheirs), string(models.MovementPayment), number, account, id, "CNY", 4001, "PAID", "the statement has it", now); err != nil {
		t.Fatal(err)
	}
}
