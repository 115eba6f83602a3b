package main

import (
	"crypto/sha256"
	"database/sql"
	"strings"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// mergedOrders is how many orders a merged payment of the benchmark has: its statements are prepared for so many.
const mergedOrders = 30

var (
	mergedMarks    = "?" + strings.Repeat(",?", mergedOrders-1)
	sqlPayableMany = "SELECT o.id, o.status, o.charging_mode, o.currency, o.amount_due, o.bundle_id, o.outside_contract, o.active_payment_id IS NOT NULL, o.expires_at, a.status, a.identity " +
		"FROM orders o JOIN accounts a ON a.id = o.account_id WHERE o.account_id = ? AND o.id IN (" + mergedMarks + ")"
	sqlMergeKey = strings.Replace(sqlKey, "'pay'", "'mergePay'", 1)
	sqlTakeMany = "UPDATE orders SET status = 'PROCESSING', paid = CASE id" + strings.Repeat(" WHEN ? THEN ?", mergedOrders) + " END, updated_at = ? WHERE account_id = ? AND id IN (" + mergedMarks + ") " +
		"AND status = 'PENDING_PAYMENT' AND active_payment_id IS NULL AND (expires_at IS NULL OR expires_at > ?)"
	sqlShares = sqlShare + strings.Repeat(",(?,?,?,?,0,0,?,?)", mergedOrders-1)
)

// mergeInput is MergePayInput of the schema as far as the benchmark uses it.
type mergeInput struct {
	IdempotencyKey string
	OrderIds       []string
	Funding        struct {
		Balance struct{ Amount, Currency string }
	}
}

// merged is a payment of thirty orders on its way; order of payment is empty.
type merged struct {
	payment
	orders []models.ID
	dues   []int64
}

// mergePay is the same transaction as payHotLast for thirty orders: as many statements, each of them longer.
func (s *server) mergePay(q *request) error {
	m, err := q.prepareMerged()
	if err != nil {
		return err
	}
	if !m.replayed {
		m.event = told{models.NewID(), "payment:" + m.id.String() + " balance:" + q.who.account.String()}
		p := &m.payment
		if err := q.inTx(func() error {
			return first(func() error { return q.claimWith(&sqlMergeKey, p) }, func() error { return q.takeMerged(m) }, func() error { return q.pay(p) }, func() error { return q.share(m) },
				func() error { return q.tell(p) }, func() error { return q.leg(p) }, func() error { return q.spend(p) }, func() error { return q.ownLeg(p) })
		}); err != nil {
			return err
		}
		s.told <- m.event
	}
	q.out = append(q.out, `{"data":{"mergePay":{"payment":`...)
	q.out = append(appendPaid(q.out, &m.payment), `,"removed":[],"errors":[]}}}`...)
	return nil
}

func (q *request) prepareMerged() (*merged, error) {
	var in mergeInput
	if err := decode(q.body, &in); err != nil {
		return nil, err
	}
	if q.who.role != "CREATOR" && q.who.role != "FINANCE" {
		return nil, &errRefused{403, "FORBIDDEN"}
	}
	if n := len(in.IdempotencyKey); n < 1 || n > 255 || len(in.OrderIds) != mergedOrders {
		return nil, &errRefused{400, "INVALID_INPUT"}
	}
	m := &merged{payment: payment{key: in.IdempotencyKey, hash: sha256.Sum256(q.body), id: models.NewID(), now: time.Now().UTC().Truncate(time.Microsecond), locale: q.who.locale, user: q.who.user}}
	if m.locale == "" {
		m.locale = "en"
	}
	m.number = number26(m.now)
	for _, text := range in.OrderIds {
		id, err := models.Decode(models.PrefixOrder, text)
		if err != nil {
			return nil, &errRefused{409, "ORDER_NOT_FOUND"}
		}
		m.orders = append(m.orders, id)
	}
	asked, err := money.Parse(in.Funding.Balance.Amount, money.Currency(in.Funding.Balance.Currency))
	if err != nil {
		return nil, &errRefused{400, "AMOUNT_INVALID"}
	}
	return m, q.checkMerged(m, asked)
}

// checkMerged judges each order as check does.
func (q *request) checkMerged(m *merged, asked money.Money) error {
	rows, err := q.db.stmt[&sqlPayableMany].QueryContext(q.ctx, q.ids(m, q.who.account[:])...)
	if err != nil {
		return err
	}
	defer rows.Close()
	dues, taken := make(map[models.ID]int64, mergedOrders), 0
	for rows.Next() {
		var status, mode, accountStatus, identity string
		var id, bundle models.ID
		var due int64
		var outside, held bool
		var expires sql.NullTime
		if err := rows.Scan(&id, &status, &mode, &m.currency, &due, &bundle, &outside, &held, &expires, &accountStatus, &identity); err != nil {
			return err
		}
		code := own(status, held, expires, m.now)
		switch {
		case code != "" && status == "PROCESSING":
			taken++
		case code != "":
			return &errRefused{409, code}
		case !bundle.IsZero(), mode != "PREPAID", outside:
			return &errRefused{409, "FUNDING_NOT_ALLOWED"}
		case accountStatus != "ACTIVE":
			return &errRefused{409, "ACCOUNT_NOT_ACTIVE"}
		case identity != "VERIFIED" && identity != "UNVERIFIED":
			return &errRefused{409, "IDENTITY_REQUIRED"}
		}
		dues[id] = due
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if taken > 0 {
		return q.replayOf("mergePay", &m.payment) // perhaps the same call once more
	}
	for _, id := range m.orders {
		due, ok := dues[id]
		if !ok {
			return &errRefused{409, "ORDER_NOT_FOUND"}
		}
		m.dues, m.due = append(m.dues, due), m.due+due
	}
	if len(dues) != mergedOrders || asked.Minor != m.due || string(asked.Currency) != m.currency {
		return &errRefused{409, "FUNDING_MISMATCH"}
	}
	return nil
}

// ids are arguments followed by the orders' ids.
func (q *request) ids(m *merged, before ...any) []any {
	for i := range m.orders {
		before = append(before, m.orders[i][:])
	}
	return before
}

func (q *request) takeMerged(m *merged) error {
	args := make([]any, 0, 3*mergedOrders+3)
	for i := range m.orders {
		args = append(args, m.orders[i][:], m.dues[i])
	}
	args = append(q.ids(m, append(args, m.now, q.who.account[:])...), m.now)
	n, err := q.exec(&sqlTakeMany, args...)
	if err == nil && n != mergedOrders {
		err = &errRefused{409, "ORDER_STATUS_CHANGED"}
	}
	return err
}

func (q *request) share(m *merged) error {
	args := make([]any, 0, 6*mergedOrders)
	for i := range m.orders {
		args = append(args, q.who.account[:], m.id[:], m.orders[i][:], m.dues[i], m.dues[i], m.now)
	}
	_, err := q.exec(&sqlShares, args...)
	return err
}
