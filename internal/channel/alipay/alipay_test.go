package alipay

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	sdk "github.com/smartwalle/alipay/v3"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// Lesson 3: only a certain refusal ends a payment; whatever leaves its outcome open is asked for later.
func TestStartErrors(t *testing.T) {
	for _, c := range []struct {
		code, sub string
		want      error
	}{
		{"20000", "aop.unknow-error", channel.ErrUnknown},
		{"20000", "isp.unknow-error", channel.ErrUnknown},
		{"40004", "ACQ.SYSTEM_ERROR", channel.ErrUnknown},
		{"40004", "ACQ.TRADE_HAS_SUCCESS", channel.ErrUnknown},
		{"40004", "ACQ.CONTEXT_INCONSISTENT", channel.ErrUnknown},
		{"10003", "", channel.ErrUnknown},
		{"", "", channel.ErrUnknown},
		{"40004", "ACQ.TRADE_HAS_CLOSE", channel.ErrDeclined},
		{"40004", "ACQ.TOTAL_FEE_EXCEED", channel.ErrDeclined},
		{"40002", "isv.invalid-parameter", channel.ErrUnavailable}, // ours, not the payer's
		{"40004", "ACQ.INVALID_PARAMETER", channel.ErrUnavailable},
		{"40004", "ACQ.ACCESS_FORBIDDEN", channel.ErrUnavailable},
		{"40004", "ACQ.PARTNER_ERROR", channel.ErrUnavailable},
		{"40004", "ACQ.EXIST_FORBIDDEN_WORD", channel.ErrDeclined},
		{"40002", "isv.invalid-signature", channel.ErrUnavailable},
		{"40002", "isv.invalid-app-id", channel.ErrUnavailable},
		{"40005", "isv.app-call-limited", channel.ErrUnavailable},
		{"40006", "isv.insufficient-isv-permissions", channel.ErrUnavailable},
	} {
		err := startError(sdk.Error{Code: sdk.Code(c.code), SubCode: c.sub, SubMsg: "secret"})
		if !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v, not %v", c.code, c.sub, err, c.want)
		}
		if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), c.sub) {
			t.Errorf("%s %s: the code alone belongs into %q", c.code, c.sub, err)
		}
	}
	// Not signed, so not proven to be Alipay's.
	if err := callError(&sdk.Error{Code: "40004", SubCode: "ACQ.TRADE_HAS_CLOSE"}); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("unsigned: %v", err)
	}
}

func TestTradeStatus(t *testing.T) {
	for _, c := range []struct {
		status, amount, paidAt string
		want                   channel.State
	}{
		{"WAIT_BUYER_PAY", "12.34", "", channel.StatePending},
		{"SOMETHING_NEW", "12.34", "", channel.StatePending},
		{"TRADE_SUCCESS", "12.34", "2026-11-22 10:00:00", channel.StatePaid},
		{"TRADE_FINISHED", "12.34", "2026-11-22 10:00:00", channel.StatePaid},
		{"TRADE_CLOSED", "12.34", "", channel.StateClosed},
		{"TRADE_CLOSED", "12.34", "2026-11-22 10:00:00", channel.StatePaid}, // refunded in full
	} {
		e, err := complete(channel.Event{}, sdk.TradeStatus(c.status), c.amount, c.paidAt)
		if err != nil || e.State != c.want || (c.want == channel.StatePaid && e.Amount != money.New(1234, "CNY")) {
			t.Errorf("%+v: %+v %v", c, e, err)
		}
	}
	for _, amount := range []string{"", "12.345", "1e3", "abc"} {
		if _, err := complete(channel.Event{}, sdk.TradeStatusSuccess, amount, ""); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("paid %q: %v", amount, err)
		}
	}
}

func TestNewRefusesWithoutTellingKeys(t *testing.T) {
	good := Config{BaseURL: "https://openapi.alipay.com/gateway.do", AppID: "1", SellerID: "2088", PrivateKey: "SECRET", Mode: guard.Production}
	for _, change := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.AppID = "" },
		func(c *Config) { c.SellerID = "" },
		func(c *Config) { c.BaseURL = "http://127.0.0.1/gateway.do" },
		func(c *Config) { c.Mode = guard.Sandbox },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Alipay's key tool gives bare base64 on one line; files end with a line break.
func TestKeysAsTheToolGivesThem(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key)) + "\n"
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{BaseURL: "https://openapi.alipay.com/gateway.do", AppID: "1", SellerID: "2088", Mode: guard.Production,
		PrivateKey: private, AlipayPublicKey: base64.StdEncoding.EncodeToString(der) + "\n"}); err != nil {
		t.Error(err)
	}
}
