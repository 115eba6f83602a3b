package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"time"

	"github.com/go-sql-driver/mysql"

	"paydesk/internal/money"
	"paydesk/models"
)

var (
	sqlPayable = "SELECT o.number, o.status, o.charging_mode, o.currency, o.amount_due, o.bundle_id, o.outside_contract, o.active_payment_id IS NOT NULL, o.expires_at, a.status, a.identity " +
		"FROM orders o JOIN accounts a ON a.id = o.account_id WHERE o.account_id = ? AND o.id = ?"
	sqlKey  = "INSERT INTO idempotency_keys (scope, mutation, idem_key, input_hash, kind, ref, created_at) VALUES (?,'pay',?,?,'payment',?,?)"
	sqlTake = "UPDATE orders SET status = 'PROCESSING', paid = ?, updated_at = ? WHERE account_id = ? AND id = ? AND status = 'PENDING_PAYMENT' AND active_payment_id IS NULL AND (expires_at IS NULL OR expires_at > ?)"
	// Code money first, then cash, then credit.
	sqlSpend = "UPDATE balances SET credit_used = credit_used + CASE WHEN cash + code_money >= ? THEN 0 WHEN cash + code_money > 0 THEN ? - cash - code_money ELSE ? END, " +
		"cash = CASE WHEN cash + code_money >= ? THEN cash + code_money - ? WHEN cash + code_money > 0 THEN 0 ELSE cash + code_money END - CASE WHEN code_money >= ? THEN code_money - ? ELSE 0 END, " +
		"code_money = CASE WHEN code_money >= ? THEN code_money - ? ELSE 0 END, version = version + 1, updated_at = ? " +
		"WHERE account_id = ? AND currency = ? AND cash + code_money + credit_limit - credit_used >= ?"
	sqlPayment = "INSERT INTO payments (account_id, id, number, purpose, status, currency, amount, balance_amount, channel, channel_reference, bank_code, return_url, action_kind, action_method, failure_code, " +
		"created_by, locale, created_at, completed_at, version) VALUES (?,?,?,'ORDERS','SUCCEEDED',?,?,?,'','','','','','','',?,?,?,?,1)"
	sqlEvent  = "INSERT INTO payment_events (account_id, payment_id, version, status, note, at) VALUES (?,?,1,'SUCCEEDED','payment.note.succeeded',?)"
	sqlShare  = "INSERT INTO payment_orders (account_id, payment_id, order_id, amount, discount, coupon, due, created_at) VALUES (?,?,?,?,0,0,?,?)"
	sqlOutbox = "INSERT INTO outbox (id, account_id, topics, created_at) VALUES (?,?,?,?)"
	sqlLeg    = "INSERT INTO postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, payment_id, order_id, posted_at) VALUES (?,?,?,?,0,'revenue','ORDER_PAYMENT',?,?,?,?,?)"
	sqlOwnLeg = "INSERT INTO postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, seq, cash_after, code_money_after, frozen_after, credit_used_after, payment_id, order_id, posted_at) " +
		"SELECT account_id, ?, ?, ?, 1, 'customer', 'ORDER_PAYMENT', currency, ?, version, cash, code_money, frozen, credit_used, ?, ?, ? FROM balances WHERE account_id = ?"
)

// payInput is PayInput of the schema as far as the benchmark uses it.
type payInput struct {
	IdempotencyKey, OrderID string
	Funding                 struct {
		Balance struct{ Amount, Currency string }
	}
}

// payment is one payment on its way.
type payment struct {
	key, number, locale, user string
	hash                      [sha256.Size]byte
	order, id                 models.ID
	currency                  string
	due                       int64
	now                       time.Time
	replayed                  bool
	event                     told
}

// prepare reads and judges: everything that can refuse before a lock is taken.
func (q *request) prepare() (*payment, error) {
	var in payInput
	if err := decode(q.body, &in); err != nil {
		return nil, err
	}
	if q.who.role != "CREATOR" && q.who.role != "FINANCE" {
		return nil, &errRefused{403, "FORBIDDEN"}
	}
	if n := len(in.IdempotencyKey); n < 1 || n > 255 {
		return nil, &errRefused{400, "INVALID_INPUT"}
	}
	p := &payment{key: in.IdempotencyKey, hash: sha256.Sum256(q.body), id: models.NewID(), now: time.Now().UTC().Truncate(time.Microsecond), locale: q.who.locale, user: q.who.user}
	if p.locale == "" {
		p.locale = "en"
	}
	p.number = number26(p.now)
	var err error
	if p.order, err = models.Decode(models.PrefixOrder, in.OrderID); err != nil {
		return nil, &errRefused{409, "ORDER_NOT_FOUND"}
	}
	asked, err := money.Parse(in.Funding.Balance.Amount, money.Currency(in.Funding.Balance.Currency))
	if err != nil {
		return nil, &errRefused{400, "AMOUNT_INVALID"}
	}
	return p, q.check(p, asked)
}

func (q *request) check(p *payment, asked money.Money) error {
	var number, status, mode, accountStatus, identity string
	var bundle models.ID
	var outside, held bool
	var expires sql.NullTime
	err := q.db.stmt[&sqlPayable].QueryRowContext(q.ctx, q.who.account[:], p.order[:]).Scan(&number, &status, &mode, &p.currency, &p.due, &bundle, &outside, &held, &expires, &accountStatus, &identity)
	if errors.Is(err, sql.ErrNoRows) {
		return &errRefused{409, "ORDER_NOT_FOUND"}
	}
	if err != nil {
		return err
	}
	code := own(status, held, expires, p.now)
	switch {
	case code != "" && status == "PROCESSING":
		return q.replay(p) // perhaps the same call once more
	case code != "":
		return &errRefused{409, code}
	case !bundle.IsZero(), mode != "PREPAID", outside: // the benchmark pays single orders
		return &errRefused{409, "FUNDING_NOT_ALLOWED"}
	case accountStatus != "ACTIVE":
		return &errRefused{409, "ACCOUNT_NOT_ACTIVE"}
	case identity != "VERIFIED" && identity != "UNVERIFIED":
		return &errRefused{409, "IDENTITY_REQUIRED"}
	case asked.Minor != p.due || string(asked.Currency) != p.currency:
		return &errRefused{409, "FUNDING_MISMATCH"}
	}
	return nil
}

// replay answers a key that was used: the same input finds its payment.
func (q *request) replay(p *payment) error { return q.replayOf("pay", p) }

func (q *request) replayOf(mutation string, p *payment) error {
	var hash []byte
	err := q.db.conn.QueryRowContext(q.ctx, "SELECT k.input_hash, p.id, p.number, p.currency, p.amount, p.created_at FROM idempotency_keys k JOIN payments p ON p.account_id = ? AND p.id = k.ref "+
		"WHERE k.scope = ? AND k.mutation = ? AND k.idem_key = ?", q.who.account[:], q.who.account.String(), mutation, p.key).
		Scan(&hash, &p.id, &p.number, &p.currency, &p.due, &p.now)
	if errors.Is(err, sql.ErrNoRows) {
		return &errRefused{409, "ORDER_STATUS_CHANGED"}
	}
	if err == nil && subtle.ConstantTimeCompare(hash, p.hash[:]) != 1 {
		return &errRefused{409, "IDEMPOTENCY_KEY_REUSED"}
	}
	p.replayed = true
	return err
}

// payGuardsFirst is the plain transaction as one writes it down: key, the two guarded updates (order, balance), then the
// rows that say what happened. All guards are conditional updates; nothing is read FOR UPDATE.
func (s *server) payGuardsFirst(q *request) error {
	return s.pay(q, func(p *payment) error {
		return first(func() error { return q.claim(p) }, func() error { return q.take(p) }, func() error { return q.spend(p) },
			func() error { return q.record(p) }, func() error { return q.leg(p) }, func() error { return q.ownLeg(p) })
	})
}

// payHotLast has the same statements with the account's balance last: other payments of the same account wait for two round
// trips less the more rows come before it.
func (s *server) payHotLast(q *request) error {
	return s.pay(q, func(p *payment) error {
		return first(func() error { return q.claim(p) }, func() error { return q.take(p) },
			func() error { return q.record(p) }, func() error { return q.leg(p) }, func() error { return q.spend(p) }, func() error { return q.ownLeg(p) })
	})
}

func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) pay(q *request, write func(*payment) error) error {
	p, err := q.prepare()
	if err != nil {
		return err
	}
	if !p.replayed {
		event := told{models.NewID(), "payment:" + p.id.String() + " balance:" + q.who.account.String()}
		p.event = event
		err := q.inTx(func() error { return write(p) })
		if duplicate(err) { // another call with this key was quicker
			if err = q.replay(p); err != nil {
				return err
			}
		} else if err != nil {
			return err
		} else {
			s.told <- event
		}
	}
	q.out = appendPayment(q.out, p)
	return nil
}

func (q *request) claim(p *payment) error { return q.claimWith(&sqlKey, p) }

func (q *request) claimWith(text *string, p *payment) error {
	_, err := q.exec(text, q.who.account.String(), p.key, p.hash[:], p.id[:], p.now)
	return err
}

func (q *request) take(p *payment) error {
	n, err := q.exec(&sqlTake, p.due, p.now, q.who.account[:], p.order[:], p.now)
	if err == nil && n == 0 {
		err = &errRefused{409, "ORDER_STATUS_CHANGED"}
	}
	return err
}

func (q *request) spend(p *payment) error {
	a := p.due
	n, err := q.exec(&sqlSpend, a, a, a, a, a, a, a, a, a, p.now, q.who.account[:], p.currency, a)
	if err == nil && n == 0 {
		err = &errRefused{409, "INSUFFICIENT_BALANCE"}
	}
	return err
}

func (q *request) record(p *payment) error {
	return first(func() error { return q.pay(p) }, func() error {
		_, err := q.exec(&sqlShare, q.who.account[:], p.id[:], p.order[:], p.due, p.due, p.now)
		return err
	}, func() error { return q.tell(p) })
}

// pay writes the payment and its event.
func (q *request) pay(p *payment) error {
	account := q.who.account[:]
	_, err := q.exec(&sqlPayment, account, p.id[:], p.number, p.currency, p.due, p.due, p.user, p.locale, p.now, p.now)
	if err == nil {
		_, err = q.exec(&sqlEvent, account, p.id[:], p.now)
	}
	return err
}

func (q *request) tell(p *payment) error {
	_, err := q.exec(&sqlOutbox, p.event.id[:], q.who.account[:], p.event.topics, p.now)
	return err
}

func (q *request) leg(p *payment) error {
	id, entry := models.NewID(), p.entry()
	_, err := q.exec(&sqlLeg, q.who.account[:], id[:], entry[:], "pay:"+p.id.String(), p.currency, p.due, p.id[:], p.only(), p.now)
	return err
}

func (q *request) ownLeg(p *payment) error {
	id, entry := models.NewID(), p.entry()
	_, err := q.exec(&sqlOwnLeg, id[:], entry[:], "pay:"+p.id.String(), -p.due, p.id[:], p.only(), p.now, q.who.account[:])
	return err
}

// only is the payment's order for its postings; NULL where it has several.
func (p *payment) only() any {
	if p.order.IsZero() {
		return nil
	}
	return p.order[:]
}

// entry is the journal entry's id: one payment, one entry.
func (p *payment) entry() models.ID { return p.id }

func duplicate(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == 1062
}

func appendPayment(b []byte, p *payment) []byte {
	return append(appendPaid(append(b, `{"data":{"pay":{"payment":`...), p), `,"errors":[]}}}`...)
}

func appendPaid(b []byte, p *payment) []byte {
	b = append(b, `{"id":"`...)
	b = append(b, p.id.Encode(models.PrefixPayment)...)
	b = append(b, `","number":"`...)
	b = append(b, p.number...)
	b = append(b, `","status":"SUCCEEDED","amount":`...)
	b = appendMoney(b, p.due, p.currency)
	b = append(b, `,"version":1,"createdAt":`...)
	b = appendTime(b, p.now)
	b = append(b, `,"completedAt":`...)
	b = appendTime(b, p.now)
	return append(b, '}')
}

// number26 is a merchant order number: the second and 60 random bits, as paydesk makes it.
func number26(now time.Time) string {
	raw := make([]byte, 12)
	_, _ = rand.Read(raw)
	for i := range raw {
		raw[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[raw[i]&31]
	}
	return now.Format("20060102150405") + string(raw)
}
