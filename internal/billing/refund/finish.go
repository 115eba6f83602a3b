package refund

import (
	"context"
	"database/sql"

	"paydesk/models"
)

// finish ends the orders of a refund's payment all of whose money has gone back, and gives their coupons back (D10, HW-R18). It goes by
// what stands, not by what this refund gave: whichever refund ends last, with success or without, its order ends. Call it when the
// refund's own rows are written. An order that cost nothing ends with a refund of its own or of the whole payment.
func (s *Service) finish(ctx context.Context, r models.Refund) error {
	open, back, err := s.given(ctx, r)
	if err != nil {
		return err
	}
	all, err := s.Payments.Allocations(ctx, r.AccountID, []models.ID{r.PaymentID})
	if err != nil {
		return err
	}
	whole := len(open) == 0
	for _, a := range all[r.PaymentID] {
		whole = whole && a.Refunded == a.Due
	}
	var ids []models.ID
	for _, a := range all[r.PaymentID] {
		free := a.Due == 0 && (whole || a.OrderID == r.OrderID)
		if a.Refunded == a.Due && !open[a.OrderID] && (back[a.OrderID] || free) {
			ids = append(ids, a.OrderID)
		}
	}
	now := s.Clock.Now()
	if _, err := s.Orders.Refunded(ctx, r.AccountID, ids, now); err != nil {
		return err
	}
	return s.Benefits.Return(ctx, r.AccountID, r.PaymentID, ids, now)
}

// given are the orders of a refund's payment that refunds which did not fail give from: open those with one on the way, back all others.
// An order whose settlement released all it had frozen is in neither: nothing was refunded of it.
func (s *Service) given(ctx context.Context, r models.Refund) (open, back map[models.ID]bool, err error) {
	open, back = map[models.ID]bool{}, map[models.ID]bool{}
	err = s.DB.Query(ctx, func(rows *sql.Rows) error {
		var id models.ID
		var n int
		err := rows.Scan(&id, &n)
		if n > 0 {
			open[id] = true
		} else {
			back[id] = true
		}
		return err
	}, "SELECT o.order_id, SUM(CASE WHEN r.status = 'PROCESSING' THEN 1 ELSE 0 END) FROM refunds r JOIN refund_orders o ON o.account_id = r.account_id AND o.refund_id = r.id "+
		"WHERE r.account_id = ? AND r.payment_id = ? AND r.status <> 'FAILED' AND o.amount > 0 GROUP BY o.order_id", r.AccountID, r.PaymentID)
	return open, back, err
}
