package webhook

import (
	"context"

	"paydesk/internal/platform/page"
	"paydesk/models"
)

var newestFirst = page.Sort{Tag: 'r', Column: "received_at", ID: "id", Desc: true, Time: true}

// List reads a page of notifications, newest first; what is absent does not narrow. Errors: page.Invalid for a cursor of another list.
func (i *Inbox) List(ctx context.Context, channels []models.PaymentChannel, verdicts []string, number *string, p page.Page) (page.Result[models.InboxRow], error) {
	where, args := narrow(channels, verdicts, number)
	query, args, err := p.Append([]byte("SELECT * FROM inbox WHERE "+where), args, newestFirst)
	if err != nil {
		return page.Result[models.InboxRow]{}, err
	}
	var rows []models.InboxRow
	if err := i.DB.Gorm(ctx).Raw(string(query), args...).Find(&rows).Error; err != nil {
		return page.Result[models.InboxRow]{}, err
	}
	return page.Finish(p, rows, func(r models.InboxRow) page.Cursor {
		return page.Cursor{Sort: newestFirst.Tag, Key: r.ReceivedAt.UnixMicro(), ID: r.ID}
	}), nil
}

// Count says how many notifications a filter matches.
func (i *Inbox) Count(ctx context.Context, channels []models.PaymentChannel, verdicts []string, number *string) (n int64, err error) {
	where, args := narrow(channels, verdicts, number)
	err = i.DB.Gorm(ctx).Model(&models.InboxRow{}).Where(where, args...).Count(&n).Error
	return n, err
}

// ByIDs reads notifications, in no particular order; ids that are not there are left out.
func (i *Inbox) ByIDs(ctx context.Context, ids []models.ID) (rows []models.InboxRow, err error) {
	err = i.DB.Gorm(ctx).Where("id IN ?", ids).Find(&rows).Error
	return rows, err
}

func narrow(channels []models.PaymentChannel, verdicts []string, number *string) (where string, args []any) {
	where = "1 = 1"
	if len(channels) > 0 {
		where, args = where+" AND channel IN ?", append(args, channels)
	}
	if len(verdicts) > 0 {
		where, args = where+" AND verdict IN ?", append(args, verdicts)
	}
	if number != nil {
		where, args = where+" AND number = ?", append(args, *number)
	}
	return where, args
}
