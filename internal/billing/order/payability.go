package order

import (
	"time"

	"paydesk/models"
)

// Codes of orders that cannot be paid (contract.md §7).
const (
	CodeNotFound            = "ORDER_NOT_FOUND"
	CodeStatusChanged       = "ORDER_STATUS_CHANGED"
	CodePendingReview       = "ORDER_PENDING_REVIEW"
	CodePendingConfirmation = "ORDER_PENDING_CONFIRMATION"
	CodeExpired             = "ORDER_EXPIRED"
	CodeBeingPaid           = "ORDER_BEING_PAID"
	CodeLinkedNotPayable    = "LINKED_ORDERS_NOT_PAYABLE"
)

// Payability says why an order cannot be paid now; "" when it can. Linked are the other orders of its bundle (order itself
// may be among them): while one of them cannot be paid, none can (HW-8, HW-9).
func Payability(o models.Order, now time.Time, linked []models.Order) string {
	if code := ownPayability(&o, now); code != "" {
		return code
	}
	for i := range linked {
		if linked[i].ID != o.ID && ownPayability(&linked[i], now) != "" {
			return CodeLinkedNotPayable
		}
	}
	return ""
}

// ownPayability leaves the bundle aside. An order that a payment holds is being paid even when its time is over: the
// payment began before and may still take it.
func ownPayability(o *models.Order, now time.Time) string {
	switch o.Status {
	case models.OrderPendingReview, models.OrderPendingConfirmation, models.OrderPendingPayment:
	case models.OrderExpired:
		return CodeExpired
	default:
		return CodeStatusChanged
	}
	switch {
	case !o.ActivePaymentID.IsZero():
		return CodeBeingPaid
	case o.ExpiresAt != nil && !o.ExpiresAt.After(now): // HW-3: rejected after, swept or not
		return CodeExpired
	case o.Status == models.OrderPendingReview:
		return CodePendingReview
	case o.Status == models.OrderPendingConfirmation:
		return CodePendingConfirmation
	}
	return ""
}
