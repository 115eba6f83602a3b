// Package account keeps the customers (and partners) of the vendor: opened and updated by the vendor's own systems, read by
// everything else.
package account

import (
	"context"
	"database/sql"

	"paydesk/internal/money"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Rules are what an account asks of the policy.
type Rules interface {
	RegionExists(key string) bool
	EntityExists(key string) bool
	CurrencyAllowed(entity string, c money.Currency) bool
	OperationProtectionDefault(kind models.AccountKind) bool
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
	columns = "a.id, a.number, a.name, a.kind, a.status, a.region, a.country, a.signing_entity, a.currency, a.identity, a.real_name, a.email, " +
		"a.phone, a.partner_id, a.automatic_settlement, a.operation_protection, a.dedicated_account_number, a.running_resources, a.created_at, a.updated_at"
	balanceColumns = "b.account_id, b.currency, b.cash, b.code_money, b.frozen, b.credit_limit, b.credit_used, b.version, b.updated_at"
)

// into are the places that columns are scanned into.
func into(a *models.Account) []any {
	return []any{&a.ID, &a.Number, &a.Name, (*string)(&a.Kind), (*string)(&a.Status), &a.Region, &a.Country, &a.SigningEntity, &a.Currency,
		(*string)(&a.Identity), &a.RealName, &a.Email, &a.Phone, &a.PartnerID, &a.AutomaticSettlement, &a.OperationProtection,
		&a.DedicatedAccountNumber, &a.RunningResources, &a.CreatedAt, &a.UpdatedAt}
}

func intoBalance(b *models.Balance) []any {
	return []any{&b.AccountID, &b.Currency, &b.Cash, &b.CodeMoney, &b.Frozen, &b.CreditLimit, &b.CreditUsed, &b.Version, &b.UpdatedAt}
}

// ByID finds an account; false where there is none.
func (s *Service) ByID(ctx context.Context, id models.ID) (a models.Account, found bool, err error) {
	found, err = s.db.QueryRow(ctx, into(&a), "SELECT "+columns+" FROM accounts a WHERE a.id = ?", id)
	return a, found, err
}

// ByNumber finds an account by the vendor's number; false where there is none.
func (s *Service) ByNumber(ctx context.Context, number string) (a models.Account, found bool, err error) {
	found, err = s.db.QueryRow(ctx, into(&a), "SELECT "+columns+" FROM accounts a WHERE a.number = ?", number)
	return a, found, err
}

// ByIDs reads accounts, in no particular order; what is not there is left out.
func (s *Service) ByIDs(ctx context.Context, ids []models.ID) ([]models.Account, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i]
	}
	out := make([]models.Account, 0, len(ids))
	err := s.db.Query(ctx, func(rows *sql.Rows) error {
		var a models.Account
		err := rows.Scan(into(&a)...)
		out = append(out, a)
		return err
	}, "SELECT "+columns+" FROM accounts a WHERE a.id IN ("+database.Marks(len(ids))+")", args...)
	return out, err
}

// Balance reads what an account has; false where there is no such account.
func (s *Service) Balance(ctx context.Context, id models.ID) (b models.Balance, found bool, err error) {
	found, err = s.db.QueryRow(ctx, intoBalance(&b), "SELECT "+balanceColumns+" FROM balances b WHERE b.account_id = ?", id)
	return b, found, err
}

// WithBalance reads an account and what it has in one statement; false where there is none.
func (s *Service) WithBalance(ctx context.Context, id models.ID) (a models.Account, b models.Balance, found bool, err error) {
	found, err = s.db.QueryRow(ctx, append(into(&a), intoBalance(&b)...),
		"SELECT "+columns+", "+balanceColumns+" FROM accounts a JOIN balances b ON b.account_id = a.id WHERE a.id = ?", id)
	return a, b, found, err
}
