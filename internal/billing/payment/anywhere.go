package payment

import (
	"context"

	"paydesk/models"
)

// ByIDsAnywhere reads payments of any accounts, for operators, in no particular order; ids that are not there are left out.
func (s *Service) ByIDsAnywhere(ctx context.Context, ids []models.ID) (rows []models.Payment, err error) {
	err = s.DB.Gorm(ctx).Where("id IN ?", ids).Find(&rows).Error
	return rows, err
}

// ByNumbersAnywhere reads payments of any accounts by our merchant order numbers, for operators; numbers that are not there are left out.
func (s *Service) ByNumbersAnywhere(ctx context.Context, numbers []string) (rows []models.Payment, err error) {
	err = s.DB.Gorm(ctx).Where("number IN ?", numbers).Find(&rows).Error
	return rows, err
}
