package checkout

import (
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/models"
)

// Codes of what stands against paying several orders together (contract §5, §7).
const (
	CodeNoOrders        = "NO_ORDERS"
	CodeTooManyOrders   = "TOO_MANY_ORDERS"
	CodeAllChanged      = "ALL_ORDERS_STATUS_CHANGED"
	CodeOutsideContract = "OUTSIDE_CONTRACT_CONFIRMATION_REQUIRED"
)

// Judgement is which orders of a selection can be paid now. An order that only its bundle keeps back has
// LINKED_ORDERS_NOT_PAYABLE: bundles go as a whole (HW-8, HW-9).
type Judgement struct {
	Blocked   []fault.Blocked
	Remaining []models.Order // in the selection's order
	Code      string         // the gravest cause; empty where all can be paid
}

// Judge says what stands against paying these orders now, in the order of contract §5: more than the maximum with linked ones
// (D1, HW-13), none, any in review, any to be confirmed, all changed, some changed. The fault is nil where all of them can be
// paid; the judgement is complete beside ORDER_* and LINKED_* faults, so that PAY_REMAINING can go on with what remains where
// MayRemain says so. merged tells mergePay from pay: a single order has its own cause, never ALL_ORDERS_STATUS_CHANGED (§7).
func Judge(p order.Paying, now time.Time, maximum int, merged bool) (Judgement, *fault.Fault) {
	orders, field := all(p), fieldOf(merged)
	if len(orders) > maximum {
		return Judgement{}, tooMany(len(orders), maximum, field)
	}
	if len(orders) == 0 {
		return Judgement{}, fault.New(CodeNoOrders, "input", field)
	}
	j := judge(orders, now)
	if len(j.Blocked) == 0 {
		return j, nil
	}
	own := ""
	if !merged {
		own = order.Payability(p.Asked[0], now, nil)
	}
	j.Code = j.gravest(own, merged)
	return j, fault.New(j.Code, "input", field).Because(&fault.OrdersNotPayable{Blocked: j.Blocked, Remaining: j.Remaining})
}

// MayRemain reports whether PAY_REMAINING pays the rest: where orders changed, expired or are being paid, and others can be paid.
// What waits for a review or a confirmation is to be waited for or taken out by the person (HW-17, HW-18).
func (j Judgement) MayRemain() bool {
	return len(j.Remaining) > 0 && j.Code != order.CodePendingReview && j.Code != order.CodePendingConfirmation
}

func fieldOf(merged bool) string {
	if merged {
		return "orderIds"
	}
	return "orderId"
}

func tooMany(count, maximum int, field string) *fault.Fault {
	return fault.New(CodeTooManyOrders, "input", field).With("maximum", maximum).With("count", count)
}

// judge looks at each order among the others: bundles are complete in there.
func judge(orders []models.Order, now time.Time) (j Judgement) {
	bundles := make(map[models.ID][]models.Order)
	for _, o := range orders {
		if !o.BundleID.IsZero() {
			bundles[o.BundleID] = append(bundles[o.BundleID], o)
		}
	}
	for _, o := range orders {
		if code := order.Payability(o, now, bundles[o.BundleID]); code != "" {
			j.Blocked = append(j.Blocked, fault.Blocked{Order: o, Code: code})
		} else {
			j.Remaining = append(j.Remaining, o)
		}
	}
	return j
}

// gravest is the cause of the whole. own is the asked order's cause, of a single payment.
func (j Judgement) gravest(own string, merged bool) string {
	has := map[string]bool{}
	for _, b := range j.Blocked {
		has[b.Code] = true
	}
	changed := has[order.CodeStatusChanged] || has[order.CodeExpired] // time changes a status, too, swept or not
	switch {
	case has[order.CodePendingReview]:
		return order.CodePendingReview
	case has[order.CodePendingConfirmation]:
		return order.CodePendingConfirmation
	case merged && changed && len(j.Remaining) == 0:
		return CodeAllChanged
	case own != "":
		return own
	case has[order.CodeStatusChanged], merged && changed:
		return order.CodeStatusChanged
	}
	for _, code := range []string{order.CodeExpired, order.CodeBeingPaid} {
		if has[code] {
			return code
		}
	}
	return order.CodeLinkedNotPayable
}

// Unconfirmed is what stands against paying orders that overlap the customer's contract until that is confirmed (HW-20); nil where
// there are none. It comes after everything Judge says.
func (q Quote) Unconfirmed() *fault.Fault {
	if len(q.OutsideContract) == 0 {
		return nil
	}
	d := &fault.OrdersNotPayable{}
	for _, o := range q.Orders {
		if o.OutsideContract {
			d.Blocked = append(d.Blocked, fault.Blocked{Order: o, Code: CodeOutsideContract})
		} else {
			d.Remaining = append(d.Remaining, o)
		}
	}
	return fault.New(CodeOutsideContract, "input", "confirmOutsideContract").Because(d)
}

// all are the asked orders and then those linked to them.
func all(p order.Paying) []models.Order {
	return append(append(make([]models.Order, 0, len(p.Asked)+len(p.Linked)), p.Asked...), p.Linked...)
}
