package sandbox

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// HuaweiPayCredentials configure the HUAWEI_PAY adapter. The private key is PEM, Huawei Pay's public key hexadecimal.
type HuaweiPayCredentials struct {
	MerchantNumber, AppID, AuthID, PrivateKey, PublicKey, PageURL string
}

// huaweiStored is the keys' form in table settings; SM2 keys as PKCS#8 in hexadecimal. Other is anybody's but Huawei Pay's.
type huaweiStored struct{ MerchantNumber, AppID, AuthID, Merchant, Platform, Other string }

type huaweiKeys struct {
	huaweiStored
	merchant        *rsa.PrivateKey
	platform, other *sm2.PrivateKey
}

func (s *Sandbox) huaweiKeys(ctx context.Context) (*huaweiKeys, error) {
	return keysOf(ctx, s, "huawei", func() (k huaweiStored, err error) {
		k.MerchantNumber, k.AppID, k.AuthID = "1017"+digits(8), "57658802"+digits(11), "1202"+digits(15)
		var err1, err2, err3 error
		k.Merchant, err1 = newRSA(3072)
		k.Platform, err2 = newSM2()
		k.Other, err3 = newSM2()
		return k, errors.Join(err1, err2, err3)
	}, func(k huaweiStored) (*huaweiKeys, error) {
		merchant, err := parseRSA(k.Merchant)
		platform, err2 := parseSM2(k.Platform)
		other, err3 := parseSM2(k.Other)
		return &huaweiKeys{k, merchant, platform, other}, errors.Join(err, err2, err3)
	})
}

// HuaweiPay is what Huawei Pay would give a merchant; made when it is first wanted. The page that the code leads to is the sandbox's.
func (s *Sandbox) HuaweiPay(ctx context.Context) (HuaweiPayCredentials, error) {
	k, err := s.huaweiKeys(ctx)
	if err != nil {
		return HuaweiPayCredentials{}, err
	}
	der, err := smx509.MarshalPKIXPublicKey(&k.platform.PublicKey)
	if err != nil {
		return HuaweiPayCredentials{}, err
	}
	point := der[len(der)-65:] // 04, then both coordinates
	return HuaweiPayCredentials{MerchantNumber: k.MerchantNumber, AppID: k.AppID, AuthID: k.AuthID, PrivateKey: k.Merchant, PublicKey: hex.EncodeToString(point),
		PageURL: strings.TrimSuffix(s.publicURL(), "/") + HuaweiPayPath + "/pay"}, nil
}

func newSM2() (string, error) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := smx509.MarshalPKCS8PrivateKey(key)
	return hex.EncodeToString(der), err
}

func parseSM2(text string) (*sm2.PrivateKey, error) {
	der, err := hex.DecodeString(text)
	if err != nil {
		return nil, err
	}
	key, err := smx509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	k, ok := key.(*sm2.PrivateKey)
	if !ok {
		return nil, errors.New("a key that is not SM2")
	}
	return k, nil
}

// sign signs all fields with SM2, its usual user id, as ASN.1 in base64.
func (k *huaweiKeys) sign(ctx context.Context, fields map[string]any, forged bool) (string, error) {
	key := k.platform
	if forged || spoils(ctx) {
		key = k.other
	}
	signature, err := key.SignWithSM2(rand.Reader, nil, []byte(huaweiText(fields, "sign")))
	return base64.StdEncoding.EncodeToString(signature), err
}

// merchantSigned checks SHA256withRSA/PSS with a salt as long as the hash.
func (k *huaweiKeys) merchantSigned(text, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(text))
	return err == nil && rsa.VerifyPSS(&k.merchant.PublicKey, crypto.SHA256, sum[:], raw, &rsa.PSSOptions{SaltLength: sha256.Size}) == nil
}

// huaweiText is what is signed of an object: its fields but one, and but those that are null, in the order of their names, name=value with
// & between; of a list its elements with commas between, of an object within the same again.
func huaweiText(fields map[string]any, but string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name == but || fields[name] == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + huaweiValue(fields[name]))
	}
	return b.String()
}

func huaweiValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		return huaweiText(v, "")
	case []any:
		var b strings.Builder
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(huaweiValue(e))
		}
		return b.String()
	}
	text, _ := json.Marshal(v) // numbers and booleans
	return string(text)
}
