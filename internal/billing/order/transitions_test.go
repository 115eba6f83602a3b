package order

import (
	"testing"

	"paydesk/models"
)

// TX-R4: guarded updates take "where an event leads" for a function of the event.
func TestAnEventLeadsToOneStatus(t *testing.T) {
	for from, events := range transitions {
		for e, to := range events {
			if steps[e].to != to {
				t.Errorf("%s from %s leads to %s, elsewhere to %s", e, from, to, steps[e].to)
			}
		}
	}
}

// C6: nothing restores an order that expired, was canceled or refunded.
func TestEndsAreNeverLeft(t *testing.T) {
	for _, s := range []models.OrderStatus{models.OrderExpired, models.OrderCanceled, models.OrderRefunded} {
		for e := range steps {
			if to, ok := Next(s, e); ok {
				t.Errorf("%s leaves %s for %s", e, s, to)
			}
		}
	}
}

// HW-1: only what was paid is delivered.
func TestOnlyPaidOrdersAreDelivered(t *testing.T) {
	for _, from := range allStatuses {
		to, ok := Next(from, Delivered)
		if ok != (from == models.OrderProcessing) || ok && to != models.OrderCompleted {
			t.Errorf("delivered from %s: %s, %v", from, to, ok)
		}
	}
}
