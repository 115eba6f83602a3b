package models

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// Prefixes of ids of reconciliations and differences outside.
const (
	PrefixReconciliation = "rcn"
	PrefixDifference     = "dif"
)

// ReconciliationStatus is how far the comparison of a channel's day has got.
type ReconciliationStatus string

// Statuses of a reconciliation.
const (
	ReconciliationRunning   ReconciliationStatus = "RUNNING"
	ReconciliationClean     ReconciliationStatus = "CLEAN"     // no difference waits for a person
	ReconciliationDifferent ReconciliationStatus = "DIFFERENT" // some do
	ReconciliationFailed    ReconciliationStatus = "FAILED"    // there was no statement; it is tried again
)

// ReconciliationClass says how a movement of a statement compares with the ledger.
type ReconciliationClass string

// Classes.
const (
	ClassMatched       ReconciliationClass = "MATCHED"
	ClassAmountDiffers ReconciliationClass = "AMOUNT_DIFFERS"
	ClassOnlyOurs      ReconciliationClass = "ONLY_OURS"
	ClassOnlyTheirs    ReconciliationClass = "ONLY_THEIRS"
	ClassStateDiffers  ReconciliationClass = "STATE_DIFFERS"
	ClassLate          ReconciliationClass = "LATE" // on another day, or awaited in the next statement
)

// Classes are all of them, in the order of the contract.
var Classes = []ReconciliationClass{ClassMatched, ClassAmountDiffers, ClassOnlyOurs, ClassOnlyTheirs, ClassStateDiffers, ClassLate}

// MovementKind is the direction of money.
type MovementKind string

// Kinds of movements.
const (
	MovementPayment MovementKind = "PAYMENT" // to us
	MovementRefund  MovementKind = "REFUND"  // back
)

// Reconciliation is a channel's day that was compared with the ledger; (Channel, Day) is unique.
type Reconciliation struct {
	ID          ID `gorm:"primaryKey"`
	Channel     PaymentChannel
	Day         string // 2026-11-21, as the channel reckons it
	Status      ReconciliationStatus
	StartedAt   time.Time
	CompletedAt *time.Time // NULL while it runs, and where it failed
	Runs        int64
	FileHash    string // SHA-256 of the statement; empty while none was imported
	TheirsCount int64  // lines of the statement
	OursCount   int64  // movements of the ledger
	Note        string // why it failed, or what is left for a later run
	Counts      ClassCounts
}

// TableName is the table of reconciliations.
func (Reconciliation) TableName() string { return "reconciliations" }

// ClassCount is how many movements of a class there were and what they moved: what came in less what went back, in minor units.
type ClassCount struct {
	Class    ReconciliationClass `json:"class"`
	Currency string              `json:"currency"`
	Count    int64               `json:"count"`
	Amount   int64               `json:"amount"`
}

// ClassCounts are stored as JSON.
type ClassCounts []ClassCount

// Value stores counts.
func (c ClassCounts) Value() (driver.Value, error) {
	if c == nil {
		return nil, nil
	}
	text, err := json.Marshal([]ClassCount(c))
	return string(text), err
}

// Scan reads counts.
func (c *ClassCounts) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = nil
		return nil
	case []byte:
		return json.Unmarshal(v, c)
	case string:
		return json.Unmarshal([]byte(v), c)
	}
	return fmt.Errorf("models: counts from %T", src)
}

// StatementLine is one line of a channel's statement as it was imported.
type StatementLine struct {
	Channel      PaymentChannel `gorm:"primaryKey"`
	Day          string         `gorm:"primaryKey"`
	LineKey      string         `gorm:"primaryKey"` // kind, number and reference; a repeated line has its count behind it
	Number       string
	RefundNumber string // empty of a payment
	Reference    string
	Currency     string
	Amount       int64
	Fee          int64
	State        string
	At           time.Time
	Raw          string
	ImportedAt   time.Time
}

// TableName is the table of imported lines.
func (StatementLine) TableName() string { return "statement_lines" }

// Difference is a movement that did not match at once. It waits for a person while ResolvedAt is NULL and Class is not LATE.
type Difference struct {
	ID           ID `gorm:"primaryKey"`
	Channel      PaymentChannel
	Day          string
	LineKey      string // of the movement; unique within the day
	Class        ReconciliationClass
	Kind         MovementKind
	Number       string
	RefundNumber string
	Reference    string
	AccountID    ID // zero where nobody's is known
	PaymentID    ID
	Currency     string
	Ours         *int64
	Theirs       *int64
	OursState    string
	TheirsState  string
	Evidence     string
	Repaired     bool
	FoundAt      time.Time
	ResolvedAt   *time.Time
	ResolvedBy   string // the token's sub; empty where a comparison closed it
	Resolution   string
}

// TableName is the table of differences.
func (Difference) TableName() string { return "differences" }
