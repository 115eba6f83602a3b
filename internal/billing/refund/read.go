package refund

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// ByID reads one refund of an account. Errors: fault.ErrNotFound.
func (s *Service) ByID(ctx context.Context, account, id models.ID) (models.Refund, error) {
	return first(s.DB.Gorm(ctx).Where("account_id = ? AND id = ?", account, id))
}

// ByIDAnywhere reads a refund of any account, for operators. Errors: fault.ErrNotFound.
func (s *Service) ByIDAnywhere(ctx context.Context, id models.ID) (models.Refund, error) {
	return first(s.DB.Gorm(ctx).Where("id = ?", id))
}

// byNumber finds a channel's refund by our number.
func (s *Service) byNumber(ctx context.Context, ch models.PaymentChannel, number string) (models.Refund, error) {
	return first(s.DB.Gorm(ctx).Where("number = ? AND channel = ?", number, string(ch)))
}

func first(q *gorm.DB) (r models.Refund, err error) {
	err = q.Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.ErrNotFound
	}
	return r, err
}

// OfPayments reads the refunds of payments of one account, newest first, by payment.
func (s *Service) OfPayments(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.Refund, error) {
	var rows []models.Refund
	err := s.DB.Gorm(ctx).Where("account_id = ? AND payment_id IN ?", account, payments).Order("created_at DESC, id DESC").Find(&rows).Error
	out := make(map[models.ID][]models.Refund, len(payments))
	for _, r := range rows {
		out[r.PaymentID] = append(out[r.PaymentID], r)
	}
	return out, err
}

// sharesOf reads how a refund falls on its orders, by order id.
func (s *Service) sharesOf(ctx context.Context, r models.Refund) (rows []models.RefundOrder, err error) {
	err = s.DB.Gorm(ctx).Where("account_id = ? AND refund_id = ?", r.AccountID, r.ID).Order("order_id").Find(&rows).Error
	return rows, err
}
