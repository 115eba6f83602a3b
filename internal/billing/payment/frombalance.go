package payment

import (
	"context"
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/money"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// fromBalance pays in one transaction: key, orders, payment, allocations, coupons, timeline, outbox, and the account's row last.
func (s *Service) fromBalance(ctx context.Context, i intent) error {
	shares := i.shares()
	err := s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.claim(ctx, i); err != nil {
			return err
		}
		if err := s.Orders.Take(ctx, i.AccountID, shares, i.CreatedAt); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayTaken)
		if err := s.write(ctx, i); err != nil {
			return err
		}
		if len(i.quote.Priced.Uses) > 0 {
			if err := s.Benefits.Consume(ctx, i.AccountID, i.ID); err != nil {
				return err
			}
		}
		failpoint.Hit(failpoint.PayWritten)
		if err := s.Outbox.Add(ctx, i.AccountID, live.Payment(i.ID), live.Balance(i.AccountID)); err != nil {
			return err
		}
		failpoint.Hit(failpoint.PayTold)
		err := s.spend(ctx, i, shares)
		failpoint.Hit(failpoint.PayBooked)
		return err
	})
	failpoint.Hit(failpoint.PayCommitted)
	return insufficient(err)
}

// spend moves the money: POSTPAID orders freeze theirs, the others are paid.
func (s *Service) spend(ctx context.Context, i intent, shares []order.Share) error {
	frozen, err := s.freezePostpaid(ctx, i.Payment, i.postpaid())
	if err != nil || i.BalanceAmount == frozen {
		return err
	}
	m := i.movement(i.BalanceAmount-frozen, i.CreatedAt)
	m.Reference = "pay:" + i.ID.String()
	if len(shares) == 1 {
		m.OrderID = shares[0].OrderID
	}
	return wholeOf(i.Payment, frozen, s.Ledger.Spend(ctx, m))
}

// postpaid are the shares of the orders that are frozen and not paid.
func (i intent) postpaid() (out []order.Share) {
	for n, o := range i.quote.Orders {
		if o.ChargingMode == models.Postpaid {
			out = append(out, order.Share{OrderID: o.ID, Due: i.quote.Priced.Lines[n].Due})
		}
	}
	return out
}

// insufficient tells the payer what is missing (HW-24).
func insufficient(err error) error {
	var short *ledger.InsufficientError
	if !errors.As(err, &short) {
		return err
	}
	have := short.Spendable
	if have.Minor < 0 {
		have.Minor = 0
	}
	missing := money.New(short.Required.Minor-have.Minor, have.Currency)
	return fault.New("INSUFFICIENT_BALANCE", "input", "funding", "balance").With("available", have).With("required", short.Required).With("shortfall", missing).
		Because(&fault.InsufficientBalance{Available: have, Required: short.Required, Shortfall: missing})
}
