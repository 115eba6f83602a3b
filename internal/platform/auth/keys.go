package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// keySource finds the public keys a token may have been signed with.
type keySource interface {
	find(ctx context.Context, alg jwa.SignatureAlgorithm, kid string) ([]jwk.Key, error)
	close() error
}

func newKeySource(ctx context.Context, cfg Config) (keySource, error) {
	switch {
	case cfg.JWKSURL != "" && cfg.KeyFile != "":
		return nil, errors.New("auth: a JWKS URL and a key file exclude each other")
	case cfg.JWKSURL != "":
		return newRemote(ctx, cfg)
	case cfg.KeyFile != "":
		return newFile(cfg.KeyFile)
	}
	return nil, nil
}

// fixed is a set of keys from a file.
type fixed struct{ set jwk.Set }

func newFile(path string) (keySource, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set, err := jwk.Parse(pem, jwk.WithPEM(true))
	if err != nil || set.Len() == 0 {
		return nil, fmt.Errorf("auth: %s holds no PEM key", path)
	}
	public, err := jwk.PublicSetOf(set)
	if err != nil {
		return nil, fmt.Errorf("auth: %s: %w", path, err)
	}
	return fixed{public}, nil
}

func (f fixed) find(_ context.Context, alg jwa.SignatureAlgorithm, _ string) ([]jwk.Key, error) {
	return matching(f.set, alg, ""), nil // PEM has no key ids
}

func (f fixed) close() error { return nil }

const (
	jwksMinInterval = time.Minute
	jwksMaxInterval = 15 * time.Minute
	jwksTimeout     = 10 * time.Second
	// refetchEvery bounds what unknown key ids can make us fetch.
	refetchEvery = 30 * time.Second
)

// remote is the identity provider's JWKS, refreshed in the background and, at most every refetchEvery, when a token
// names a key that is not known yet (rotation).
type remote struct {
	url   string
	cache *jwk.Cache
	stop  context.CancelFunc

	mu      sync.Mutex
	fetched time.Time
}

func newRemote(ctx context.Context, cfg Config) (*remote, error) {
	client := cfg.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: jwksTimeout}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	cache, err := jwk.NewCache(ctx, httprc.NewClient(httprc.WithHTTPClient(client)))
	if err == nil {
		err = cache.Register(ctx, cfg.JWKSURL, jwk.WithWaitReady(false),
			jwk.WithMinInterval(jwksMinInterval), jwk.WithMaxInterval(jwksMaxInterval))
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("auth: JWKS URL: %w", err)
	}
	return &remote{url: cfg.JWKSURL, cache: cache, stop: stop}, nil
}

func (r *remote) find(ctx context.Context, alg jwa.SignatureAlgorithm, kid string) ([]jwk.Key, error) {
	var keys []jwk.Key
	ready := r.cache.Ready(ctx, r.url)
	if ready {
		if set, err := r.cache.Lookup(ctx, r.url); err == nil {
			keys = matching(set, alg, kid)
		}
	}
	if len(keys) > 0 || !r.mayFetch() {
		if !ready && len(keys) == 0 {
			return nil, ErrKeys
		}
		return keys, nil
	}
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	set, err := r.cache.Refresh(ctx, r.url)
	if err != nil {
		if ready {
			return nil, nil // the old keys stand: the token's is not among them
		}
		return nil, ErrKeys
	}
	return matching(set, alg, kid), nil
}

func (r *remote) mayFetch() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.fetched) < refetchEvery {
		return false
	}
	r.fetched = time.Now()
	return true
}

func (r *remote) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), jwksTimeout)
	defer cancel()
	err := r.cache.Shutdown(ctx)
	r.stop()
	return err
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
		return k.KeyType() == jwa.RSA()
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
