package tenpay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"paydesk/internal/channel"
)

const success = "SUCCESS"

// refused is the code of a proven refusal; empty where it is none.
func refused(out fields) string {
	if out["result_code"] == success {
		return ""
	}
	return cmp.Or(code(out["err_code"]), code(out["retcode"]), "NO_CODE")
}

// same compares codes without underscores: the family writes ORDER_NOT_EXIST and ORDERNOTEXIST.
func same(code string, wants ...string) bool {
	bare := func(s string) string { return strings.ReplaceAll(s, "_", "") }
	return slices.ContainsFunc(wants, func(want string) bool { return bare(code) == bare(want) })
}

// unavailable are refusals at the door: our signature, rights, rate or configuration; no trade was touched.
func unavailable(code string) bool {
	return same(code, "SIGNERROR", "NOAUTH", "MCHID_NOT_EXIST", "APPID_NOT_EXIST", "APPID_MCHID_NOT_MATCH", "FREQUENCY_LIMITED", "REQUIRE_POST_METHOD", "XML_FORMAT_ERROR")
}

// unsigned tells by its text that a request was refused for our signature: that refusal has no code of its own.
func unsigned(message string) bool { return strings.Contains(message, "签名") }

// doorError judges return_code FAIL: unproven, so only what says that it never came through the door is sure.
func doorError(out fields) error {
	why := cmp.Or(code(out["err_code"]), code(out["retcode"]), "FAIL")
	if unsigned(out["return_msg"]) || unsigned(out["retmsg"]) || unavailable(why) {
		return fmt.Errorf("%w: qq wallet %s", channel.ErrUnavailable, why)
	}
	return fmt.Errorf("%w: qq wallet %s", channel.ErrUnknown, why)
}

// askError judges a refused question: it says nothing about the payment.
func askError(why string) error {
	if unavailable(why) {
		return fmt.Errorf("%w: qq wallet %s", channel.ErrUnavailable, why)
	}
	return fmt.Errorf("%w: qq wallet %s", channel.ErrUnknown, why)
}

// startError judges a refused order. Codes that say the number is known there leave the outcome open, for that trade may be paid.
func startError(why string) error {
	if unavailable(why) || same(why, "ORDERPAID", "OUT_TRADE_NO_USED", "USERPAYING", "SYSTEMERROR", "BANKERROR", "NO_CODE") {
		return askError(why)
	}
	return fmt.Errorf("%w: qq wallet %s", channel.ErrDeclined, why)
}

// refundError judges a refused refund. What is known there under the number with another amount is only told by a query.
func refundError(why string) error {
	if unavailable(why) || same(why, "SYSTEMERROR", "BANKERROR", "BIZERR_NEED_RETRY", "REFUND_FEE_MISMATCH", "NO_CODE") {
		return askError(why)
	}
	return fmt.Errorf("%w: qq wallet %s", channel.ErrDeclined, why)
}
