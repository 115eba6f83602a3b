package webhook

import (
	"context"
	"database/sql"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/models"
)

// How long notifications are kept. What was refused is looked into at once or never; what was applied is evidence for as long as payers
// dispute payments (card networks give them 120 days) and the daily statements of those days may be compared again. What is still to be
// applied stays whatever its age.
const (
	keepRefusedFor = 30 * 24 * time.Hour
	keepFor        = 180 * 24 * time.Hour
)

// Clean deletes notifications whose time is over, at most limit of each kind. It returns how many.
func (i *Inbox) Clean(ctx context.Context, limit int) (int, error) {
	now, done := i.Clock.Now(), 0
	for _, old := range []struct {
		where string
		args  []any
	}{
		{"verdict = ? AND received_at < ?", []any{string(refused), now.Add(-keepRefusedFor)}},
		{"received_at < ? AND next_at IS NULL", []any{now.Add(-keepFor)}},
	} {
		var ids []any
		err := i.DB.Query(ctx, func(r *sql.Rows) error {
			var id models.ID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		}, "SELECT id FROM inbox WHERE "+old.where+" ORDER BY received_at LIMIT ?", append(old.args, limit)...)
		if err != nil {
			return done, err
		}
		if len(ids) == 0 {
			continue
		}
		n, err := i.DB.Exec(ctx, "DELETE FROM inbox WHERE id IN ("+database.Marks(len(ids))+")", ids...)
		if done += int(n); err != nil {
			return done, err
		}
	}
	return done, nil
}
