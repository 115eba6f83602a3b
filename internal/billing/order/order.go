// Package order keeps what customers have bought and have to pay for: orders are placed by the vendor's order centre,
// reviewed, listed, canceled, held and taken by payments, delivered, and expire.
package order

import (
	"time"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/notify"
)

// Rules are the policy's values for orders.
type Rules struct {
	Validity time.Duration // how long an order may be paid that says nothing itself (D4): 7 days
}

// Service is safe for concurrent use.
type Service struct {
	db    *database.DB
	clock clock.Clock
	keys  *idempotency.Store
	rules Rules
	desk  *notify.Desk
}

// New makes the service. Letters about decisions go through the desk.
func New(db *database.DB, desk *notify.Desk, c clock.Clock, keys *idempotency.Store, rules Rules) *Service {
	return &Service{db: db, clock: c, keys: keys, rules: rules, desk: desk}
}
