package benefit_test

import (
	"testing"

	"pgregory.net/rapid"

	"paydesk/models"
)

// Lesson 14, lesson 15: whatever payments do with coupons, in any order, what is left is the face less what is used, to the cent.
func TestAnyHistoryIsExact(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		rapid.Check(t, func(t *rapid.T) {
			h := history{e: e, left: map[models.ID]int64{}}
			for range 3 {
				c := e.grant(e.cash("5"))
				h.coupons, h.left[c.ID] = append(h.coupons, c.ID), 500
			}
			t.Repeat(map[string]func(*rapid.T){"reserve": h.reserve, "end": h.end, "return": h.giveBack, "": h.check})
		})
		e.sound()
	})
}

// history is what coupons should be like.
type history struct {
	e       *env
	coupons []models.ID
	left    map[models.ID]int64
	open    []payment
	paid    []payment // their uses are those not returned
}

func (h *history) locked(coupon models.ID) bool {
	for _, p := range h.open {
		for _, u := range p.uses {
			if u.CouponID == coupon {
				return true
			}
		}
	}
	return false
}

func (h *history) reserve(t *rapid.T) {
	var coupons []models.Coupon
	var uses []models.PaymentCoupon
	orders := []models.ID{models.NewID(), models.NewID()}
	for _, id := range h.coupons {
		if left := h.left[id]; left > 0 && !h.locked(id) && rapid.Bool().Draw(t, "with") {
			c := h.e.read(models.Coupon{AccountID: h.e.account, ID: id})
			coupons = append(coupons, c)
			first := rapid.Int64Range(1, left).Draw(t, "first")
			uses = append(uses, use(c, orders[0], first))
			if second := rapid.Int64Range(0, left-first).Draw(t, "second"); second > 0 {
				uses = append(uses, use(c, orders[1], second))
			}
		}
	}
	if len(coupons) == 0 {
		t.Skip()
	}
	h.open = append(h.open, h.e.reserved(coupons, uses...))
	for _, u := range uses {
		h.left[u.CouponID] -= u.Amount
	}
}

func (h *history) end(t *rapid.T) {
	if len(h.open) == 0 {
		t.Skip()
	}
	p := h.open[0]
	h.open = h.open[1:]
	status := rapid.SampledFrom([]models.PaymentStatus{models.PaymentSucceeded, models.PaymentFailed, models.PaymentCanceled, models.PaymentExpired}).Draw(t, "status")
	h.e.end(p, status)
	if status == models.PaymentSucceeded {
		h.paid = append(h.paid, p)
		return
	}
	h.back(p.uses)
}

func (h *history) back(uses []models.PaymentCoupon) {
	for _, u := range uses {
		h.left[u.CouponID] += u.Amount
	}
}

func (h *history) giveBack(t *rapid.T) {
	if len(h.paid) == 0 {
		t.Skip()
	}
	p := &h.paid[rapid.IntRange(0, len(h.paid)-1).Draw(t, "payment")]
	order := models.ID{}
	if len(p.uses) > 0 && rapid.Bool().Draw(t, "one order") {
		order = rapid.SampledFrom(p.uses).Draw(t, "of").OrderID
	}
	var orders []models.ID
	for _, u := range p.uses {
		if order.IsZero() || u.OrderID == order {
			orders = append(orders, u.OrderID)
		}
	}
	h.e.must(h.e.Return(h.e.ctx, h.e.account, p.id, orders, h.e.clock.Now()))
	var rest, returned []models.PaymentCoupon
	for _, u := range p.uses {
		if order.IsZero() || u.OrderID == order {
			returned = append(returned, u)
		} else {
			rest = append(rest, u)
		}
	}
	p.uses = rest
	h.back(returned)
}

func (h *history) check(t *rapid.T) {
	for _, id := range h.coupons {
		if c := h.e.read(models.Coupon{AccountID: h.e.account, ID: id}); c.Remaining != h.left[id] || c.PaymentID.IsZero() == h.locked(id) || c.Remaining < 0 || c.Remaining > c.Face {
			t.Fatalf("%+v, want %d left, locked %v", c, h.left[id], h.locked(id))
		}
	}
}
