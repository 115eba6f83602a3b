package fleet

import (
	"fmt"
	"os"

	"paydesk/internal/channel"
	"paydesk/internal/channel/alipay"
	"paydesk/internal/channel/card"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/huaweipay"
	"paydesk/internal/channel/paypal"
	"paydesk/internal/channel/tenpay"
	"paydesk/internal/channel/unionpay"
	"paydesk/internal/channel/wechatpay"
	"paydesk/internal/platform/config"
	"paydesk/models"
)

// Configured reports whether a channel's merchant account is in the configuration.
func Configured(c *config.Config, name models.PaymentChannel) bool {
	switch name {
	case models.ChannelAlipay:
		return c.Alipay.AppID != ""
	case models.ChannelWeChatPay:
		return c.WeChat.MchID != ""
	case models.ChannelQQWallet:
		return c.QQ.MchID != ""
	case models.ChannelTenpay:
		return c.Tenpay.Partner != ""
	case models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise:
		return c.UnionPay.MerchantID != ""
	case models.ChannelHuaweiPay:
		return c.Huawei.MerchantNumber != ""
	case models.ChannelBankCard:
		return c.Stripe.SecretKey != ""
	case models.ChannelPayPal:
		return c.PayPal.ClientID != ""
	}
	return false
}

// variables are how those of a channel begin.
var variables = map[models.PaymentChannel]string{models.ChannelAlipay: "PAYDESK_ALIPAY_", models.ChannelWeChatPay: "PAYDESK_WECHAT_", models.ChannelQQWallet: "PAYDESK_QQ_",
	models.ChannelTenpay: "PAYDESK_TENPAY_", models.ChannelUnionPayPersonal: "PAYDESK_UNIONPAY_", models.ChannelUnionPayEnterprise: "PAYDESK_UNIONPAY_",
	models.ChannelHuaweiPay: "PAYDESK_HUAWEI_", models.ChannelBankCard: "PAYDESK_STRIPE_", models.ChannelPayPal: "PAYDESK_PAYPAL_"}

// Production are adapters of the channels that are configured; real money moves through them.
func Production(c *config.Config) (channel.Registry, error) {
	out := channel.Registry{}
	for _, name := range Names {
		if !Configured(c, name) {
			continue
		}
		a, err := real(c, name)
		if err != nil {
			return nil, fmt.Errorf("%s, set by the variables %s*: %w", name, variables[name], err)
		}
		out[name] = a
	}
	return out, nil
}

func real(cfg *config.Config, name models.PaymentChannel) (channel.Adapter, error) {
	switch name {
	case models.ChannelAlipay:
		c := cfg.Alipay
		files, err := contents(c.PrivateKey, c.PublicKey)
		if err != nil {
			return nil, err
		}
		return alipay.New(alipay.Config{BaseURL: c.BaseURL, AppID: c.AppID, SellerID: c.SellerID, PrivateKey: files[0], AlipayPublicKey: files[1], QRProduct: c.QRProduct,
			Mode: guard.Production})
	case models.ChannelWeChatPay:
		c := cfg.WeChat
		files, err := contents(c.PrivateKey, c.PublicKey)
		if err != nil {
			return nil, err
		}
		return wechatpay.New(wechatpay.Config{BaseURL: c.BaseURL, AppID: c.AppID, MchID: c.MchID, CertificateSerial: c.CertificateSerial,
			PrivateKey: files[0], PublicKeyID: c.PublicKeyID, PublicKey: files[1], APIv3Key: c.APIv3Key, Mode: guard.Production})
	case models.ChannelQQWallet:
		c := cfg.QQ
		files, err := contents(c.Certificate, c.PrivateKey)
		if err != nil {
			return nil, err
		}
		return tenpay.NewQQ(tenpay.QQConfig{BaseURL: c.BaseURL, RefundURL: c.RefundURL, MchID: c.MchID, APIKey: c.APIKey, Certificate: files[0], PrivateKey: files[1],
			Operator: c.Operator, OperatorPass: c.OperatorPass, Mode: guard.Production})
	case models.ChannelTenpay:
		c := cfg.Tenpay
		files, err := contents(c.Certificate, c.PrivateKey)
		if err != nil {
			return nil, err
		}
		return tenpay.New(tenpay.Config{BaseURL: c.BaseURL, MerchantURL: c.MerchantURL, Partner: c.Partner, Key: c.Key, Certificate: files[0], PrivateKey: files[1],
			Operator: c.Operator, OperatorPass: c.OperatorPass, Mode: guard.Production})
	case models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise:
		c := cfg.UnionPay
		files, err := contents(c.Keystore, c.Roots)
		if err != nil {
			return nil, err
		}
		return unionpay.New(name, unionpay.Config{BaseURL: c.BaseURL, FileURL: c.FileURL, MerchantID: c.MerchantID, Keystore: []byte(files[0]),
			KeystorePassword: c.KeystorePassword, Roots: files[1], Mode: guard.Production})
	case models.ChannelHuaweiPay:
		c := cfg.Huawei
		files, err := contents(c.PrivateKey, c.PublicKey)
		if err != nil {
			return nil, err
		}
		return huaweipay.New(huaweipay.Config{BaseURL: c.BaseURL, MerchantNumber: c.MerchantNumber, AppID: c.AppID, AuthID: c.AuthID, PrivateKey: files[0], PublicKey: files[1],
			PageURL: c.PageURL, Mode: guard.Production})
	case models.ChannelBankCard:
		c := cfg.Stripe
		return card.New(card.Config{BaseURL: c.BaseURL, SecretKey: c.SecretKey, WebhookSecret: c.WebhookSecret, Mode: guard.Production})
	case models.ChannelPayPal:
		c := cfg.PayPal
		roots := []string{""}
		if c.Roots != "" {
			var err error
			if roots, err = contents(c.Roots); err != nil {
				return nil, err
			}
		}
		return paypal.New(paypal.Config{BaseURL: c.BaseURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret, WebhookID: c.WebhookID, MerchantID: c.MerchantID, Roots: roots[0], Mode: guard.Production})
	}
	return nil, fmt.Errorf("fleet: no adapter for %s", name)
}

// contents reads key files; the error names the file, never what is in it.
func contents(paths ...string) ([]string, error) {
	out := make([]string, len(paths))
	for i, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("key file: %w", err)
		}
		out[i] = string(b)
	}
	return out, nil
}
