package order

import (
	"testing"
	"time"

	"paydesk/models"
)

func TestPayability(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	free := func(s models.OrderStatus) models.Order {
		return models.Order{ID: models.NewID(), Status: s, ExpiresAt: &later}
	}
	over := free(models.OrderPendingPayment)
	over.ExpiresAt = &now
	held := free(models.OrderPendingPayment)
	held.ActivePaymentID = models.NewID()
	heldAndOver := over
	heldAndOver.ActivePaymentID = models.NewID()
	endless := free(models.OrderPendingPayment)
	endless.ExpiresAt = nil
	payable := free(models.OrderPendingPayment)
	tests := []struct {
		name   string
		order  models.Order
		linked []models.Order
		want   string
	}{
		{"waiting", payable, nil, ""},
		{"without an end", endless, nil, ""},
		{"HW-3: over, though not swept", over, nil, CodeExpired},
		{"held", held, nil, CodeBeingPaid},
		{"held beyond its end", heldAndOver, nil, CodeBeingPaid},
		{"HW-17: in review", free(models.OrderPendingReview), nil, CodePendingReview},
		{"HW-18: to be confirmed", free(models.OrderPendingConfirmation), nil, CodePendingConfirmation},
		{"C6: expired", free(models.OrderExpired), nil, CodeExpired},
		{"HW-14: canceled meanwhile", free(models.OrderCanceled), nil, CodeStatusChanged},
		{"HW-14: paid meanwhile", free(models.OrderProcessing), nil, CodeStatusChanged},
		{"HW-8: linked to one that waits, too", payable, []models.Order{payable, free(models.OrderPendingPayment)}, ""},
		{"HW-9: linked to one in review", payable, []models.Order{free(models.OrderPendingReview)}, CodeLinkedNotPayable},
		{"HW-9: its own reason first", free(models.OrderPendingReview), []models.Order{payable}, CodePendingReview},
		{"linked to one that is over", payable, []models.Order{over}, CodeLinkedNotPayable},
	}
	for _, c := range tests {
		if got := Payability(c.order, now, c.linked); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
