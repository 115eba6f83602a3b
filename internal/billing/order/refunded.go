package order

import (
	"context"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// Refunded ends orders whose money went back in full, in the transaction of the refund; those that have ended before stay as they are.
// It returns how many it ended.
func (s *Service) Refunded(ctx context.Context, account models.ID, ids []models.ID, now time.Time) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	st := steps[FullyRefunded]
	args := database.Args(database.Args([]any{string(st.to), now, account}, ids), st.from)
	return s.db.Exec(ctx, "UPDATE orders SET status = ?, updated_at = ? WHERE account_id = ? AND id IN ("+database.Marks(len(ids))+") AND status IN ("+database.Marks(len(st.from))+")", args...)
}
