package fleet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paydesk/internal/fleet"
	"paydesk/internal/platform/config"
)

// A merchant account whose keys are not what they should be is refused at the start, with the variables to look at and nothing of what is secret.
func TestWrongCredentialsAreNamed(t *testing.T) {
	const secret = "5up3rsecret"
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	_, all, _, _ := providers(t)
	for group, spoil := range map[string]func(c *config.Config){
		"PAYDESK_ALIPAY_":   func(c *config.Config) { c.Alipay = all.Alipay; c.Alipay.PrivateKey = file },
		"PAYDESK_WECHAT_":   func(c *config.Config) { c.WeChat = all.WeChat; c.WeChat.PublicKey = file },
		"PAYDESK_QQ_":       func(c *config.Config) { c.QQ = all.QQ; c.QQ.PrivateKey = file },
		"PAYDESK_TENPAY_":   func(c *config.Config) { c.Tenpay = all.Tenpay; c.Tenpay.Certificate = file + "s" },
		"PAYDESK_UNIONPAY_": func(c *config.Config) { c.UnionPay = all.UnionPay; c.UnionPay.KeystorePassword = secret },
		"PAYDESK_HUAWEI_":   func(c *config.Config) { c.Huawei = all.Huawei; c.Huawei.PublicKey = file },
		"PAYDESK_STRIPE_": func(c *config.Config) {
			c.Stripe = all.Stripe
			c.Stripe.SecretKey, c.Stripe.BaseURL = secret, "http://localhost"
		},
		"PAYDESK_PAYPAL_": func(c *config.Config) { c.PayPal = all.PayPal; c.PayPal.ClientSecret, c.PayPal.WebhookID = secret, "" },
	} {
		var c config.Config
		spoil(&c)
		if _, err := fleet.Production(&c); err == nil || !strings.Contains(err.Error(), group) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", group, err)
		}
	}
}
