package payment

import (
	"context"

	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/verification"
	"paydesk/internal/money"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// Funding is exactly what the person chose; a part of zero counts as not given.
type Funding struct {
	Balance *money.Money
	Online  *Online
	Partner *PartnerPart
}

// PartnerPart asks the account's partner for the whole amount.
type PartnerPart struct{ Message string }

// fund checks what the person chose against the total and puts it on the payment (HW-22). With remaining the amounts are
// ceilings (contract §7).
func (s *Service) fund(i *intent, f Funding, remaining bool) *fault.Fault {
	c := policy.CustomerOf(&i.quote.Account)
	total := i.quote.Total()
	balance, online, bad := parts(f, total.Currency)
	if bad != nil {
		return bad
	}
	if bad := s.postpaid(i, f, online); bad != nil {
		return bad
	}
	if f.Partner != nil {
		if balance != 0 || online != 0 {
			return mismatch(total).With("case", "partner")
		}
		return s.viaPartner(&i.Payment, i.quote.Account, f.Partner.Message, &i.quote.ValidUntil)
	}
	given := balance > 0 || online > 0 || f.Balance != nil
	if remaining {
		balance, online = ceilings(balance, online, total.Minor)
	}
	switch {
	case !given:
		return mismatch(total).With("case", "none")
	case balance+online != total.Minor:
		return mismatch(total)
	}
	if bad := s.Policy.CheckAccount(c, models.PurposeOrders); bad != nil {
		return bad
	}
	if balance > 0 && !s.Policy.BalancePayment { // as checkout shows it
		return fault.New("FUNDING_NOT_ALLOWED", "input", "funding", "balance").With("reason", messages.Key(checkout.ReasonBalanceOff))
	}
	i.BalanceAmount = balance
	if online == 0 {
		i.Status, i.CompletedAt = models.PaymentSucceeded, &i.CreatedAt
		return nil
	}
	chosen := *f.Online
	chosen.Amount.Minor = online
	if bad := s.checkOnline(c, models.PurposeOrders, chosen, "input", "funding", "online"); bad != nil {
		return bad
	}
	s.viaChannel(&i.Payment, chosen, &i.quote.ValidUntil)
	return nil
}

func mismatch(total money.Money) *fault.Fault {
	return fault.New("FUNDING_MISMATCH", "input", "funding").With("total", total)
}

// postpaid: what is charged by use is frozen from the balance alone (contract §5).
func (s *Service) postpaid(i *intent, f Funding, online int64) *fault.Fault {
	if online == 0 && f.Partner == nil {
		return nil
	}
	for _, o := range i.quote.Orders {
		if o.ChargingMode == models.Postpaid {
			return fault.New("FUNDING_NOT_ALLOWED", "input", "funding").With("reason", messages.Key(checkout.ReasonPostpaid))
		}
	}
	return nil
}

// ceilings lowers parts to the total: the balance part is kept as far as it goes, the online part pays the rest.
func ceilings(balance, online, total int64) (int64, int64) {
	balance = min(balance, total)
	return balance, min(online, total-balance)
}

// parts reads the amounts that the person named.
func parts(f Funding, c money.Currency) (balance, online int64, bad *fault.Fault) {
	for _, part := range []struct {
		amount *money.Money
		into   *int64
		path   []string
	}{{f.Balance, &balance, []string{"balance"}}, {f.Online.amount(), &online, []string{"online", "amount"}}} {
		if part.amount == nil {
			continue
		}
		path := append([]string{"input", "funding"}, part.path...)
		if part.amount.Currency != c {
			return 0, 0, fault.New("CURRENCY_MISMATCH", path...).With("currency", string(c))
		}
		if part.amount.Minor < 0 {
			return 0, 0, fault.New("AMOUNT_INVALID", path...)
		}
		*part.into = part.amount.Minor
	}
	if _, err := money.New(balance, c).Add(money.New(online, c)); err != nil {
		return 0, 0, fault.New("AMOUNT_OUT_OF_RANGE", "input", "funding")
	}
	return balance, online, nil
}

func (o *Online) amount() *money.Money {
	if o == nil {
		return nil
	}
	return &o.Amount
}

// verify wants a code for a combined payment where the account's operation protection is on (D2, HW-34). The code is good for
// the orders and amounts that the person named, so these are compared, not what was left of them.
func (s *Service) verify(ctx context.Context, i *intent, a Agreed) (err error) {
	if !i.combined() || !s.Codes.Wanted(i.quote.Account) {
		return nil
	}
	use := verification.Use{AccountID: i.AccountID, UserID: i.CreatedBy, Scene: models.SceneCombinedPayment, Code: a.VerificationCode,
		Balance: *a.Funding.Balance, Online: a.Funding.Online.Amount}
	for _, orders := range [][]models.Order{i.quote.Paying.Asked, i.quote.Paying.Linked} {
		for _, o := range orders {
			use.OrderIDs = append(use.OrderIDs, o.ID)
		}
	}
	i.proof, err = s.Codes.Check(ctx, use)
	i.Terms.VerifiedBy = string(i.proof.Kind())
	return err
}
