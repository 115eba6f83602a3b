package checkout

import (
	"context"
	"time"

	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/platform/clock"
	"paydesk/models"
)

// Config is what a Service is made of. Verifier and Health may be nil: no codes are asked for, all channels answer.
type Config struct {
	Orders   Orders
	Accounts Accounts
	Benefits Benefits
	Verifier Verifier
	Policy   *policy.Policy
	Health   policy.Health
	Clock    clock.Clock
}

// Orders is what quotes ask of order.Service.
type Orders interface {
	ForPayment(ctx context.Context, account models.ID, ids []models.ID) (order.Paying, error)
}

// Accounts is what quotes ask of account.Service.
type Accounts interface {
	ByID(ctx context.Context, id models.ID) (models.Account, bool, error)
	WithBalance(ctx context.Context, id models.ID) (models.Account, models.Balance, bool, error)
}

// Benefits is what quotes ask of benefit.Service. Ids are as clients write them.
type Benefits interface {
	// Chosen reads the named coupons and discount, which have to be usable now, and the account's price adjustments. Faults:
	// COUPON_NOT_APPLICABLE at input.couponIds.<index>, DISCOUNT_NOT_APPLICABLE at input.discountId.
	Chosen(ctx context.Context, account models.ID, couponIDs []string, discountID, currency string, at time.Time) ([]models.Coupon, *models.Discount, []models.Discount, error)
	// Usable reads what the account could use now: coupons, discounts to choose from, price adjustments; a bounded number of each.
	Usable(ctx context.Context, account models.ID, currency string, at time.Time) ([]models.Coupon, []models.Discount, []models.Discount, error)
	ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Coupon, error)
	DiscountsByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Discount, error)
}

// Verifier tells whether an account's sensitive payments need a code.
type Verifier interface {
	Wanted(a models.Account) bool
}

// Service makes quotes. It never writes, and is safe for concurrent use.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }
