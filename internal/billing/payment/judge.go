package payment

import (
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/models"
)

// judge says what stands against paying these orders, in the order of contract.md §5: too many, in review, to be confirmed,
// changed. Nil lets the payment go on.
func (s *Service) judge(p order.Paying, in PayInput) *fault.Fault {
	if len(p.Asked) == 0 {
		return fault.New(order.CodeNotFound, "input", "orderId")
	}
	orders := all(p)
	if maximum := s.Policy.MergeMaximum(); len(orders) > maximum {
		return fault.New("TOO_MANY_ORDERS", "input", "orderId").With("maximum", maximum)
	}
	if f := s.blocked(p, orders); f != nil {
		return f
	}
	if f := s.outside(orders, in.ConfirmOutsideContract); f != nil {
		return f
	}
	for _, o := range orders {
		if o.ChargingMode == models.Postpaid { // freezing comes with the settlement of what is used
			return fault.New("FUNDING_NOT_ALLOWED", "input", "funding")
		}
	}
	if len(in.CouponIDs) > 0 {
		return fault.New("COUPON_NOT_APPLICABLE", "input", "couponIds")
	}
	if in.DiscountID != "" {
		return fault.New("DISCOUNT_NOT_APPLICABLE", "input", "discountId")
	}
	return nil
}

// blocked lists every order with its own cause; an order that only its bundle blocks has LINKED_ORDERS_NOT_PAYABLE. The
// whole has the gravest cause.
func (s *Service) blocked(p order.Paying, orders []models.Order) *fault.Fault {
	now := s.Clock.Now()
	d := &fault.OrdersNotPayable{}
	has := map[string]bool{}
	for _, o := range orders {
		if code := order.Payability(o, now, orders); code != "" {
			d.Blocked = append(d.Blocked, fault.Blocked{Order: o, Code: code})
			has[code] = true
		} else {
			d.Remaining = append(d.Remaining, o)
		}
	}
	if len(d.Blocked) == 0 {
		return nil
	}
	for _, code := range []string{order.CodePendingReview, order.CodePendingConfirmation, order.Payability(p.Asked[0], now, nil), order.CodeStatusChanged, order.CodeExpired, order.CodeBeingPaid} {
		if has[code] {
			return fault.New(code, "input", "orderId").Because(d)
		}
	}
	return fault.New(order.CodeLinkedNotPayable, "input", "orderId").Because(d)
}

// outside wants a confirmation for orders that overlap the customer's contract (HW-20).
func (s *Service) outside(orders []models.Order, confirmed bool) *fault.Fault {
	const code = "OUTSIDE_CONTRACT_CONFIRMATION_REQUIRED"
	d := &fault.OrdersNotPayable{}
	for _, o := range orders {
		if o.OutsideContract && !confirmed {
			d.Blocked = append(d.Blocked, fault.Blocked{Order: o, Code: code})
		} else {
			d.Remaining = append(d.Remaining, o)
		}
	}
	if len(d.Blocked) == 0 {
		return nil
	}
	return fault.New(code, "input", "confirmOutsideContract").Because(d)
}
