// Package refund sends money of payments back, each part to where it came from (D10): the balance part to the balance at once, the
// partner's to the partner, the online part through its channel, or to the balance where the policy says so (HW-R19). What goes
// through a channel is written before the channel is called, with our own number as the provider's idempotency key; the answer, a
// notification and the sweep bring it to its end by one transition.
//
// A payment's version does not grow with its refunds: they are no transitions of it, each has a status of its own, and
// payments.refunded counts all that did not fail. An order is REFUNDED, and its coupons return, when all its money has really gone
// back: that status is never left, and a channel may still refuse.
package refund

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/policy"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/failpoint"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/models"
)

// Config is what a Service is made of; every field is needed.
type Config struct {
	DB       *database.DB
	Ledger   *ledger.Ledger
	Payments Payments
	Orders   Orders
	Benefits Benefits
	Accounts Accounts
	Policy   *policy.Policy
	Channels channel.Registry
	Keys     *idempotency.Store
	Outbox   *outbox.Outbox
	Messages *notify.Desk
	Clock    clock.Clock
	Log      *slog.Logger
	// NotifyURL is where a channel reports.
	NotifyURL func(models.PaymentChannel) string
}

// Payments is what refunds ask of payments.
type Payments interface {
	ByID(ctx context.Context, account, id models.ID) (models.Payment, error)
	ByIDAnywhere(ctx context.Context, id models.ID) (models.Payment, error)
	Allocations(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.PaymentOrder, error)
	// EndFreeze charges what is frozen for a POSTPAID order, in the transaction of ctx.
	EndFreeze(ctx context.Context, f models.Freeze, charge int64) error
}

// Orders is what refunds ask of orders.
type Orders interface {
	ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Order, error)
	Refunded(ctx context.Context, account models.ID, ids []models.ID, now time.Time) (int64, error)
}

// Benefits gives coupons back for orders that were refunded in full, where the policy says so.
type Benefits interface {
	Return(ctx context.Context, account, payment models.ID, orders []models.ID, at time.Time) error
}

// Accounts is what refunds ask of accounts.
type Accounts interface {
	ByID(ctx context.Context, id models.ID) (account models.Account, found bool, err error)
}

// Service makes refunds and brings them to their end. It is safe for concurrent use.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Input is what of a payment goes back, and why.
type Input struct {
	PaymentID models.ID
	OrderID   models.ID    // that order's share alone; zero takes from all orders
	Amount    *money.Money // nil is what is left
	Reason    string
	By        string // the token's sub
}

const outcomeKind = "refund"

// Refund sends money of a payment back and returns the payment as it then stands. Faults: PAYMENT_NOT_FOUND, ORDER_NOT_FOUND,
// REFUND_NOT_ALLOWED (it did not succeed, is for something else, its channel is not there any more, or nothing is left),
// AMOUNT_INVALID, AMOUNT_OUT_OF_RANGE for more than is left, CURRENCY_MISMATCH, INVALID_INPUT, CARD_DATA_NOT_ACCEPTED, and those of
// the key.
func (s *Service) Refund(ctx context.Context, in Input) (models.Payment, error) {
	var err error
	if in.Reason, err = input.Text(in.Reason, true, input.MaxReason, "input", "reason"); err != nil {
		return models.Payment{}, err
	}
	out, replayed, err := s.Keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		r, err := s.make(ctx, in)
		out := idempotency.Outcome{Kind: outcomeKind, Ref: r.ID}
		if err != nil || r.Channel == "" {
			return out, err
		}
		return out, s.send(ctx, r)
	})
	if err != nil {
		return models.Payment{}, err
	}
	r, err := s.ByIDAnywhere(ctx, out.Ref)
	if err == nil && replayed && r.Status == models.RefundProcessing { // the call may have died between the commit and the channel
		err = s.look(ctx, r)
	}
	if err != nil {
		return models.Payment{}, err
	}
	return s.Payments.ByID(ctx, r.AccountID, r.PaymentID)
}

// make writes the refund in one transaction, before any channel is called.
func (s *Service) make(ctx context.Context, in Input) (r models.Refund, err error) {
	p, err := s.Payments.ByIDAnywhere(ctx, in.PaymentID)
	if errors.Is(err, fault.ErrNotFound) {
		return r, fault.New("PAYMENT_NOT_FOUND", "input", "paymentId")
	}
	if err != nil {
		return r, err
	}
	if p.Status != models.PaymentSucceeded || p.Purpose != models.PurposeOrders {
		return r, fault.New("REFUND_NOT_ALLOWED", "input", "paymentId")
	}
	if in.Amount != nil {
		switch {
		case string(in.Amount.Currency) != p.Currency:
			return r, fault.New("CURRENCY_MISMATCH", "input", "amount").With("currency", p.Currency)
		case in.Amount.Minor <= 0:
			return r, fault.New("AMOUNT_INVALID", "input", "amount")
		}
	}
	err = s.DB.InTx(ctx, func(ctx context.Context) error {
		r, err = s.write(ctx, p, in)
		return err
	})
	failpoint.Hit(failpoint.RefundCommitted)
	return r, err
}
