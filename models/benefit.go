package models

import "time"

// CouponKind is how a coupon counts (C7).
type CouponKind string

// Kinds of coupons.
const (
	CouponCash    CouponKind = "CASH"            // several on an order, applied last
	CouponVoucher CouponKind = "DISCOUNT_AMOUNT" // one on an order
)

// DiscountKind is where a discount comes from (HW-R8).
type DiscountKind string

// Kinds of discounts.
const (
	DiscountCommercial      DiscountKind = "COMMERCIAL"
	DiscountPromotion       DiscountKind = "PROMOTION"
	DiscountPartnerGranted  DiscountKind = "PARTNER_GRANTED"
	DiscountPriceAdjustment DiscountKind = "PRICE_ADJUSTMENT" // applied without being chosen
)

// Texts is a list of keys in a column: JSON, for it is always read whole.
type Texts []string

// Coupon is money off orders (HW-R10 to HW-R15). What a payment uses leaves Remaining at once; while that payment is unfinished the
// coupon is locked to it, and what a payment that ends otherwise had taken comes back.
type Coupon struct {
	AccountID    ID `gorm:"primaryKey"`
	ID           ID `gorm:"primaryKey"`
	GrantID      ID // the grantCoupons call that brought it
	Name         string
	Kind         CouponKind
	Currency     string
	Face         int64
	Remaining    int64
	MinimumSpend int64 // of what it fits, after discounts; 0 for any
	ProductTypes Texts `gorm:"type:text"` // empty: all
	NotWith      Texts `gorm:"type:text"` // kinds of discount it may not stand beside
	ValidFrom    time.Time
	ValidTo      time.Time // exclusive
	PaymentID    ID        // the unfinished payment it is locked to; zero where it is free
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// TableName is the table of coupons.
func (Coupon) TableName() string { return "coupons" }

// Discount takes a percentage off each order it fits (HW-R8).
type Discount struct {
	AccountID    ID `gorm:"primaryKey"`
	ID           ID `gorm:"primaryKey"`
	Name         string
	Kind         DiscountKind
	Percent      int64 // ten-thousandths of a percent: 12.5 % is 125,000
	ProductTypes Texts `gorm:"type:text"` // empty: all
	ValidFrom    time.Time
	ValidTo      time.Time // exclusive
	CreatedAt    time.Time
}

// TableName is the table of discounts.
func (Discount) TableName() string { return "discounts" }

// PercentScale is how many units of Discount.Percent one percent has.
const PercentScale = 10_000

// PaymentCoupon is what a payment takes of a coupon for one order.
type PaymentCoupon struct {
	AccountID ID `gorm:"primaryKey"`
	PaymentID ID `gorm:"primaryKey"`
	CouponID  ID `gorm:"primaryKey"`
	OrderID   ID `gorm:"primaryKey"`
	Amount    int64
	Returned  int64 // what a refund gave back to the coupon
	CreatedAt time.Time
}

// TableName is the table of payments' coupons.
func (PaymentCoupon) TableName() string { return "payment_coupons" }
