package sandbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/pem"
	"math/big"
	"net/http"
	"time"
)

// PayPalCredentials configure the PAYPAL adapter. Roots, in PEM, vouch for the certificate that signs notifications.
type PayPalCredentials struct {
	ClientID, ClientSecret, WebhookID, MerchantID, Roots string
}

type paypalStored struct{ ClientID, ClientSecret, WebhookID, MerchantID, Key, CertificateID, Certificate, Root string }

type paypalKeys struct {
	paypalStored
	key *rsa.PrivateKey
}

func (s *Sandbox) paypalKeys(ctx context.Context) (*paypalKeys, error) {
	return keysOf(ctx, s, "paypal", func() (k paypalStored, err error) {
		k.ClientID, k.ClientSecret = "A"+newToken()+newToken(), "E"+newToken()+newToken()
		k.WebhookID, k.MerchantID = paypalID("9"), paypalID("M")[:13]
		if k.Key, err = newRSA(2048); err != nil {
			return k, err
		}
		key, err := parseRSA(k.Key)
		if err != nil {
			return k, err
		}
		k.CertificateID = "CERT-" + upperHex(4) + "-" + upperHex(4)
		k.Certificate, k.Root, err = paypalCertified(&key.PublicKey)
		return k, err
	}, func(k paypalStored) (*paypalKeys, error) {
		key, err := parseRSA(k.Key)
		return &paypalKeys{k, key}, err
	})
}

// paypalCertified makes an authority of the sandbox's own and the certificate with which it vouches for PayPal's key.
func paypalCertified(key *rsa.PublicKey) (certificate, root string, err error) {
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	from := time.Now().Add(-time.Hour)
	above := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "paydesk sandbox authority"}, NotBefore: from, NotAfter: from.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, err := x509.CreateCertificate(rand.Reader, above, above, &authority.PublicKey, authority)
	if err != nil {
		return "", "", err
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "messageverificationcerts.paypal.com"}, DNSNames: []string{"messageverificationcerts.paypal.com"},
		NotBefore: from, NotAfter: from.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, above, key, authority)
	text := func(der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return text(leafDER), text(rootDER), err
}

// PayPal is what the provider would give a merchant; made when it is first wanted.
func (s *Sandbox) PayPal(ctx context.Context) (PayPalCredentials, error) {
	k, err := s.paypalKeys(ctx)
	if err != nil {
		return PayPalCredentials{}, err
	}
	return PayPalCredentials{ClientID: k.ClientID, ClientSecret: k.ClientSecret, WebhookID: k.WebhookID, MerchantID: k.MerchantID, Roots: k.Root}, nil
}

// paypalCertificate is public: whoever gets a notification fetches it.
func (s *Sandbox) paypalCertificate(w http.ResponseWriter, r *http.Request) {
	k, err := s.paypalKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if r.PathValue("id") != k.CertificateID {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte(k.Certificate))
}

// paypalID is an id of PayPal's kind: 17 capital letters and digits, the first as given.
func paypalID(first string) string {
	b := make([]byte, 10)
	rand.Read(b)
	return first + base32.StdEncoding.EncodeToString(b)
}
