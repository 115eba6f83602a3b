package paypal

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	sdk "github.com/plutov/paypal/v4"

	"paydesk/internal/channel"
)

// status is the HTTP status of a refusal in PayPal's own form; 0 for anything else.
func status(err error) int {
	var e *sdk.ErrorResponse
	if errors.As(err, &e) && e.Response != nil {
		return e.Response.StatusCode
	}
	return 0
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// refusal is the issue, or else the name, of a refusal with a status of 4xx; its texts and headers are nobody's business.
func refusal(err error) (code string, ok bool) {
	if s := status(err); s < 400 || s >= 500 {
		return "", false
	}
	var e *sdk.ErrorResponse
	errors.As(err, &e)
	code = e.Name
	if len(e.Details) > 0 && e.Details[0].Issue != "" {
		code = e.Details[0].Issue
	}
	if !plain.MatchString(code) {
		code = "REFUSED"
	}
	return code, true
}

func notThere(err error) bool { return status(err) == http.StatusNotFound }

// askError judges a failed call whose refusal says nothing certain of the payment: at the door (token, rights, rate) nothing happened.
func askError(err error) error {
	code, ok := refusal(err)
	switch s := status(err); {
	case ok && (s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusTooManyRequests):
		return fmt.Errorf("%w: paypal %s", channel.ErrUnavailable, code)
	case ok:
		return fmt.Errorf("%w: paypal %s", channel.ErrUnknown, code)
	case s != 0:
		return fmt.Errorf("%w: paypal, HTTP %d", channel.ErrUnknown, s)
	}
	return channel.TransportError(err)
}

// startError judges a refused order. A number that is in use leaves the outcome open.
func startError(err error) error {
	code, ok := refusal(err)
	s := status(err)
	if !ok || s != http.StatusBadRequest && s != http.StatusUnprocessableEntity || slices.Contains([]string{"DUPLICATE_INVOICE_ID", "DUPLICATE_REQUEST_ID"}, code) {
		return askError(err)
	}
	return &channel.Declined{Code: "PAYMENT_DECLINED", Detail: code}
}

// waits: nothing can be captured yet; the payer has not finished.
func waits(code string) bool { return code == "ORDER_NOT_APPROVED" || code == "PAYER_ACTION_REQUIRED" }

// declines are the refusals of a capture that leave nothing to try again (Orders v2, issues of capture).
var declines = []string{"INSTRUMENT_DECLINED", "PAYER_CANNOT_PAY", "TRANSACTION_REFUSED", "PAYMENT_DENIED", "PAYER_ACCOUNT_RESTRICTED", "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
	"PAYER_COUNTRY_NOT_SUPPORTED", "PAYEE_BLOCKED_TRANSACTION", "COMPLIANCE_VIOLATION", "TRANSACTION_LIMIT_EXCEEDED", "TRANSACTION_RECEIVING_LIMIT_EXCEEDED",
	"MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING", "CURRENCY_NOT_SUPPORTED_FOR_COUNTRY", "CARD_EXPIRED"}

func captureError(err error) error {
	if code, ok := refusal(err); ok && slices.Contains(declines, code) {
		return &channel.Declined{Code: "PAYMENT_DECLINED", Detail: code}
	}
	return askError(err)
}

// What a refund that was done already is refused for: its number is used up, or nothing (or too little) is left of the capture.
var (
	repeated  = []string{"DUPLICATE_INVOICE_ID", "DUPLICATE_REFUND"}
	exhausted = []string{"CAPTURE_FULLY_REFUNDED", "CAPTURED_AMOUNT_FULLY_REFUNDED", "REFUND_AMOUNT_EXCEEDED"}
)

// spentBy is the code of a refusal that an earlier call for the same refund may explain.
func spentBy(err error) (code string, ok bool) {
	code, ok = refusal(err)
	return code, ok && (slices.Contains(repeated, code) || slices.Contains(exhausted, code))
}

// refundError judges a refused refund: what PayPal finds wrong with it is certain and the number not used up, unless an earlier call or
// what is on its way may be why.
func refundError(err error) error {
	code, ok := refusal(err)
	_, spent := spentBy(err)
	if ok && !spent && status(err) == http.StatusUnprocessableEntity && code != "DUPLICATE_REQUEST_ID" && code != "PENDING_CAPTURE" {
		return fmt.Errorf("%w: paypal %s", channel.ErrDeclined, code)
	}
	return askError(err)
}
