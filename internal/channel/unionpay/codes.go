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

// paymentState judges a payment by its code. What a card's bank says (60 to 89) is of that card, or no refusal at all (70: the cardholder is
// being asked, 83: the bank is still at it), and until payTimeout UnionPay's page takes another card; so only a trade that has failed as a
// whole (01) is over. Everything else that is no success is pending.
func paymentState(code string) channel.State {
	switch {
	case succeeded(code):
		return channel.StatePaid
	case code == notFound:
		return channel.StateNotFound
	case code == failed:
		return channel.StateDeclined
	}
	return channel.StatePending
}

// open: the outcome of a refund with this code is not known yet. 83: the bank is still at it.
func open(code string) bool { return len(code) != 2 || between(code, "02", "09") || code == "83" }

// refundState judges a refund by its code: what is not open is final.
func refundState(code string) channel.State {
	switch {
	case succeeded(code):
		return channel.StateRefunded
	case code == notFound:
		return channel.StateNotFound
	case open(code):
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
	if slices.Contains(atTheDoor, code) || open(code) {
		return askError(code)
	}
	return fmt.Errorf("%w: unionpay %s", channel.ErrDeclined, code)
}
