package refund

import (
	"bytes"
	"context"
	"database/sql"

	"paydesk/internal/money"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

// pay moves the money of a new refund: what goes through a channel from revenue to the channel's refunding book, all else to the
// balances it came from. It comes last in the transaction, for it takes their rows.
func (s *Service) pay(ctx context.Context, p models.Payment, r models.Refund, shares []models.RefundOrder, frozen []models.Freeze) error {
	toBalance := r.BalanceAmount
	if r.Channel == "" {
		toBalance += r.OnlineAmount
	} else {
		m := s.movement(r, r.OnlineAmount, "refunding:", shares)
		m.Book = refunding(r)
		if err := s.Ledger.Transfer(ctx, m, models.BookRevenue); err != nil {
			return err
		}
	}
	steps := []func() error{func() error { return s.toCustomer(ctx, r, toBalance, shares, frozen) }, func() error { return s.toPartner(ctx, p, r) }}
	if bytes.Compare(p.PartnerID[:], p.AccountID[:]) < 0 { // balances in the order of their accounts, so that none waits in a circle
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// toCustomer gives back to the customer's balance. What is still frozen for a POSTPAID order is charged first: the freeze ends with a
// refund (contract §5).
func (s *Service) toCustomer(ctx context.Context, r models.Refund, amount int64, shares []models.RefundOrder, frozen []models.Freeze) error {
	for _, f := range frozen {
		if err := s.Payments.EndFreeze(ctx, f, f.Amount); err != nil {
			return err
		}
	}
	if amount == 0 {
		return nil
	}
	lines, err := s.linesOf(ctx, r)
	if err != nil {
		return err
	}
	return s.Ledger.Refund(ctx, s.movement(r, amount, "refund:", shares), lines)
}

func (s *Service) toPartner(ctx context.Context, p models.Payment, r models.Refund) error {
	if r.PartnerAmount == 0 {
		return nil
	}
	m := s.movement(r, r.PartnerAmount, "refund:", nil)
	m.AccountID = p.PartnerID
	return s.Ledger.Receive(ctx, m)
}

// frozen are the live freezes of orders, of which there is at least one, by order id.
func (s *Service) frozen(ctx context.Context, shares []models.PaymentOrder) (out []models.Freeze, err error) {
	references := make([]string, len(shares))
	for i, sh := range shares {
		references[i] = "order:" + sh.OrderID.String()
	}
	err = s.DB.Gorm(ctx).Where("account_id = ? AND reference IN ? AND payment_id = ? AND ended_at IS NULL", shares[0].AccountID, references, shares[0].PaymentID).Order("reference").Find(&out).Error
	return out, err
}

// linesOf are the references of the lines by which the payment took from the balance and refunds gave back to it.
func (s *Service) linesOf(ctx context.Context, r models.Refund) ([]string, error) {
	lines := []string{"pay:" + r.PaymentID.String(), "balance:" + r.PaymentID.String()}
	for _, q := range []struct{ prefix, text string }{
		{"refund:", "SELECT id FROM refunds WHERE account_id = ? AND payment_id = ?"},
		{"settle:", "SELECT order_id FROM payment_orders WHERE account_id = ? AND payment_id = ?"},
	} {
		err := s.DB.Query(ctx, func(rows *sql.Rows) error {
			var id models.ID
			err := rows.Scan(&id)
			lines = append(lines, q.prefix+id.String())
			return err
		}, q.text, r.AccountID, r.PaymentID)
		if err != nil {
			return nil, err
		}
	}
	return lines, nil
}

func refunding(r models.Refund) string { return models.BookRefunding + string(r.Channel) }

// tellAtOnce writes to those whose balance has the money now; what goes through a channel is told when it has arrived.
func (s *Service) tellAtOnce(ctx context.Context, p models.Payment, r models.Refund) error {
	toBalance := r.BalanceAmount
	if r.Channel == "" {
		toBalance += r.OnlineAmount
	}
	if toBalance > 0 {
		if err := s.tell(ctx, p, r, p.AccountID, "letter.refund_balance", toBalance); err != nil {
			return err
		}
	}
	if r.PartnerAmount == 0 {
		return nil
	}
	if err := s.tell(ctx, p, r, p.PartnerID, "letter.refund_balance", r.PartnerAmount); err != nil {
		return err
	}
	return s.tell(ctx, p, r, p.AccountID, "letter.refund_partner", r.PartnerAmount)
}

func (s *Service) tell(ctx context.Context, p models.Payment, r models.Refund, to models.ID, key string, amount int64) error {
	account, found, err := s.Accounts.ByID(ctx, to)
	if err != nil || !found {
		return err
	}
	args := map[string]any{"number": p.Number, "amount": money.New(amount, money.Currency(r.Currency)), "reason": r.Reason}
	if r.Channel != "" {
		args["channel"] = r.Channel
	}
	return s.Messages.Tell(ctx, notify.Letter{Account: account, Locale: p.Locale, Key: key, At: s.Clock.Now(), Args: args})
}
