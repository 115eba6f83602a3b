// Package suspense reads what no rule could place: money that lies in the ledger's suspense until an operator decides. Payments and
// refunds write it, each in the transaction that books it.
package suspense

import (
	"context"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Service reads suspense items. It is safe for concurrent use.
type Service struct{ db *database.DB }

// New makes a service.
func New(db *database.DB) *Service { return &Service{db} }

var oldestFirst = page.Sort{Tag: 's', Column: "created_at", ID: "id", Time: true}

// List reads a page of items, oldest first. Errors: page.Invalid for a cursor of another list.
func (s *Service) List(ctx context.Context, p page.Page) (page.Result[models.SuspenseItem], error) {
	query, args, err := p.Append([]byte("SELECT * FROM suspense_items WHERE 1 = 1"), nil, oldestFirst)
	if err != nil {
		return page.Result[models.SuspenseItem]{}, err
	}
	var rows []models.SuspenseItem
	if err := s.db.Gorm(ctx).Raw(string(query), args...).Find(&rows).Error; err != nil {
		return page.Result[models.SuspenseItem]{}, err
	}
	return page.Finish(p, rows, func(i models.SuspenseItem) page.Cursor {
		return page.Cursor{Sort: oldestFirst.Tag, Key: i.CreatedAt.UnixMicro(), ID: i.ID}
	}), nil
}

// Count says how many items there are.
func (s *Service) Count(ctx context.Context) (n int64, err error) {
	err = s.db.Gorm(ctx).Model(&models.SuspenseItem{}).Count(&n).Error
	return n, err
}

// ByIDs reads items, in no particular order; ids that are not there are left out.
func (s *Service) ByIDs(ctx context.Context, ids []models.ID) (rows []models.SuspenseItem, err error) {
	err = s.db.Gorm(ctx).Where("id IN ?", ids).Find(&rows).Error
	return rows, err
}
