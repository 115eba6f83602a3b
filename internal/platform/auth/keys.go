package auth

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// keySource finds the public keys a token may have been signed with.
type keySource interface {
	find(ctx context.Context, alg jwa.SignatureAlgorithm, kid string) ([]jwk.Key, error)
	// generation grows when the keys change: what was checked with those before is checked again.
	generation() int64
	close() error
}

func newKeySource(ctx context.Context, cfg Config) (keySource, error) {
	switch {
	case cfg.JWKSURL != "" && cfg.KeyFile != "":
		return nil, errors.New("auth: a JWKS URL and a key file exclude each other")
	case cfg.JWKSURL != "":
		return newRemote(ctx, cfg), nil
	case cfg.KeyFile != "":
		return newFile(cfg.KeyFile)
	}
	return nil, nil
}

// fixed is a set of keys from a file.
type fixed struct{ set jwk.Set }

// newFile reads public keys that tokens can be checked with. A private key is refused: who only checks has no use for it, and
// a file that lies where it need not is one more to lose.
func newFile(path string) (keySource, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := jwk.NewSet()
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		k, err := publicKey(block)
		if err != nil {
			return nil, err
		}
		if err := set.AddKey(k); err != nil {
			return nil, err
		}
	}
	if set.Len() == 0 {
		return nil, errors.New("it holds no PEM key")
	}
	return fixed{set}, nil
}

// publicKey reads one PEM block, of which it tells no more than its kind.
func publicKey(block *pem.Block) (jwk.Key, error) {
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		if strings.Contains(block.Type, "PRIVATE") {
			return nil, errPrivate
		}
		return nil, errors.New("it holds no PEM key that is public")
	}
	if err != nil {
		return nil, errors.New("its PEM key cannot be read")
	}
	if k, ok := key.(*rsa.PublicKey); ok && k.N.BitLen() < minRSA { // jwk refuses it, too, with less to say
		return nil, fmt.Errorf("its RSA key has %d bits; at least %d are wanted", k.N.BitLen(), minRSA)
	}
	k, err := jwk.Import(key)
	if err != nil {
		return nil, errUnknown
	}
	return k, usable(k)
}

func (f fixed) find(_ context.Context, alg jwa.SignatureAlgorithm, _ string) ([]jwk.Key, error) {
	return matching(f.set, alg, ""), nil // PEM has no key ids
}

func (f fixed) generation() int64 { return 0 }

func (f fixed) close() error { return nil }

// minRSA is the shortest RSA key that is believed, in bits (RFC 7518 §3.3).
const minRSA = 2048

var (
	errPrivate = errors.New("it holds a private key; give its public half alone")
	errUnknown = errors.New("its key is not RSA, EC P-256 or Ed25519")
)

// usable says why tokens are not checked with a key; nil where they are. RSA keys that are too short are no keys to jwk.
func usable(k jwk.Key) error {
	if private, err := jwk.IsPrivateKey(k); err == nil && private {
		return errPrivate
	}
	if fits(k, jwa.RS256()) || fits(k, jwa.ES256()) || fits(k, jwa.EdDSA()) {
		return nil
	}
	return errUnknown
}

// matching are the keys that fit the algorithm by their own type (never by what the token claims alone), and the id
// where the token names one.
func matching(set jwk.Set, alg jwa.SignatureAlgorithm, kid string) []jwk.Key {
	var out []jwk.Key
	for i := range set.Len() {
		k, _ := set.Key(i)
		if use, ok := k.KeyUsage(); ok && use != "" && use != string(jwk.ForSignature) {
			continue
		}
		if ops, ok := k.KeyOps(); ok && len(ops) > 0 && !slices.Contains(ops, jwk.KeyOpVerify) {
			continue
		}
		if id, ok := k.KeyID(); kid != "" && ok && id != kid {
			continue
		}
		if a, ok := k.Algorithm(); ok && a.String() != alg.String() {
			continue
		}
		if fits(k, alg) {
			out = append(out, k)
		}
	}
	return out
}

func fits(k jwk.Key, alg jwa.SignatureAlgorithm) bool {
	switch alg {
	case jwa.RS256():
		_, ok := k.(jwk.RSAPublicKey)
		return ok
	case jwa.ES256():
		ec, ok := k.(jwk.ECDSAPublicKey)
		if !ok {
			return false
		}
		crv, _ := ec.Crv()
		return crv == jwa.P256()
	case jwa.EdDSA():
		okp, ok := k.(jwk.OKPPublicKey)
		if !ok {
			return false
		}
		crv, _ := okp.Crv()
		return crv == jwa.Ed25519()
	}
	return false
}
