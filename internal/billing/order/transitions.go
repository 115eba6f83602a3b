package order

import "paydesk/models"

// Event is what may happen to an order.
type Event string

// Events.
const (
	Approved       Event = "approved"      // a review ended well
	Confirmed      Event = "confirmed"     // what had to be confirmed, was
	Refused        Event = "refused"       // a review ended badly
	Paid           Event = "paid"          // a payment took it
	CanceledByUser Event = "canceled"      // the customer does not want it
	RanOut         Event = "ran out"       // not paid within its validity (HW-3)
	Delivered      Event = "delivered"     // what was paid for is there (HW-1)
	NotDelivered   Event = "not delivered" // what was paid for could not be delivered
	FullyRefunded  Event = "refunded"      // all its money went back
)

// transitions is the only place that says how orders change: from × event → to. What is not here does not happen; EXPIRED,
// CANCELED and REFUNDED are never left (C6).
var transitions = map[models.OrderStatus]map[Event]models.OrderStatus{
	models.OrderPendingReview: {
		Approved:       models.OrderPendingPayment,
		Refused:        models.OrderCanceled,
		CanceledByUser: models.OrderCanceled,
		RanOut:         models.OrderExpired,
	},
	models.OrderPendingConfirmation: {
		Confirmed:      models.OrderPendingPayment,
		CanceledByUser: models.OrderCanceled,
		RanOut:         models.OrderExpired,
	},
	models.OrderPendingPayment: {
		Paid:           models.OrderProcessing,
		CanceledByUser: models.OrderCanceled,
		RanOut:         models.OrderExpired,
	},
	models.OrderProcessing: {
		Delivered:     models.OrderCompleted,
		NotDelivered:  models.OrderDeliveryFailed,
		FullyRefunded: models.OrderRefunded,
	},
	models.OrderCompleted:      {FullyRefunded: models.OrderRefunded},
	models.OrderDeliveryFailed: {FullyRefunded: models.OrderRefunded},
}

// Next is where an event leads from a status; false where it cannot happen.
func Next(from models.OrderStatus, e Event) (models.OrderStatus, bool) {
	to, ok := transitions[from][e]
	return to, ok
}

// step is an event's guard for an UPDATE: the statuses it may happen in, and the one it leads to.
type step struct {
	from []models.OrderStatus
	to   models.OrderStatus
}

// steps are the transitions by event. An event leads to one status only; a test keeps it so.
var steps = func() map[Event]step {
	out := map[Event]step{}
	for _, from := range allStatuses { // in a fixed order, so that statements have a fixed text
		for e, to := range transitions[from] {
			s := out[e]
			s.from, s.to = append(s.from, from), to
			out[e] = s
		}
	}
	return out
}()

var allStatuses = []models.OrderStatus{
	models.OrderPendingReview, models.OrderPendingConfirmation, models.OrderPendingPayment, models.OrderProcessing,
	models.OrderCompleted, models.OrderDeliveryFailed, models.OrderCanceled, models.OrderExpired, models.OrderRefunded,
}
