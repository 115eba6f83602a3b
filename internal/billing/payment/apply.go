package payment

import (
	"context"
	"errors"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// Verdict is what became of a channel's statement about a payment.
type Verdict string

// Verdicts. All but UnknownReference are final.
const (
	Applied          Verdict = "APPLIED"
	Nothing          Verdict = "NOTHING"  // it changes nothing: pending, or said before
	Late             Verdict = "LATE"     // paid after the end: in the balance as LATE_PAYMENT
	Suspense         Verdict = "SUSPENSE" // another amount or currency: booked to suspense, shown to the operator
	UnknownReference Verdict = "UNKNOWN_REFERENCE"
	Disputed         Verdict = "DISPUTED" // paid money is taken back past us, or that ends: nothing is booked, shown to the operator
)

// Apply takes a statement that the channel's adapter has verified (signature, merchant) into the payment. It may come from a
// notification, a query or a sweep, any number of times and in any order: each meaning is booked once (lessons 3, 5, 11).
func (s *Service) Apply(ctx context.Context, ch models.PaymentChannel, ev channel.Event) (Verdict, error) {
	if ev.Number == "" && ev.State == channel.StatePending {
		return Nothing, nil // a provider tells of more than of our payments
	}
	if ev.State == channel.StateDisputed {
		return s.disputed(ctx, ch, ev)
	}
	account, id, err := s.byNumber(ctx, ch, ev.Number)
	if errors.Is(err, fault.ErrNotFound) {
		return UnknownReference, nil
	}
	if err != nil {
		return "", err
	}
	seen(trace.Current(ctx), models.Payment{AccountID: account, ID: id})
	if ev.State == channel.StateApproved {
		return s.complete(ctx, account, id)
	}
	verdict := Nothing
	_, err = s.change(ctx, account, id, func(ctx context.Context, p *models.Payment) error {
		var err error
		verdict, err = s.apply(ctx, p, ev)
		return err
	})
	if errors.Is(err, ledger.ErrAlreadyPosted) { // the same event was quicker on another path
		return Nothing, nil
	}
	return verdict, err
}

// disputed tells the operator, who looks at the provider's own pages: what a dispute comes to is decided there, over weeks, and often
// names no number of ours. The day's statement shows what was taken.
func (s *Service) disputed(ctx context.Context, ch models.PaymentChannel, ev channel.Event) (Verdict, error) {
	account, id, err := s.byNumber(ctx, ch, ev.Number)
	if err != nil && !errors.Is(err, fault.ErrNotFound) {
		return "", err
	}
	seen(trace.Current(ctx), models.Payment{AccountID: account, ID: id})
	s.Log.WarnContext(ctx, "channel tells of a dispute: nothing booked", "payment", id, "account", account, "channel", ch, "notification", ev.ID, "reference", ev.Reference)
	return Disputed, nil
}

func (s *Service) apply(ctx context.Context, p *models.Payment, ev channel.Event) (Verdict, error) {
	switch ev.State {
	case channel.StatePaid:
		if ev.Amount.Minor != p.OnlineAmount || string(ev.Amount.Currency) != p.Currency {
			return s.suspend(ctx, *p, ev)
		}
		verdict, err := s.paid(ctx, p, ev)
		if err == nil && verdict != Nothing {
			err = s.unsuspend(ctx, *p, ev)
		}
		return verdict, err
	case channel.StateInReview:
		return s.review(ctx, p)
	case channel.StateClosed, channel.StateDeclined:
		return s.unpaid(ctx, p, ev.Failure)
	}
	return Nothing, nil
}

func (s *Service) paid(ctx context.Context, p *models.Payment, ev channel.Event) (Verdict, error) {
	if p.Status == models.PaymentSucceeded {
		return Nothing, nil
	}
	if p.Status.Terminal() {
		return s.late(ctx, p, ev)
	}
	p.ChannelReference = ev.Reference
	what := s.subjectOf(*p)
	taken, err := what.settle(ctx, *p)
	if err != nil {
		return Nothing, err
	}
	if !taken {
		return s.gone(ctx, p, ev)
	}
	failpoint.Hit(failpoint.SettleTaken)
	if _, err := s.move(ctx, p, evPaid, live.Balance(p.AccountID)); err != nil {
		return Nothing, err
	}
	failpoint.Hit(failpoint.SettleMoved)
	err = what.book(ctx, *p)
	failpoint.Hit(failpoint.SettleBooked)
	return Applied, err
}

// gone: the money came, but its orders cannot be taken any more. It must not be lost, so it becomes balance.
func (s *Service) gone(ctx context.Context, p *models.Payment, ev channel.Event) (Verdict, error) {
	if err := s.lapse(ctx, p, evGone, "ORDER_STATUS_CHANGED"); err != nil {
		return Nothing, err
	}
	return s.late(ctx, p, ev)
}

// late books a success that came after the end (lesson 7): the payment stays as it ended, the money goes to the balance.
func (s *Service) late(ctx context.Context, p *models.Payment, ev channel.Event) (Verdict, error) {
	n, err := s.DB.Exec(ctx, "UPDATE payments SET late_amount = ?, channel_reference = ?, sweep_at = NULL WHERE account_id = ? AND id = ? AND late_amount = 0",
		ev.Amount.Minor, ev.Reference, p.AccountID, p.ID)
	if err != nil || n == 0 {
		return Nothing, err
	}
	if err := s.Outbox.Add(ctx, p.AccountID, live.Balance(p.AccountID), live.Payment(p.ID)); err != nil {
		return Nothing, err
	}
	if err := s.tellLate(ctx, *p); err != nil {
		return Nothing, err
	}
	s.Log.WarnContext(ctx, "paid after its end: credited to the balance", "payment", p.ID, "account", p.AccountID, "status", p.Status)
	return Late, s.Ledger.Receive(ctx, s.collected(*p, models.KindLatePayment, "late", clearing(*p)))
}

// tellLate writes to the customer that the money is not lost (contract.md §5).
func (s *Service) tellLate(ctx context.Context, p models.Payment) error {
	account, found, err := s.Accounts.ByID(ctx, p.AccountID)
	if err != nil || !found {
		return err
	}
	return s.Messages.Tell(ctx, notify.Letter{Account: account, Locale: p.Locale, Key: "letter.late_payment", At: s.Clock.Now(),
		Args: map[string]any{"number": p.Number, "amount": money.New(p.OnlineAmount, currency(p.Currency)), "channel": p.Channel}})
}

// suspend books money that does not fit its payment; nobody's balance moves (contract.md §5).
func (s *Service) suspend(ctx context.Context, p models.Payment, ev channel.Event) (Verdict, error) {
	if (p.Status == models.PaymentSucceeded || p.LateAmount != 0) && p.ChannelReference == ev.Reference {
		// One trade brings money once, and its money is booked. The day's statement tells which word was right.
		s.Log.ErrorContext(ctx, "channel reports another amount than it did before: not booked again", "payment", p.ID, "account", p.AccountID, "channel", p.Channel)
		return Nothing, nil
	}
	reference := string(p.Channel) + ":" + ev.Reference
	_, err := s.DB.Exec(ctx, "INSERT INTO suspense_items (id, account_id, payment_id, channel, currency, amount, reason, reference, created_at) VALUES (?,?,?,?,?,?,?,?,?)",
		models.NewID(), p.AccountID, p.ID, string(p.Channel), string(ev.Amount.Currency), ev.Amount.Minor, "AMOUNT_MISMATCH", reference, s.Clock.Now())
	if database.IsDuplicate(err) {
		return Nothing, ledger.ErrAlreadyPosted // ends the transaction: MariaDB keeps it open after a duplicate
	}
	if err != nil {
		return Nothing, err
	}
	s.Log.ErrorContext(ctx, "channel reports another amount: booked to suspense", "payment", p.ID, "account", p.AccountID, "channel", p.Channel)
	m := s.collected(p, models.KindAdjustment, "suspense", models.BookSuspense+string(p.Channel))
	m.Amount, m.Reference = ev.Amount, "suspense:"+ev.Reference
	return Suspense, s.Ledger.Transfer(ctx, m, clearing(p))
}

// unsuspend takes back what was booked of a trade under another amount, now that its true one is booked: one trade brings money once.
func (s *Service) unsuspend(ctx context.Context, p models.Payment, ev channel.Event) error {
	var code string
	var minor int64
	reference := string(p.Channel) + ":" + ev.Reference
	found, err := s.DB.QueryRow(ctx, []any{&code, &minor}, "SELECT currency, amount FROM suspense_items WHERE account_id = ? AND payment_id = ? AND reference = ?", p.AccountID, p.ID, reference)
	if err != nil || !found {
		return err
	}
	if n, err := s.DB.Exec(ctx, "DELETE FROM suspense_items WHERE account_id = ? AND payment_id = ? AND reference = ?", p.AccountID, p.ID, reference); err != nil || n == 0 {
		return err
	}
	s.Log.WarnContext(ctx, "channel has corrected the amount: suspense is taken back", "payment", p.ID, "account", p.AccountID, "channel", p.Channel)
	m := s.collected(p, models.KindAdjustment, "unsuspend", clearing(p))
	m.Amount, m.Reference = money.New(minor, currency(code)), "unsuspend:"+ev.Reference
	return s.Ledger.Transfer(ctx, m, models.BookSuspense+string(p.Channel))
}

// review: the payer's money is taken and nobody knows yet whether it is ours. What the payment holds stays held, however long it takes.
func (s *Service) review(ctx context.Context, p *models.Payment) (Verdict, error) {
	if _, ok := next(*p, evInReview); !ok {
		return Nothing, nil // said before, or too late: should it become ours, it is told
	}
	s.Log.InfoContext(ctx, "channel reviews the payer's money", "payment", p.ID, "account", p.AccountID, "channel", p.Channel)
	_, err := s.move(ctx, p, evInReview)
	return Applied, err
}

// unpaid: the provider has closed the trade. After our own end of validity that is an expiry, before it, and after a review, a refusal.
func (s *Service) unpaid(ctx context.Context, p *models.Payment, failure string) (Verdict, error) {
	ev := evDeclined
	if failure == "" {
		failure = "PAYMENT_DECLINED"
	}
	if !p.InReview() && p.ExpiresAt != nil && !s.Clock.Now().Before(*p.ExpiresAt) {
		ev, failure = evExpired, ""
	}
	if _, ok := next(*p, ev); !ok {
		return Nothing, nil
	}
	return Applied, s.lapse(ctx, p, ev, failure)
}
