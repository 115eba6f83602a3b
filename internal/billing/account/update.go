package account

import (
	"context"
	"slices"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/money"
	"paydesk/models"
)

// Update is what is to change of an account; nil stays as it is.
type Update struct {
	Status                 *models.AccountStatus
	Identity               *models.IdentityStatus
	SigningEntity          *string
	Region                 *string
	CreditLimit            *input.Amount
	PartnerID              *models.ID
	DedicatedAccountNumber *string
	RunningResources       *int64
}

// next are the statuses that an account may go to. CLOSED is the end: such an account only reads (contract.md §7).
var next = map[models.AccountStatus][]models.AccountStatus{
	models.AccountActive:  {models.AccountClosing, models.AccountClosed},
	models.AccountClosing: {models.AccountActive, models.AccountClosed},
}

var identities = []models.IdentityStatus{models.IdentityUnverified, models.IdentityRequired, models.IdentityInReview, models.IdentityVerified, models.IdentityRejected}

// Update changes an account, all of it or nothing, and gives it as it then stands. A credit line never goes below what is
// used of it, or the account would owe more than it may: AMOUNT_OUT_OF_RANGE. A dedicated account number belongs to one
// account; an empty one takes it away. Faults with the path: ACCOUNT_NOT_FOUND (of the partner, too), ACCOUNT_NOT_ACTIVE of
// a closed account, INVALID_INPUT, CURRENCY_MISMATCH, AMOUNT_INVALID.
func (s *Service) Update(ctx context.Context, id models.ID, u Update) (a models.Account, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		var found bool
		if a, found, err = s.ByID(ctx, id); err != nil {
			return err
		}
		if !found {
			return fault.New("ACCOUNT_NOT_FOUND", "input", "accountId")
		}
		if err := s.check(ctx, a, u); err != nil {
			return err
		}
		if err := s.setLimit(ctx, a, u.CreditLimit); err != nil {
			return err
		}
		if err := s.write(ctx, a, u); err != nil {
			return err
		}
		a, _, err = s.ByID(ctx, id)
		return err
	})
	return a, err
}

// check says whether the changes may be made.
func (s *Service) check(ctx context.Context, a models.Account, u Update) error {
	if a.Status == models.AccountClosed {
		return fault.New("ACCOUNT_NOT_ACTIVE", "input", "accountId")
	}
	if wrong := s.wrongChange(a, u); wrong != "" {
		return fault.New("INVALID_INPUT", "input", wrong)
	}
	if u.PartnerID != nil {
		if err := s.partnerThere(ctx, a.ID, *u.PartnerID); err != nil {
			return err
		}
	}
	if u.DedicatedAccountNumber != nil {
		return s.dedicable(ctx, a, *u.DedicatedAccountNumber)
	}
	return nil
}

func (s *Service) wrongChange(a models.Account, u Update) string {
	switch {
	case u.Status != nil && *u.Status != a.Status && !slices.Contains(next[a.Status], *u.Status):
		return "status"
	case u.Identity != nil && !slices.Contains(identities, *u.Identity):
		return "identity"
	case u.SigningEntity != nil && !s.rules.CurrencyAllowed(*u.SigningEntity, money.Currency(a.Currency)):
		return "signingEntity"
	case u.Region != nil && !s.rules.RegionExists(*u.Region):
		return "region"
	case u.RunningResources != nil && *u.RunningResources < 0:
		return "runningResources"
	}
	return ""
}

// dedicable checks that a dedicated account number is well-formed and no other account's.
func (s *Service) dedicable(ctx context.Context, a models.Account, number string) error {
	if number == "" {
		return nil
	}
	if err := input.Number(number, "input", "dedicatedAccountNumber"); err != nil {
		return err
	}
	var other models.ID
	taken, err := s.db.QueryRow(ctx, []any{&other}, "SELECT id FROM accounts WHERE dedicated_account_number = ? AND id <> ?", number, a.ID)
	if err == nil && taken {
		err = fault.New("INVALID_INPUT", "input", "dedicatedAccountNumber")
	}
	return err
}

// setLimit changes the credit line; the guard keeps it above what is used at this very moment.
func (s *Service) setLimit(ctx context.Context, a models.Account, limit *input.Amount) error {
	if limit == nil {
		return nil
	}
	m, err := limit.Parse(a.Currency, "input", "creditLimit")
	if err != nil {
		return err
	}
	var is int64
	n, err := s.db.Exec(ctx, "UPDATE balances SET credit_limit = ?, updated_at = ? WHERE account_id = ? AND credit_used <= ? AND credit_limit <> ?",
		m.Minor, s.clock.Now(), a.ID, m.Minor, m.Minor)
	if err != nil || n == 1 {
		return err
	}
	if _, err = s.db.QueryRow(ctx, []any{&is}, "SELECT credit_limit FROM balances WHERE account_id = ?", a.ID); err == nil && is != m.Minor {
		err = fault.New("AMOUNT_OUT_OF_RANGE", "input", "creditLimit")
	}
	return err
}

// write stores the columns that are named, and no others: what somebody else changes meanwhile stays. The guard is the
// status it was read with: two changes of the status cannot both start from it.
func (s *Service) write(ctx context.Context, a models.Account, u Update) error {
	columns, args := "updated_at = ?", []any{s.clock.Now()}
	set := func(column string, given bool, value func() any) {
		if given {
			columns += ", " + column + " = ?"
			args = append(args, value())
		}
	}
	set("status", u.Status != nil, func() any { return string(*u.Status) })
	set("identity", u.Identity != nil, func() any { return string(*u.Identity) })
	set("signing_entity", u.SigningEntity != nil, func() any { return *u.SigningEntity })
	set("region", u.Region != nil, func() any { return *u.Region })
	set("partner_id", u.PartnerID != nil, func() any { return *u.PartnerID })
	set("dedicated_account_number", u.DedicatedAccountNumber != nil, func() any { return *u.DedicatedAccountNumber })
	set("running_resources", u.RunningResources != nil, func() any { return *u.RunningResources })
	n, err := s.db.Exec(ctx, "UPDATE accounts SET "+columns+" WHERE id = ? AND status = ?", append(args, a.ID, string(a.Status))...)
	if err == nil && n == 0 {
		err = fault.ErrUnavailable // somebody changed the status in between: a retry reads it anew
	}
	return err
}
