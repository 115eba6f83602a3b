package models

import "time"

// VerificationScene is what a code is good for.
type VerificationScene string

// Scenes.
const (
	SceneCombinedPayment VerificationScene = "COMBINED_PAYMENT"
	SceneWithdrawal      VerificationScene = "WITHDRAWAL"
	SceneSettings        VerificationScene = "SETTINGS"
)

// VerificationKind is how a code reaches the person.
type VerificationKind string

// Kinds of delivery.
const (
	CodeBySMS   VerificationKind = "SMS"
	CodeByEmail VerificationKind = "EMAIL"
	CodeByTOTP  VerificationKind = "TOTP"
)

// VerificationCode is a code that was sent (D2): only its hash is kept.
type VerificationCode struct {
	AccountID ID     `gorm:"primaryKey"`
	ID        ID     `gorm:"primaryKey"`
	UserID    string // the token's sub
	Scene     VerificationScene
	Kind      VerificationKind
	Hash      []byte // HMAC-SHA-256 of the code, its id and the person, with the installation's key
	Terms     []byte // SHA-256 of the orders and amounts it is good for; NULL for any of the scene
	Tries     int64  // wrong ones
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// TableName is the table of verification codes.
func (VerificationCode) TableName() string { return "verification_codes" }

// Authenticator is a person's authenticator app (RFC 6238); it belongs to the token's sub, whatever the account. Its times are the
// wall clock's, as its codes are.
type Authenticator struct {
	UserID      string `gorm:"primaryKey"`
	Secret      []byte // sealed; NULL until the first code was confirmed
	Pending     []byte // sealed: one that was begun and takes the place of Secret with its first code
	ConfirmedAt *time.Time
	LastStep    int64 // the newest time step whose code was taken: none is taken twice
	Tries       int64 // wrong codes since TriesSince
	TriesSince  time.Time
	CreatedAt   time.Time
}

// TableName is the table of authenticators.
func (Authenticator) TableName() string { return "authenticators" }
