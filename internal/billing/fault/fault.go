// Package fault holds the failures of the business: outcomes a person can act on, as data, and the few refusals of a request.
package fault

import (
	"errors"
	"strings"

	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Fault is an outcome that a person can act on. Code is a UserErrorCode of the schema.
type Fault struct {
	Code   string
	Field  []string       // path into the input
	Args   map[string]any // what the message names
	Detail any            // InsufficientBalance, OrdersNotPayable, … ; nil for a plain InputError
}

// New makes a fault; field is the path into the input.
func New(code string, field ...string) *Fault { return &Fault{Code: code, Field: field} }

// With adds what the message names and returns the same fault.
func (f *Fault) With(key string, value any) *Fault {
	if f.Args == nil {
		f.Args = map[string]any{}
	}
	f.Args[key] = value
	return f
}

// Because adds typed detail and returns the same fault.
func (f *Fault) Because(detail any) *Fault { f.Detail = detail; return f }

// Error is for logs; people read the message of the catalogue.
func (f *Fault) Error() string {
	if len(f.Field) == 0 {
		return f.Code
	}
	return f.Code + " at " + strings.Join(f.Field, ".")
}

// As finds a fault in an error's chain; a refused idempotency key is one too.
func As(err error) (*Fault, bool) {
	var f *Fault
	if errors.As(err, &f) {
		return f, true
	}
	var r idempotency.Refusal
	if errors.As(err, &r) {
		return New(string(r), "input", "idempotencyKey"), true
	}
	return nil, false
}

// Is reports whether the error is a fault with this code.
func Is(err error, code string) bool {
	f, ok := As(err)
	return ok && f.Code == code
}

// InsufficientBalance says what there is, what is needed and what is missing (HW-24).
type InsufficientBalance struct{ Available, Required, Shortfall money.Money }

// Blocked is an order that cannot be paid now, and why.
type Blocked struct {
	Order models.Order
	Code  string
}

// OrdersNotPayable lists what stands in the way of a payment and what could go on without it (HW-14 to HW-17).
type OrdersNotPayable struct {
	Blocked   []Blocked
	Remaining []models.Order
}

// VerificationRequired says how a code for the scene can reach the person (VERIFICATION_REQUIRED).
type VerificationRequired struct {
	Scene      models.VerificationScene
	Deliveries []VerificationDelivery
}

// VerificationDelivery is one way for a code to reach the person. Target is masked; empty for TOTP, where nothing is sent.
type VerificationDelivery struct {
	Kind   models.VerificationKind
	Target string
}

// Refusals of a request: top-level errors, not data.
var (
	// ErrUnauthenticated: the request carries no valid token.
	ErrUnauthenticated = errors.New("sign in to use this")
	// ErrForbidden: the role does not allow it.
	ErrForbidden = errors.New("your role does not allow this")
	// ErrNotFound: nothing with this id for the caller.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: a store is down; a retry may work.
	ErrUnavailable = errors.New("temporarily unavailable, try again")
)

// BadInput is a malformed request: BAD_USER_INPUT with its text shown to the client.
type BadInput string

func (b BadInput) Error() string { return string(b) }
