package benefit

import (
	"context"
	"time"

	"paydesk/internal/platform/page"
	"paydesk/models"
)

var newest = page.Sort{Tag: 'c', Column: "created_at", ID: "id", Desc: true, Time: true}

// List reads a page of an account's coupons, newest first, in one statement; usable leaves out what cannot be used now. Errors:
// page.Invalid for a cursor of another list.
func (s *Service) List(ctx context.Context, account models.ID, usable bool, p page.Page) (page.Result[models.Coupon], error) {
	where, args := condition(account, usable, s.clock.Now())
	query, args, err := p.Append([]byte("SELECT "+columns+" FROM coupons WHERE "+where), args, newest)
	if err != nil {
		return page.Result[models.Coupon]{}, err
	}
	rows, err := s.coupons(ctx, string(query), args...)
	if err != nil {
		return page.Result[models.Coupon]{}, err
	}
	return page.Finish(p, rows, func(c models.Coupon) page.Cursor {
		return page.Cursor{Sort: newest.Tag, Key: c.CreatedAt.UnixMicro(), ID: c.ID}
	}), nil
}

// Count counts an account's coupons.
func (s *Service) Count(ctx context.Context, account models.ID, usable bool) (n int64, err error) {
	where, args := condition(account, usable, s.clock.Now())
	_, err = s.db.QueryRow(ctx, []any{&n}, "SELECT COUNT(*) FROM coupons WHERE "+where, args...)
	return n, err
}

// condition says in SQL what Reason says of one coupon; the currency is the account's.
func condition(account models.ID, usable bool, now time.Time) (string, []any) {
	if !usable {
		return "account_id = ?", []any{account}
	}
	return "account_id = ? AND remaining > 0 AND payment_id IS NULL AND valid_from <= ? AND valid_to > ?", []any{account, now, now}
}
