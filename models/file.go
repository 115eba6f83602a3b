package models

import "time"

// File is something that can be fetched by a signed link; its bytes lie in file_parts.
type File struct {
	AccountID   ID `gorm:"primaryKey"`
	ID          ID `gorm:"primaryKey"`
	Name        string
	ContentType string
	Size        int64
	Hash        []byte     // SHA-256 of the content
	ExpiresAt   *time.Time // when it is swept away; nil: never
	CreatedAt   time.Time
}

// TableName is the table of files.
func (File) TableName() string { return "files" }

// PaymentRequest is a document with which an enterprise asks its own company for the money of orders (HW-25).
type PaymentRequest struct {
	AccountID  ID `gorm:"primaryKey"`
	ID         ID `gorm:"primaryKey"`
	Number     string
	Currency   string
	Total      int64
	FileID     ID
	ValidUntil time.Time
	CreatedBy  string
	CreatedAt  time.Time
}

// TableName is the table of payment requests.
func (PaymentRequest) TableName() string { return "payment_requests" }
