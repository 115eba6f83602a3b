package sandbox

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// UnionPayCredentials configure the adapters of both kinds of bank.
type UnionPayCredentials struct {
	MerchantID       string
	Keystore         []byte // .pfx
	KeystorePassword string
	Roots            string // PEM: root and intermediate
}

// unionpayStored is the keys' form in table settings. The authorities' keys are not kept: they have signed what they had to.
type unionpayStored struct {
	MerchantID, Password       string
	Keystore                   []byte // .pfx: the merchant's key and certificate
	Merchant, MerchantCert     string // the same, PEM
	Platform, PlatformCert     string // UnionPay's own, which signs
	RootCert, IntermediateCert string
}

// unionpayKeys is the same, parsed.
type unionpayKeys struct {
	unionpayStored
	merchant, platform *rsa.PrivateKey
	certID             string // the serial of the merchant's certificate, decimal
}

func (s *Sandbox) unionpayKeys(ctx context.Context) (*unionpayKeys, error) {
	return keysOf(ctx, s, "unionpay", makeUnionpayKeys, func(k unionpayStored) (*unionpayKeys, error) {
		merchant, err := parseRSA(k.Merchant)
		platform, err2 := parseRSA(k.Platform)
		block, _ := pem.Decode([]byte(k.MerchantCert))
		if err = errors.Join(err, err2); err != nil || block == nil {
			return nil, errors.Join(err, errors.New("keys and a certificate are wanted"))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return &unionpayKeys{k, merchant, platform, c.SerialNumber.String()}, nil
	})
}

// UnionPay is what UnionPay would give a merchant; made when it is first wanted.
func (s *Sandbox) UnionPay(ctx context.Context) (UnionPayCredentials, error) {
	k, err := s.unionpayKeys(ctx)
	if err != nil {
		return UnionPayCredentials{}, err
	}
	return UnionPayCredentials{MerchantID: k.MerchantID, Keystore: k.Keystore, KeystorePassword: k.Password, Roots: k.RootCert + k.IntermediateCert}, nil
}

// makeUnionpayKeys makes two authorities and the certificates of UnionPay and of the merchant, both from the same authority, as in life:
// only the name tells them apart.
func makeUnionpayKeys() (k unionpayStored, err error) {
	root, err := newAuthority("paydesk sandbox root", nil)
	if err != nil {
		return k, err
	}
	issuer, err := newAuthority("paydesk sandbox OCA1", root)
	if err != nil {
		return k, err
	}
	k.MerchantID, k.Password = "777"+digits(12), digits(12)
	k.RootCert, k.IntermediateCert = certPEM(root.cert), certPEM(issuer.cert)
	if k.Platform, k.PlatformCert, _, err = issuer.certify("041@Z12@中国银联股份有限公司@00000001"); err != nil {
		return k, err
	}
	var certificate *x509.Certificate
	if k.Merchant, k.MerchantCert, certificate, err = issuer.certify("041@Z12@paydesk sandbox merchant@" + k.MerchantID); err != nil {
		return k, err
	}
	key, err := parseRSA(k.Merchant)
	if err != nil {
		return k, err
	}
	k.Keystore, err = pkcs12.Modern.Encode(key, certificate, nil, k.Password)
	return k, err
}

// authority signs certificates. Its key is elliptic, for that is made at once.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(name string, by *authority) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{key: key, cert: certificateOf(name)}
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	if by == nil {
		by = a
	}
	a.cert, err = by.sign(a.cert, &key.PublicKey)
	return a, err
}

func (a *authority) sign(c *x509.Certificate, public any) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, public, a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// certify makes a key and its certificate, also as PEM.
func (a *authority) certify(name string) (private, public string, c *x509.Certificate, err error) {
	if private, err = newRSA(2048); err != nil {
		return "", "", nil, err
	}
	key, err := parseRSA(private)
	if err != nil {
		return "", "", nil, err
	}
	c = certificateOf(name)
	c.KeyUsage = x509.KeyUsageDigitalSignature
	if c, err = a.sign(c, &key.PublicKey); err != nil {
		return "", "", nil, err
	}
	return private, certPEM(c), c, nil
}

func certificateOf(name string) *x509.Certificate {
	serial := make([]byte, 8)
	rand.Read(serial)
	number := new(big.Int).SetUint64(binary.BigEndian.Uint64(serial)>>1 + 1)
	now := time.Now()
	return &x509.Certificate{SerialNumber: number, Subject: pkix.Name{CommonName: name, Organization: []string{"paydesk sandbox"}, Country: []string{"CN"}},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(20, 0, 0)}
}

func certPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// unionpayDigest is what signatures are made of: the lower hexadecimal SHA-256 of all fields but the signature.
func unionpayDigest(f map[string]string) []byte {
	rest := maps.Clone(f)
	delete(rest, "signature")
	sum := sha256.Sum256([]byte(unionpayJoin(rest)))
	return []byte(hex.EncodeToString(sum[:]))
}

// unionpaySign completes a message of UnionPay's. One that is spoiled has its certificate and somebody else's signature; one that is
// forged is signed by a merchant, whose certificate has the same issuer.
func unionpaySign(k *unionpayKeys, f map[string]string, spoiled, forged bool) error {
	key := k.platform
	f["signPubKeyCert"] = k.PlatformCert
	if spoiled || forged {
		key = k.merchant
	}
	if forged {
		f["signPubKeyCert"] = k.MerchantCert
	}
	sum := sha256.Sum256(unionpayDigest(f))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	f["signature"] = base64.StdEncoding.EncodeToString(signature)
	return err
}

// unionpaySigned checks the merchant's signature.
func unionpaySigned(k *unionpayKeys, f map[string]string) bool {
	signature, err := base64.StdEncoding.DecodeString(f["signature"])
	sum := sha256.Sum256(unionpayDigest(f))
	return err == nil && rsa.VerifyPKCS1v15(&k.merchant.PublicKey, crypto.SHA256, sum[:], signature) == nil
}
