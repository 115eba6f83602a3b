package payment

import "paydesk/models"

// event is something that happens to a payment. Webhook, return page, poll and sweep all go through the same table; what
// is not in it is a duplicate or comes too late, and changes no status.
type event string

const (
	evAction   event = "requires_action" // the channel gave the payer something to do
	evPaid     event = "succeeded"
	evInReview event = "in_review" // the money has left the payer, and the provider looks at it
	evDeclined event = "declined"
	evGone     event = "orders_gone" // paid, but what it was for can no longer be taken
	evCanceled event = "canceled"
	evExpired  event = "expired"
	evAsked    event = "partner_asked"
	evApproved event = "partner_approved"
	evRefused  event = "partner_declined"
)

var transitions = map[models.PaymentStatus]map[event]models.PaymentStatus{
	models.PaymentProcessing: {
		evAction:   models.PaymentRequiresAction,
		evAsked:    models.PaymentRequiresAction,
		evInReview: models.PaymentProcessing,
		evPaid:     models.PaymentSucceeded,
		evDeclined: models.PaymentFailed,
		evGone:     models.PaymentFailed,
		evCanceled: models.PaymentCanceled,
		evExpired:  models.PaymentExpired,
	},
	models.PaymentRequiresAction: {
		evApproved: models.PaymentSucceeded,
		evRefused:  models.PaymentFailed,
		evInReview: models.PaymentProcessing,
		evPaid:     models.PaymentSucceeded,
		evDeclined: models.PaymentFailed,
		evGone:     models.PaymentFailed,
		evCanceled: models.PaymentCanceled,
		evExpired:  models.PaymentExpired,
	},
	inReview: { // neither time nor the payer ends it: the money is away
		evPaid:     models.PaymentSucceeded,
		evDeclined: models.PaymentFailed,
		evGone:     models.PaymentFailed,
	},
}

// inReview is PROCESSING of a payment that its provider reviews.
const inReview models.PaymentStatus = "IN_REVIEW"

// next is the status after an event, and whether the event means anything to the payment as it stands.
func next(p models.Payment, ev event) (models.PaymentStatus, bool) {
	from := p.Status
	if p.InReview() {
		from = inReview
	}
	to, ok := transitions[from][ev]
	return to, ok
}
