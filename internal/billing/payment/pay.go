package payment

import (
	"context"
	"errors"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/verification"
	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Agreed is what pay and mergePay have in common: what the person chose and has seen.
type Agreed struct {
	Funding                Funding
	CouponIDs              []string // as clients write them
	DiscountID             string
	ExpectedTotal          *money.Money // what the person saw; nil does not compare
	ConfirmOutsideContract bool
	VerificationCode       string
}

// PayInput is one payment of one order and those linked to it.
type PayInput struct {
	OrderID models.ID
	Agreed
}

// MergeInput is one payment of several orders and those linked to them.
type MergeInput struct {
	OrderIDs     []models.ID
	PayRemaining bool // orders whose status changed are left out instead of refusing the whole
	Agreed
}

// Pay pays an order, with those linked to it: from the balance (HW-23), through a channel (HW-28), both (HW-33) or by the
// partner (HW-35). From the balance it is done when it returns; otherwise the payment holds its orders until it ends. Faults:
// ORDER_NOT_FOUND, those of OrdersNotPayable, COUPON_NOT_APPLICABLE, DISCOUNT_NOT_APPLICABLE, QUOTE_CHANGED, FUNDING_*,
// INSUFFICIENT_BALANCE (HW-24), IDENTITY_REQUIRED, ACCOUNT_NOT_ACTIVE, PARTNER_NOT_AVAILABLE, VERIFICATION_*,
// TOO_MANY_ATTEMPTS, those of checkOnline and of the key.
func (s *Service) Pay(ctx context.Context, who Payer, in PayInput) (models.Payment, error) {
	return s.pay(ctx, who, in.Agreed, checkout.Request{OrderIDs: []models.ID{in.OrderID}, Field: "orderId"})
}

// MergePay pays several orders, with those linked to them, at once: all or none (HW-13 to HW-20). Orders that changed since
// they were seen refuse it, or are left out where that is wanted (HW-15): the payment's terms name them. Faults: those of Pay,
// NO_ORDERS, TOO_MANY_ORDERS, ALL_ORDERS_STATUS_CHANGED.
func (s *Service) MergePay(ctx context.Context, who Payer, in MergeInput) (models.Payment, error) {
	return s.pay(ctx, who, in.Agreed, checkout.Request{OrderIDs: in.OrderIDs, PayRemaining: in.PayRemaining, Merged: true, Field: "orderIds"})
}

// tries is how often a payment is judged and priced anew because something changed before it could be written. Whoever was
// quicker has got further each time, so this is about patience, not about progress.
const tries = 8

func (s *Service) pay(ctx context.Context, who Payer, a Agreed, r checkout.Request) (models.Payment, error) {
	r.AccountID, r.CouponIDs, r.DiscountID = who.AccountID, a.CouponIDs, a.DiscountID
	var done models.Payment // what this very call paid from the balance: nothing has to be read again
	out, replayed, err := s.Keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		code := "ORDER_STATUS_CHANGED"
		for range tries {
			p, err := s.payOnce(ctx, who, a, r)
			switch {
			case errors.Is(err, order.ErrChanged): // judged again, it is a fault; unless what stood against it is gone
				continue
			case errors.Is(err, benefit.ErrTaken): // priced again, it is a fault or another price
				code = "COUPON_NOT_APPLICABLE"
				continue
			}
			done = p
			return idempotency.Outcome{Kind: outcomeKind, Ref: p.ID}, err
		}
		return idempotency.Outcome{}, fault.New(code, "input", r.Field)
	})
	if err != nil {
		return models.Payment{}, err
	}
	switch {
	case !replayed && done.Status == models.PaymentSucceeded:
		return done, nil
	case !replayed: // its channel has been called a moment ago
		return s.ByID(ctx, who.AccountID, out.Ref)
	}
	return s.resumed(ctx, who.AccountID, out.Ref)
}

// intent is a payment that was judged, priced and funded, and is not written yet.
type intent struct {
	models.Payment
	quote checkout.Quote
	proof verification.Proof // of a code, where one was wanted
}

// payOnce judges, prices and pays; order.ErrChanged and benefit.ErrTaken say that something changed between the two.
func (s *Service) payOnce(ctx context.Context, who Payer, a Agreed, r checkout.Request) (models.Payment, error) {
	q, err := s.Checkout.Quote(ctx, r)
	if err != nil {
		return models.Payment{}, err
	}
	if f := agreed(q, a); f != nil {
		return models.Payment{}, f
	}
	i := intent{Payment: s.newPayment(who, models.PurposeOrders, q.Total()), quote: q}
	i.Terms = termsOf(q, a)
	if f := s.fund(&i, a.Funding, r.PayRemaining); f != nil {
		return models.Payment{}, f
	}
	if i.Channel != "" {
		i.Terms.PayerIP = who.IP
		if err := s.readCard(ctx, &i.Payment, policy.CustomerOf(&q.Account), *a.Funding.Online, "input", "funding", "online"); err != nil {
			return models.Payment{}, err
		}
	}
	if err := s.verify(ctx, &i, a); err != nil {
		return models.Payment{}, err
	}
	switch {
	case i.Channel != "":
		return i.Payment, s.throughChannel(ctx, i)
	case !i.PartnerID.IsZero():
		return i.Payment, s.byPartner(ctx, i)
	}
	return i.Payment, s.fromBalance(ctx, i)
}

// agreed compares the quote with what the person has seen and confirmed. Where orders were left out the expected total is a
// ceiling: the person agreed to pay less.
func agreed(q checkout.Quote, a Agreed) *fault.Fault {
	if f := q.Unconfirmed(); f != nil && !a.ConfirmOutsideContract {
		return f
	}
	total := q.Total()
	if a.ExpectedTotal == nil || *a.ExpectedTotal == total {
		return nil
	}
	if len(q.Removed) > 0 && a.ExpectedTotal.Currency == total.Currency && total.Minor < a.ExpectedTotal.Minor {
		return nil
	}
	return fault.New("QUOTE_CHANGED", "input", "expectedTotal").Because(&checkout.Changed{Quote: q})
}

// termsOf is what the payment keeps of the agreement (HW-20: who confirmed is CreatedBy).
func termsOf(q checkout.Quote, a Agreed) (t models.Terms) {
	if q.Discount != nil {
		t.DiscountID = q.Discount.ID.Encode(models.PrefixDiscount)
	}
	for _, b := range q.Removed {
		t.Removed = append(t.Removed, models.RemovedItem{OrderID: b.Order.ID.Encode(models.PrefixOrder), Code: b.Code})
	}
	t.OutsideContract = len(q.OutsideContract) > 0 && a.ConfirmOutsideContract
	return t
}

// shares are what the orders are paid, by order.
func (i intent) shares() []order.Share {
	out := make([]order.Share, len(i.quote.Priced.Lines))
	for n, l := range i.quote.Priced.Lines {
		out[n] = order.Share{OrderID: l.OrderID, Due: l.Due}
	}
	return out
}
