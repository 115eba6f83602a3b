package models

import "time"

// OrderStatus is the life of an order.
type OrderStatus string

// Statuses of an order.
const (
	OrderPendingReview       OrderStatus = "PENDING_REVIEW"
	OrderPendingConfirmation OrderStatus = "PENDING_CONFIRMATION"
	OrderPendingPayment      OrderStatus = "PENDING_PAYMENT"
	OrderProcessing          OrderStatus = "PROCESSING"
	OrderCompleted           OrderStatus = "COMPLETED"
	OrderDeliveryFailed      OrderStatus = "DELIVERY_FAILED"
	OrderCanceled            OrderStatus = "CANCELED"
	OrderExpired             OrderStatus = "EXPIRED"
	OrderRefunded            OrderStatus = "REFUNDED"
)

// ChargingMode says whether an order is paid before or after use.
type ChargingMode string

// Charging modes.
const (
	Prepaid  ChargingMode = "PREPAID"
	Postpaid ChargingMode = "POSTPAID"
)

// Order is something the customer bought and has to pay for. Amounts in minor units of Currency.
type Order struct {
	AccountID       ID `gorm:"primaryKey"`
	ID              ID `gorm:"primaryKey"`
	Number          string
	Status          OrderStatus
	Type            string // NEW_PURCHASE, RENEWAL, …
	ProductType     string
	ChargingMode    ChargingMode
	Currency        string
	ListAmount      int64
	AmountDue       int64 // before coupons and discounts
	Paid            int64
	BundleID        ID // orders with the same bundle are paid together or not at all; zero where it stands alone
	PlacementID     ID // the placeOrders call that brought it
	OutsideContract bool
	ActivePaymentID ID         // the unfinished payment that holds this order; zero where it is free
	Items           OrderItems `gorm:"type:text"` // JSON: items never change and are always read with their order
	CreatedAt       time.Time
	ExpiresAt       *time.Time
	UpdatedAt       time.Time
}

// TableName is the table of orders.
func (Order) TableName() string { return "orders" }

// OrderItem is one line of an order; Amount is the line's, not a unit's, in minor units.
type OrderItem struct {
	ID            ID     `json:"-"`
	Name          string `json:"name"`
	Specification string `json:"spec,omitempty"`
	Quantity      int    `json:"qty"`
	Period        string `json:"period,omitempty"`
	Amount        int64  `json:"amount"`
}
