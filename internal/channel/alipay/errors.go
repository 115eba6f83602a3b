package alipay

import (
	"errors"
	"fmt"
	"strings"

	sdk "github.com/smartwalle/alipay/v3"

	"paydesk/internal/channel"
)

// Codes of alipay.trade.* that decide something here.
const (
	tradeNotExist = "ACQ.TRADE_NOT_EXIST"
	tradeHasClose = "ACQ.TRADE_HAS_CLOSE"
)

// callError is for calls without a verified answer. The SDK returns an unsigned answer as its Error: who sent it is not
// proven, so it never decides a payment; only what the gateway refuses at the door did certainly nothing.
func callError(err error) error {
	var e *sdk.Error
	if errors.As(err, &e) && e != nil {
		if atTheDoor(*e) {
			return fmt.Errorf("%w: alipay %s", channel.ErrUnavailable, code(*e))
		}
		return fmt.Errorf("%w: alipay, unsigned %s", channel.ErrUnknown, code(*e))
	}
	return channel.TransportError(err)
}

// startError is for a signed refusal of precreate.
func startError(e sdk.Error) error {
	switch {
	case atTheDoor(e), ourFault(e):
		return fmt.Errorf("%w: alipay %s", channel.ErrUnavailable, code(e))
	case undecided(e), e.SubCode == "ACQ.TRADE_HAS_SUCCESS", e.SubCode == "ACQ.CONTEXT_INCONSISTENT":
		// The number is known there already, perhaps paid: only a query tells.
		return fmt.Errorf("%w: alipay %s", channel.ErrUnknown, code(e))
	}
	return fmt.Errorf("%w: alipay %s", channel.ErrDeclined, code(e))
}

// queryError is for a signed refusal of a question: it says nothing about the payment.
func queryError(e sdk.Error) error {
	if atTheDoor(e) {
		return fmt.Errorf("%w: alipay %s", channel.ErrUnavailable, code(e))
	}
	return fmt.Errorf("%w: alipay %s", channel.ErrUnknown, code(e))
}

// atTheDoor: the gateway refused the request before any trade was touched: our signature, application, rights or rate.
func atTheDoor(e sdk.Error) bool {
	switch e.Code {
	case sdk.CodeInvalidAuthToken, sdk.CodeCallLimited, sdk.CodePermissionDenied:
		return true
	case sdk.CodeMissingParam, sdk.CodeInvalidParam:
		return strings.Contains(e.SubCode, "signature") || strings.Contains(e.SubCode, "app-id") ||
			strings.Contains(e.SubCode, "timestamp") || strings.Contains(e.SubCode, "method")
	}
	return false
}

// ourFault are refusals of a start that the payer has no part in: a product that was not signed up for, a parameter, our application
// or our account.
func ourFault(e sdk.Error) bool {
	switch e.SubCode {
	case "ACQ.ACCESS_FORBIDDEN", "ACQ.INVALID_PARAMETER", "ACQ.PARTNER_ERROR", "ACQ.SELLER_BEEN_BLOCKED":
		return true
	}
	return e.Code == sdk.CodeMissingParam || e.Code == sdk.CodeInvalidParam
}

// undecided: Alipay itself does not know what came of it.
func undecided(e sdk.Error) bool {
	return e.Code == sdk.CodeUnknowError || e.Code == sdk.CodeOrderSuccessPayInProcess || e.Code == "" ||
		strings.HasSuffix(e.SubCode, "SYSTEM_ERROR") || strings.HasPrefix(e.SubCode, "aop.")
}

// code is what may stand in a log: the provider's codes, not its text.
func code(e sdk.Error) string {
	if e.SubCode == "" {
		return string(e.Code)
	}
	return string(e.Code) + " " + e.SubCode
}
