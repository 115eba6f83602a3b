package payment

import (
	"context"
	"errors"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

func currency(code string) money.Currency { return money.Currency(code) }

func (s *Service) newPayment(who Payer, purpose models.PaymentPurpose, amount money.Money) models.Payment {
	now := s.Clock.Now()
	return models.Payment{AccountID: who.AccountID, ID: models.NewID(), Number: newNumber(now), Purpose: purpose, Currency: string(amount.Currency), Amount: amount.Minor,
		CreatedBy: who.UserID, Locale: who.Locale, CreatedAt: now, Version: 1}
}

// viaChannel makes the payment one that waits for a channel; orderEnd is when what it pays for lapses (D4).
func (s *Service) viaChannel(p *models.Payment, o Online, orderEnd *time.Time) {
	end := s.Policy.PaymentValidity(p.CreatedAt, orderEnd)
	first := schedule(p.CreatedAt, end)
	p.Status, p.OnlineAmount, p.Channel = models.PaymentProcessing, o.Amount.Minor, o.Channel
	p.BankCode, p.ReturnURL, p.ExpiresAt, p.SweepAt = o.BankCode, o.ReturnURL, &end, &first
	p.Terms.Display = string(o.Display)
}

// start calls the channel for the first time and writes what the payer has to do. A certain refusal fails the payment; an
// unknown outcome leaves it PROCESSING: the sweep asks, nobody charges again (lesson 1).
func (s *Service) start(ctx context.Context, p models.Payment) error {
	err := s.call(ctx, p)
	switch {
	case errors.Is(err, channel.ErrDeclined):
		s.Log.WarnContext(ctx, "payment refused by its channel", "payment", p.ID, "channel", p.Channel, "error", err)
		return s.end(ctx, p, evDeclined, refusalOf(err))
	case errors.Is(err, channel.ErrUnavailable):
		s.Log.WarnContext(ctx, "channel not available", "payment", p.ID, "channel", p.Channel, "error", err)
		return s.end(ctx, p, evDeclined, "CHANNEL_NOT_AVAILABLE")
	case errors.Is(err, channel.ErrUnknown):
		s.Log.WarnContext(ctx, "outcome of a channel call unknown", "payment", p.ID, "channel", p.Channel, "error", err)
		return nil
	}
	return err
}

// restart calls the channel again with the same number. What it refuses now says nothing about the first call, which may
// have taken effect: the payment stays PROCESSING until the channel says what became of it, or it expires.
func (s *Service) restart(ctx context.Context, p models.Payment) error {
	err := s.call(ctx, p)
	if errors.Is(err, channel.ErrDeclined) || errors.Is(err, channel.ErrUnavailable) || errors.Is(err, channel.ErrUnknown) {
		s.Log.WarnContext(ctx, "channel called again without an action for the payer", "payment", p.ID, "channel", p.Channel, "error", err)
		return nil
	}
	return err
}

// seen names a payment in a trace: by ids, never by amounts.
func seen(span trace.Span, p models.Payment) {
	if span.Recording() {
		span.Set("paydesk.payment.id", p.ID.Encode("pay"))
		span.Set("paydesk.account.id", p.AccountID.Encode("acc"))
	}
}

// call starts the payment at the channel. Errors: those of Adapter.Start, and of the database.
func (s *Service) call(ctx context.Context, p models.Payment) error {
	seen(trace.Current(ctx), p)
	adapter, ok := s.Channels[p.Channel]
	if !ok {
		return channel.ErrUnavailable
	}
	started, err := adapter.Start(ctx, channel.StartRequest{
		Ref: RefOf(p), Subject: s.subject(p), ExpiresAt: *p.ExpiresAt, ValidFor: p.ExpiresAt.Sub(s.Clock.Now()),
		ReturnURL: s.ReturnURL(p.Number), NotifyURL: s.NotifyURL(p.Channel), BankCode: p.BankCode, Locale: p.Locale,
		Display: channel.Display(p.Terms.Display), CardToken: p.Terms.CardToken, Challenge: p.Terms.Challenge,
		PayerIP: p.Terms.PayerIP,
	})
	failpoint.Hit(failpoint.ChannelStarted)
	if err != nil {
		if !errors.Is(err, channel.ErrDeclined) && !errors.Is(err, channel.ErrUnavailable) {
			err = errors.Join(channel.ErrUnknown, err) // whatever is not certain is unknown
		}
		return err
	}
	return s.started(context.WithoutCancel(ctx), p, started)
}

// started writes what the channel answered: its own number, what the payer has to do, and what has come of it already.
func (s *Service) started(ctx context.Context, p models.Payment, a channel.Started) error {
	_, err := s.change(ctx, p.AccountID, p.ID, func(ctx context.Context, p *models.Payment) error {
		if p.ChannelReference == "" && a.Reference != "" { // whatever has become of the payment meanwhile, the channel is asked by it
			p.ChannelReference = a.Reference
			if _, err := s.DB.Exec(ctx, "UPDATE payments SET channel_reference = ? WHERE account_id = ? AND id = ?", a.Reference, p.AccountID, p.ID); err != nil {
				return err
			}
		}
		if _, ok := next(*p, evAction); !ok || a.QR == "" && a.URL == "" {
			return nil // a notification or a cancellation was quicker, or there is nothing to do
		}
		p.ActionKind, p.ActionContent, p.ActionExpiresAt = models.ActionScanQR, a.QR, p.ExpiresAt
		if a.QR == "" {
			p.ActionKind, p.ActionContent, p.ActionMethod, p.ActionFields = models.ActionRedirect, a.URL, a.Method, a.Fields
		}
		_, err := s.move(ctx, p, evAction)
		return err
	})
	if err == nil && a.Outcome != nil {
		_, err = s.Apply(ctx, p.Channel, *a.Outcome)
	}
	return err
}

// RefOf names a payment to its channel.
func RefOf(p models.Payment) channel.Ref {
	return channel.Ref{Number: p.Number, Reference: p.ChannelReference, Amount: money.New(p.OnlineAmount, currency(p.Currency)), MadeAt: p.ID.Time()}
}

// refusalOf is the UserErrorCode that tells the payer why a channel refused.
func refusalOf(err error) string {
	var d *channel.Declined
	if errors.As(err, &d) && d.Code != "" {
		return d.Code
	}
	return "PAYMENT_DECLINED"
}

// resumed reads the payment as it now stands. A call that died between the intent and the channel's answer is taken up
// again with the same number (contract.md §5).
func (s *Service) resumed(ctx context.Context, account, id models.ID) (models.Payment, error) {
	p, err := s.ByID(ctx, account, id)
	if err == nil && p.Status == models.PaymentProcessing && p.Version == 1 {
		if err = s.restart(ctx, p); err == nil {
			p, err = s.ByID(ctx, account, id)
		}
	}
	return p, err
}

// subject is what the payer reads at the provider.
func (s *Service) subject(p models.Payment) string {
	key := "payment.subject.orders"
	if p.Purpose == models.PurposeTopUp {
		key = "payment.subject.topup"
	}
	return messages.Text(p.Locale, key, map[string]any{"number": p.Number})
}

// Cancel ends a payment that the payer no longer wants. The channel is told first; money that comes all the same goes to
// the balance. One that its provider reviews cannot be given up: the money is taken. Faults: PAYMENT_NOT_FOUND, PAYMENT_NOT_CANCELABLE.
func (s *Service) Cancel(ctx context.Context, account, id models.ID) (models.Payment, error) {
	p, err := s.ByID(ctx, account, id)
	if errors.Is(err, fault.ErrNotFound) {
		return p, fault.New("PAYMENT_NOT_FOUND", "input", "paymentId")
	}
	if err != nil {
		return p, err
	}
	if !p.Status.Terminal() && !p.InReview() {
		if err := s.close(ctx, p); err != nil {
			return p, errors.Join(fault.ErrUnavailable, err) // it is paid, and what was paid is not known yet
		}
		if err := s.end(ctx, p, evCanceled, ""); err != nil {
			return p, err
		}
		if p, err = s.ByID(ctx, account, id); err != nil || p.Status == models.PaymentCanceled {
			return p, err
		}
	}
	return p, fault.New("PAYMENT_NOT_CANCELABLE", "input", "paymentId")
}

// close tells the channel that the trade is over. A trade that turns out to be paid, or under review, is settled instead.
func (s *Service) close(ctx context.Context, p models.Payment) error {
	adapter, ok := s.Channels[p.Channel]
	if !ok {
		return nil
	}
	err := adapter.Close(ctx, RefOf(p))
	if errors.Is(err, channel.ErrAlreadyPaid) {
		_, err = s.ask(ctx, p)
		return err
	}
	if err != nil { // the late watch goes on asking
		s.Log.WarnContext(ctx, "trade not closed", "payment", p.ID, "channel", p.Channel, "error", err)
	}
	return nil
}

// end leaves the payment in a status without success and frees what it held. It does nothing to one that has ended.
func (s *Service) end(ctx context.Context, p models.Payment, ev event, failure string) error {
	_, err := s.change(context.WithoutCancel(ctx), p.AccountID, p.ID, func(ctx context.Context, p *models.Payment) error {
		if _, ok := next(*p, ev); !ok {
			return nil
		}
		return s.lapse(ctx, p, ev, failure)
	})
	return err
}
