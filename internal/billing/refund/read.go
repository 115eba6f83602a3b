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

// ByIDs reads refunds of an account, in no particular order; ids that are not there are left out.
func (s *Service) ByIDs(ctx context.Context, account models.ID, ids []models.ID) (rows []models.Refund, err error) {
	err = s.DB.Gorm(ctx).Where("account_id = ? AND id IN ?", account, ids).Find(&rows).Error
	return rows, err
}

// ByIDsAnywhere reads refunds of any account, for operators; ids that are not there are left out.
func (s *Service) ByIDsAnywhere(ctx context.Context, ids []models.ID) (rows []models.Refund, err error) {
	err = s.DB.Gorm(ctx).Where("id IN ?", ids).Find(&rows).Error
	return rows, err
}

// ForPartner reads, among ids, what people of a partner may see: refunds of payments that they may see, their own account's and those
// that it was asked to pay (contract §3); in no particular order.
func (s *Service) ForPartner(ctx context.Context, account models.ID, ids []models.ID) (rows []models.Refund, err error) {
	err = s.DB.Gorm(ctx).Where("id IN ? AND (account_id = ? OR EXISTS (SELECT 1 FROM payments p WHERE p.account_id = refunds.account_id AND p.id = refunds.payment_id AND p.partner_id = ?))", ids, account, account).Find(&rows).Error
	return rows, err
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
