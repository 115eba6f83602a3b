package unionpay

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// owner is the third part, between @, of the common name of UnionPay's certificates. Its certificate authority certifies merchants too.
const owner = "中国银联股份有限公司"

// openKeystore reads a .pfx, old (RC2, 3DES, SHA-1) or new (AES, SHA-256). Errors tell nothing of what is in it.
func openKeystore(pfx []byte, password string) (*rsa.PrivateKey, *x509.Certificate, error) {
	private, certificate, _, err := pkcs12.DecodeChain(pfx, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, errors.New("unionpay: the keystore's password is wrong")
	}
	if err != nil {
		return nil, nil, errors.New("unionpay: the keystore is not a .pfx with one key and its certificate")
	}
	key, ok := private.(*rsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil, errors.New("unionpay: the keystore's key is not RSA, or not its certificate's")
	}
	return key, certificate, nil
}

// trust knows whose signatures are UnionPay's.
type trust struct {
	roots, intermediates *x509.CertPool
	pinned               map[string]bool // certificates that were configured themselves, as they are encoded
}

// newTrust reads certificates in PEM. A root and an intermediate certify UnionPay's; any other certificate is trusted for itself alone,
// which is the way with those of the test gateway: they are signed with SHA-1, which Go no longer checks.
func newTrust(text string) (trust, error) {
	t := trust{roots: x509.NewCertPool(), intermediates: x509.NewCertPool(), pinned: map[string]bool{}}
	rest, read := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return trust{}, errors.New("unionpay: one of the root certificates is not readable")
		}
		switch {
		case c.IsCA && string(c.RawIssuer) == string(c.RawSubject):
			t.roots.AddCert(c)
		case c.IsCA:
			t.intermediates.AddCert(c)
		default:
			t.pinned[string(c.Raw)] = true
		}
		read++
	}
	if read == 0 {
		return trust{}, errors.New("unionpay: root certificates in PEM are wanted")
	}
	return t, nil
}

// key gives the key of a certificate that came with a message, if it is UnionPay's now.
func (t trust) key(text string, now time.Time) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errors.New("an unreadable certificate")
	}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("a certificate without an RSA key")
	}
	if t.pinned[string(c.Raw)] {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return nil, errors.New("a certificate out of its time")
		}
		return key, nil
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: t.roots, Intermediates: t.intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return nil, fmt.Errorf("a certificate of somebody else: %w", err)
	}
	if parts := strings.Split(c.Subject.CommonName, "@"); len(parts) < 3 || parts[2] != owner {
		return nil, errors.New("a certificate of somebody else: not UnionPay's name")
	}
	return key, nil
}
