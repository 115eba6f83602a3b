package models

import "time"

// IdempotencyKey is the truth of a key: unique in its scope, written in the same transaction as the effect.
type IdempotencyKey struct {
	Scope     string `gorm:"primaryKey"` // the token's account, else its sub
	Mutation  string `gorm:"primaryKey"`
	Key       string `gorm:"primaryKey;column:idem_key"`
	InputHash []byte // SHA-256 of the canonical input
	Kind      string // what was created: payment, account, orders
	Ref       ID     // its id
	CreatedAt time.Time
}

// TableName is the table of idempotency keys.
func (IdempotencyKey) TableName() string { return "idempotency_keys" }

// OutboxRow tells the rest of the world, after the commit, what changed; consumers re-read and are idempotent.
// A row is deleted once it is published: what is there is what still has to be told.
type OutboxRow struct {
	ID        ID     `gorm:"primaryKey"`
	AccountID ID     // whose change it is; zero where it is nobody's
	Topics    string // space-separated live topics to wake
	CreatedAt time.Time
}

// TableName is the table of the outbox.
func (OutboxRow) TableName() string { return "outbox" }

// InboxRow is a provider's notification exactly as it came; acknowledged only when stored, applied once.
type InboxRow struct {
	ID         ID `gorm:"primaryKey"`
	Channel    PaymentChannel
	DedupKey   string // channel's notification id or SHA-256 of the body: a replay finds its row
	Headers    string // JSON of the provider's own headers: evidence for an operator
	Body       []byte // whole; of what was refused, its beginning
	Event      string // JSON of what the adapter verified: signatures grow too old to be checked again
	Verdict    string // RECEIVED (not yet applied), REFUSED (evidence alone), or what became of it: a payment.Verdict
	Number     string // merchant order number, once parsed
	Attempts   int64
	NextAt     *time.Time // when it is tried again; NULL when done
	ReceivedAt time.Time
}

// TableName is the table of the inbox.
func (InboxRow) TableName() string { return "inbox" }

// SuspenseItem is money that no rule could place, shown to the operator.
type SuspenseItem struct {
	ID        ID `gorm:"primaryKey"`
	AccountID ID // whose payment named it; zero where unknown
	PaymentID ID
	Channel   PaymentChannel
	Currency  string
	Amount    int64
	Reason    string
	Reference string // unique: the provider's number, booked once
	CreatedAt time.Time
}

// TableName is the table of suspense items.
func (SuspenseItem) TableName() string { return "suspense_items" }

// Setting is a small value that all instances share: the development clock's offset, keys of development and sandbox.
type Setting struct {
	Name      string `gorm:"primaryKey"`
	Value     string
	UpdatedAt time.Time
}

// TableName is the table of settings.
func (Setting) TableName() string { return "settings" }
