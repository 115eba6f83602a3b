// Package tenpay takes money through the family of QQ Wallet and Tenpay: QQ Wallet by a code to scan (TX-2, TX-6), Tenpay by a page that asks
// for the bank (TX-22).
package tenpay

import (
	"net/http"

	"paydesk/internal/channel/guard"
)

// QQConfig is what a merchant gets from QQ Wallet.
type QQConfig struct {
	BaseURL                 string // production: https://qpay.qq.com
	RefundURL               string // production: https://api.qpay.qq.com
	MchID, APIKey           string
	Certificate, PrivateKey string // client certificate for refunds, PEM; the sandbox wants none
	Operator, OperatorPass  string
	Mode                    guard.Mode
	HTTPClient              *http.Client
}

// Config is what a merchant had from Tenpay.
type Config struct {
	BaseURL      string // production: https://gw.tenpay.com
	Partner, Key string
	Mode         guard.Mode
	HTTPClient   *http.Client
}
