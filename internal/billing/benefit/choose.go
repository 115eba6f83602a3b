package benefit

import (
	"context"
	"slices"
	"strconv"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// Reasons for which a benefit cannot be used by anybody: keys of messages. Package checkout has those that the orders give.
const (
	ReasonUnknown  = "benefit.reason.unknown"  // not there, or not the account's
	ReasonTwice    = "benefit.reason.twice"    // named twice
	ReasonCurrency = "benefit.reason.currency" // of another currency
	ReasonEarly    = "benefit.reason.early"    // not valid yet
	ReasonExpired  = "benefit.reason.expired"  // no longer valid
	ReasonLocked   = "benefit.reason.locked"   // an unfinished payment uses it (HW-R10)
	ReasonUsed     = "benefit.reason.used"     // nothing is left of it
)

const (
	maxChosen = 100 // coupons that one payment may name: thirty orders with three each are 90
	maxUsable = 200 // coupons, and discounts, that are offered
)

// NotThere is the detail of a fault whose id is not there or not the account's: queries answer it with NOT_FOUND (contract §7).
type NotThere struct{}

// Refuse is the fault of a benefit that cannot be used. Coupon is its index in input.couponIds, −1 is the discount; reason is a key of
// messages.
func Refuse(coupon int, reason string) *fault.Fault {
	f := fault.New("DISCOUNT_NOT_APPLICABLE", "input", "discountId")
	if coupon >= 0 {
		f = fault.New("COUPON_NOT_APPLICABLE", "input", "couponIds", strconv.Itoa(coupon))
	}
	if reason == ReasonUnknown {
		f = f.Because(NotThere{})
	}
	return f.With("reason", messages.Key(reason))
}

// Reason says why a coupon cannot be used for orders in a currency at a time, whatever they are; empty where it can.
func Reason(c models.Coupon, currency string, at time.Time) string {
	switch {
	case c.Currency != currency:
		return ReasonCurrency
	case !at.Before(c.ValidTo):
		return ReasonExpired
	case at.Before(c.ValidFrom):
		return ReasonEarly
	case !c.PaymentID.IsZero():
		return ReasonLocked
	case c.Remaining <= 0:
		return ReasonUsed
	}
	return ""
}

// Chosen reads what a request names, as pricing wants it: the coupons in the order named, the discount or nil, and the price adjustments
// that apply by themselves. No text is no discount. Faults: COUPON_NOT_APPLICABLE at the coupon, DISCOUNT_NOT_APPLICABLE (see Refuse).
func (s *Service) Chosen(ctx context.Context, account models.ID, couponIDs []string, discountID, currency string, at time.Time) (coupons []models.Coupon, discount *models.Discount, adjustments []models.Discount, err error) {
	if coupons, err = s.chosenCoupons(ctx, account, couponIDs, currency, at); err != nil {
		return nil, nil, nil, err
	}
	var id models.ID
	if discountID != "" {
		if id, err = models.Decode(models.PrefixDiscount, discountID); err != nil {
			return nil, nil, nil, Refuse(-1, ReasonUnknown)
		}
	}
	rows, err := s.discounts(ctx, "SELECT "+discountColumns+" FROM discounts WHERE account_id = ? AND (id = ? OR kind = 'PRICE_ADJUSTMENT' AND valid_from <= ? AND valid_to > ?)", account, id, at, at)
	if err != nil {
		return nil, nil, nil, err
	}
	known := id.IsZero()
	for i := range rows {
		d := &rows[i]
		known = known || d.ID == id
		switch {
		case d.ID != id:
			adjustments = append(adjustments, *d)
		case !at.Before(d.ValidTo):
			return nil, nil, nil, Refuse(-1, ReasonExpired)
		case at.Before(d.ValidFrom):
			return nil, nil, nil, Refuse(-1, ReasonEarly)
		case d.Kind == models.DiscountPriceAdjustment: // naming it asks for what is done anyway (HW-R8)
			adjustments = append(adjustments, *d)
		default:
			discount = d
		}
	}
	if !known {
		return nil, nil, nil, Refuse(-1, ReasonUnknown)
	}
	return coupons, discount, adjustments, nil
}

func (s *Service) chosenCoupons(ctx context.Context, account models.ID, texts []string, currency string, at time.Time) ([]models.Coupon, error) {
	if len(texts) > maxChosen {
		return nil, fault.New("COUPON_NOT_APPLICABLE", "input", "couponIds", strconv.Itoa(maxChosen))
	}
	ids := make([]models.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = models.Decode(models.PrefixCoupon, text); err != nil {
			return nil, Refuse(i, ReasonUnknown)
		}
		if slices.Contains(ids[:i], ids[i]) {
			return nil, Refuse(i, ReasonTwice)
		}
	}
	rows, err := s.ByIDs(ctx, account, ids)
	if err != nil {
		return nil, err
	}
	out := make([]models.Coupon, len(ids))
	for i, id := range ids {
		at1 := slices.IndexFunc(rows, func(c models.Coupon) bool { return c.ID == id })
		if at1 < 0 {
			return nil, Refuse(i, ReasonUnknown)
		}
		if reason := Reason(rows[at1], currency, at); reason != "" {
			return nil, Refuse(i, reason)
		}
		out[i] = rows[at1]
	}
	return out, nil
}

// Usable reads what an account could use now, and what it could use if an unfinished payment did not (HW-R10: Reason tells which): coupons,
// discounts to choose from, and price adjustments. Of coupons and of discounts at most 200 are offered, those that end first.
func (s *Service) Usable(ctx context.Context, account models.ID, currency string, at time.Time) (coupons []models.Coupon, discounts, adjustments []models.Discount, err error) {
	coupons, err = s.coupons(ctx, "SELECT "+columns+" FROM coupons WHERE account_id = ? AND valid_to > ? AND valid_from <= ? AND (remaining > 0 OR payment_id IS NOT NULL) AND currency = ? ORDER BY valid_to, id LIMIT "+strconv.Itoa(maxUsable),
		account, at, at, currency)
	if err != nil {
		return nil, nil, nil, err
	}
	rows, err := s.discounts(ctx, "SELECT "+discountColumns+" FROM discounts WHERE account_id = ? AND valid_to > ? AND valid_from <= ? ORDER BY valid_to, id", account, at, at)
	for _, d := range rows {
		switch {
		case d.Kind == models.DiscountPriceAdjustment:
			adjustments = append(adjustments, d)
		case len(discounts) < maxUsable:
			discounts = append(discounts, d)
		}
	}
	return coupons, discounts, adjustments, err
}
