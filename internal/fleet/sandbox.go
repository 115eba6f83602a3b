package fleet

import (
	"context"
	"fmt"
	"net/http"

	"paydesk/internal/channel"
	"paydesk/internal/channel/alipay"
	"paydesk/internal/channel/card"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/huaweipay"
	"paydesk/internal/channel/paypal"
	"paydesk/internal/channel/tenpay"
	"paydesk/internal/channel/unionpay"
	"paydesk/internal/channel/wechatpay"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// Sandbox are adapters of all channels that play against the sandbox of this process, which answers at own (http://127.0.0.1:port; asked
// each time, for the port may be chosen late). Each is made when it is first called. The client may be nil: then each has its own.
func Sandbox(s *sandbox.Sandbox, own func() string, client *http.Client) channel.Registry {
	out := channel.Registry{}
	for _, name := range Names {
		out[name] = &lazy{name: name, build: func(ctx context.Context) (channel.Adapter, error) { return play(ctx, s, own(), name, client) }}
	}
	return out
}

// play configures a channel with what its provider's sandbox would give a merchant.
func play(ctx context.Context, s *sandbox.Sandbox, own string, name models.PaymentChannel, client *http.Client) (channel.Adapter, error) {
	switch name {
	case models.ChannelAlipay:
		c, err := s.Alipay(ctx)
		if err != nil {
			return nil, err
		}
		return alipay.New(alipay.Config{BaseURL: own + sandbox.AlipayPath, PageURL: s.PublicURL() + sandbox.AlipayPath, AppID: c.AppID, SellerID: c.SellerID, PrivateKey: c.PrivateKey, AlipayPublicKey: c.AlipayPublicKey, Mode: guard.Sandbox, HTTPClient: client})
	case models.ChannelWeChatPay:
		c, err := s.WeChatPay(ctx)
		if err != nil {
			return nil, err
		}
		return wechatpay.New(wechatpay.Config{BaseURL: own + sandbox.WeChatPayPath, AppID: c.AppID, MchID: c.MchID, CertificateSerial: c.CertificateSerial,
			PrivateKey: c.PrivateKey, PublicKeyID: c.PublicKeyID, PublicKey: c.PublicKey, APIv3Key: c.APIv3Key, Mode: guard.Sandbox, HTTPClient: client})
	case models.ChannelQQWallet:
		c, err := s.QQWallet(ctx)
		if err != nil {
			return nil, err
		}
		return tenpay.NewQQ(tenpay.QQConfig{BaseURL: own + sandbox.QQWalletPath, RefundURL: own + sandbox.QQWalletPath, MchID: c.MchID, APIKey: c.APIKey, Operator: c.Operator, OperatorPass: c.OperatorPass, Mode: guard.Sandbox, HTTPClient: client,
			Now: s.Now})
	case models.ChannelTenpay:
		c, err := s.Tenpay(ctx)
		if err != nil {
			return nil, err
		}
		return tenpay.New(tenpay.Config{BaseURL: own + sandbox.TenpayPath, PageURL: s.PublicURL() + sandbox.TenpayPath, Partner: c.Partner, Key: c.Key, Operator: c.Operator, OperatorPass: c.OperatorPass, Mode: guard.Sandbox, HTTPClient: client,
			Now: s.Now})
	case models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise:
		c, err := s.UnionPay(ctx)
		if err != nil {
			return nil, err
		}
		return unionpay.New(name, unionpay.Config{BaseURL: own + sandbox.UnionPayPath(name), PageURL: s.PublicURL() + sandbox.UnionPayPath(name), FileURL: own + sandbox.UnionPayPath(name) + "/file", MerchantID: c.MerchantID, Keystore: c.Keystore,
			KeystorePassword: c.KeystorePassword, Roots: c.Roots, Mode: guard.Sandbox, HTTPClient: client})
	case models.ChannelHuaweiPay:
		c, err := s.HuaweiPay(ctx)
		if err != nil {
			return nil, err
		}
		return huaweipay.New(huaweipay.Config{BaseURL: own + sandbox.HuaweiPayPath, MerchantNumber: c.MerchantNumber, AppID: c.AppID, AuthID: c.AuthID, PrivateKey: c.PrivateKey,
			PublicKey: c.PublicKey, PageURL: c.PageURL, Mode: guard.Sandbox, HTTPClient: client})
	case models.ChannelBankCard:
		c, err := s.Stripe(ctx)
		if err != nil {
			return nil, err
		}
		return card.New(card.Config{BaseURL: own + sandbox.StripePath, SecretKey: c.SecretKey, WebhookSecret: c.WebhookSecret, Mode: guard.Sandbox, HTTPClient: client})
	case models.ChannelPayPal:
		c, err := s.PayPal(ctx)
		if err != nil {
			return nil, err
		}
		return paypal.New(paypal.Config{BaseURL: own + sandbox.PayPalPath, ClientID: c.ClientID, ClientSecret: c.ClientSecret, WebhookID: c.WebhookID, MerchantID: c.MerchantID, Roots: c.Roots, Mode: guard.Sandbox, HTTPClient: client})
	}
	return nil, fmt.Errorf("fleet: no adapter for %s", name)
}
