package models

import "time"

// RefundStatus is where a refund stands.
type RefundStatus string

// Statuses of a refund; the last two are never left.
const (
	RefundProcessing RefundStatus = "PROCESSING"
	RefundSucceeded  RefundStatus = "SUCCEEDED"
	RefundFailed     RefundStatus = "FAILED"
)

// Refund is money of a payment that goes back, each part to where it came from (D10). Amount = BalanceAmount + OnlineAmount +
// PartnerAmount; one that failed counts for nothing.
type Refund struct {
	AccountID        ID     `gorm:"primaryKey"`
	ID               ID     `gorm:"primaryKey"`
	Number           string // what the channel is given: its idempotency key for the refund
	PaymentID        ID
	OrderID          ID // the order whose share it is; zero where all orders give in proportion
	Currency         string
	Amount           int64
	BalanceAmount    int64
	OnlineAmount     int64
	PartnerAmount    int64
	Status           RefundStatus
	Reason           string
	Channel          PaymentChannel // empty without a part that goes through one
	ChannelReference string
	CreatedBy        string
	CreatedAt        time.Time
	CompletedAt      *time.Time
	SweepAt          *time.Time // when the channel is asked next; NULL where nothing is open
	SweepCount       int64
}

// TableName is the table of refunds.
func (Refund) TableName() string { return "refunds" }

// RefundOrder is an order's share of a refund.
type RefundOrder struct {
	AccountID ID `gorm:"primaryKey"`
	RefundID  ID `gorm:"primaryKey"`
	OrderID   ID `gorm:"primaryKey"`
	Amount    int64
	CreatedAt time.Time
}

// TableName is the table of refunds' shares.
func (RefundOrder) TableName() string { return "refund_orders" }
