package wechatpay

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// Lesson 3: only a certain refusal ends a payment; whatever leaves its outcome open is asked for later.
func TestStartErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{500, "SYSTEM_ERROR", channel.ErrUnknown},
		{502, "", channel.ErrUnknown},
		{400, "ORDERPAID", channel.ErrUnknown},
		{400, "ORDER_PAID", channel.ErrUnknown},
		{403, "OUT_TRADE_NO_USED", channel.ErrUnknown},
		{400, "INVALID_REQUEST", channel.ErrUnknown},
		{404, "", channel.ErrUnknown},                // not WeChat Pay's form: some proxy's
		{400, "PARAM_ERROR", channel.ErrUnavailable}, // ours, not the payer's
		{403, "ACCOUNT_ERROR", channel.ErrDeclined},
		{400, "ORDERCLOSED", channel.ErrDeclined},
		{403, "RULE_LIMIT", channel.ErrDeclined},
		{403, "NOTENOUGH", channel.ErrDeclined},
		{401, "SIGN_ERROR", channel.ErrUnavailable},
		{429, "FREQUENCY_LIMITED", channel.ErrUnavailable},
		{429, "", channel.ErrUnavailable},
	} {
		err := startError(&core.APIError{StatusCode: c.status, Code: c.code, Body: "secret", Message: "secret",
			Header: http.Header{"X": {"secret"}}})
		if !errors.Is(err, c.want) {
			t.Errorf("%d %s: %v, not %v", c.status, c.code, err, c.want)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%d %s: the code alone belongs into %q", c.status, c.code, err)
		}
	}
}

func TestTradeState(t *testing.T) {
	for state, want := range map[string]channel.State{
		"SUCCESS": channel.StatePaid, "REFUND": channel.StatePaid, "NOTPAY": channel.StatePending, "USERPAYING": channel.StatePending,
		"CLOSED": channel.StateClosed, "REVOKED": channel.StateClosed, "PAYERROR": channel.StateDeclined, "NEW": channel.StatePending,
	} {
		e, err := event(&payments.Transaction{TradeState: &state, TransactionId: core.String("4200"),
			Amount: &payments.TransactionAmount{Total: core.Int64(1234), Currency: core.String("CNY")}})
		if err != nil || e.State != want {
			t.Errorf("%s: %+v %v", state, e, err)
		}
	}
	if _, err := event(&payments.Transaction{TradeState: core.String("SUCCESS")}); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("paid, but what? %v", err)
	}
}

func TestNewRefusesWithoutTellingKeys(t *testing.T) {
	good := Config{BaseURL: "https://api.mch.weixin.qq.com", AppID: "wx", MchID: "19", CertificateSerial: "S", PublicKeyID: "PUB_KEY_ID_1",
		PrivateKey: "SECRET", PublicKey: "SECRET", APIv3Key: "SECRET", Mode: guard.Production}
	for _, change := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.MchID = "" },
		func(c *Config) { c.BaseURL = "https://localhost" },
		func(c *Config) { c.Mode = guard.Sandbox },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
