package benefit

import (
	"context"
	"database/sql"
	"strconv"

	"paydesk/models"
)

// orphan is a lock that no unfinished payment stands behind.
type orphan struct {
	account, payment models.ID
	status           models.PaymentStatus // empty where there is no such payment
}

const orphans = "SELECT DISTINCT c.account_id, c.payment_id, COALESCE(p.status, '') FROM coupons c LEFT JOIN payments p ON p.account_id = c.account_id AND p.id = c.payment_id " +
	"WHERE c.payment_id IS NOT NULL AND (p.id IS NULL OR p.status IN ('SUCCEEDED','FAILED','CANCELED','EXPIRED')) LIMIT "

// Repair ends locks that their payment has left behind, at most so many payments', and tells how many there were: a success
// consumes, any other end releases. The end of a payment does this in its own transaction; what is found here was broken by hand or
// by a fault of the program, and the audit names it too (lesson 15).
func (s *Service) Repair(ctx context.Context, limit int) (repaired int, err error) {
	var found []orphan
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var o orphan
		err := rows.Scan(&o.account, &o.payment, (*string)(&o.status))
		found = append(found, o)
		return err
	}, orphans+strconv.Itoa(limit))
	for _, o := range found {
		if err := s.repair(ctx, o); err != nil {
			return repaired, err
		}
		repaired++
	}
	return repaired, err
}

func (s *Service) repair(ctx context.Context, o orphan) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if o.status != models.PaymentSucceeded {
			if err := s.Release(ctx, o.account, o.payment, s.clock.Now()); err != nil {
				return err
			}
		}
		return s.Consume(ctx, o.account, o.payment) // of a release: a lock whose use is not known ends too
	})
}
