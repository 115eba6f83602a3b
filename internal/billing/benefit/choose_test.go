package benefit_test

import (
	"testing"
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/fault"
	"paydesk/models"
)

// HW-R10, HW-R11: what cannot be used is named by its place, with the reason.
func TestChosenCoupons(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		good, locked, spent := e.grant(e.cash("5")), e.grant(e.cash("5")), e.grant(e.cash("5"))
		e.reserved([]models.Coupon{locked}, use(locked, models.NewID(), 1))
		e.end(e.reserved([]models.Coupon{spent}, use(spent, models.NewID(), 500)), models.PaymentSucceeded)
		g := e.cash("5")
		g.ValidTo = e.clock.Now().Add(time.Hour)
		short := e.grant(g)
		g.ValidFrom, g.ValidTo = ref(e.clock.Now().Add(2*time.Hour)), e.clock.Now().Add(3*time.Hour)
		later := e.grant(g)
		e.clock.advance(time.Hour)
		id := func(c models.Coupon) string { return c.ID.Encode(models.PrefixCoupon) }
		for text, reason := range map[string]string{
			id(locked): benefit.ReasonLocked, id(spent): benefit.ReasonUsed, id(short): benefit.ReasonExpired, id(later): benefit.ReasonEarly, id(good): benefit.ReasonTwice,
			"": benefit.ReasonUnknown, "cpn_": benefit.ReasonUnknown, models.NewID().Encode(models.PrefixCoupon): benefit.ReasonUnknown, good.ID.Encode(models.PrefixOrder): benefit.ReasonUnknown,
		} {
			_, _, _, err := e.Chosen(e.ctx, e.account, []string{id(good), text}, "", "CNY", e.clock.Now())
			e.refused(err, "COUPON_NOT_APPLICABLE", "input.couponIds.1", reason)
			if f, _ := fault.As(err); (f.Detail == benefit.NotThere{}) != (reason == benefit.ReasonUnknown) {
				t.Errorf("%s: detail %v", reason, f.Detail)
			}
		}
		_, _, _, err := e.Chosen(e.ctx, e.account, []string{id(good)}, "", "USD", e.clock.Now())
		e.refused(err, "COUPON_NOT_APPLICABLE", "input.couponIds.0", benefit.ReasonCurrency)
		_, _, _, err = e.Chosen(e.ctx, e.account, make([]string, 101), "", "CNY", e.clock.Now())
		e.refused(err, "COUPON_NOT_APPLICABLE", "input.couponIds.100", "")

		other := e.grant(e.cash("5"))
		got, discount, adjustments, err := e.Chosen(e.ctx, e.account, []string{id(other), id(good)}, "", "CNY", e.clock.Now())
		if err != nil || len(got) != 2 || got[0].ID != other.ID || got[1].ID != good.ID || discount != nil || len(adjustments) != 0 {
			t.Errorf("%+v %v %v %v", got, discount, adjustments, err)
		}
		e.clock.advance(time.Hour) // the first moment and the last one: from is inclusive, to is not
		if _, err := e.chosen(later); err != nil {
			t.Error("at its beginning:", err)
		}
		e.clock.advance(time.Hour - time.Microsecond)
		if _, err := e.chosen(later); err != nil {
			t.Error("just before its end:", err)
		}
		e.clock.advance(time.Microsecond)
		if _, err := e.chosen(later); err == nil {
			t.Error("at its end it was taken")
		}
	})
}

// HW-R8: a price adjustment comes along without being chosen, and naming it changes nothing; a discount has to be valid.
func TestChosenDiscount(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		autumn, adjusted := e.grantDiscount(e.off("5")), e.off("10")
		adjusted.Kind = models.DiscountPriceAdjustment
		adjustment := e.grantDiscount(adjusted)
		adjusted.ValidTo = e.clock.Now().Add(time.Hour)
		ended := e.grantDiscount(adjusted)
		g := e.off("5")
		g.ValidTo = e.clock.Now().Add(time.Hour)
		short := e.grantDiscount(g)
		g.ValidFrom, g.ValidTo = ref(e.clock.Now().Add(2*time.Hour)), e.clock.Now().Add(3*time.Hour)
		later := e.grantDiscount(g)
		e.clock.advance(time.Hour)
		for text, reason := range map[string]string{
			ended.ID.Encode(models.PrefixDiscount): benefit.ReasonExpired, short.ID.Encode(models.PrefixDiscount): benefit.ReasonExpired, later.ID.Encode(models.PrefixDiscount): benefit.ReasonEarly,
			models.NewID().Encode(models.PrefixDiscount): benefit.ReasonUnknown, "10%": benefit.ReasonUnknown, autumn.ID.Encode(models.PrefixCoupon): benefit.ReasonUnknown,
		} {
			_, _, _, err := e.Chosen(e.ctx, e.account, nil, text, "CNY", e.clock.Now())
			e.refused(err, "DISCOUNT_NOT_APPLICABLE", "input.discountId", reason)
		}
		_, discount, adjustments, err := e.Chosen(e.ctx, e.account, nil, autumn.ID.Encode(models.PrefixDiscount), "CNY", e.clock.Now())
		if err != nil || discount == nil || discount.ID != autumn.ID || len(adjustments) != 1 || adjustments[0].ID != adjustment.ID {
			t.Errorf("%+v %+v %v", discount, adjustments, err)
		}
		_, discount, adjustments, err = e.Chosen(e.ctx, e.account, nil, adjustment.ID.Encode(models.PrefixDiscount), "CNY", e.clock.Now())
		if err != nil || discount != nil || len(adjustments) != 1 || adjustments[0].ID != adjustment.ID {
			t.Errorf("the adjustment by name: %+v %+v %v", discount, adjustments, err)
		}
		_, discount, adjustments, err = e.Chosen(e.ctx, e.account, nil, "", "CNY", e.clock.Now())
		if err != nil || discount != nil || len(adjustments) != 1 {
			t.Errorf("%+v %+v %v", discount, adjustments, err)
		}
	})
}

// What is offered is what can be chosen, and what a payment has locked (HW-R10), those that end first, 200 of a kind at most; price
// adjustments all.
func TestUsable(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		g := e.cash("5")
		g.Count = ref(100)
		for range 2 {
			e.grant(g)
		}
		locked := e.grant(g)
		e.reserved([]models.Coupon{locked}, use(locked, models.NewID(), 1))
		g.Count, g.ValidTo = nil, e.clock.Now().Add(2*time.Hour)
		first, held := e.grant(g), e.grant(g)
		e.reserved([]models.Coupon{held}, use(held, models.NewID(), held.Face))
		g.ValidTo = e.clock.Now().Add(time.Hour)
		e.grant(g) // over soon
		g.ValidFrom, g.ValidTo = ref(e.clock.Now().Add(80*time.Minute)), e.clock.Now().Add(90*time.Minute)
		e.grant(g) // not yet
		for _, kind := range []models.DiscountKind{models.DiscountPriceAdjustment, models.DiscountPartnerGranted} {
			d := e.off("1")
			d.Kind = kind
			for range 3 {
				e.grantDiscount(d)
			}
		}
		e.clock.advance(time.Hour)
		coupons, discounts, adjustments, err := e.Usable(e.ctx, e.account, "CNY", e.clock.Now())
		if err != nil || len(coupons) != 200 || coupons[0].ID != first.ID || coupons[1].ID != held.ID || len(discounts) != 3 || len(adjustments) != 3 {
			t.Fatal(len(coupons), len(discounts), len(adjustments), err)
		}
		for _, c := range coupons {
			if reason := benefit.Reason(c, "CNY", e.clock.Now()); c.ID == locked.ID || (reason != "") != (c.ID == held.ID) {
				t.Fatalf("%s: %+v", reason, c)
			}
		}
		if coupons, _, _, err := e.Usable(e.ctx, e.account, "USD", e.clock.Now()); len(coupons) != 0 || err != nil {
			t.Error(len(coupons), err)
		}
	})
}
