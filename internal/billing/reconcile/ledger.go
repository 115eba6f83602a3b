package reconcile

import (
	"context"
	"database/sql"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// selectEntries reads postings of a clearing book with the number of their payment; a posting may have none.
const selectEntries = "SELECT p.account_id, p.payment_id, m.number, m.status, p.reference, p.kind, p.currency, p.amount, p.posted_at FROM postings p LEFT JOIN payments m ON m.account_id = p.account_id AND m.id = p.payment_id WHERE p.book = ?"

// booked reads what the ledger has in a span.
func (c *comparison) booked(ctx context.Context, from, to time.Time) ([]entry, error) {
	entries, err := c.entries(ctx, selectEntries+" AND p.posted_at >= ? AND p.posted_at < ? ORDER BY p.posted_at", c.book(), from, to)
	if err != nil {
		return nil, err
	}
	ids := map[models.ID]bool{}
	for _, e := range entries {
		if !e.refund.IsZero() {
			ids[e.refund] = true
		}
	}
	numbers, err := c.refundNumbers(ctx, slices.Collect(maps.Keys(ids)))
	for i, e := range entries {
		entries[i].refundNumber = numbers[e.refund]
	}
	return entries, err
}

func (c *comparison) book() string { return models.BookClearing + string(c.rec.Channel) }

// entries scans postings. What left the book was collected, what came into it went back (ledger.Receive, ledger.Transfer).
func (c *comparison) entries(ctx context.Context, query string, args ...any) (out []entry, err error) {
	err = c.DB.Query(ctx, func(r *sql.Rows) error {
		var e entry
		var number, status sql.NullString
		var code string
		err := r.Scan(&e.account, &e.payment, &number, &status, &e.reference, &e.kind, &code, &e.amount.Minor, &e.at)
		e.number, e.status, e.amount.Currency = number.String, status.String, money.Currency(code)
		if e.back = e.amount.Minor > 0; e.back {
			e.refund, e.status = idIn(e.reference), string(models.RefundSucceeded)
			if e.kind != models.KindRefund { // it went back after it had failed (refund/apply.go)
				e.status = string(models.RefundFailed)
			}
		} else {
			e.amount.Minor = -e.amount.Minor
		}
		if e.returned = strings.HasPrefix(e.reference, "returned:"); e.returned {
			e.back, e.refund, e.status = true, idIn(e.reference), string(models.RefundSucceeded)
		}
		out = append(out, e)
		return err
	}, query, args...)
	return out, err
}

// idIn is the id at the end of a posting's reference: "refunded:<id>".
func idIn(reference string) (id models.ID) {
	_, text, _ := strings.Cut(reference, ":")
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == len(id) {
		copy(id[:], raw)
	}
	return id
}

// of names the movement that a posting belongs to; one of neither a payment nor a refund is a movement of its own.
func (e entry) of() key {
	switch {
	case e.back && e.refundNumber != "":
		return key{models.MovementRefund, e.refundNumber}
	case !e.back && e.number != "":
		return key{models.MovementPayment, e.number}
	case e.back:
		return key{models.MovementRefund, "?" + e.reference}
	}
	return key{models.MovementPayment, "?" + e.reference}
}

func (c *comparison) refundNumbers(ctx context.Context, ids []models.ID) (map[models.ID]string, error) {
	out := make(map[models.ID]string, len(ids))
	for some := range slices.Chunk(ids, batch) {
		marks, args := among(some)
		err := c.DB.Query(ctx, func(r *sql.Rows) error {
			var id models.ID
			var number string
			err := r.Scan(&id, &number)
			out[id] = number
			return err
		}, "SELECT id, number FROM refunds WHERE id IN ("+marks+")", args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// owners finds the payments and refunds that movements are of. A refund's payment comes with it, whatever the statement says of it.
func (c *comparison) owners(ctx context.Context, by map[key]*movement) error {
	payments, refunds := map[string]bool{}, map[string]bool{}
	for k, m := range by {
		for _, n := range m.numbers() {
			payments[n] = true
		}
		if k.kind == models.MovementRefund {
			refunds[k.number] = true
		}
	}
	found := map[string]*models.Refund{}
	for some := range batches(refunds) {
		var rows []models.Refund
		if err := c.DB.Gorm(ctx).Where("number IN ? AND channel = ?", some, string(c.rec.Channel)).Find(&rows).Error; err != nil {
			return err
		}
		for i := range rows {
			found[rows[i].Number] = &rows[i]
		}
	}
	byNumber, err := c.payments(ctx, "number IN ? AND channel = ?", payments)
	if err != nil {
		return err
	}
	byID, err := c.ofRefunds(ctx, found, byNumber)
	if err != nil {
		return err
	}
	for k, m := range by {
		m.refund, m.payment = nil, nil
		if r := found[k.number]; r != nil && k.kind == models.MovementRefund {
			m.refund, m.payment = r, byID[r.PaymentID]
			continue
		}
		for _, n := range m.numbers() {
			if p := byNumber[n]; p != nil && m.payment == nil {
				m.payment = p
			}
		}
	}
	return nil
}

func (c *comparison) payments(ctx context.Context, where string, numbers map[string]bool) (map[string]*models.Payment, error) {
	out := make(map[string]*models.Payment, len(numbers))
	for some := range batches(numbers) {
		var rows []models.Payment
		if err := c.DB.Gorm(ctx).Where(where, some, string(c.rec.Channel)).Find(&rows).Error; err != nil {
			return nil, err
		}
		for i := range rows {
			out[rows[i].Number] = &rows[i]
		}
	}
	return out, nil
}

// ofRefunds are the payments of refunds, by id.
func (c *comparison) ofRefunds(ctx context.Context, refunds map[string]*models.Refund, have map[string]*models.Payment) (map[models.ID]*models.Payment, error) {
	out, missing := map[models.ID]*models.Payment{}, map[models.ID]bool{}
	for _, p := range have {
		out[p.ID] = p
	}
	for _, r := range refunds {
		if out[r.PaymentID] == nil {
			missing[r.PaymentID] = true
		}
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(missing)), batch) {
		var rows []models.Payment
		if err := c.DB.Gorm(ctx).Where("id IN ?", some).Find(&rows).Error; err != nil {
			return nil, err
		}
		for i := range rows {
			out[rows[i].ID] = &rows[i]
		}
	}
	return out, nil
}

// postings reads all that the ledger has of movements, on whatever day. A posting is found by its reference, which names its event.
func (c *comparison) postings(ctx context.Context, by map[key]*movement) error {
	accounts, wanted := map[models.ID]bool{}, map[string]*movement{}
	suspended, err := c.suspended(ctx, by)
	if err != nil {
		return err
	}
	for _, m := range by {
		if m.payment == nil {
			continue
		}
		accounts[m.payment.AccountID] = true
		for _, reference := range m.references(suspended) {
			if !slices.ContainsFunc(m.entries, func(e entry) bool { return e.reference == reference }) { // not read with the day
				wanted[reference] = m
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	all := slices.Collect(maps.Keys(accounts))
	slices.SortFunc(all, func(a, b models.ID) int { return slices.Compare(a[:], b[:]) })
	for references := range slices.Chunk(slices.Sorted(maps.Keys(wanted)), batch) {
		for some := range slices.Chunk(all, batch) {
			marks, args := among(some, c.book())
			more, args := among(references, args...)
			entries, err := c.entries(ctx, selectEntries+" AND p.account_id IN ("+marks+") AND p.reference IN ("+more+") ORDER BY p.posted_at", args...)
			if err != nil {
				return err
			}
			for _, e := range entries {
				m := wanted[e.reference]
				m.entries = append(m.entries, e)
			}
		}
	}
	return nil
}

// references are those under which a movement is posted (payment/subject.go, refund/apply.go).
func (m *movement) references(suspended map[models.ID][]string) (out []string) {
	if m.kind == models.MovementRefund {
		if m.refund == nil {
			return nil
		}
		return []string{"refunded:" + m.refund.ID.String(), "suspense:" + m.refund.ID.String()}
	}
	id := m.payment.ID.String()
	return append([]string{"topup:" + id, "pay:" + id, "late:" + id}, suspended[m.payment.ID]...)
}

// suspended are the references of what payments have in suspense.
func (c *comparison) suspended(ctx context.Context, by map[key]*movement) (map[models.ID][]string, error) {
	ids := map[models.ID]bool{}
	for k, m := range by {
		if m.payment != nil && k.kind == models.MovementPayment {
			ids[m.payment.ID] = true
		}
	}
	out := map[models.ID][]string{}
	for some := range slices.Chunk(slices.Collect(maps.Keys(ids)), batch) {
		marks, args := among(some, string(c.rec.Channel))
		err := c.DB.Query(ctx, func(r *sql.Rows) error {
			var id models.ID
			var reference string
			err := r.Scan(&id, &reference)
			if reference, ok := strings.CutPrefix(reference, string(c.rec.Channel)+":"); ok && !strings.HasPrefix(reference, "refund:") {
				out[id] = append(out[id], "suspense:"+reference)
			}
			return err
		}, "SELECT payment_id, reference FROM suspense_items WHERE channel = ? AND payment_id IN ("+marks+")", args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
