package sandbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"paydesk/models"
)

// How a refund ends in the sandbox's books.
const (
	refundDone   status = "SUCCEEDED"
	refundFailed status = "FAILED"
	refundStuck  status = "HELD"       // it has left the merchant and did not reach the payer
	refundOpen   status = "PROCESSING" // never stored: before its time
)

// refund is a row of sandbox_refunds. What becomes of it is settled when it is made; it is told from ReadyAt on.
type refund struct {
	Channel   models.PaymentChannel
	Number    string // the merchant's, of the refund
	Trade     string // the merchant's, of the trade
	Reference string // the provider's own number
	Amount    int64
	Outcome   status
	Reason    string
	NotifyURL string
	ReadyAt   time.Time // on the wall clock, as behaviour has it
	CreatedAt time.Time
	BookedAt  *time.Time // on the product's clock: the day of its statement
}

// at is how the refund stands at a moment of the wall clock.
func (r refund) at(now time.Time) status {
	if now.Before(r.ReadyAt) {
		return refundOpen
	}
	return r.Outcome
}

// Refusals of a refund.
var (
	errTooMuch   = errors.New("sandbox: more than is left of the trade")
	errUnpaid    = errors.New("sandbox: the trade is not paid")
	errDifferent = errors.New("sandbox: the number has another amount")
)

const refundColumns = "channel, refund_number, number, reference, amount, outcome, reason, notify_url, ready_at, created_at, booked_at"

// findRefund reads a refund by its own number and its trade's; errNoTrade where there is none.
func (s *Sandbox) findRefund(ctx context.Context, c models.PaymentChannel, number, trade string) (refund, error) {
	return s.readRefund(ctx, "channel = ? AND refund_number = ? AND number = ?", string(c), number, trade)
}

func (s *Sandbox) readRefund(ctx context.Context, where string, args ...any) (r refund, err error) {
	found, err := s.db.QueryRow(ctx, r.into(),
		"SELECT "+refundColumns+" FROM sandbox_refunds WHERE "+where, args...)
	if err == nil && !found {
		err = errNoTrade
	}
	return r, err
}

// into are where a row of refundColumns goes.
func (r *refund) into() []any {
	return []any{&r.Channel, &r.Number, &r.Trade, &r.Reference, &r.Amount, &r.Outcome, &r.Reason, &r.NotifyURL, &r.ReadyAt, &r.CreatedAt, &r.BookedAt}
}

// giveBack takes a refund into the books, or finds the one that has its number. Fresh says that this call made it. What has gone
// back of a trade never exceeds what was paid; one that is to fail takes nothing. Errors: errNoTrade, errUnpaid, errTooMuch,
// errDifferent.
func (s *Sandbox) giveBack(ctx context.Context, r refund) (made refund, fresh bool, err error) {
	b, err := s.behaviour(ctx, r.Channel)
	if err != nil {
		return refund{}, false, err
	}
	r.Outcome, r.CreatedAt = refundDone, wall()
	r.ReadyAt = r.CreatedAt
	switch b.Call {
	case refundFail:
		r.Outcome = refundFailed
	case refundHeld:
		r.Outcome = refundStuck
	}
	if wait, ok := strings.CutPrefix(b.Call, refundLate); ok {
		d, _ := time.ParseDuration(wait)
		r.ReadyAt = r.ReadyAt.Add(d)
	}
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		t, err := s.find(ctx, r.Channel, r.Trade)
		if err != nil {
			return err
		}
		// The trade's row is taken first: refunds of one trade come one after the other, so a number is found or made.
		if _, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET scanned_at = COALESCE(scanned_at, ?) WHERE channel = ? AND number = ?", wall(), string(t.Channel), t.Number); err != nil {
			return err
		}
		old, err := s.findRefund(ctx, r.Channel, r.Number, r.Trade)
		if made, fresh = r, errors.Is(err, errNoTrade); fresh {
			return s.book(ctx, t, r)
		}
		if made = old; err == nil && old.Amount != r.Amount {
			err = errDifferent
		}
		return err
	})
	if err == nil && fresh {
		s.wakeUp()
	}
	return made, fresh, err
}

// book takes the amount from what is left of the trade, writes the refund and what has to be notified of it.
func (s *Sandbox) book(ctx context.Context, t trade, r refund) error {
	if t.Status != paid {
		return errUnpaid
	}
	taken := r.Amount
	if r.Outcome == refundFailed {
		taken = 0
	}
	n, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET refunded = refunded + ? WHERE channel = ? AND number = ? AND status = 'PAID' AND refunded + ? <= amount",
		taken, string(t.Channel), t.Number, r.Amount)
	if err != nil {
		return err
	}
	if n == 0 && taken > 0 {
		return errTooMuch
	}
	if _, err := s.db.Exec(ctx, "INSERT INTO sandbox_refunds ("+refundColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?)", string(r.Channel), r.Number, r.Trade, r.Reference, r.Amount,
		string(r.Outcome), r.Reason, r.NotifyURL, r.ReadyAt, r.CreatedAt, s.clock.Now()); err != nil {
		return err
	}
	t.Refunded += taken
	return s.notifyRefund(ctx, t, r)
}

// notifyRefund writes, in the transaction of ctx, what the merchant has to be told of a refund, as the channel behaves now. Alipay
// tells of money that went back only, and at the trade's address.
func (s *Sandbox) notifyRefund(ctx context.Context, t trade, r refund) error {
	b, err := s.behaviour(ctx, r.Channel)
	if err != nil {
		return err
	}
	p, _ := s.protocolOf(r.Channel)
	url := r.NotifyURL
	if p.refundsAtTrade {
		url = t.NotifyURL
	}
	f := fact{Number: t.Number, Reference: t.Reference, Amount: t.Amount, Currency: t.Currency, Subject: t.Subject, State: paid, CreatedAt: t.CreatedAt, PaidAt: t.PaidAt, Channel: t.Channel, Detail: t.Detail,
		Refund: &refundFact{Number: r.Number, Reference: r.Reference, Amount: r.Amount, InAll: t.Refunded, State: r.Outcome, At: r.ReadyAt}}
	if b.Notify == forge {
		f.Refund.State = refundDone
	}
	if p.tellsRefund != nil && !p.tellsRefund(f.Refund.State) {
		return nil
	}
	return s.announce(ctx, b, r.Channel, url, f, r.ReadyAt)
}

// refundFact is what a notification tells of a refund.
type refundFact struct {
	Number, Reference string
	Amount, InAll     int64 // of this refund; of all refunds of the trade
	State             status
	At                time.Time
}
