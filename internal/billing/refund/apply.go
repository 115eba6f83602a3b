package refund

import (
	"context"
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/failpoint"
	"paydesk/models"
)

// Apply takes a statement about a refund, which the channel's adapter has verified, into the refund. It may come from the call's answer,
// a notification or a query, any number of times and in any order: each meaning is booked once (lessons 3, 5).
func (s *Service) Apply(ctx context.Context, ch models.PaymentChannel, ev channel.Event) (payment.Verdict, error) {
	r, err := s.byNumber(ctx, ch, ev.RefundNumber)
	if errors.Is(err, fault.ErrNotFound) {
		return payment.UnknownReference, nil
	}
	if err != nil {
		return "", err
	}
	if ev.State == channel.StateHeld && r.Status != models.RefundProcessing {
		if ev, err = s.current(ctx, r); err != nil {
			return "", err
		}
	}
	verdict := payment.Nothing
	err = s.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.lock(ctx, r.AccountID, r.PaymentID); err != nil {
			return err
		}
		if r, err = s.ByID(ctx, r.AccountID, r.ID); err != nil {
			return err
		}
		p, err := s.Payments.ByID(ctx, r.AccountID, r.PaymentID)
		if err != nil {
			return err
		}
		verdict, err = s.apply(ctx, p, r, ev)
		return err
	})
	if errors.Is(err, ledger.ErrAlreadyPosted) { // the same was said on another path
		return payment.Nothing, nil
	}
	if err == nil && verdict == payment.Applied {
		failpoint.Hit(failpoint.RefundApplied)
	}
	return verdict, err
}

func (s *Service) apply(ctx context.Context, p models.Payment, r models.Refund, ev channel.Event) (payment.Verdict, error) {
	if (ev.State == channel.StatePending || ev.State == channel.StateHeld) && ev.Reference != "" && r.ChannelReference == "" { // what the channel is asked by from now on
		if _, err := s.DB.Exec(ctx, "UPDATE refunds SET channel_reference = ? WHERE account_id = ? AND id = ? AND status = 'PROCESSING'", ev.Reference, r.AccountID, r.ID); err != nil {
			return payment.Nothing, err
		}
	}
	if ev.State == channel.StateHeld && ev.Number == p.Number {
		return s.held(ctx, r, ev)
	}
	if ev.State != channel.StateRefunded && ev.State != channel.StateRefundFailed {
		return payment.Nothing, nil
	}
	mismatch := ev.Number != p.Number || ev.State == channel.StateRefunded && ev.Amount != money.New(r.OnlineAmount, money.Currency(r.Currency))
	switch {
	case mismatch: // nothing of ours: an operator has to look, and the sweep goes on asking
		s.Log.ErrorContext(ctx, "channel tells of another refund than was asked for", "refund", r.ID, "account", r.AccountID, "channel", r.Channel)
		return payment.Nothing, nil
	case r.Status == models.RefundFailed && ev.State == channel.StateRefunded:
		return s.afterAll(ctx, r, ev)
	case r.Status == models.RefundSucceeded && ev.State == channel.StateRefundFailed:
		return s.returned(ctx, r, ev)
	case r.Status != models.RefundProcessing:
		return payment.Nothing, nil
	case ev.State == channel.StateRefundFailed:
		return payment.Applied, s.failed(ctx, p, r, ev)
	}
	return payment.Applied, s.succeeded(ctx, p, r, ev)
}

// end leaves PROCESSING, once: everything that comes later finds it ended.
func (s *Service) end(ctx context.Context, r models.Refund, to models.RefundStatus, ev channel.Event) error {
	n, err := s.DB.Exec(ctx, "UPDATE refunds SET status = ?, channel_reference = ?, completed_at = ?, sweep_at = NULL WHERE account_id = ? AND id = ? AND status = 'PROCESSING'",
		string(to), ev.Reference, s.Clock.Now(), r.AccountID, r.ID)
	if err == nil && n == 0 {
		err = ledger.ErrAlreadyPosted // it is rolled back as what was said before
	}
	if err != nil {
		return err
	}
	return s.release(ctx, r)
}

// succeeded: the money has gone back through the channel.
func (s *Service) succeeded(ctx context.Context, p models.Payment, r models.Refund, ev channel.Event) error {
	if err := s.end(ctx, r, models.RefundSucceeded, ev); err != nil {
		return err
	}
	shares, err := s.sharesOf(ctx, r)
	if err != nil {
		return err
	}
	if err := s.finish(ctx, r); err != nil {
		return err
	}
	if err := s.tell(ctx, p, r, p.AccountID, "letter.refund_channel", r.OnlineAmount); err != nil {
		return err
	}
	if err := s.Outbox.Add(ctx, p.AccountID, topics(p)...); err != nil {
		return err
	}
	m := s.movement(r, r.OnlineAmount, "refunded:", shares)
	m.Book = models.BookClearing + string(r.Channel)
	return s.Ledger.Transfer(ctx, m, refunding(r))
}

// failed: the channel will not send it back. What it was to carry counts for nothing and can be refunded again; what has gone to a
// balance at once stays there, as a refund of its own that has succeeded.
func (s *Service) failed(ctx context.Context, p models.Payment, r models.Refund, ev channel.Event) error {
	s.Log.WarnContext(ctx, "refund refused by its channel", "refund", r.ID, "account", r.AccountID, "channel", r.Channel, "detail", ev.Detail)
	if err := s.end(ctx, r, models.RefundFailed, ev); err != nil {
		return err
	}
	shares, err := s.sharesOf(ctx, r)
	if err != nil {
		return err
	}
	lost, kept := partOf(r.OnlineAmount, shares)
	if err := s.untake(ctx, r, lost); err != nil {
		return err
	}
	if r.Amount > r.OnlineAmount {
		if err := s.divide(ctx, r, lost, kept); err != nil {
			return err
		}
	}
	if err := s.finish(ctx, r); err != nil { // an order that waited for this refund may have all its money back without it
		return err
	}
	if err := s.Outbox.Add(ctx, p.AccountID, topics(p)...); err != nil {
		return err
	}
	m := s.movement(r, r.OnlineAmount, "unrefunded:", shares)
	m.Book = models.BookRevenue
	return s.Ledger.Transfer(ctx, m, refunding(r))
}

// partOf divides shares: an amount of them by largest remainder, and the rest.
func partOf(amount int64, shares []models.RefundOrder) (part, rest []models.RefundOrder) {
	weights := make([]int64, len(shares))
	for i, sh := range shares {
		weights[i] = sh.Amount
	}
	for i, a := range money.Allocate(amount, weights) {
		p, q := shares[i], shares[i]
		p.Amount, q.Amount = a, q.Amount-a
		part, rest = append(part, p), append(rest, q)
	}
	return part, rest
}

func (s *Service) untake(ctx context.Context, r models.Refund, lost []models.RefundOrder) error {
	if _, err := s.DB.Exec(ctx, "UPDATE payments SET refunded = refunded - ? WHERE account_id = ? AND id = ?", r.OnlineAmount, r.AccountID, r.PaymentID); err != nil {
		return err
	}
	each, args := perOrder(lost)
	_, err := s.DB.Exec(ctx, "UPDATE payment_orders SET refunded = refunded - "+each+" WHERE account_id = ? AND payment_id = ? AND order_id IN ("+database.Marks(len(lost))+")", inOrders(append(args, r.AccountID, r.PaymentID), lost)...)
	return err
}

// divide leaves on a failed refund what its channel refused, and writes what had gone to balances at once as one that succeeded.
func (s *Service) divide(ctx context.Context, r models.Refund, lost, kept []models.RefundOrder) error {
	now := s.Clock.Now()
	if _, err := s.DB.Exec(ctx, "UPDATE refunds SET amount = online_amount, balance_amount = 0, partner_amount = 0 WHERE account_id = ? AND id = ?", r.AccountID, r.ID); err != nil {
		return err
	}
	each, args := perOrder(lost)
	if _, err := s.DB.Exec(ctx, "UPDATE refund_orders SET amount = "+each+" WHERE account_id = ? AND refund_id = ?", append(args, r.AccountID, r.ID)...); err != nil {
		return err
	}
	r.ID, r.Number, r.Status, r.CompletedAt, r.SweepAt = models.NewID(), payment.NewNumber(now), models.RefundSucceeded, &r.CreatedAt, nil
	r.Amount, r.OnlineAmount, r.Channel = r.BalanceAmount+r.PartnerAmount, 0, ""
	return s.insert(ctx, r, kept)
}

// returned: what had gone back has bounced, days later perhaps (a card that was closed meanwhile): the channel holds the money again and
// the customer has nothing. The refund stays as it ended, the money is booked to suspense, and an operator has to find another way.
func (s *Service) returned(ctx context.Context, r models.Refund, ev channel.Event) (payment.Verdict, error) {
	if err := s.suspense(ctx, r, r.OnlineAmount, "REFUND_RETURNED", ":returned:"); err != nil {
		return payment.Nothing, err
	}
	s.Log.ErrorContext(ctx, "a refund has bounced: booked to suspense", "refund", r.ID, "account", r.AccountID, "channel", r.Channel, "detail", ev.Detail)
	m := s.movement(r, r.OnlineAmount, "returned:", nil)
	m.Kind, m.Book = models.KindAdjustment, models.BookSuspense+string(r.Channel)
	return payment.Suspense, s.Ledger.Transfer(ctx, m, models.BookClearing+string(r.Channel))
}

// suspense shows an operator what a refund has left in suspense, once; below zero where money left us.
func (s *Service) suspense(ctx context.Context, r models.Refund, amount int64, reason, reference string) error {
	_, err := s.DB.Exec(ctx, "INSERT INTO suspense_items (id, account_id, payment_id, channel, currency, amount, reason, reference, created_at) VALUES (?,?,?,?,?,?,?,?,?)",
		models.NewID(), r.AccountID, r.PaymentID, string(r.Channel), r.Currency, amount, reason, suspenseOf(r, reference), s.Clock.Now())
	if database.IsDuplicate(err) {
		return ledger.ErrAlreadyPosted // ends the transaction: MariaDB keeps it open after a duplicate
	}
	return err
}

// suspenseOf names what a refund has left in suspense.
func suspenseOf(r models.Refund, reference string) string {
	return string(r.Channel) + reference + r.Number
}

// afterAll: a channel that had refused says that the money has gone back all the same. The refund stays as it ended, what left the
// clearing account is booked to suspense, and an operator has to look: it may have been refunded a second time.
func (s *Service) afterAll(ctx context.Context, r models.Refund, ev channel.Event) (payment.Verdict, error) {
	if err := s.release(ctx, r); err != nil {
		return payment.Nothing, err
	}
	if err := s.suspense(ctx, r, -r.OnlineAmount, "REFUNDED_AFTER_FAILURE", ":refund:"); err != nil {
		return payment.Nothing, err
	}
	s.Log.ErrorContext(ctx, "channel has refunded what it had refused: booked to suspense", "refund", r.ID, "account", r.AccountID, "channel", r.Channel, "detail", ev.Detail)
	m := s.movement(r, r.OnlineAmount, "suspense:", nil)
	m.Kind, m.Book = models.KindAdjustment, models.BookClearing+string(r.Channel)
	return payment.Suspense, s.Ledger.Transfer(ctx, m, models.BookSuspense+string(r.Channel))
}
