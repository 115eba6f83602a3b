package models

import "time"

// TransactionKind is the kind of a statement line.
type TransactionKind string

// Kinds of statement lines.
const (
	KindTopUp        TransactionKind = "TOP_UP"
	KindTopUpCode    TransactionKind = "TOP_UP_CODE"
	KindRemittance   TransactionKind = "REMITTANCE"
	KindOrderPayment TransactionKind = "ORDER_PAYMENT"
	KindBillPayment  TransactionKind = "BILL_PAYMENT"
	KindFreeze       TransactionKind = "FREEZE"
	KindUnfreeze     TransactionKind = "UNFREEZE"
	KindRefund       TransactionKind = "REFUND"
	KindWithdrawal   TransactionKind = "WITHDRAWAL"
	KindLatePayment  TransactionKind = "LATE_PAYMENT"
	KindAdjustment   TransactionKind = "ADJUSTMENT"
)

// Posting is one leg of a journal entry; the legs of an entry (same EntryID) sum to zero per currency. Append-only.
// Legs of book "customer" carry Seq (= the balance's version) and what the account had after them; they are its statement.
// Platform books ("clearing:ALIPAY", "revenue", "suspense:…") are sums of their postings and have no row to lock.
type Posting struct {
	AccountID       ID `gorm:"primaryKey"`
	ID              ID `gorm:"primaryKey"`
	EntryID         ID
	Reference       string // unique together with Leg: the same business event cannot post twice
	Leg             int64
	Book            string
	Kind            TransactionKind
	Currency        string
	Amount          int64 // signed; in book customer: what it did to available less credit used
	Seq             *int64
	CashAfter       int64
	CodeMoneyAfter  int64
	FrozenAfter     int64
	CreditUsedAfter int64
	PaymentID       ID
	OrderID         ID
	PostedAt        time.Time
}

// Freeze is money that a balance has set aside: for a payment that waits for its channel, or for a POSTPAID order. CodeMoney is the
// part that was code money and becomes that again; what is left of Amount was cash or credit. It ends once, by a charge or a release.
type Freeze struct {
	AccountID ID     `gorm:"primaryKey"`
	Reference string `gorm:"primaryKey"` // "pay:<id>", "order:<id>"
	Currency  string
	Amount    int64
	CodeMoney int64
	Charged   int64 // of a POSTPAID order: what settleFreeze charged when it ended
	PaymentID ID
	OrderID   ID
	CreatedAt time.Time
	EndedAt   *time.Time // NULL while the money is frozen
}

// TableName is the table of freezes.
func (Freeze) TableName() string { return "freezes" }

// TableName is the table of postings.
func (Posting) TableName() string { return "postings" }

// BalanceAfter is what the account had after this posting: available less credit used, in minor units.
func (p Posting) BalanceAfter() int64 { return p.CashAfter + p.CodeMoneyAfter - p.CreditUsedAfter }

// Books of the ledger. A channel's clearing account is BookClearing + channel.
const (
	BookCustomer = "customer"
	BookFrozen   = "customer_frozen"
	BookRevenue  = "revenue"
	BookClearing = "clearing:"
	BookSuspense = "suspense:"
	// BookRefunding + channel is what is on its way back through a channel: asked for, and not yet told to have arrived.
	BookRefunding = "refunding:"
)
