package resolvers

import (
	"fmt"
	"strings"

	"paydesk/graph/model"
	"paydesk/internal/billing/benefit"
	"paydesk/models"
)

func (v view) coupons(rows []models.Coupon) []*model.Coupon {
	out := make([]*model.Coupon, len(rows))
	for i := range rows {
		out[i] = v.coupon(rows[i])
	}
	return out
}

func (v view) coupon(c models.Coupon) *model.Coupon {
	return &model.Coupon{ID: c.ID.Encode(models.PrefixCoupon), Name: c.Name, Kind: model.CouponKind(c.Kind), Face: v.money(c.Face, c.Currency),
		Remaining: v.money(c.Remaining, c.Currency), MinimumSpend: v.money(c.MinimumSpend, c.Currency), ProductTypes: texts(c.ProductTypes),
		ValidFrom: c.ValidFrom, ValidTo: c.ValidTo}
}

func (v view) discount(d models.Discount) *model.Discount {
	return &model.Discount{ID: d.ID.Encode(models.PrefixDiscount), Name: d.Name, Kind: model.DiscountKind(d.Kind), PercentOff: percentOff(d.Percent),
		ProductTypes: texts(d.ProductTypes), ValidFrom: d.ValidFrom, ValidTo: d.ValidTo}
}

// texts is a list that is never null.
func texts(t models.Texts) []string {
	if t == nil {
		return []string{}
	}
	return t
}

// percentOff writes a percentage as a Decimal without zeros at its end: 125,000 is "12.5".
func percentOff(units int64) string {
	text := fmt.Sprintf("%d.%04d", units/models.PercentScale, units%models.PercentScale)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func couponGrant(in model.GrantCouponsInput) (benefit.Coupons, error) {
	id, err := accountID(in.AccountID, "input", "accountId")
	out := benefit.Coupons{AccountID: id, Name: in.Name, Kind: models.CouponKind(in.Kind), Face: amountOf(in.Face), MinimumSpend: optionalAmount(in.MinimumSpend),
		ProductTypes: in.ProductTypes, ValidFrom: in.ValidFrom, ValidTo: in.ValidTo, Count: in.Count}
	for _, k := range in.NotWithDiscounts {
		out.NotWith = append(out.NotWith, models.DiscountKind(k))
	}
	return out, err
}

func discountGrant(in model.GrantDiscountInput) (benefit.Discount, error) {
	id, err := accountID(in.AccountID, "input", "accountId")
	return benefit.Discount{AccountID: id, Name: in.Name, Kind: models.DiscountKind(orZero(in.Kind)), PercentOff: in.PercentOff,
		ProductTypes: in.ProductTypes, ValidFrom: in.ValidFrom, ValidTo: in.ValidTo}, err
}
