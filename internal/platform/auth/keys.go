package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

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
		return newRemote(ctx, cfg), nil
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
	// refreshEvery is how long a removed key is believed at most; new keys are seen at once, by their id.
	refreshEvery = 10 * time.Minute
	jwksTimeout  = 10 * time.Second
	// refetchEvery bounds what unknown key ids, or a host that is down, can make us fetch.
	refetchEvery = 15 * time.Second
)

// remote is the identity provider's JWKS, refreshed in the background and, at most every refetchEvery, when a token
// names a key that is not known yet (rotation). When the provider is down the last keys stand.
type remote struct {
	url    string
	client *http.Client
	set    atomic.Pointer[jwk.Set]
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	fetched time.Time
}

func newRemote(ctx context.Context, cfg Config) *remote {
	client := cfg.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: jwksTimeout}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &remote{url: cfg.JWKSURL, client: client, stop: stop, done: make(chan struct{})}
	go r.run(ctx)
	return r
}

// run fetches at the start and every refreshEvery until ctx ends.
func (r *remote) run(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		r.fetch(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (r *remote) find(ctx context.Context, alg jwa.SignatureAlgorithm, kid string) ([]jwk.Key, error) {
	if keys := r.known(alg, kid); len(keys) > 0 {
		return keys, nil
	}
	// The client's own end does not count: all that wait want the answer.
	r.fetch(context.WithoutCancel(ctx))
	if r.set.Load() == nil {
		return nil, ErrKeys
	}
	return r.known(alg, kid), nil
}

func (r *remote) known(alg jwa.SignatureAlgorithm, kid string) []jwk.Key {
	set := r.set.Load()
	if set == nil {
		return nil
	}
	return matching(*set, alg, kid)
}

// fetch reads the keys unless that was done a moment ago. Callers wait for the one that fetches.
func (r *remote) fetch(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.fetched) < refetchEvery {
		return
	}
	r.fetched = time.Now()
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	set, err := jwk.Fetch(ctx, r.url, jwk.WithHTTPClient(r.client))
	if err != nil {
		slog.Warn("the JWKS could not be fetched; the last keys stand", "url", r.url, "error", err)
		return
	}
	r.set.Store(&set)
}

func (r *remote) close() error {
	r.stop()
	<-r.done
	return nil
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
