package resolvers

import (
	"paydesk/graph/model"
	"paydesk/internal/billing/account"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/money"
	"paydesk/internal/platform/auth"
	"paydesk/models"
)

func (v view) account(a models.Account) *model.Account {
	return &model.Account{
		ID: a.ID.Encode(models.PrefixAccount), Number: a.Number, Name: a.Name, Kind: model.AccountKind(a.Kind), Status: model.AccountStatus(a.Status),
		Region: a.Region, Country: a.Country, SigningEntity: a.SigningEntity, Currency: a.Currency, Identity: model.IdentityStatus(a.Identity),
		Settings: model.AccountSettings{ID: a.ID.Encode(models.PrefixSettings), AutomaticSettlement: a.AutomaticSettlement,
			OperationProtection: a.OperationProtection},
		Key: a.ID, PartnerID: a.PartnerID,
	}
}

// balance shows a balance row; retained is what the policy keeps from being withdrawn (contract §7).
func (v view) balance(b models.Balance, retained int64) *model.Balance {
	return &model.Balance{
		ID:           b.AccountID.Encode(models.PrefixBalance),
		Available:    v.money(b.Available(), b.Currency),
		Frozen:       v.money(b.Frozen, b.Currency),
		Total:        v.money(b.Available()+b.Frozen, b.Currency),
		Withdrawable: v.money(max(0, b.Cash-retained), b.Currency),
		Credit:       v.creditLine(b),
		AsOf:         v.now,
		Version:      b.Version,
	}
}

func (v view) creditLine(b models.Balance) *model.CreditLine {
	if b.CreditLimit == 0 && b.CreditUsed == 0 {
		return nil
	}
	return &model.CreditLine{Limit: v.money(b.CreditLimit, b.Currency), Used: v.money(b.CreditUsed, b.Currency),
		Available: v.money(max(0, b.CreditLimit-b.CreditUsed), b.Currency)}
}

// retained is what a withdrawal must leave while resources run (PA-R5), in minor units.
func (v view) retained(a models.Account) int64 {
	if a.RunningResources == 0 {
		return 0
	}
	return v.r.s.Policy.Withdrawal.RetainedWhileRunning[money.Currency(a.Currency)].Minor
}

// permissions are what the console may show to a role (TX-3).
func permissions(role auth.Role) []model.Permission {
	finance := []model.Permission{model.PermissionViewBilling, model.PermissionTopUp, model.PermissionPay, model.PermissionManagePaymentMethods,
		model.PermissionSubmitRemittance, model.PermissionManageSettings}
	switch role {
	case auth.Creator:
		return append(finance, model.PermissionWithdraw)
	case auth.Finance:
		return finance
	case auth.Collaborator, auth.Partner:
		return []model.Permission{model.PermissionViewBilling}
	}
	return nil
}

// accountID reads an account's id from an input. Fault: ACCOUNT_NOT_FOUND, also for ids of another type (contract §7).
func accountID(text string, field ...string) (models.ID, error) {
	id, err := models.Decode(models.PrefixAccount, text)
	if err != nil {
		return id, fault.New("ACCOUNT_NOT_FOUND", field...)
	}
	return id, nil
}

func optionalAccountID(text *string, field ...string) (models.ID, error) {
	if text == nil {
		return models.ID{}, nil
	}
	return accountID(*text, field...)
}

func opening(in model.OpenAccountInput) (account.Opening, error) {
	partner, err := optionalAccountID(in.PartnerID, "input", "partnerId")
	return account.Opening{
		Number: in.Number, Name: in.Name, Kind: models.AccountKind(in.Kind), Region: in.Region, Country: in.Country, SigningEntity: in.SigningEntity,
		Currency: in.Currency, RealName: orZero(in.RealName), Email: orZero(in.Email), Phone: orZero(in.Phone),
		CreditLimit: optionalAmount(in.CreditLimit), PartnerID: partner,
	}, err
}

func accountUpdate(in model.UpdateAccountInput) (id models.ID, u account.Update, err error) {
	if id, err = accountID(in.AccountID, "input", "accountId"); err != nil {
		return id, u, err
	}
	u = account.Update{
		Status: (*models.AccountStatus)(in.Status), Identity: (*models.IdentityStatus)(in.Identity), SigningEntity: in.SigningEntity, Region: in.Region,
		CreditLimit: optionalAmount(in.CreditLimit), DedicatedAccountNumber: in.DedicatedAccountNumber,
	}
	if in.RunningResources != nil {
		n := int64(*in.RunningResources)
		u.RunningResources = &n
	}
	if in.PartnerID != nil {
		partner, err := accountID(*in.PartnerID, "input", "partnerId")
		if err != nil {
			return id, u, err
		}
		u.PartnerID = &partner
	}
	return id, u, nil
}

func amountOf(in model.MoneyInput) input.Amount {
	return input.Amount{Decimal: in.Amount, Currency: in.Currency}
}

func optionalAmount(in *model.MoneyInput) *input.Amount {
	if in == nil {
		return nil
	}
	a := amountOf(*in)
	return &a
}
