package policy

import (
	"slices"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/money"
	"paydesk/models"
)

// EntityExists reports whether the key is one of the policy's signing entities.
func (p *Policy) EntityExists(key string) bool {
	return slices.ContainsFunc(p.SigningEntities, func(e SigningEntity) bool { return e.Key == key })
}

// RegionExists reports whether the key is one of the policy's regions.
func (p *Policy) RegionExists(key string) bool {
	return slices.ContainsFunc(p.Regions, func(r Region) bool { return r.Key == key })
}

// RegionOf is the region that a country belongs to (AL-8, AL-9); false where no region takes it.
func (p *Policy) RegionOf(country string) (string, bool) {
	rest, found := "", false
	for _, r := range p.Regions {
		if slices.Contains(r.Countries, country) {
			return r.Key, true
		}
		if len(r.Countries) == 0 {
			rest, found = r.Key, true
		}
	}
	return rest, found
}

// CurrencyAllowed reports whether accounts of a signing entity may be kept in the currency.
func (p *Policy) CurrencyAllowed(entity string, c money.Currency) bool {
	for _, e := range p.SigningEntities {
		if e.Key == entity {
			return slices.Contains(e.Currencies, c)
		}
	}
	return false
}

// OperationProtectionDefault says whether a new account of this kind needs verification codes for sensitive payments (D2).
func (p *Policy) OperationProtectionDefault(kind models.AccountKind) bool {
	return slices.Contains(p.Protection.OnFor, kind)
}

// OrderValidity is how long an order waits for its payment unless it says otherwise (D4, HW-3).
func (p *Policy) OrderValidity() time.Duration { return time.Duration(p.Orders.Validity) }

// PaymentValidity is when a QR code or cashier page made now ends: after the policy's time, never later than one of the orders
// it pays (D4). Orders without an end are nil.
func (p *Policy) PaymentValidity(now time.Time, orders ...*time.Time) time.Time {
	end := now.Add(time.Duration(p.Payments.Validity))
	for _, o := range orders {
		if o != nil && o.Before(end) {
			end = *o
		}
	}
	return end
}

// MergeMaximum is how many orders one payment may pay, linked ones counted (HW-13, D1).
func (p *Policy) MergeMaximum() int { return p.Orders.MergeMaximum }

// SuggestedTopUps are the amounts that the top-up page offers in a currency.
func (p *Policy) SuggestedTopUps(c money.Currency) []money.Money {
	return slices.Clone(p.TopUp.Suggested[c])
}

// CheckAccount says whether an account in this state may do it at all: a closing account pays its bills and nothing else, a
// closed one only reads (ACCOUNT_NOT_ACTIVE); orders are paid with an identity that is not in doubt (AL-67: IDENTITY_REQUIRED).
func (p *Policy) CheckAccount(c Customer, purpose models.PaymentPurpose) *fault.Fault {
	settlesDebt := purpose == models.PurposeBills || purpose == models.PurposeUsage
	if c.Status == models.AccountClosed || (c.Status == models.AccountClosing && !settlesDebt) {
		return fault.New("ACCOUNT_NOT_ACTIVE")
	}
	if purpose == models.PurposeOrders {
		switch c.Identity {
		case models.IdentityRequired, models.IdentityInReview, models.IdentityRejected:
			return fault.New("IDENTITY_REQUIRED")
		}
	}
	return nil
}
