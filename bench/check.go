package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"paydesk/bench/data"
	"paydesk/bench/load"
	"paydesk/internal/billing/audit"
	"paydesk/models"
)

// check asks every server everything once: the data must be the same bytes, and a payment must leave the same rows.
func (h *harness) check(ctx context.Context) error {
	if err := h.prepare(); err != nil {
		return err
	}
	for _, t := range h.targets {
		if err := h.introduce(t); err != nil {
			return err
		}
		if err := t.learn(); err != nil {
			return err
		}
	}
	for name := range h.targets[0].reads {
		for _, t := range h.targets[1:] {
			if err := same(name, h.targets[0], t); err != nil {
				return err
			}
		}
	}
	return h.checkPay(ctx)
}

// introduce shows every token once: what is measured is people who are signed in, at both servers.
func (h *harness) introduce(t *target) error {
	c, err := load.Dial(t.addr)
	if err != nil || t.only == payOnly {
		return err
	}
	defer c.Close()
	var b []byte
	for _, token := range h.tokens {
		b = t.face.hello(b[:0], token)
		if status, body, err := c.Do(b); err != nil || status != 200 {
			return fmt.Errorf("%s: hello: %d %.300s (%w)", t.name, status, body, err)
		}
	}
	return nil
}

// learn keeps every answer: later ones must be the same to the byte.
func (t *target) learn() error {
	c, err := load.Dial(t.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for name, list := range t.reads {
		for i := range list {
			status, body, err := c.Do(list[i].request)
			if err != nil || status != 200 || bytes.Contains(body, []byte(`"errors":[`)) {
				return fmt.Errorf("%s: %s: %d %.500s (%w)", t.name, name, status, body, err)
			}
			if n := bytes.Count(body, []byte(`"number":`)); n < 20 {
				return fmt.Errorf("%s: %s: only %d orders", t.name, name, n)
			}
			list[i].want = bytes.Clone(body)
		}
	}
	return nil
}

// dataOf is the data of an answer as it stands there.
func dataOf(body []byte) ([]byte, error) {
	var answer struct{ Data json.RawMessage }
	err := json.Unmarshal(body, &answer)
	return answer.Data, err
}

func same(name string, a, b *target) error {
	for i := range a.reads[name] {
		x, err1 := dataOf(a.reads[name][i].want)
		y, err2 := dataOf(b.reads[name][i].want)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !bytes.Equal(x, y) {
			return fmt.Errorf("%s: %s and %s differ:\n%s", name, a.name, b.name, difference(x, y))
		}
	}
	return nil
}

func difference(x, y []byte) string {
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	from := max(0, i-200)
	return fmt.Sprintf("%s\n%s", x[from:min(len(x), i+200)], y[from:min(len(y), i+200)])
}

// checkPay pays one order at each server, twice with the same key, and compares answers and rows.
func (h *harness) checkPay(ctx context.Context) error {
	s := h.stock[payMany]
	if err := s.fill(ctx, h, len(h.targets)); err != nil {
		return err
	}
	var answer, rows string
	for i, t := range h.targets {
		w, _ := s.take()
		a, err := h.payTwice(t, w)
		if err != nil {
			return fmt.Errorf("%s: pay: %w", t.name, err)
		}
		h.paid++
		r, err := h.rowsOf(ctx, w)
		if err != nil {
			return fmt.Errorf("%s: rows: %w", t.name, err)
		}
		if i > 0 && a != answer {
			return fmt.Errorf("pay: %s and %s differ:\n%s\n%s", h.targets[0].name, t.name, answer, a)
		}
		if i > 0 && r != rows {
			return fmt.Errorf("pay: %s and %s write other rows:\n%s", h.targets[0].name, t.name, difference([]byte(rows), []byte(r)))
		}
		answer, rows = a, r
	}
	if err := h.checkMerge(ctx); err != nil {
		return err
	}
	return h.outboxEmpty(ctx)
}

// Whatever differs from payment to payment, by its form.
var volatile = []struct {
	form *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`pay_[0-9a-z]{26}`), "<payment>"},
	{regexp.MustCompile(`\b20[0-9]{12}[0-9A-Z]{12}\b`), "<number>"},
	{regexp.MustCompile(`20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?`), "<time>"},
}

func mask(text string) string {
	for _, v := range volatile {
		text = v.form.ReplaceAllString(text, v.name)
	}
	return text
}

func (h *harness) payTwice(t *target, w data.Waiting) (string, error) {
	return twice(t, t.face.pay(nil, h.tokens[w.Account], "check-"+w.Order.String(), w), w.Due)
}

// twice asks with one key twice: the answers must be the same. It gives what does not differ from payment to payment.
func twice(t *target, request []byte, due int64) (string, error) {
	c, err := load.Dial(t.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	var first []byte
	for range 2 {
		status, body, err := c.Do(request)
		if err != nil || status != 200 || !bytes.Contains(body, paid) {
			return "", fmt.Errorf("%d %.500s (%w)", status, body, err)
		}
		d, err := dataOf(body)
		if err != nil {
			return "", err
		}
		if first != nil && !bytes.Equal(first, d) {
			return "", fmt.Errorf("the same key gave another answer:\n%s\n%s", first, d)
		}
		first = bytes.Clone(d)
	}
	return mask(strings.ReplaceAll(string(first), decimal(due), "<due>")), nil
}

// rowsOf are all rows that belong to the payment of an order, with what differs from payment to payment put into words.
func (h *harness) rowsOf(ctx context.Context, w data.Waiting) (string, error) {
	var payment models.ID
	if err := h.db.QueryRowContext(ctx, "SELECT payment_id FROM payment_orders WHERE account_id = ? AND order_id = ?", w.Account, w.Order).Scan(&payment); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, q := range []struct{ table, where string }{
		{"orders", "account_id = ? AND id = ?"}, {"payments", "account_id = ? AND id = ?"}, {"payment_events", "account_id = ? AND payment_id = ?"}, {"payment_orders", "account_id = ? AND payment_id = ?"},
		{"idempotency_keys", "? IS NOT NULL AND ref = ?"}, {"postings", "account_id = ? AND payment_id = ? ORDER BY leg"},
	} {
		id := payment
		if q.table == "orders" {
			id = w.Order
		}
		if err := h.dump(ctx, &b, q.table, "SELECT * FROM "+q.table+" WHERE "+q.where, w, payment, w.Account, id); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// own are columns whose values belong to the one order or posting.
var own = map[string]bool{"id": true, "entry_id": true, "number": true, "seq": true, "cash_after": true, "input_hash": true, "idem_key": true, "items": true, "type": true, "product_type": true, "placement_id": true, "scope": true, "account_id": true}

func (h *harness) dump(ctx context.Context, b *strings.Builder, table, query string, w data.Waiting, payment models.ID, args ...any) error {
	rows, err := h.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	names := strings.NewReplacer(string(payment[:]), "<payment>", payment.String(), "<payment>", string(w.Order[:]), "<order>", fmt.Sprint(w.Due), "<due>")
	for rows.Next() {
		values, into := make([]*string, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		b.WriteString(table)
		for i, c := range columns {
			switch {
			case values[i] == nil:
				fmt.Fprintf(b, " %s=NULL", c)
			case own[c]:
				fmt.Fprintf(b, " %s=<own>", c)
			default:
				fmt.Fprintf(b, " %s=%q", c, mask(names.Replace(*values[i])))
			}
		}
		b.WriteByte('\n')
	}
	return rows.Err()
}

// outboxEmpty waits until all that was committed has been told.
func (h *harness) outboxEmpty(ctx context.Context) error {
	for deadline := time.Now().Add(30 * time.Second); ; {
		var n int
		if err := h.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM outbox").Scan(&n); err != nil || n == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d rows stay in the outbox", n)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// audit proves that nothing was lost, doubled or left over.
func (h *harness) audit(ctx context.Context) error {
	var n int64
	if err := h.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM payments").Scan(&n); err != nil {
		return err
	}
	if n != h.before+h.paid {
		return fmt.Errorf("%d payments were answered, %d are there", h.paid, n-h.before)
	}
	r, err := audit.Run(ctx, h.desk, time.Now())
	if err != nil {
		return err
	}
	if !r.Clean() {
		var b strings.Builder
		_ = r.Write(&b)
		return fmt.Errorf("audit:\n%s", b.String())
	}
	return nil
}
