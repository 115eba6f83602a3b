package unionpay

import (
	"fmt"
	"slices"

	"paydesk/internal/channel"
)

// Codes (respCode of a message, origRespCode of the trade that was asked for) that decide something here.
const (
	accepted  = "00"
	flawed    = "A6" // success with a flaw
	failed    = "01"
	duplicate = "12"
	notFound  = "34"
)

// atTheDoor are refusals before any trade was touched: system closed, our signature, our merchant account, its rights, too many
// questions, out of hours.
var atTheDoor = []string{"02", "11", "31", "32", "37", "39"}

func succeeded(code string) bool { return code == accepted || code == flawed }

// between: a code of two digits in a range.
func between(code, from, to string) bool { return len(code) == 2 && from <= code && code <= to }

// paymentState judges a payment by its code. A refusal by the cardholder's bank (60 to 89), or as a whole, ends it; everything else that
// is no success may still change until payTimeout, so it is pending.
func paymentState(code string) channel.State {
	switch {
	case succeeded(code):
		return channel.StatePaid
	case code == notFound:
		return channel.StateNotFound
	case code == failed, between(code, "60", "89"):
		return channel.StateDeclined
	}
	return channel.StatePending
}

// refundState judges a refund by its code: 02 to 09 are not known yet, every other code is final.
func refundState(code string) channel.State {
	switch {
	case succeeded(code):
		return channel.StateRefunded
	case code == notFound:
		return channel.StateNotFound
	case len(code) != 2, between(code, "02", "09"):
		return channel.StatePending
	}
	return channel.StateRefundFailed
}

// askError is for a question that was refused: it says nothing about what was asked for.
func askError(code string) error {
	if slices.Contains(atTheDoor, code) {
		return fmt.Errorf("%w: unionpay %s", channel.ErrUnavailable, code)
	}
	return fmt.Errorf("%w: unionpay %s", channel.ErrUnknown, code)
}

// refundError is for a refund that was refused at once.
func refundError(code string) error {
	if slices.Contains(atTheDoor, code) || len(code) != 2 || between(code, "03", "09") {
		return askError(code)
	}
	return fmt.Errorf("%w: unionpay %s", channel.ErrDeclined, code)
}
