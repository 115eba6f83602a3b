package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"paydesk/bench/data"
	"paydesk/models"
)

// together is how many orders a merged payment has: the policy's maximum (HW-13).
const together = 30

// merges pays thirty orders at a time, each once.
type merges struct {
	h    *harness
	face face
}

func (m *merges) Next(b []byte) ([]byte, func(int, []byte) bool, bool) {
	i := int(m.h.basket.Add(1)) - 1
	if i >= len(m.h.baskets) {
		return nil, nil, false
	}
	w := m.h.baskets[i]
	return m.face.merge(b, m.h.tokens[w.Account], "bench-"+w.Orders[0].String(), w), m.succeeded, true
}

func (m *merges) succeeded(status int, body []byte) bool {
	if status != 200 || !bytes.Contains(body, paid) {
		return false
	}
	atomic.AddInt64(&m.h.paid, 1)
	return true
}

// fillBaskets sees to it that at least n times thirty orders are there.
func (h *harness) fillBaskets(ctx context.Context, n int) error {
	h.baskets = h.baskets[min(int(h.basket.Load()), len(h.baskets)):]
	h.basket.Store(0)
	if missing := n - len(h.baskets); missing > 0 {
		more, err := data.PlaceTogether(ctx, h.db, h.stock[payMany].accounts, missing, together)
		if err != nil {
			return err
		}
		h.baskets = append(h.baskets, more...)
	}
	return nil
}

// checkMerge pays thirty orders at once at each server, twice with the same key, and compares answers and rows. What falls on
// which order is proved by the audit at the end.
func (h *harness) checkMerge(ctx context.Context) error {
	o := operation{name: payMerged}
	if err := h.fillBaskets(ctx, len(h.targets)); err != nil {
		return err
	}
	var answer, rows string
	for i, t := range h.takers(o) {
		w := h.baskets[h.basket.Add(1)-1]
		a, err := twice(t, t.face.merge(nil, h.tokens[w.Account], "check-"+w.Orders[0].String(), w), w.Due)
		if err != nil {
			return fmt.Errorf("%s: mergePay: %w", t.name, err)
		}
		h.paid++
		r, err := h.rowsTogether(ctx, w)
		if err != nil {
			return fmt.Errorf("%s: rows: %w", t.name, err)
		}
		if i > 0 && (a != answer || r != rows) {
			return fmt.Errorf("mergePay: %s and %s differ:\n%s\n%s\n%s", h.targets[0].name, t.name, answer, a, difference([]byte(rows), []byte(r)))
		}
		answer, rows = a, r
	}
	return nil
}

// rowsTogether are the rows of a merged payment that do not belong to one of its orders.
func (h *harness) rowsTogether(ctx context.Context, w data.Together) (string, error) {
	var payment models.ID
	var n int
	if err := h.db.QueryRowContext(ctx, "SELECT payment_id FROM payment_orders WHERE account_id = ? AND order_id = ?", w.Account, w.Orders[0]).Scan(&payment); err != nil {
		return "", err
	}
	if err := h.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM payment_orders p JOIN orders o ON o.account_id = p.account_id AND o.id = p.order_id WHERE p.account_id = ? AND p.payment_id = ? AND o.status = 'PROCESSING' AND o.paid = p.due", w.Account, payment).Scan(&n); err != nil {
		return "", err
	}
	if n != together {
		return "", fmt.Errorf("%d of %d orders are paid", n, together)
	}
	var b strings.Builder
	whole := data.Waiting{Account: w.Account, Order: payment, Due: w.Due}
	for _, q := range []struct{ table, where string }{
		{"payments", "account_id = ? AND id = ?"}, {"payment_events", "account_id = ? AND payment_id = ?"},
		{"idempotency_keys", "? IS NOT NULL AND ref = ?"}, {"postings", "account_id = ? AND payment_id = ? ORDER BY leg"},
	} {
		if err := h.dump(ctx, &b, q.table, "SELECT * FROM "+q.table+" WHERE "+q.where, whole, payment, w.Account, payment); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}
