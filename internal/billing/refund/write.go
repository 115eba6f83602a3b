package refund

import (
	"context"
	"slices"
	"strings"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/models"
)

// lock takes the payment's row, so that refunds of one payment come one after the other: what is read after it is what stands.
func (s *Service) lock(ctx context.Context, account, id models.ID) error {
	_, err := s.DB.Exec(ctx, "UPDATE payments SET refunded = refunded WHERE account_id = ? AND id = ?", account, id)
	return err
}

// write is the transaction of a refund: key, payment, shares, refund, orders and coupons that it ends, outbox, and balances last.
func (s *Service) write(ctx context.Context, p models.Payment, in Input) (models.Refund, error) {
	now := s.Clock.Now()
	r := models.Refund{AccountID: p.AccountID, ID: models.NewID(), Number: payment.NewNumber(now), PaymentID: p.ID, OrderID: in.OrderID, Currency: p.Currency,
		Reason: in.Reason, CreatedBy: in.By, CreatedAt: now}
	if err := s.Keys.Claim(ctx, idempotency.Outcome{Kind: outcomeKind, Ref: r.ID}); err != nil {
		return r, err
	}
	if err := s.lock(ctx, p.AccountID, p.ID); err != nil {
		return r, err
	}
	p, err := s.Payments.ByID(ctx, p.AccountID, p.ID)
	if err != nil {
		return r, err
	}
	shares, frozen, err := s.plan(ctx, p, &r, in.Amount)
	if err != nil {
		return r, err
	}
	if r.Channel == "" {
		r.Status, r.CompletedAt = models.RefundSucceeded, &now
	} else {
		first := now.Add(askEvery)
		r.Status, r.SweepAt = models.RefundProcessing, &first
	}
	for _, step := range []func() error{
		func() error { return s.take(ctx, p, r.Amount, shares) },
		func() error { return s.insert(ctx, r, shares) },
		func() error {
			if r.Channel != "" { // nothing has gone back yet
				return nil
			}
			return s.finish(ctx, r)
		},
		func() error { return s.Outbox.Add(ctx, p.AccountID, topics(p)...) },
		func() error { return s.tellAtOnce(ctx, p, r) },
		func() error { failpoint.Hit(failpoint.RefundWritten); return nil },
		func() error { return s.pay(ctx, p, r, shares, frozen) },
	} {
		if err := step(); err != nil {
			return r, err
		}
	}
	failpoint.Hit(failpoint.RefundBooked)
	return r, nil
}

// topics are what a refund of a payment wakes.
func topics(p models.Payment) []string {
	out := []string{live.Payment(p.ID), live.Balance(p.AccountID)}
	if !p.PartnerID.IsZero() {
		out = append(out, live.Balance(p.PartnerID))
	}
	return out
}

// plan judges what goes back and puts it on the refund: the amount, its parts and where they go. It returns the orders' shares, those
// above zero, and what is still frozen for these orders. Amount nil is what is left.
func (s *Service) plan(ctx context.Context, p models.Payment, r *models.Refund, amount *money.Money) ([]models.RefundOrder, []models.Freeze, error) {
	from, frozen, err := s.from(ctx, p, r.OrderID, amount != nil)
	if err != nil {
		return nil, nil, err
	}
	var left, due int64
	for _, sh := range from {
		left, due = left+sh.Due-sh.Refunded, due+sh.Due
	}
	if r.Amount = left; amount != nil {
		r.Amount = amount.Minor
	}
	switch {
	case r.Amount > left:
		return nil, nil, fault.New("AMOUNT_OUT_OF_RANGE", "input", "amount").With("maximum", money.New(left, money.Currency(p.Currency)))
	case r.Amount > 0:
	case due > 0:
		return nil, nil, fault.New("REFUND_NOT_ALLOWED", "input", "paymentId")
	default: // it cost nothing: its orders end and its coupons return all the same, once
		if over, err := s.allOver(ctx, p.AccountID, from); err != nil || over {
			return nil, nil, orRefused(err)
		}
	}
	if err := s.parts(ctx, p, r); err != nil {
		return nil, nil, err
	}
	var shares []models.RefundOrder
	for _, sh := range spread(r.Amount, from) {
		if sh.Amount > 0 {
			shares = append(shares, sh)
		}
	}
	return shares, frozen, nil
}

// from are the orders that a refund takes from, and what is still frozen for them. A part of a payment, of no order in particular,
// leaves those out for which something is frozen: to give a little back it would have to charge all of it.
func (s *Service) from(ctx context.Context, p models.Payment, order models.ID, part bool) (from []models.PaymentOrder, frozen []models.Freeze, err error) {
	all, err := s.Payments.Allocations(ctx, p.AccountID, []models.ID{p.ID})
	if err != nil {
		return nil, nil, err
	}
	for _, sh := range all[p.ID] {
		if order.IsZero() || sh.OrderID == order {
			from = append(from, sh)
		}
	}
	if len(from) == 0 {
		return nil, nil, fault.New("ORDER_NOT_FOUND", "input", "orderId")
	}
	frozen, err = s.frozen(ctx, from)
	if !part || !order.IsZero() {
		return from, frozen, err
	}
	from = slices.DeleteFunc(from, func(sh models.PaymentOrder) bool {
		return slices.ContainsFunc(frozen, func(f models.Freeze) bool { return f.OrderID == sh.OrderID })
	})
	return from, nil, err
}

func orRefused(err error) error {
	if err == nil {
		err = fault.New("REFUND_NOT_ALLOWED", "input", "paymentId")
	}
	return err
}

// allOver reports whether all these orders have ended as refunded.
func (s *Service) allOver(ctx context.Context, account models.ID, shares []models.PaymentOrder) (bool, error) {
	ids := make([]models.ID, len(shares))
	for i, sh := range shares {
		ids[i] = sh.OrderID
	}
	orders, err := s.Orders.ByIDs(ctx, account, ids)
	for _, o := range orders {
		if o.Status != models.OrderRefunded {
			return false, err
		}
	}
	return true, err
}

// parts splits the amount over the parts of the payment. An online part goes through its channel, unless the policy sends it to the
// balance (HW-R19): then the refund has no channel.
func (s *Service) parts(ctx context.Context, p models.Payment, r *models.Refund) error {
	var done Parts
	var counted int64
	if _, err := s.DB.QueryRow(ctx, []any{&done.Balance, &done.Online, &done.Partner, &counted}, "SELECT COALESCE(SUM(balance_amount), 0), COALESCE(SUM(online_amount), 0), COALESCE(SUM(partner_amount), 0), COALESCE(SUM(amount), 0) "+
		"FROM refunds WHERE account_id = ? AND payment_id = ? AND status <> 'FAILED'", p.AccountID, p.ID); err != nil {
		return err
	}
	done.Balance += p.Refunded - counted // what the settlement of a POSTPAID order released counts as paid back, to the balance
	give := Split(Parts{p.BalanceAmount, p.OnlineAmount, p.PartnerAmount}, done, r.Amount)
	r.BalanceAmount, r.OnlineAmount, r.PartnerAmount = give.Balance, give.Online, give.Partner
	if give.Online == 0 || s.Policy.Refunds.OnlineTo == policy.RefundToBalance {
		return nil
	}
	if s.Channels[p.Channel] == nil {
		return fault.New("REFUND_NOT_ALLOWED", "input", "paymentId").With("case", "channel") // nobody could send it
	}
	r.Channel = p.Channel
	return nil
}

// take counts the refund on the payment and its orders. The guards make more than was paid impossible, whatever was read before
// (lesson 18).
func (s *Service) take(ctx context.Context, p models.Payment, amount int64, shares []models.RefundOrder) error {
	n, err := s.DB.Exec(ctx, "UPDATE payments SET refunded = refunded + ? WHERE account_id = ? AND id = ? AND status = 'SUCCEEDED' AND refunded + ? <= amount", amount, p.AccountID, p.ID, amount)
	if err == nil && n == 1 && len(shares) > 0 {
		n, err = s.takeShares(ctx, p, shares)
	}
	if err == nil && n == 0 && amount > 0 {
		err = fault.New("AMOUNT_OUT_OF_RANGE", "input", "amount")
	}
	return err
}

// takeShares counts the refund on its orders by one statement; n is 0 where one of them has less left, and the transaction must end.
func (s *Service) takeShares(ctx context.Context, p models.Payment, shares []models.RefundOrder) (n int64, err error) {
	each, amounts := perOrder(shares)
	args := inOrders(append(slices.Clone(amounts), p.AccountID, p.ID), shares)
	n, err = s.DB.Exec(ctx, "UPDATE payment_orders SET refunded = refunded + "+each+" WHERE account_id = ? AND payment_id = ? AND order_id IN ("+database.Marks(len(shares))+") AND refunded + "+each+" <= due", append(args, amounts...)...)
	if int(n) != len(shares) {
		n = 0
	}
	return n, err
}

// perOrder is an SQL expression for each order's share, and its arguments.
func perOrder(shares []models.RefundOrder) (text string, args []any) {
	for _, sh := range shares {
		args = append(args, sh.OrderID, sh.Amount)
	}
	return "CASE order_id" + strings.Repeat(" WHEN ? THEN ?", len(shares)) + " END", args
}

// inOrders puts the orders of shares behind other arguments.
func inOrders(args []any, shares []models.RefundOrder) []any {
	for _, sh := range shares {
		args = append(args, sh.OrderID)
	}
	return args
}

const columns = "account_id, id, number, payment_id, order_id, currency, amount, balance_amount, online_amount, partner_amount, status, reason, channel, channel_reference, created_by, created_at, completed_at, sweep_at, sweep_count"

// insert writes a refund and its orders' shares.
func (s *Service) insert(ctx context.Context, r models.Refund, shares []models.RefundOrder) error {
	_, err := s.DB.Exec(ctx, "INSERT INTO refunds ("+columns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", r.AccountID, r.ID, r.Number, r.PaymentID, r.OrderID, r.Currency,
		r.Amount, r.BalanceAmount, r.OnlineAmount, r.PartnerAmount, string(r.Status), r.Reason, string(r.Channel), r.ChannelReference, r.CreatedBy, r.CreatedAt, r.CompletedAt, r.SweepAt, r.SweepCount)
	if err != nil || len(shares) == 0 {
		return err
	}
	args := make([]any, 0, 5*len(shares))
	for _, sh := range shares {
		args = append(args, r.AccountID, r.ID, sh.OrderID, sh.Amount, r.CreatedAt)
	}
	_, err = s.DB.Exec(ctx, "INSERT INTO refund_orders (account_id, refund_id, order_id, amount, created_at) VALUES (?,?,?,?,?)"+strings.Repeat(",(?,?,?,?,?)", len(shares)-1), args...)
	return err
}

// movement is a refund's money under a reference of its own. The statement names an order where the refund is for that one alone.
func (s *Service) movement(r models.Refund, amount int64, prefix string, shares []models.RefundOrder) ledger.Movement {
	m := ledger.Movement{AccountID: r.AccountID, Amount: money.New(amount, money.Currency(r.Currency)), Kind: models.KindRefund, Reference: prefix + r.ID.String(),
		Book: models.BookRevenue, PaymentID: r.PaymentID, At: s.Clock.Now()}
	if len(shares) == 1 {
		m.OrderID = shares[0].OrderID
	}
	return m
}
