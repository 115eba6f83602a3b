package order

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Paying is what a payment has to know before it starts.
type Paying struct {
	Account models.Account // the facts that decide about paying; the rest is empty
	Asked   []models.Order // in the order they were asked for; what is not there is left out
	Linked  []models.Order // the other orders of their bundles (HW-8)
	// Adjusted: the account has price adjustments, which apply without being chosen (HW-R8). Few have, so the others are not asked.
	Adjusted bool
}

// forPayment reads the orders; the account's facts come with every row.
func forPayment(n int) string {
	return "SELECT " + columnsOf("o") + ", a.status, a.kind, a.identity, a.region, a.country, a.signing_entity, a.currency, a.operation_protection, a.partner_id, " +
		"EXISTS (SELECT 1 FROM discounts d WHERE d.account_id = a.id AND d.kind = 'PRICE_ADJUSTMENT')" +
		" FROM accounts a JOIN orders o ON o.account_id = a.id WHERE a.id = ? AND o.id IN (" + database.Marks(n) + ")"
}

// ForPayment reads what a payment of these orders has to judge: the orders, those linked to them, and the account. It takes
// one statement, two where orders are linked: a bundle never changes, so the second may come later than the first, and one
// statement for both costs MariaDB three times as much. Without any of the orders the account is empty.
func (s *Service) ForPayment(ctx context.Context, account models.ID, ids []models.ID) (Paying, error) {
	p := Paying{}
	if len(ids) == 0 {
		return p, nil
	}
	a := &p.Account
	sc := newScanner((*string)(&a.Status), (*string)(&a.Kind), (*string)(&a.Identity), &a.Region, &a.Country, &a.SigningEntity, &a.Currency,
		&a.OperationProtection, &a.PartnerID, &p.Adjusted)
	found := make(map[models.ID]models.Order, len(ids))
	err := s.db.Query(ctx, func(rows *sql.Rows) error {
		o, err := sc.scan(rows)
		found[o.ID] = o
		return err
	}, forPayment(len(ids)), database.Args([]any{account}, ids)...)
	if err != nil || len(found) == 0 {
		return Paying{}, err
	}
	p.Account.ID = account
	seen := make(map[models.ID]bool, len(found))
	for _, id := range ids {
		if o, ok := found[id]; ok && !seen[id] {
			seen[id] = true
			p.Asked = append(p.Asked, o)
		}
	}
	bundles, err := s.LinkedTo(ctx, account, p.Asked)
	for _, o := range p.Asked {
		for _, mate := range bundles[o.BundleID] {
			if !seen[mate.ID] {
				seen[mate.ID] = true
				p.Linked = append(p.Linked, mate)
			}
		}
	}
	return p, err
}

// Share is what a payment pays of an order, in minor units: its due after discount and coupons.
type Share struct {
	OrderID models.ID
	Due     int64
}

// ErrChanged says that not all orders could be taken or held: one of them changed, expired or is held meanwhile (HW-14).
// Roll the transaction back and judge anew.
var ErrChanged = errors.New("order: not all of them can still be paid")

// free is the guard of an order that a payment may take or hold.
const free = "status = 'PENDING_PAYMENT' AND active_payment_id IS NULL AND (expires_at IS NULL OR expires_at > ?)"

// Take lets a payment take orders in the transaction of ctx: PENDING_PAYMENT → PROCESSING, with what was paid. All of them,
// or ErrChanged. Shares are of different orders.
func (s *Service) Take(ctx context.Context, account models.ID, shares []Share, now time.Time) error {
	args := make([]any, 0, 3*len(shares)+5)
	args = append(args, string(steps[Paid].to))
	set := "?"
	if len(shares) == 1 {
		args = append(args, shares[0].Due)
	} else {
		set = "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(shares)) + " END"
		for _, sh := range shares {
			args = append(args, sh.OrderID, sh.Due)
		}
	}
	args = append(args, now, account)
	for _, sh := range shares {
		args = append(args, sh.OrderID)
	}
	return s.all(ctx, len(shares), "UPDATE orders SET status = ?, paid = "+set+", updated_at = ? WHERE account_id = ? AND id IN ("+database.Marks(len(shares))+") AND "+free,
		append(args, now)...)
}

// Hold keeps orders for an unfinished payment in the transaction of ctx: nothing else can take, cancel or expire them. All
// of them, or ErrChanged. Ids are different.
func (s *Service) Hold(ctx context.Context, account models.ID, ids []models.ID, payment models.ID, now time.Time) error {
	args := append(database.Args([]any{payment, now, account}, ids), now)
	return s.all(ctx, len(ids), "UPDATE orders SET active_payment_id = ?, updated_at = ? WHERE account_id = ? AND id IN ("+database.Marks(len(ids))+") AND "+free, args...)
}

func (s *Service) all(ctx context.Context, want int, query string, args ...any) error {
	n, err := s.db.Exec(ctx, query, args...)
	if err == nil && n != int64(want) {
		err = ErrChanged
	}
	return err
}

// ReleaseHold frees what a payment held, when it ended without money; it returns how many orders that were. Those whose
// time is over expire with the next sweep.
func (s *Service) ReleaseHold(ctx context.Context, account, payment models.ID, now time.Time) (int64, error) {
	return s.db.Exec(ctx, "UPDATE orders SET active_payment_id = NULL, updated_at = ? WHERE account_id = ? AND active_payment_id = ?", now, account, payment)
}

// TakeHeld lets a payment that succeeded take what it held, with what it pays of each order by its allocations; it returns
// how many orders that were. Fewer than it held cannot be while holds are respected; none means that it has taken them
// before or lost them, and its money is late.
func (s *Service) TakeHeld(ctx context.Context, account, payment models.ID, now time.Time) (int64, error) {
	return s.db.Exec(ctx, "UPDATE orders SET status = ?, active_payment_id = NULL, updated_at = ?, "+
		"paid = (SELECT due FROM payment_orders WHERE payment_orders.account_id = ? AND payment_orders.payment_id = ? AND payment_orders.order_id = orders.id) "+
		"WHERE account_id = ? AND active_payment_id = ? AND status = 'PENDING_PAYMENT'",
		string(steps[Paid].to), now, account, payment, account, payment)
}
