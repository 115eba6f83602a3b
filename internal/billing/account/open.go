package account

import (
	"context"
	"net/mail"
	"strings"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Opening is what the vendor's systems say about a new account.
type Opening struct {
	Number        string
	Name          string
	Kind          models.AccountKind
	Region        string
	Country       string
	SigningEntity string
	Currency      string
	RealName      string // the verified subject; empty while unverified
	Email, Phone  string
	CreditLimit   *input.Amount
	PartnerID     models.ID // zero for none
}

const (
	maxEmail = 254 // RFC 5321
	maxPhone = 32
)

// Open makes an account and its empty balance, once for a key (contract.md §4). With a real name the identity is VERIFIED.
// Operation protection starts as the policy says for the kind, automatic settlement is on. Faults with the path:
// INVALID_INPUT (a number that is taken included), CARD_DATA_NOT_ACCEPTED, ACCOUNT_NOT_FOUND of the partner,
// CURRENCY_MISMATCH, AMOUNT_INVALID.
func (s *Service) Open(ctx context.Context, o Opening) (models.Account, error) {
	var opened models.Account
	out, replayed, err := s.keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		var limit int64
		var err error
		if opened, limit, err = s.build(ctx, o); err != nil {
			return idempotency.Outcome{}, err
		}
		out := idempotency.Outcome{Kind: "account", Ref: opened.ID}
		return out, s.insert(ctx, out, opened, limit)
	})
	if err == nil && replayed {
		opened, _, err = s.ByID(ctx, out.Ref)
	}
	if err != nil {
		return models.Account{}, err
	}
	return opened, nil
}

// build checks an opening and makes its row; limit is the credit line in minor units.
func (s *Service) build(ctx context.Context, o Opening) (a models.Account, limit int64, err error) {
	now := s.clock.Now()
	a = models.Account{
		ID: models.NewID(), Number: o.Number, Kind: o.Kind, Status: models.AccountActive, Region: o.Region, Country: o.Country,
		SigningEntity: o.SigningEntity, Currency: o.Currency, Identity: models.IdentityUnverified, PartnerID: o.PartnerID,
		AutomaticSettlement: true, OperationProtection: s.rules.OperationProtectionDefault(o.Kind), CreatedAt: now, UpdatedAt: now,
	}
	if err := input.Number(o.Number, "input", "number"); err != nil {
		return a, 0, err
	}
	if a.Name, err = input.Text(o.Name, true, input.MaxName, "input", "name"); err != nil {
		return a, 0, err
	}
	if a.RealName, err = input.Text(o.RealName, false, input.MaxName, "input", "realName"); err != nil {
		return a, 0, err
	}
	if a.RealName != "" {
		a.Identity = models.IdentityVerified
	}
	if wrong := s.wrongFact(o); wrong != "" {
		return a, 0, fault.New("INVALID_INPUT", "input", wrong)
	}
	a.Email, a.Phone = strings.TrimSpace(o.Email), strings.TrimSpace(o.Phone)
	if o.CreditLimit != nil {
		m, err := o.CreditLimit.Parse(a.Currency, "input", "creditLimit")
		if err != nil {
			return a, 0, err
		}
		limit = m.Minor
	}
	return a, limit, s.partnerThere(ctx, a.ID, a.PartnerID)
}

// wrongFact names the first field that the policy or its own form refuses; "" where all is well.
func (s *Service) wrongFact(o Opening) string {
	switch {
	case o.Kind != models.AccountIndividual && o.Kind != models.AccountEnterprise:
		return "kind"
	case !s.rules.RegionExists(o.Region):
		return "region"
	case !policy.CountryExists(o.Country):
		return "country"
	case !s.rules.EntityExists(o.SigningEntity):
		return "signingEntity"
	case !s.rules.CurrencyAllowed(o.SigningEntity, money.Currency(o.Currency)):
		return "currency"
	case !emailFits(strings.TrimSpace(o.Email)):
		return "email"
	case !phoneFits(strings.TrimSpace(o.Phone)):
		return "phone"
	}
	return ""
}

func emailFits(text string) bool {
	if text == "" {
		return true
	}
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= maxEmail
}

// phoneFits takes digits with an optional + and the usual separators. It is exempt from the search for card numbers: one
// phone number in ten passes Luhn.
func phoneFits(text string) bool {
	return len(text) <= maxPhone && strings.Trim(text, "+0123456789 -()") == "" && (text == "" || strings.ContainsAny(text, "0123456789"))
}

// partnerThere checks that a partner is another account that exists.
func (s *Service) partnerThere(ctx context.Context, own, partner models.ID) error {
	if partner.IsZero() {
		return nil
	}
	_, found, err := s.ByID(ctx, partner)
	if err == nil && (!found || partner == own) {
		err = fault.New("ACCOUNT_NOT_FOUND", "input", "partnerId")
	}
	return err
}

func (s *Service) insert(ctx context.Context, out idempotency.Outcome, a models.Account, limit int64) error {
	taken := false
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		taken = false
		if err := s.keys.Claim(ctx, out); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, "INSERT INTO accounts ("+strings.ReplaceAll(columns, "a.", "")+") VALUES (?"+strings.Repeat(",?", 19)+")",
			a.ID, a.Number, a.Name, string(a.Kind), string(a.Status), a.Region, a.Country, a.SigningEntity, a.Currency, string(a.Identity),
			a.RealName, a.Email, a.Phone, a.PartnerID, a.AutomaticSettlement, a.OperationProtection, a.DedicatedAccountNumber,
			a.RunningResources, a.CreatedAt, a.UpdatedAt)
		if err != nil {
			taken = database.IsDuplicate(err)
			return err
		}
		_, err = s.db.Exec(ctx, "INSERT INTO balances (account_id, currency, cash, code_money, frozen, credit_limit, credit_used, version, updated_at) VALUES (?,?,0,0,0,?,0,0,?)",
			a.ID, a.Currency, limit, a.CreatedAt)
		return err
	})
	if taken {
		return fault.New("INVALID_INPUT", "input", "number").With("number", a.Number)
	}
	return err
}
