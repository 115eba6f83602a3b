package benefit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// ErrTaken: a coupon is no longer as it was priced. Somebody was quicker, or its time is over: price again.
var ErrTaken = errors.New("benefit: a coupon changed meanwhile")

// ErrEnded: the coupons are not locked to this payment any more. Another end of it was quicker, a success: read the payment again.
var ErrEnded = errors.New("benefit: the payment has ended meanwhile")

// taken is what goes from or back to one coupon.
type taken struct {
	id     models.ID
	amount int64
}

// Reserve takes what a payment uses from its coupons and locks them to it, in the payment's transaction (HW-R10): two statements,
// however many there are. Coupons are as they were priced: one whose rest is another by now, that is locked, or whose time is over is
// ErrTaken, and the transaction must end.
func (s *Service) Reserve(ctx context.Context, account, payment models.ID, coupons []models.Coupon, uses []models.PaymentCoupon, at time.Time) error {
	if len(uses) == 0 {
		return nil
	}
	var where strings.Builder
	var conditions []any
	parts := perCoupon(uses)
	for i, p := range parts {
		c := find(coupons, p.id)
		if c == nil || p.amount <= 0 || p.amount > c.Remaining {
			return fmt.Errorf("benefit: coupon %s cannot give %d", p.id, p.amount)
		}
		if i > 0 {
			where.WriteString(" OR ")
		}
		where.WriteString("id = ? AND remaining = ?")
		conditions = append(conditions, p.id, c.Remaining)
	}
	each, args := byCoupon(parts)
	args = append(append(args, payment, at, account, at, at), conditions...)
	n, err := s.db.Exec(ctx, "UPDATE coupons SET remaining = remaining - "+each+", payment_id = ?, updated_at = ? WHERE account_id = ? AND payment_id IS NULL AND valid_from <= ? AND valid_to > ? AND ("+where.String()+")", args...)
	if err != nil {
		return err
	}
	if int(n) != len(parts) {
		return ErrTaken
	}
	rows := make([]any, 0, 6*len(uses))
	for _, u := range uses {
		rows = append(rows, account, payment, u.CouponID, u.OrderID, u.Amount, at)
	}
	_, err = s.db.Exec(ctx, "INSERT INTO payment_coupons (account_id, payment_id, coupon_id, order_id, amount, returned, created_at) VALUES (?,?,?,?,?,0,?)"+strings.Repeat(",(?,?,?,?,?,0,?)", len(uses)-1), rows...)
	return err
}

// Consume ends the lock of a payment that has succeeded, in the transaction of the success: what it took stays taken, the rest can be used
// again.
func (s *Service) Consume(ctx context.Context, account, payment models.ID) error {
	_, err := s.db.Exec(ctx, "UPDATE coupons SET payment_id = NULL, updated_at = ? WHERE account_id = ? AND payment_id = ?", s.clock.Now(), account, payment)
	return err
}

// Release gives back what a payment that has ended without success took, in the transaction of its end, and unlocks its coupons.
// Done again it changes nothing. Where the payment has succeeded meanwhile it is ErrEnded, and the transaction must end.
func (s *Service) Release(ctx context.Context, account, payment models.ID, at time.Time) error {
	return s.giveBack(ctx, account, payment, nil, true, at)
}

// Return gives coupons back for orders that were refunded in full, in the transaction of the refund: three statements, however many
// there are. The policy may keep them. A coupon that has expired meanwhile has its rest again, and stays expired. Done again it changes
// nothing (D10, HW-R18).
func (s *Service) Return(ctx context.Context, account, payment models.ID, orders []models.ID, at time.Time) error {
	if !s.rules.ReturnCoupons || len(orders) == 0 {
		return nil
	}
	return s.giveBack(ctx, account, payment, orders, false, at)
}

// kept are the uses of a payment that were not given back.
const kept = " WHERE account_id = ? AND payment_id = ? AND returned < amount"

// giveBack marks uses as returned, of these orders or, where none is named, of all, then adds them to their coupons: whoever marks them
// is the one who adds.
func (s *Service) giveBack(ctx context.Context, account, payment models.ID, orders []models.ID, locked bool, at time.Time) error {
	more, args := "", []any{account, payment}
	if len(orders) > 0 {
		more, args = " AND order_id IN ("+database.Marks(len(orders))+")", database.Args(args, orders)
	}
	uses, err := s.uses(ctx, "SELECT coupon_id, order_id, amount - returned FROM payment_coupons"+kept+more, args...)
	if err != nil || len(uses) == 0 {
		return err
	}
	n, err := s.db.Exec(ctx, "UPDATE payment_coupons SET returned = amount"+kept+more, args...)
	if err != nil || n == 0 { // somebody else has given them back meanwhile
		return err
	}
	if int(n) != len(uses) {
		return lost(locked, fmt.Errorf("benefit: %d of %d uses of payment %s were given back meanwhile", len(uses)-int(n), len(uses), payment))
	}
	return s.add(ctx, account, payment, perCoupon(uses), locked, at)
}

// add gives amounts back to coupons; of locked ones all have to be locked to the payment. A coupon never holds more than its face.
func (s *Service) add(ctx context.Context, account, payment models.ID, parts []taken, locked bool, at time.Time) error {
	each, args := byCoupon(parts)
	set, and := "", ""
	args = append(args, at, account)
	if locked {
		set, and, args = ", payment_id = NULL", " AND payment_id = ?", append(args, payment)
	}
	where := "id = ? AND remaining <= face - ?" + strings.Repeat(" OR id = ? AND remaining <= face - ?", len(parts)-1)
	for _, p := range parts {
		args = append(args, p.id, p.amount)
	}
	n, err := s.db.Exec(ctx, "UPDATE coupons SET remaining = remaining + "+each+", updated_at = ?"+set+" WHERE account_id = ?"+and+" AND ("+where+")", args...)
	if err == nil && int(n) != len(parts) {
		err = lost(locked, fmt.Errorf("benefit: %d of %d coupons of payment %s could not take back what it used", len(parts)-int(n), len(parts), payment))
	}
	return err
}

// lost says why coupons that were locked could not be given back.
func lost(locked bool, err error) error {
	if locked {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}

func (s *Service) uses(ctx context.Context, query string, args ...any) (out []models.PaymentCoupon, err error) {
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var u models.PaymentCoupon
		err := rows.Scan(&u.CouponID, &u.OrderID, &u.Amount)
		out = append(out, u)
		return err
	}, query, args...)
	return out, err
}

// perCoupon sums uses by coupon.
func perCoupon(uses []models.PaymentCoupon) (out []taken) {
next:
	for _, u := range uses {
		for i := range out {
			if out[i].id == u.CouponID {
				out[i].amount += u.Amount
				continue next
			}
		}
		out = append(out, taken{u.CouponID, u.Amount})
	}
	return out
}

// byCoupon is an SQL expression for each coupon's amount, and its arguments.
func byCoupon(parts []taken) (text string, args []any) {
	for _, p := range parts {
		args = append(args, p.id, p.amount)
	}
	return "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(parts)) + " END", args
}

func find(coupons []models.Coupon, id models.ID) *models.Coupon {
	for i := range coupons {
		if coupons[i].ID == id {
			return &coupons[i]
		}
	}
	return nil
}
