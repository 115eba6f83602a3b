// Package channel is the port through which money comes in, and goes back: one interface that every payment channel's adapter
// fulfils.
package channel

import (
	"context"
	"errors"
	"net/http"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// StartRequest asks a channel for a payment. Number is our merchant order number and the provider's idempotency key:
// asking again with the same number never makes a second charge.
type StartRequest struct {
	Number    string
	Amount    money.Money
	Subject   string    // what the payer reads, in the payer's language
	ExpiresAt time.Time // on the product's clock
	ValidFor  time.Duration
	ReturnURL string // where the payer's browser goes afterwards; empty where nowhere
	NotifyURL string // where the provider reports
	BankCode  string
	Locale    string
}

// Action is what the payer has to do next; exactly one of QR and URL is set.
type Action struct {
	QR     string // content of a QR code
	URL    string
	Method string // GET or POST, with URL
	Fields models.FormFields
}

// RefundRequest asks a channel to send a paid amount back, or a part of it. RefundNumber is ours and the provider's idempotency
// key: asking again with the same number and amount is the same refund, never a second one.
type RefundRequest struct {
	Number       string      // of the payment
	RefundNumber string      // of this refund
	Total        money.Money // what was paid
	Amount       money.Money // what goes back
	Reason       string      // what the payer reads, where the provider shows it
	NotifyURL    string      // where the provider reports
}

// State is what a provider says of a payment, or of a refund.
type State string

// States a provider can report.
const (
	StateNotFound State = "NOT_FOUND" // the provider does not know the number (Alipay: not scanned yet)
	StatePending  State = "PENDING"
	StatePaid     State = "PAID"
	StateClosed   State = "CLOSED"   // unpaid and can no longer be paid
	StateDeclined State = "DECLINED" // the payer or a bank said no; cannot be paid any more

	// Of refunds, beside StateNotFound and StatePending.
	StateRefunded     State = "REFUNDED"      // the money went back
	StateRefundFailed State = "REFUND_FAILED" // it will not go back under this number
)

// Event is a statement of the provider about one payment, or with RefundNumber about one of its refunds, its signature and
// merchant already verified.
type Event struct {
	ID           string // the provider's id of this notification; empty for a query
	Number       string // our merchant order number
	RefundNumber string `json:",omitempty"` // our number of the refund; empty where the payment itself is meant
	Reference    string // the provider's own number of the trade, or of the refund
	State        State
	Amount       money.Money // with StatePaid: what was really paid; with StateRefunded: what really went back
	PaidAt       time.Time
	Detail       string // the provider's code, for the log
}

// Acknowledgement is the exact answer a provider wants once a notification is stored.
type Acknowledgement struct {
	Status      int
	ContentType string
	Body        string
}

// Notification is a provider's call as it came.
type Notification struct {
	Header http.Header
	Body   []byte
}

// Errors of a channel. Anything that is neither Declined nor Unavailable is an unknown outcome: ask again, never assume.
var (
	// ErrUnknown: the call may or may not have taken effect (time-out, broken connection, 5xx).
	ErrUnknown = errors.New("channel: outcome unknown")
	// ErrUnavailable: the provider certainly did nothing (connection refused, breaker open).
	ErrUnavailable = errors.New("channel: not available")
	// ErrDeclined: the provider certainly refused; the payment has failed.
	ErrDeclined = errors.New("channel: declined")
	// ErrAlreadyPaid: a close was refused because the trade is paid.
	ErrAlreadyPaid = errors.New("channel: already paid")
	// ErrForged: a notification with a wrong signature or for another merchant; nothing is booked.
	ErrForged = errors.New("channel: notification refused")
)

// Adapter is one channel. All methods are safe for concurrent use and bounded in time.
type Adapter interface {
	// Channel names it.
	Channel() models.PaymentChannel
	// Start registers the payment with the provider. Errors: ErrUnknown, ErrUnavailable, ErrDeclined.
	Start(ctx context.Context, r StartRequest) (Action, error)
	// Query asks for the state of a number. Errors: ErrUnknown, ErrUnavailable.
	Query(ctx context.Context, number string) (Event, error)
	// Close ends an unpaid trade; closing a closed or unknown one succeeds. Errors: ErrAlreadyPaid, ErrUnknown, ErrUnavailable.
	Close(ctx context.Context, number string) error
	// Refund sends money of a paid trade back; what comes of it may be told later (StatePending). The same number again is the same
	// refund. Errors: ErrUnknown, ErrUnavailable, ErrDeclined.
	Refund(ctx context.Context, r RefundRequest) (Event, error)
	// QueryRefund asks for the state of a refund by the payment's number and its own. Errors: ErrUnknown, ErrUnavailable.
	QueryRefund(ctx context.Context, number, refundNumber string) (Event, error)
	// ParseNotification verifies signature and merchant. Errors: ErrForged.
	ParseNotification(ctx context.Context, n Notification) (Event, error)
	// Acknowledge is the answer for a stored notification, Refuse for a forged one.
	Acknowledge() Acknowledgement
	Refuse() Acknowledgement
}
