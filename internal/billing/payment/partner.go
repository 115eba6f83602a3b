package payment

import (
	"context"
	"errors"
	"strings"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/policy"
	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

// viaPartner makes the payment one that the account's partner is asked to pay (HW-22, HW-35). It waits for the partner as long as
// the policy says, never past end, when the first of its orders lapses (contract §7). Faults: PARTNER_NOT_AVAILABLE,
// FUNDING_MISMATCH for a total of zero, INVALID_INPUT, CARD_DATA_NOT_ACCEPTED, those of policy.CheckAccount.
func (s *Service) viaPartner(p *models.Payment, account models.Account, message string, end *time.Time) *fault.Fault {
	if f := s.Policy.CheckAccount(policy.CustomerOf(&account), models.PurposeOrders); f != nil {
		return f
	}
	if account.PartnerID.IsZero() || account.PartnerID == account.ID {
		return fault.New("PARTNER_NOT_AVAILABLE", "input", "funding", "partner")
	}
	if p.Amount == 0 { // nothing to ask for: a balance part of zero pays it
		return mismatch(money.New(0, currency(p.Currency))).With("case", "zero")
	}
	message, err := input.Text(message, false, input.MaxReason, "input", "funding", "partner", "message")
	if f, ok := fault.As(err); ok {
		return f
	}
	until := p.CreatedAt.Add(s.Policy.PartnerValidity())
	if end != nil && end.Before(until) {
		until = *end
	}
	p.Status, p.PartnerAmount, p.PartnerID, p.PartnerMessage = models.PaymentProcessing, p.Amount, account.PartnerID, message
	p.ExpiresAt, p.SweepAt = &until, &until
	return nil
}

// askPartner asks, in the transaction that wrote the payment and holds its orders: the payment becomes REQUIRES_ACTION, and
// the partner gets an SMS and an e-mail (HW-35). Faults: PARTNER_NOT_AVAILABLE.
func (s *Service) askPartner(ctx context.Context, p models.Payment, account models.Account) error {
	partner, found, err := s.Accounts.ByID(ctx, p.PartnerID)
	if err != nil {
		return err
	}
	if !found || partner.Status != models.AccountActive || partner.Currency != p.Currency {
		return fault.New("PARTNER_NOT_AVAILABLE", "input", "funding", "partner")
	}
	customer, _, err := s.Accounts.ByID(ctx, account.ID)
	if err != nil {
		return err
	}
	args, err := s.letterOf(ctx, p)
	if err != nil {
		return err
	}
	args["customer"] = customer.Name
	if p.PartnerMessage != "" {
		args["message"] = p.PartnerMessage
	}
	p.ActionKind = models.ActionAwaitPartner
	if _, err := s.move(ctx, &p, evAsked); err != nil {
		return err
	}
	return s.Messages.Tell(ctx, notify.Letter{Account: partner, Locale: locale.OfCountry(partner.Country), Key: "letter.partner_asked", At: s.Clock.Now(), Args: args})
}

// letterOrders is how many order numbers a letter names; an SMS is short.
const letterOrders = 5

// letterOf is what letters about a partner's payment name: its number, orders, amount and end.
func (s *Service) letterOf(ctx context.Context, p models.Payment) (map[string]any, error) {
	var numbers []string
	err := s.DB.Gorm(ctx).Raw("SELECT o.number FROM payment_orders p JOIN orders o ON o.account_id = p.account_id AND o.id = p.order_id WHERE p.account_id = ? AND p.payment_id = ? ORDER BY o.id",
		p.AccountID, p.ID).Scan(&numbers).Error
	n := len(numbers)
	if n > letterOrders {
		numbers = append(numbers[:letterOrders:letterOrders], "…")
	}
	args := map[string]any{"number": p.Number, "amount": money.New(p.Amount, currency(p.Currency)), "orders": strings.Join(numbers, ", "), "count": n}
	if p.ExpiresAt != nil {
		args["until"] = p.ExpiresAt.In(s.Policy.Location()).Format("2006-01-02 15:04 MST")
	}
	return args, err
}

// errOver: the partner's time is over, and the sweep has not come by yet.
var errOver = errors.New("payment: the partner's time is over")

// ApprovePartner pays, from the balance of who's account, what a customer has asked this partner to pay (HW-R21): in one
// transaction the orders are taken, the coupons consumed, the partner's balance debited and the customer told. Not enough
// money leaves the payment waiting, and so does an account, the partner's or the customer's, that pays no orders (contract §7).
// Faults: PAYMENT_NOT_FOUND, PAYMENT_ENDED, INSUFFICIENT_BALANCE, those of policy.CheckAccount (at input.paymentId where they are
// about the customer's) and of the key.
func (s *Service) ApprovePartner(ctx context.Context, who Payer, id models.ID) (models.Payment, error) {
	out, _, err := s.Keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		p, err := s.asked(ctx, who.AccountID, id)
		if err != nil {
			return idempotency.Outcome{}, err
		}
		out := idempotency.Outcome{Kind: outcomeKind, Ref: p.ID}
		_, err = s.decide(ctx, p, evApproved, func(ctx context.Context, p *models.Payment) error { return s.approve(ctx, p, out) })
		return out, err
	})
	if err != nil {
		return models.Payment{}, err
	}
	return s.asked(ctx, who.AccountID, out.Ref)
}

// asked reads a payment that a partner was asked to pay. Faults: PAYMENT_NOT_FOUND.
func (s *Service) asked(ctx context.Context, partner, id models.ID) (models.Payment, error) {
	p, err := first(s.DB.Gorm(ctx).Where("partner_id = ? AND account_id <> ? AND id = ?", partner, partner, id))
	if errors.Is(err, fault.ErrNotFound) {
		err = fault.New("PAYMENT_NOT_FOUND", "input", "paymentId")
	}
	return p, err
}

// decide lets a partner's decision change the payment while it waits for it. Faults: PAYMENT_ENDED.
func (s *Service) decide(ctx context.Context, p models.Payment, ev event, fn func(context.Context, *models.Payment) error) (models.Payment, error) {
	p, err := s.change(context.WithoutCancel(ctx), p.AccountID, p.ID, func(ctx context.Context, p *models.Payment) error {
		if _, ok := next(*p, ev); !ok {
			return fault.New("PAYMENT_ENDED", "input", "paymentId")
		}
		if p.ExpiresAt != nil && !s.Clock.Now().Before(*p.ExpiresAt) {
			return errOver
		}
		return fn(ctx, p)
	})
	if errors.Is(err, errOver) {
		if err := s.end(ctx, p, evExpired, ""); err != nil {
			return p, err
		}
		return p, fault.New("PAYMENT_ENDED", "input", "paymentId")
	}
	return p, err
}

// approve is the transaction of an approval; the partner's balance comes last.
func (s *Service) approve(ctx context.Context, p *models.Payment, out idempotency.Outcome) error {
	if err := s.Keys.Claim(ctx, out); err != nil {
		return err
	}
	customer, partner, err := s.sides(ctx, *p)
	if err != nil {
		return err
	}
	if f := s.Policy.CheckAccount(policy.CustomerOf(&partner), models.PurposeOrders); f != nil {
		return f
	}
	if f := s.Policy.CheckAccount(policy.CustomerOf(&customer), models.PurposeOrders); f != nil {
		f.Field = []string{"input", "paymentId"}
		return f
	}
	what := s.subjectOf(*p)
	taken, err := what.settle(ctx, *p)
	if err != nil {
		return err
	}
	if !taken { // holds are respected, so this does not happen; if it did, nobody would be charged
		p.FailureCode = "ORDER_STATUS_CHANGED"
		if err := what.release(ctx, *p); err != nil {
			return err
		}
		_, err := s.move(ctx, p, evDeclined)
		return err
	}
	if _, err := s.move(ctx, p, evApproved); err != nil {
		return err
	}
	if err := s.Outbox.Add(ctx, p.PartnerID, live.Balance(p.PartnerID)); err != nil {
		return err
	}
	if err := s.tellAbout(ctx, *p, customer, partner, "letter.partner_approved"); err != nil {
		return err
	}
	err = s.Ledger.Spend(ctx, ledger.Movement{AccountID: p.PartnerID, Amount: money.New(p.PartnerAmount, currency(p.Currency)), Kind: models.KindOrderPayment,
		Reference: "partner:" + p.ID.String(), Book: models.BookRevenue, PaymentID: p.ID, At: s.Clock.Now()})
	if f, ok := fault.As(insufficient(err)); ok {
		f.Field = []string{"input", "paymentId"}
		return f
	}
	return err
}

// DeclinePartner says no for the partner (HW-R21): the payment fails with its reason, orders and coupons are free at once, and
// the customer is told. Reason is at most 500 characters. Faults: PAYMENT_NOT_FOUND, PAYMENT_ENDED, INVALID_INPUT,
// CARD_DATA_NOT_ACCEPTED.
func (s *Service) DeclinePartner(ctx context.Context, who Payer, id models.ID, reason string) (models.Payment, error) {
	reason, err := input.Text(reason, false, input.MaxReason, "input", "reason")
	if err != nil {
		return models.Payment{}, err
	}
	p, err := s.asked(ctx, who.AccountID, id)
	if err != nil {
		return p, err
	}
	return s.decide(ctx, p, evRefused, func(ctx context.Context, p *models.Payment) error {
		p.FailureCode, p.DeclineReason = "PAYMENT_DECLINED", reason
		if err := s.subjectOf(*p).release(ctx, *p); err != nil {
			return err
		}
		if _, err := s.move(ctx, p, evRefused); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "UPDATE payments SET decline_reason = ? WHERE account_id = ? AND id = ?", reason, p.AccountID, p.ID); err != nil {
			return err
		}
		return s.tellCustomer(ctx, *p, "letter.partner_declined")
	})
}

// sides are the two accounts of a payment that a partner was asked to pay.
func (s *Service) sides(ctx context.Context, p models.Payment) (customer, partner models.Account, err error) {
	if customer, _, err = s.Accounts.ByID(ctx, p.AccountID); err == nil {
		partner, _, err = s.Accounts.ByID(ctx, p.PartnerID)
	}
	return customer, partner, err
}

// tellCustomer writes to the customer what the partner decided, or that its time is over.
func (s *Service) tellCustomer(ctx context.Context, p models.Payment, key string) error {
	customer, partner, err := s.sides(ctx, p)
	if err != nil {
		return err
	}
	return s.tellAbout(ctx, p, customer, partner, key)
}

func (s *Service) tellAbout(ctx context.Context, p models.Payment, customer, partner models.Account, key string) error {
	args, err := s.letterOf(ctx, p)
	if err != nil {
		return err
	}
	args["partner"] = partner.Name
	if p.DeclineReason != "" {
		args["reason"] = p.DeclineReason
	}
	return s.Messages.Tell(ctx, notify.Letter{Account: customer, Locale: p.Locale, Key: key, At: s.Clock.Now(), Args: args})
}
