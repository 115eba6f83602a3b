package models

import "time"

// AccountKind says whether a person or a company is the customer.
type AccountKind string

// Kinds of account.
const (
	AccountIndividual AccountKind = "INDIVIDUAL"
	AccountEnterprise AccountKind = "ENTERPRISE"
)

// AccountStatus is the life of an account: ACTIVE → CLOSING (quiet period) → CLOSED.
type AccountStatus string

// Statuses of an account.
const (
	AccountActive  AccountStatus = "ACTIVE"
	AccountClosing AccountStatus = "CLOSING"
	AccountClosed  AccountStatus = "CLOSED"
)

// IdentityStatus says how far real-name verification has come.
type IdentityStatus string

// Statuses of identity verification.
const (
	IdentityUnverified IdentityStatus = "UNVERIFIED"
	IdentityRequired   IdentityStatus = "REQUIRED"
	IdentityInReview   IdentityStatus = "IN_REVIEW"
	IdentityVerified   IdentityStatus = "VERIFIED"
	IdentityRejected   IdentityStatus = "REJECTED"
)

// Account is a customer (or a partner) of the vendor.
type Account struct {
	ID                     ID `gorm:"primaryKey"`
	Number                 string
	Name                   string
	Kind                   AccountKind
	Status                 AccountStatus
	Region                 string
	Country                string
	SigningEntity          string
	Currency               string
	Identity               IdentityStatus
	RealName               string // empty while unverified
	Email                  string
	Phone                  string
	PartnerID              ID // the partner's account; zero where there is none
	AutomaticSettlement    bool
	OperationProtection    bool
	DedicatedAccountNumber string
	RunningResources       int64
	CreatedAt              time.Time
	UpdatedAt              time.Time
}

// TableName is the table of accounts.
func (Account) TableName() string { return "accounts" }

// Balance is the one row that says what an account has; it changes only together with a posting of the same version.
// Available = Cash + CodeMoney; spendable = available + CreditLimit - CreditUsed. Minor units of Currency.
type Balance struct {
	AccountID   ID `gorm:"primaryKey"`
	Currency    string
	Cash        int64 // negative only after a reversal (arrears)
	CodeMoney   int64 // from top-up codes: spendable, not withdrawable
	Frozen      int64
	CreditLimit int64
	CreditUsed  int64
	Version     int64 // grows by one with every posting to the account
	UpdatedAt   time.Time
}

// TableName is the table of balances.
func (Balance) TableName() string { return "balances" }

// Available is what the account owns and may spend now, in minor units.
func (b Balance) Available() int64 { return b.Cash + b.CodeMoney }

// Spendable is Available plus what is left of the credit line, in minor units.
func (b Balance) Spendable() int64 { return b.Available() + b.CreditLimit - b.CreditUsed }
