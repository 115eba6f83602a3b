// Package benefit keeps what takes money off orders: coupons, which have a rest, and discounts, which have a percentage. They are
// granted by the vendor's people and systems. A payment reserves the coupons it uses in its own transaction, and whoever ends it
// consumes or releases them in the transaction of the end, so that no crash comes between (lesson 15). What a choice comes to is
// priced by package checkout.
package benefit

import (
	"context"
	"database/sql"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Rules are what benefits ask of the policy.
type Rules struct {
	ReturnCoupons bool // a refund gives coupons back (D10, HW-R18)
}

// Service is safe for concurrent use.
type Service struct {
	db    *database.DB
	clock clock.Clock
	keys  *idempotency.Store
	rules Rules
}

// New makes the service.
func New(db *database.DB, c clock.Clock, keys *idempotency.Store, rules Rules) *Service {
	return &Service{db: db, clock: c, keys: keys, rules: rules}
}

const (
	columns = "account_id, id, grant_id, name, kind, currency, face, remaining, minimum_spend, product_types, not_with, " +
		"valid_from, valid_to, payment_id, created_at, updated_at"
	discountColumns = "account_id, id, name, kind, percent, product_types, valid_from, valid_to, created_at"
)

// coupons runs a statement that gives the columns of coupons.
func (s *Service) coupons(ctx context.Context, query string, args ...any) (out []models.Coupon, err error) {
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var c models.Coupon
		err := rows.Scan(&c.AccountID, &c.ID, &c.GrantID, &c.Name, (*string)(&c.Kind), &c.Currency, &c.Face, &c.Remaining, &c.MinimumSpend,
			&c.ProductTypes, &c.NotWith, &c.ValidFrom, &c.ValidTo, &c.PaymentID, &c.CreatedAt, &c.UpdatedAt)
		out = append(out, c)
		return err
	}, query, args...)
	return out, err
}

// discounts runs a statement that gives the columns of discounts.
func (s *Service) discounts(ctx context.Context, query string, args ...any) (out []models.Discount, err error) {
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var d models.Discount
		err := rows.Scan(&d.AccountID, &d.ID, &d.Name, (*string)(&d.Kind), &d.Percent, &d.ProductTypes, &d.ValidFrom, &d.ValidTo, &d.CreatedAt)
		out = append(out, d)
		return err
	}, query, args...)
	return out, err
}

// ByID finds a coupon of the account; false where there is none.
func (s *Service) ByID(ctx context.Context, account, id models.ID) (models.Coupon, bool, error) {
	return one(s.ByIDs(ctx, account, []models.ID{id}))
}

// ByIDs reads coupons of the account, in no particular order; what is not there is left out.
func (s *Service) ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Coupon, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.coupons(ctx, "SELECT "+columns+" FROM coupons WHERE account_id = ? AND id IN ("+database.Marks(len(ids))+")", database.Args([]any{account}, ids)...)
}

// ByIDsAnywhere reads coupons of any account, for staff.
func (s *Service) ByIDsAnywhere(ctx context.Context, ids []models.ID) ([]models.Coupon, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.coupons(ctx, "SELECT "+columns+" FROM coupons WHERE id IN ("+database.Marks(len(ids))+")", database.Args(nil, ids)...)
}

// DiscountByID finds a discount of the account; false where there is none.
func (s *Service) DiscountByID(ctx context.Context, account, id models.ID) (models.Discount, bool, error) {
	return one(s.DiscountsByIDs(ctx, account, []models.ID{id}))
}

// DiscountsByIDs reads discounts of the account, in no particular order; what is not there is left out.
func (s *Service) DiscountsByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Discount, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.discounts(ctx, "SELECT "+discountColumns+" FROM discounts WHERE account_id = ? AND id IN ("+database.Marks(len(ids))+")", database.Args([]any{account}, ids)...)
}

// DiscountsAnywhere reads discounts of any account, for staff.
func (s *Service) DiscountsAnywhere(ctx context.Context, ids []models.ID) ([]models.Discount, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.discounts(ctx, "SELECT "+discountColumns+" FROM discounts WHERE id IN ("+database.Marks(len(ids))+")", database.Args(nil, ids)...)
}

func one[T any](rows []T, err error) (row T, found bool, _ error) {
	if len(rows) > 0 {
		row = rows[0]
	}
	return row, len(rows) > 0, err
}
