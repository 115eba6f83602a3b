// Package tenpay takes money through the family of QQ Wallet and Tenpay: QQ Wallet by a code to scan (TX-2, TX-6), Tenpay by a page that asks
// for the bank (TX-22). There is no SDK worth its weight, so both protocols are spoken here: fields, signed with MD5 over the sorted fields
// and the merchant's key, and answers in flat XML.
package tenpay

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// QQConfig is what a merchant gets from QQ Wallet.
type QQConfig struct {
	BaseURL                 string // production: https://qpay.qq.com
	RefundURL               string // production: https://api.qpay.qq.com
	MchID, APIKey           string
	Certificate, PrivateKey string // client certificate for refunds, PEM; the sandbox wants none
	Operator, OperatorPass  string // who refunds
	Mode                    guard.Mode
	HTTPClient              *http.Client     // nil: an own one
	Now                     func() time.Time // by which a statement is late; nil: the wall clock
}

// Config is what a merchant had from Tenpay.
type Config struct {
	BaseURL                 string // production: https://gw.tenpay.com
	PageURL                 string // the same for a payer's browser; empty: BaseURL
	MerchantURL             string // refunds and statements, production: MerchantURL; empty: BaseURL
	Partner, Key            string
	Certificate, PrivateKey string // client certificate for refunds and statements, PEM; the sandbox wants none
	Operator, OperatorPass  string // who refunds; without them refunds are ErrUnavailable
	Mode                    guard.Mode
	HTTPClient              *http.Client     // nil: an own one
	Now                     func() time.Time // by which a statement is late; nil: the wall clock
}

// MerchantURL is where Tenpay takes refunds and gives statements.
const MerchantURL = "https://api.mch.tenpay.com"

// currency is the only one that both settle.
const currency = money.Currency("CNY")

// timeLayout is how both write a time, in Beijing's zone.
const timeLayout = "20060102150405"

// payerIP is spbill_create_ip, which both want: where the payer asked for the payment, in IPv4. Without one it is 127.0.0.1, with which
// Tenpay reportedly takes no more than 0.10.
func payerIP(from string) string {
	if ip, err := netip.ParseAddr(from); err == nil && ip.Is4() {
		return from
	}
	return "127.0.0.1"
}

// clockOr is the wall clock where no other is given.
func clockOr(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// maxNumber is how long a merchant order number may be.
const maxNumber = 32

// addresses judges the two addresses of a merchant; the second may be left out.
func addresses(mode guard.Mode, first, second string) (a, b *url.URL, err error) {
	if a, err = guard.BaseURL(mode, first); err == nil {
		b, err = guard.BaseURL(mode, cmp.Or(second, first))
	}
	return a, b, err
}

// withCertificate is a client for Client and FileClient that shows a certificate, where there is one; in production there has to be.
func withCertificate(mode guard.Mode, given *http.Client, certificate, key string) (*http.Client, error) {
	if certificate == "" && key == "" {
		if mode == guard.Production {
			return nil, errors.New("a client certificate and its key are wanted")
		}
		return given, nil
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		return nil, errors.New("the client certificate and its key, in PEM, do not fit") // what failed may quote the key
	}
	c := &http.Client{}
	if given != nil {
		*c = *given
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	t, ok := c.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("a client certificate wants an HTTP transport of its own")
	}
	t = t.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	c.Transport = t
	return c, nil
}
