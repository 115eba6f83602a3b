// Package channel is the port through which money comes in, and goes back: one interface that every payment channel's adapter
// fulfils.
package channel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

// Ref names a payment, or a refund, to its channel.
type Ref struct {
	Number    string      // ours: the merchant order number
	Reference string      // the provider's own; empty while it is not known
	Amount    money.Money // what was asked for
	MadeAt    time.Time   // when it was written, on the wall clock; the same with every call, for protocols that want it with the number
}

// Display says how the payer gets to the channel, where it knows several ways.
type Display string

// Displays. A channel without a choice has its own and ignores this.
const (
	DisplayQR     Display = "QR_CODE"     // a code that the payer scans; the default
	DisplayPage   Display = "PAGE"        // the provider's page in a desktop browser
	DisplayMobile Display = "MOBILE_PAGE" // the provider's page in a phone's browser, which opens its app
)

// StartRequest asks a channel for a payment. Number is our merchant order number and the provider's idempotency key:
// asking again with the same number never makes a second charge.
type StartRequest struct {
	Ref
	Subject   string    // what the payer reads, in the payer's language
	ExpiresAt time.Time // on the product's clock
	ValidFor  time.Duration
	ReturnURL string // where the payer's browser goes afterwards
	NotifyURL string // where the provider reports
	BankCode  string // chosen before; empty: the provider's page asks
	Locale    string
	Display   Display
	CardToken string // of the card field, where a fresh card pays
	Challenge bool   // 3-D Secure is wanted, whatever the issuer thinks
	PayerIP   string // where the payer's request came from, the same with every call; empty where nobody knows
}

// Action is what the payer has to do next; exactly one of QR and URL is set, or neither where there is nothing to do.
type Action struct {
	QR     string // content of a QR code
	URL    string
	Method string // GET or POST, with URL
	Fields models.FormFields
}

// Started is a channel's answer to a start.
type Started struct {
	Action
	Reference string // the provider's own number, where it has one already; it is kept and given with each later call
	Outcome   *Event // what has come of it already: a card that was charged without 3-D Secure
}

// RefundRequest asks a channel to send a paid amount back, or a part of it. Refund.Number is ours and the provider's idempotency
// key: asking again with the same number and amount is the same refund, never a second one.
type RefundRequest struct {
	Payment   Ref
	Refund    Ref
	Reason    string // what the payer reads, where the provider shows it
	NotifyURL string // where the provider reports
}

// State is what a provider says of a payment, or of a refund.
type State string

// States a provider can report.
const (
	StateNotFound State = "NOT_FOUND" // the provider does not know the number (Alipay: not scanned yet)
	StatePending  State = "PENDING"
	StateApproved State = "APPROVED"  // the payer agreed and nothing was taken: Complete takes it
	StateInReview State = "IN_REVIEW" // the money has left the payer, and the provider has not decided whether it is ours: the payment can neither be given up nor booked
	StatePaid     State = "PAID"
	StateDisputed State = "DISPUTED" // the payer, or a bank, takes paid money back past us (a chargeback, a reversal), or stops doing so; nothing is booked by itself, an operator looks
	StateClosed   State = "CLOSED"   // unpaid and can no longer be paid
	StateDeclined State = "DECLINED" // the payer or a bank said no; cannot be paid any more

	// Of refunds, beside StateNotFound and StatePending.
	StateHeld         State = "HELD"          // it has left us and did not reach the payer: somebody has to settle it at the provider, under the same number
	StateRefunded     State = "REFUNDED"      // the money went back
	StateRefundFailed State = "REFUND_FAILED" // it will not go back under this number
)

// Event is a statement of the provider about one payment, or with RefundNumber about one of its refunds, its signature and
// merchant already verified.
type Event struct {
	ID           string // the provider's id of this notification; empty for a query
	Number       string // our merchant order number; it may be empty with StateDisputed
	RefundNumber string `json:",omitempty"` // our number of the refund; empty where the payment itself is meant
	Reference    string // the provider's own number of the trade, or of the refund
	State        State
	Amount       money.Money // with StatePaid: what was really paid; with StateRefunded: what really went back
	PaidAt       time.Time
	Failure      string `json:",omitempty"` // with StateDeclined: the UserErrorCode that tells the payer; empty is PAYMENT_DECLINED
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
	// ErrAlreadyPaid: a close was refused because the trade is paid, or the payer's money is under review (StateInReview).
	ErrAlreadyPaid = errors.New("channel: already paid")
	// ErrForged: a notification with a wrong signature or for another merchant; nothing is booked.
	ErrForged = errors.New("channel: notification refused")
	// ErrNoStatement: the day's statement is not there yet.
	ErrNoStatement = errors.New("channel: statement not ready")
)

// Declined is an ErrDeclined that says what to tell the payer.
type Declined struct {
	Code   string // a UserErrorCode: PAYMENT_DECLINED, AUTHENTICATION_FAILED
	Detail string // the provider's code, for the log
}

// Error names both codes.
func (d *Declined) Error() string { return fmt.Sprintf("%v: %s (%s)", ErrDeclined, d.Code, d.Detail) }

// Is makes it an ErrDeclined.
func (d *Declined) Is(target error) bool { return target == ErrDeclined }

// Adapter is one channel. All methods are safe for concurrent use and bounded in time.
type Adapter interface {
	// Channel names it.
	Channel() models.PaymentChannel
	// Start registers the payment with the provider. Errors: ErrUnknown, ErrUnavailable, ErrDeclined.
	Start(ctx context.Context, r StartRequest) (Started, error)
	// Query asks for the state of a payment. Errors: ErrUnknown, ErrUnavailable.
	Query(ctx context.Context, p Ref) (Event, error)
	// Complete takes what the payer has agreed to (StateApproved); the same payment again is taken once. Channels that take it by
	// themselves embed Automatic. Errors: ErrUnknown, ErrUnavailable, ErrDeclined.
	Complete(ctx context.Context, p Ref) (Event, error)
	// Close ends an unpaid trade; closing a closed or unknown one succeeds. A channel that cannot close says nil: its trades end by
	// themselves. Errors: ErrAlreadyPaid, ErrUnknown, ErrUnavailable.
	Close(ctx context.Context, p Ref) error
	// Refund sends money of a paid trade back; what comes of it may be told later (StatePending). The same number again is the same
	// refund. Errors: ErrUnknown, ErrUnavailable, ErrDeclined.
	Refund(ctx context.Context, r RefundRequest) (Event, error)
	// QueryRefund asks for the state of a refund. Errors: ErrUnknown, ErrUnavailable.
	QueryRefund(ctx context.Context, p, refund Ref) (Event, error)
	// ParseNotification verifies signature and merchant. Errors: ErrForged.
	ParseNotification(ctx context.Context, n Notification) (Event, error)
	// Acknowledge is the answer for a stored notification, Refuse for a forged one.
	Acknowledge() Acknowledgement
	Refuse() Acknowledgement
	// StatementDay is when the channel's day begins and ends (exclusive).
	StatementDay(day Day) (from, to time.Time)
	// Statement is what the channel says of one of its days. A day without trades is an empty one. Errors: ErrNoStatement (not there
	// yet), ErrUnknown, ErrUnavailable.
	Statement(ctx context.Context, day Day) (Statement, error)
}

// Automatic is for channels that take the money as soon as the payer agrees: there is nothing to complete.
type Automatic struct{}

// Complete is never asked of such a channel.
func (Automatic) Complete(context.Context, Ref) (Event, error) {
	return Event{}, fmt.Errorf("%w: nothing to complete", ErrUnknown)
}

// NotifiesInQuery reports whether the channel may tell us with a GET, its fields in the address, beside a POST.
func NotifiesInQuery(c models.PaymentChannel) bool { return c == models.ChannelTenpay }

// Displays are the ways to get to a channel, the first unless the client chooses.
func Displays(c models.PaymentChannel) []Display {
	switch c {
	case models.ChannelAlipay:
		return []Display{DisplayQR, DisplayPage, DisplayMobile}
	case models.ChannelWeChatPay, models.ChannelQQWallet, models.ChannelHuaweiPay:
		return []Display{DisplayQR}
	}
	return []Display{DisplayPage}
}
