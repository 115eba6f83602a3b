package sandbox

import (
	"context"
	"crypto/rsa"
	"errors"
)

// AlipayCredentials configure the ALIPAY adapter. Keys are PEM.
type AlipayCredentials struct {
	AppID, SellerID, PrivateKey, AlipayPublicKey string
}

// alipayStored is the keys' form in table settings; private keys as PKCS#8 PEM.
type alipayStored struct{ AppID, SellerID, Merchant, Platform string }

// alipayKeys is the same, parsed.
type alipayKeys struct {
	alipayStored
	merchant, platform *rsa.PrivateKey
}

// signer signs answers and notifications: Alipay's key, or spoilt anybody's else.
func (k *alipayKeys) signer(spoilt bool) *rsa.PrivateKey {
	if spoilt {
		return k.merchant
	}
	return k.platform
}

func (s *Sandbox) alipayKeys(ctx context.Context) (*alipayKeys, error) {
	return keysOf(ctx, s, "alipay", func() (k alipayStored, err error) {
		k.AppID, k.SellerID = "9021000"+digits(9), "2088"+digits(12)
		k.Merchant, err = newRSA(2048)
		if err == nil {
			k.Platform, err = newRSA(2048)
		}
		return k, err
	}, func(k alipayStored) (*alipayKeys, error) {
		merchant, err := parseRSA(k.Merchant)
		platform, err2 := parseRSA(k.Platform)
		return &alipayKeys{k, merchant, platform}, errors.Join(err, err2)
	})
}

// Alipay is what Alipay would give a merchant; made when it is first wanted.
func (s *Sandbox) Alipay(ctx context.Context) (AlipayCredentials, error) {
	k, err := s.alipayKeys(ctx)
	if err != nil {
		return AlipayCredentials{}, err
	}
	return AlipayCredentials{AppID: k.AppID, SellerID: k.SellerID, PrivateKey: k.Merchant, AlipayPublicKey: publicPEM(&k.platform.PublicKey)}, nil
}
