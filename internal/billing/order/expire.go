package order

import (
	"context"
	"database/sql"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// ExpireDue ends the orders whose validity is over (HW-3, HW-R1) and which no payment holds; EXPIRED is never left (C6). It
// works in batches of at most limit until nothing is due, and returns how many it ended. Instances may do it at once: each
// order is ended by the one whose UPDATE finds it still waiting.
func (s *Service) ExpireDue(ctx context.Context, now time.Time, limit int) (total int64, err error) {
	for {
		ids, err := s.due(ctx, now, limit)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		n, err := s.expire(ctx, ids, now)
		total += n
		if err != nil || len(ids) < limit {
			return total, err
		}
	}
}

// waiting is the guard of orders that are due: it stands in the search and again in the change.
const waiting = "expires_at <= ? AND active_payment_id IS NULL"

func (s *Service) due(ctx context.Context, now time.Time, limit int) (ids []models.ID, err error) {
	from := steps[RanOut].from
	args := append(database.Args(nil, from), now, limit)
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var id models.ID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM orders WHERE status IN ("+database.Marks(len(from))+") AND "+waiting+" LIMIT ?", args...)
	return ids, err
}

func (s *Service) expire(ctx context.Context, ids []models.ID, now time.Time) (n int64, err error) {
	st := steps[RanOut]
	args := database.Args([]any{string(st.to), now}, ids)
	args = append(database.Args(args, st.from), now)
	err = s.db.InTx(ctx, func(ctx context.Context) error { // for its retries
		n, err = s.db.Exec(ctx, "UPDATE orders SET status = ?, updated_at = ? WHERE id IN ("+database.Marks(len(ids))+") AND status IN ("+database.Marks(len(st.from))+") AND "+waiting, args...)
		return err
	})
	return n, err
}
