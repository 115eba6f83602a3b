package huaweipay

import (
	"fmt"
	"slices"
	"strings"

	"paydesk/internal/channel"
)

// Result codes. 100000 (rights), 200000 to 200002 (parameters and signature of the header) and 300000 (rate) are refusals at the door;
// 500000 leaves the outcome open.
const (
	success  = "000000"
	business = "400000" // subCode says what
)

// notExist: the order is not known there, or no wallet has opened it yet. The suffix takes refunds as well.
func notExist(code string) bool {
	return strings.HasPrefix(code, business) && strings.HasSuffix(code, "_NOT_EXIST")
}

// atTheDoor are refusals of us, not of this order: nothing was touched.
func atTheDoor(code string) bool {
	switch result, sub, _ := strings.Cut(code, " "); result {
	case "100000", "200000", "200002", "300000":
		return true
	case "200001":
		return sub != "INVALID_DUPLICATE_REQUEST" // the first one may have been taken
	case business:
		return slices.Contains([]string{"INVALID_MERCNO", "INVALID_APPID", "NO_MATCH_MATCHING_PRODUCT"}, sub)
	}
	return false
}

// startError judges a failed pre-order. CHECK_ORDER_STATUS says that the number is known there already, perhaps paid: only a query tells.
func startError(err error) error {
	code, ok := refused(err)
	result, sub, _ := strings.Cut(code, " ")
	if !ok || atTheDoor(code) || result != business || slices.Contains([]string{"", "UNKNOW_ERROR", "CHECK_ORDER_STATUS"}, sub) {
		return askError(err)
	}
	return fmt.Errorf("%w: huaweipay %s", channel.ErrDeclined, code)
}

// refundError judges a failed refund: few refusals are certain; with others it is asked for again under the same number, as Huawei Pay
// advises. RETRY_TOO_MANY wants another number: under this one nothing more will come of it.
func refundError(err error) error {
	code, ok := refused(err)
	certain := slices.Contains([]string{"INVALID_ARGUMENTS", "CHECK_AMOUNT_INVALID", "NOT_IN_VALIDITY_PERIOD", "REJECTED_BY_RISK_CONTROL", "RETRY_TOO_MANY"}, strings.TrimPrefix(code, business+" "))
	if ok && (certain || notExist(code)) {
		return fmt.Errorf("%w: huaweipay %s", channel.ErrDeclined, code)
	}
	return askError(err)
}

// askError judges a failed question: it says nothing about the payment.
func askError(err error) error {
	code, ok := refused(err)
	switch {
	case !ok:
		return err // classified already
	case atTheDoor(code):
		return fmt.Errorf("%w: huaweipay %s", channel.ErrUnavailable, code)
	}
	return fmt.Errorf("%w: huaweipay %s", channel.ErrUnknown, code)
}
