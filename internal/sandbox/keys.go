package sandbox

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"time"

	"paydesk/internal/platform/settings"
)

// Credentials are what the providers would give a merchant: the adapters are configured with them.
type Credentials struct {
	Alipay    AlipayCredentials
	WeChatPay WeChatPayCredentials
}

// AlipayCredentials configure the ALIPAY adapter. Keys are PEM.
type AlipayCredentials struct {
	AppID, SellerID, PrivateKey, AlipayPublicKey string
}

// WeChatPayCredentials configure the WECHAT_PAY adapter in public-key mode. Keys are PEM.
type WeChatPayCredentials struct {
	AppID, MchID, CertificateSerial, PrivateKey, PublicKeyID, PublicKey, APIv3Key string
}

// keysSetting is the row of table settings that holds the sandbox's keys.
const keysSetting = "sandbox.keys"

// stored is the keys' form in table settings; private keys as PKCS#8 PEM.
type stored struct {
	Alipay struct {
		AppID, SellerID    string
		Merchant, Platform string
	}
	WeChat struct {
		AppID, MchID, Serial, PublicKeyID, APIv3Key string
		Merchant, Platform                          string
	}
}

// keyring is the same, parsed.
type keyring struct {
	stored
	alipayMerchant, alipayPlatform *rsa.PrivateKey
	wechatMerchant, wechatPlatform *rsa.PrivateKey
}

// Credentials gives the merchant's side of the keys; at the first start ever it makes them.
func (s *Sandbox) Credentials(ctx context.Context) (Credentials, error) {
	k, err := s.keys(ctx)
	if err != nil {
		return Credentials{}, err
	}
	a, w := k.stored.Alipay, k.stored.WeChat
	return Credentials{
		Alipay: AlipayCredentials{AppID: a.AppID, SellerID: a.SellerID, PrivateKey: a.Merchant,
			AlipayPublicKey: publicPEM(&k.alipayPlatform.PublicKey)},
		WeChatPay: WeChatPayCredentials{AppID: w.AppID, MchID: w.MchID, CertificateSerial: w.Serial, PrivateKey: w.Merchant,
			PublicKeyID: w.PublicKeyID, PublicKey: publicPEM(&k.wechatPlatform.PublicKey), APIv3Key: w.APIv3Key},
	}, nil
}

// keys reads the keys once; of several instances that start at once, one makes them.
func (s *Sandbox) keys(ctx context.Context) (*keyring, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring != nil {
		return s.ring, nil
	}
	var made error
	value, err := settings.GetOrCreate(ctx, s.db, keysSetting, func() string {
		var text string
		text, made = makeKeys()
		return text
	})
	if err == nil {
		err = made
	}
	if err != nil {
		return nil, fmt.Errorf("sandbox keys: %w", err)
	}
	s.ring, err = parseKeys(value)
	return s.ring, err
}

func makeKeys() (string, error) {
	var k stored
	day := time.Now().UTC().Format("20060102")
	k.Alipay.AppID, k.Alipay.SellerID = "9021000"+digits(9), "2088"+digits(12)
	k.WeChat.AppID, k.WeChat.MchID = "wxsandbox"+digits(9), "19"+digits(8)
	k.WeChat.Serial, k.WeChat.PublicKeyID = upperHex(20), "PUB_KEY_ID_01"+day+digits(20)
	k.WeChat.APIv3Key = upperHex(16)
	for _, p := range []*string{&k.Alipay.Merchant, &k.Alipay.Platform, &k.WeChat.Merchant, &k.WeChat.Platform} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return "", err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return "", err
		}
		*p = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	text, err := json.Marshal(k)
	return string(text), err
}

func parseKeys(text string) (*keyring, error) {
	var k keyring
	if err := json.Unmarshal([]byte(text), &k.stored); err != nil {
		return nil, fmt.Errorf("sandbox keys: setting %s is not readable", keysSetting)
	}
	a, w := k.stored.Alipay, k.stored.WeChat
	for _, p := range []struct {
		pem string
		key **rsa.PrivateKey
	}{{a.Merchant, &k.alipayMerchant}, {a.Platform, &k.alipayPlatform}, {w.Merchant, &k.wechatMerchant}, {w.Platform, &k.wechatPlatform}} {
		block, _ := pem.Decode([]byte(p.pem))
		if block == nil {
			return nil, fmt.Errorf("sandbox keys: setting %s holds no PEM", keysSetting)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("sandbox keys: setting %s: %w", keysSetting, err)
		}
		var ok bool
		if *p.key, ok = key.(*rsa.PrivateKey); !ok {
			return nil, fmt.Errorf("sandbox keys: setting %s holds a key that is not RSA", keysSetting)
		}
	}
	return &k, nil
}

func publicPEM(k *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(err) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// sign is SHA256withRSA (PKCS#1 v1.5) in base64, as Alipay's RSA2 and WeChat Pay's WECHATPAY2-SHA256-RSA2048 have it.
func sign(k *rsa.PrivateKey, message []byte) (string, error) {
	sum := sha256.Sum256(message)
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(sig), err
}

// verified reports whether signature is sign's for message.
func verified(k *rsa.PublicKey, message []byte, signature string) bool {
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(message)
	return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], sig) == nil
}

// digits is n random digits; upperHex is n random bytes as upper hexadecimal.
func digits(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	return string(b)
}

func upperHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return fmt.Sprintf("%X", b)
}
