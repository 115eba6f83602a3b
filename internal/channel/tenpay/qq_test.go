package tenpay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

func TestQQStates(t *testing.T) {
	for state, want := range map[string]channel.State{"SUCCESS": channel.StatePaid, "REFUND": channel.StatePaid, "CLOSED": channel.StateClosed, "REVOKED": channel.StateClosed,
		"NOTPAY": channel.StatePending, "USERPAYING": channel.StatePending, "PAYERROR": channel.StateDeclined, "": channel.StatePending, "NEW": channel.StatePending} {
		e, err := qqEvent(fields{"trade_state": state, "out_trade_no": "1", "transaction_id": "2", "total_fee": "1234", "fee_type": "CNY", "time_end": "20261121000000"})
		if err != nil || e.State != want || (want == channel.StatePaid) != (e.Amount == money.New(1234, "CNY") && e.PaidAt.Equal(time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC))) {
			t.Errorf("%s: %+v %v", state, e, err)
		}
	}
	for _, bad := range []fields{{"total_fee": "1.5"}, {"total_fee": ""}, {"total_fee": "-1"}, {"total_fee": "0"}, {"total_fee": "01"}, {"total_fee": "+1"}, {"total_fee": "1", "fee_type": "USD"}, {"total_fee": "99999999999999999999"}} {
		bad["trade_state"], bad["transaction_id"] = success, "2"
		if e, err := qqEvent(bad); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("%v: %+v %v", bad, e, err)
		}
	}
	for status, want := range map[string]channel.State{"SUCCESS": channel.StateRefunded, "FAIL": channel.StateRefundFailed, "CHANGE": channel.StateRefundFailed,
		"PROCESSING": channel.StatePending, "NOTSURE": channel.StateNotFound, "": channel.StatePending} {
		if got := qqRefundState(status); got != want {
			t.Errorf("refund %q: %s", status, got)
		}
	}
}

// Lesson 1: only a certain, proven refusal declines.
func TestQQErrors(t *testing.T) {
	door := func(why string) error { return doorError(fields{"retcode": why}) }
	for _, c := range []struct {
		judge func(string) error
		code  string
		want  error
	}{
		{startError, "ORDERPAID", channel.ErrUnknown}, {startError, "OUT_TRADE_NO_USED", channel.ErrUnknown}, {startError, "SYSTEMERROR", channel.ErrUnknown},
		{startError, "SYSTEM_ERROR", channel.ErrUnknown}, {startError, "ORDERCLOSED", channel.ErrDeclined}, {startError, "PARAM_ERROR", channel.ErrDeclined},
		{startError, "NOAUTH", channel.ErrUnavailable}, {startError, "NO_CODE", channel.ErrUnknown},
		{refundError, "SYSTEMERROR", channel.ErrUnknown}, {refundError, "REFUND_FEE_MISMATCH", channel.ErrUnknown}, {refundError, "NOTENOUGH", channel.ErrDeclined},
		{refundError, "NOAUTH", channel.ErrUnavailable}, {askError, "ORDERPAID", channel.ErrUnknown}, {askError, "SIGN_ERROR", channel.ErrUnavailable},
		{door, "66228006", channel.ErrUnknown}, {door, "FREQUENCY_LIMITED", channel.ErrUnavailable},
	} {
		if err := c.judge(c.code); !errors.Is(err, c.want) || errors.Is(err, channel.ErrDeclined) != (c.want == channel.ErrDeclined) {
			t.Errorf("%s: %v, not %v", c.code, err, c.want)
		}
	}
	if err := doorError(fields{"return_msg": "签名错误"}); !errors.Is(err, channel.ErrUnavailable) {
		t.Error(err)
	}
}

func TestQQConfig(t *testing.T) {
	good := QQConfig{BaseURL: "https://qpay.qq.com", RefundURL: "https://api.qpay.qq.com", MchID: "1", APIKey: "TOPSECRET", Operator: "1", OperatorPass: "TOPSECRET", Mode: guard.Production}
	good.Certificate, good.PrivateKey = pair(t)
	if a, err := NewQQ(good); err != nil || a.Channel() != "QQ_WALLET" {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*QQConfig){
		"loopback":           func(c *QQConfig) { c.BaseURL = "https://127.0.0.1" },
		"refunds at home":    func(c *QQConfig) { c.RefundURL = "https://localhost" },
		"plain":              func(c *QQConfig) { c.BaseURL = "http://qpay.qq.com" },
		"no merchant":        func(c *QQConfig) { c.MchID = "" },
		"no key":             func(c *QQConfig) { c.APIKey = "" },
		"no operator":        func(c *QQConfig) { c.Operator = "" },
		"no password":        func(c *QQConfig) { c.OperatorPass = "" },
		"no certificate":     func(c *QQConfig) { c.Certificate, c.PrivateKey = "", "" },
		"half a certificate": func(c *QQConfig) { c.PrivateKey = "TOPSECRET" },
		"sandbox, foreign":   func(c *QQConfig) { c.Mode = guard.Sandbox },
	} {
		c := good
		change(&c)
		if _, err := NewQQ(c); err == nil || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// pair is a client certificate and its key.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

// Refunds show the client certificate, other calls do not; both go to their own hosts' paths.
func TestRefundsShowTheCertificate(t *testing.T) {
	shown := map[string]int{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown[r.URL.Path] = len(r.TLS.PeerCertificates)
		io.WriteString(w, fields{"return_code": "FAIL", "return_msg": "x"}.xml())
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	c := QQConfig{BaseURL: server.URL, RefundURL: server.URL + "/refunds", MchID: "1", APIKey: "k", Operator: "1", OperatorPass: "p", Mode: guard.Sandbox, HTTPClient: server.Client()}
	c.Certificate, c.PrivateKey = pair(t)
	a, err := NewQQ(c)
	if err != nil {
		t.Fatal(err)
	}
	ref := channel.Ref{Number: "1", Amount: money.New(1, "CNY")}
	_, err = a.Query(t.Context(), ref)
	_, err2 := a.Refund(t.Context(), channel.RefundRequest{Payment: ref, Refund: ref})
	if !errors.Is(err, channel.ErrUnknown) || !errors.Is(err2, channel.ErrUnknown) {
		t.Error(err, err2)
	}
	if len(shown) != 2 || shown["/cgi-bin/pay/qpay_order_query.cgi"] != 0 || shown["/refunds/cgi-bin/pay/qpay_refund.cgi"] != 1 {
		t.Error(shown)
	}
}
