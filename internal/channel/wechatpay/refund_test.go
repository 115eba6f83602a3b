package wechatpay

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"paydesk/internal/channel"
)

// Lesson 1: only a certain refusal ends a refund; whatever leaves its outcome open is asked for later.
func TestRefundErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{500, "SYSTEM_ERROR", channel.ErrUnknown},
		{400, "SYSTEM_ERROR", channel.ErrUnknown},
		{502, "", channel.ErrUnknown},
		{404, "", channel.ErrUnknown},
		{403, "NOT_ENOUGH", channel.ErrDeclined},
		{403, "USER_ACCOUNT_ABNORMAL", channel.ErrDeclined},
		{400, "INVALID_REQUEST", channel.ErrDeclined},
		{404, "RESOURCE_NOT_EXISTS", channel.ErrDeclined},
		{401, "SIGN_ERROR", channel.ErrUnavailable},
		{429, "FREQUENCY_LIMITED", channel.ErrUnavailable},
	} {
		err := refundError(&core.APIError{StatusCode: c.status, Code: c.code, Body: "secret", Message: "secret", Header: http.Header{"X": {"secret"}}})
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d %s: %v, not %v", c.status, c.code, err, c.want)
		}
	}
}

func TestRefundState(t *testing.T) {
	minor := int64(1234)
	for status, want := range map[string]channel.State{"SUCCESS": channel.StateRefunded, "PROCESSING": channel.StatePending, "NEW": channel.StatePending,
		"CLOSED": channel.StateRefundFailed, "ABNORMAL": channel.StateHeld} {
		if e, err := judged(channel.Event{Detail: status}, &minor); err != nil || e.State != want || (want == channel.StateRefunded) != (e.Amount.Minor == minor) {
			t.Errorf("%s: %+v %v", status, e, err)
		}
	}
	if _, err := judged(channel.Event{Detail: "SUCCESS"}, nil); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("without an amount: %v", err)
	}
}

func TestReasonIsCutAtACharacter(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("x", 80), strings.Repeat("x", 81), strings.Repeat("长", 200), "x" + strings.Repeat("长", 200)} {
		got := cut(text)
		if len(got) > maxReason || !utf8.ValidString(got) || !strings.HasPrefix(text, got) || len(text) > maxReason && len(got) < maxReason-3 {
			t.Errorf("%q", got)
		}
	}
}
