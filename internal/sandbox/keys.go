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
	"errors"
	"fmt"

	"paydesk/internal/platform/settings"
)

// KeysSetting + family is the row of table settings that holds a provider's keys, ours there included, as JSON.
const KeysSetting = "sandbox.keys."

// keysOf gives a family's keys: made when they are first wanted, by one of several instances, and read once. S is how they are stored,
// P how they are used.
func keysOf[S, P any](ctx context.Context, s *Sandbox, family string, make func() (S, error), parse func(S) (P, error)) (P, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.rings[family]; ok {
		return known.(P), nil
	}
	var none P
	var made error
	text, err := settings.GetOrCreate(ctx, s.db, KeysSetting+family, func() string {
		var keys S
		var text []byte
		if keys, made = make(); made == nil {
			text, made = json.Marshal(keys)
		}
		return string(text)
	})
	if err = errors.Join(err, made); err != nil {
		return none, fmt.Errorf("sandbox keys of %s: %w", family, err)
	}
	var keys S
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		return none, fmt.Errorf("sandbox keys: setting %s%s is not readable", KeysSetting, family)
	}
	parsed, err := parse(keys)
	if err != nil {
		return none, fmt.Errorf("sandbox keys: setting %s%s: %w", KeysSetting, family, err)
	}
	s.rings[family] = parsed
	return parsed, nil
}

// newRSA makes a key, as PKCS#8 PEM.
func newRSA(bits int) (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
}

// parseRSA reads what newRSA made.
func parseRSA(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("a key that is not RSA")
	}
	return k, nil
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
