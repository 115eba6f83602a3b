package wechatpay

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"paydesk/internal/channel"
)

// refusal gives the code of an answer in WeChat Pay's error form with a 4xx status. The SDK does not verify the
// signature of such answers, and its own error text holds headers and body: only the code is used.
func refusal(err error) (code string, ok bool) {
	var e *core.APIError
	if !errors.As(err, &e) || e.Code == "" || e.StatusCode < 400 || e.StatusCode >= 500 {
		return "", false
	}
	return e.Code, true
}

// same compares codes without underscores: WeChat Pay writes ORDER_NOT_EXIST and ORDERNOTEXIST.
func same(code, want string) bool {
	return strings.ReplaceAll(code, "_", "") == strings.ReplaceAll(want, "_", "")
}

func notExist(code string) bool { return same(code, "ORDER_NOT_EXIST") }

// unavailable are refusals at the door: our signature, our rate, our configuration; no trade was touched.
func unavailable(code string) bool {
	for _, c := range []string{"SIGN_ERROR", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "MCH_NOT_EXISTS", "APPID_MCHID_NOT_MATCH", "NO_AUTH"} {
		if same(code, c) {
			return true
		}
	}
	return false
}

// ourFault are refusals of a prepay that the payer has no part in: what we sent, or how we are configured, is wrong.
func ourFault(code string) bool { return same(code, "PARAM_ERROR") }

// startError judges a failed prepay. Codes that say the number is known there already leave the outcome open, for that
// trade may be paid: only a query tells.
func startError(err error) error {
	code, ok := refusal(err)
	switch {
	case !ok || unavailable(code):
		return askError(err)
	case ourFault(code):
		return fmt.Errorf("%w: wechatpay %s", channel.ErrUnavailable, code)
	}
	for _, open := range []string{"ORDER_PAID", "OUT_TRADE_NO_USED", "INVALID_REQUEST", "SYSTEM_ERROR", "BANK_ERROR", "USER_PAYING"} {
		if same(code, open) {
			return fmt.Errorf("%w: wechatpay %s", channel.ErrUnknown, code)
		}
	}
	return fmt.Errorf("%w: wechatpay %s", channel.ErrDeclined, code)
}

// askError judges a failed question: it says nothing about the payment.
func askError(err error) error {
	if code, ok := refusal(err); ok {
		if unavailable(code) {
			return fmt.Errorf("%w: wechatpay %s", channel.ErrUnavailable, code)
		}
		return fmt.Errorf("%w: wechatpay %s", channel.ErrUnknown, code)
	}
	var e *core.APIError
	if errors.As(err, &e) {
		if e.StatusCode == http.StatusTooManyRequests {
			return fmt.Errorf("%w: wechatpay, HTTP %d", channel.ErrUnavailable, e.StatusCode)
		}
		return fmt.Errorf("%w: wechatpay, HTTP %d", channel.ErrUnknown, e.StatusCode)
	}
	return channel.TransportError(err)
}
