package sandbox

import (
	"context"
	"crypto/rsa"
	"errors"
	"time"
)

// WeChatPayCredentials configure the WECHAT_PAY adapter in public-key mode. Keys are PEM.
type WeChatPayCredentials struct {
	AppID, MchID, CertificateSerial, PrivateKey, PublicKeyID, PublicKey, APIv3Key string
}

type wechatStored struct{ AppID, MchID, Serial, PublicKeyID, APIv3Key, Merchant, Platform string }

type wechatKeys struct {
	wechatStored
	merchant, platform *rsa.PrivateKey
}

func (s *Sandbox) wechatKeys(ctx context.Context) (*wechatKeys, error) {
	return keysOf(ctx, s, "wechat", func() (k wechatStored, err error) {
		k.AppID, k.MchID = "wxsandbox"+digits(9), "19"+digits(8)
		k.Serial, k.PublicKeyID = upperHex(20), "PUB_KEY_ID_01"+time.Now().UTC().Format("20060102")+digits(20)
		k.APIv3Key = upperHex(16)
		k.Merchant, err = newRSA(2048)
		if err == nil {
			k.Platform, err = newRSA(2048)
		}
		return k, err
	}, func(k wechatStored) (*wechatKeys, error) {
		merchant, err := parseRSA(k.Merchant)
		platform, err2 := parseRSA(k.Platform)
		return &wechatKeys{k, merchant, platform}, errors.Join(err, err2)
	})
}

// WeChatPay is what WeChat Pay would give a merchant; made when it is first wanted.
func (s *Sandbox) WeChatPay(ctx context.Context) (WeChatPayCredentials, error) {
	k, err := s.wechatKeys(ctx)
	if err != nil {
		return WeChatPayCredentials{}, err
	}
	return WeChatPayCredentials{AppID: k.AppID, MchID: k.MchID, CertificateSerial: k.Serial, PrivateKey: k.Merchant, PublicKeyID: k.PublicKeyID,
		PublicKey: publicPEM(&k.platform.PublicKey), APIv3Key: k.APIv3Key}, nil
}
