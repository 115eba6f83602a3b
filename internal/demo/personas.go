package demo

import (
	"context"

	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// Persona is somebody to sign in as.
type Persona struct {
	Name          string
	UserID        string
	Role          auth.Role
	Locale        string
	AccountID     models.ID // zero for the vendor's own people and systems
	AccountNumber string
}

// Accounts is what personas need of accounts.
type Accounts interface {
	ByNumber(ctx context.Context, number string) (a models.Account, found bool, err error)
}

var cast = []Persona{
	{Name: "Lin Xiaomei", UserID: "u-lin", Role: auth.Creator, Locale: "zh-Hans", AccountNumber: linNumber},
	{Name: "Wang Wei", UserID: "u-wang", Role: auth.Creator, Locale: "zh-Hans", AccountNumber: yuntuNumber},
	{Name: "Chen Jing", UserID: "u-chen", Role: auth.Finance, Locale: "zh-Hans", AccountNumber: yuntuNumber},
	{Name: "Liu Yang", UserID: "u-liu", Role: auth.Collaborator, Locale: "zh-Hans", AccountNumber: yuntuNumber},
	{Name: "Maya Thompson", UserID: "u-maya", Role: auth.Creator, Locale: "en", AccountNumber: mayaNumber},
	{Name: "Anna Brandt", UserID: "u-brandt", Role: auth.Creator, Locale: "en", AccountNumber: nordNumber},
	{Name: "Jonas Keller", UserID: "u-keller", Role: auth.Finance, Locale: "en", AccountNumber: nordNumber},
	{Name: "Zhao Min", UserID: "u-zhao", Role: auth.Partner, Locale: "zh-Hans", AccountNumber: huizhiNumber},
	{Name: "Sun Lei", UserID: "u-sun", Role: auth.Creator, Locale: "zh-Hant", AccountNumber: huizhiNumber},
	{Name: "He Fang", UserID: "u-he", Role: auth.Creator, Locale: "zh-Hans", AccountNumber: westernNumber},
	{Name: "Guo Hua", UserID: "u-guo", Role: auth.Finance, Locale: "zh-Hans", AccountNumber: branchesNumber},
	{Name: "Zhou Tao (operations)", UserID: "u-zhou", Role: auth.Operator, Locale: "zh-Hans"},
	{Name: "Order centre", UserID: "s-order-centre", Role: auth.Service, Locale: "en"},
}

// Personas lists whom one can sign in as; those whose account is not there are left out.
func Personas(ctx context.Context, accounts Accounts) ([]Persona, error) {
	out := make([]Persona, 0, len(cast))
	for _, p := range cast {
		if p.AccountNumber != "" {
			a, found, err := accounts.ByNumber(ctx, p.AccountNumber)
			if err != nil {
				return nil, err
			}
			if !found {
				continue
			}
			p.AccountID = a.ID
		}
		out = append(out, p)
	}
	return out, nil
}
