package alipay

import (
	"errors"
	"strings"
	"testing"

	sdk "github.com/smartwalle/alipay/v3"

	"paydesk/internal/channel"
)

// Lesson 1: only a certain refusal ends a refund; whatever leaves its outcome open is asked for later.
func TestRefundErrors(t *testing.T) {
	for _, c := range []struct {
		code, sub string
		want      error
	}{
		{"20000", "isp.unknow-error", channel.ErrUnknown},
		{"40004", "ACQ.SYSTEM_ERROR", channel.ErrUnknown},
		{"40004", "ACQ.DISCORDANT_REPEAT_REQUEST", channel.ErrUnknown},
		{"", "", channel.ErrUnknown},
		{"40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", channel.ErrDeclined},
		{"40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR", channel.ErrDeclined},
		{"40004", "ACQ.TRADE_NOT_EXIST", channel.ErrDeclined},
		{"40002", "isv.invalid-signature", channel.ErrUnavailable},
		{"40005", "isv.app-call-limited", channel.ErrUnavailable},
	} {
		err := refundError(sdk.Error{Code: sdk.Code(c.code), SubCode: c.sub, SubMsg: "secret"})
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %s: %v, not %v", c.code, c.sub, err, c.want)
		}
	}
}
