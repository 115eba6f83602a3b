package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

const (
	// refreshEvery is how long a removed key is believed at most; new keys are seen at once, by their id.
	refreshEvery = 10 * time.Minute
	jwksTimeout  = 10 * time.Second
	// refetchEvery bounds what tokens with unknown key ids can make us fetch; what we fetch by ourselves does not count.
	refetchEvery = 15 * time.Second
	// retryEvery is how often keys are asked for while there are none at all.
	retryEvery = time.Second
	// maxJWKS and maxKeys bound what is read and kept of a JWKS.
	maxJWKS = 1 << 20
	maxKeys = 100
	maxHops = 3
)

// remote is the identity provider's JWKS (RFC 7517), refreshed in the background and, at most every refetchEvery, when a
// token names a key that is not known yet (rotation). When the provider is down the last keys stand.
type remote struct {
	url    string
	shown  string // url without a password, for the log
	client *http.Client
	keys   atomic.Pointer[keys]
	stop   context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	asked time.Time // when a token last made us fetch
}

// keys are one state of a JWKS.
type keys struct {
	set        jwk.Set
	text       []byte
	generation int64
}

func newRemote(ctx context.Context, cfg Config) *remote {
	client := cfg.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: jwksTimeout, CheckRedirect: safely}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	shown := cfg.JWKSURL
	if u, err := url.Parse(shown); err == nil {
		shown = u.Redacted()
	}
	r := &remote{url: cfg.JWKSURL, shown: shown, client: client, stop: stop, done: make(chan struct{})}
	go r.run(ctx)
	return r
}

// safely follows a few redirects, none of them from https to something weaker.
func safely(next *http.Request, via []*http.Request) error {
	if len(via) > maxHops || via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return errors.New("auth: the JWKS is redirected where we do not follow")
	}
	return nil
}

// run fetches at the start, every refreshEvery, and every retryEvery while there are no keys, until ctx ends.
func (r *remote) run(ctx context.Context) {
	defer close(r.done)
	for {
		r.mu.Lock()
		r.fetch(ctx)
		r.mu.Unlock()
		wait := refreshEvery
		if r.keys.Load() == nil {
			wait = retryEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (r *remote) find(ctx context.Context, alg jwa.SignatureAlgorithm, kid string) ([]jwk.Key, error) {
	if found := r.known(alg, kid); len(found) > 0 {
		return found, nil
	}
	// The client's own end does not count: all that wait want the answer.
	r.ask(context.WithoutCancel(ctx))
	if r.keys.Load() == nil {
		return nil, ErrKeys
	}
	return r.known(alg, kid), nil
}

func (r *remote) known(alg jwa.SignatureAlgorithm, kid string) []jwk.Key {
	k := r.keys.Load()
	if k == nil {
		return nil
	}
	return matching(k.set, alg, kid)
}

func (r *remote) generation() int64 {
	if k := r.keys.Load(); k != nil {
		return k.generation
	}
	return 0
}

// ask fetches for a token's sake, unless that was done a moment ago. Callers wait for the one that fetches.
func (r *remote) ask(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait := refetchEvery
	if r.keys.Load() == nil {
		wait = retryEvery
	}
	if !r.asked.IsZero() && time.Since(r.asked) < wait {
		return
	}
	r.asked = time.Now()
	r.fetch(ctx)
}

// fetch reads the keys; r.mu is held. What goes wrong is logged, and the last keys stand.
func (r *remote) fetch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	text, err := r.read(ctx)
	if err != nil {
		if ctx.Err() != context.Canceled { //nolint:errorlint // our own end
			slog.WarnContext(ctx, "the JWKS could not be fetched; the last keys stand", "url", r.shown, "error", err)
		}
		return
	}
	last := r.keys.Load()
	if last != nil && bytes.Equal(last.text, text) {
		return
	}
	set, err := parseSet(ctx, text)
	if err != nil {
		slog.WarnContext(ctx, "the JWKS cannot be read; the last keys stand", "url", r.shown, "error", err)
		return
	}
	next := &keys{set: set, text: text, generation: 1}
	if last != nil {
		next.generation = last.generation + 1
	} else {
		r.asked = time.Time{} // what was asked while there were none does not count
	}
	r.keys.Store(next)
}

func (r *remote) read(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("auth: %s", res.Status)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxJWKS+1))
	if err == nil && len(text) > maxJWKS {
		err = fmt.Errorf("auth: it has more than %d bytes", maxJWKS)
	}
	return text, err
}

// parseSet keeps the keys that tokens can be checked with, and leaves out the others, as RFC 7517 §5 wants: the log says why.
// A set without any is a set: whoever takes all keys back means it.
func parseSet(ctx context.Context, text []byte) (jwk.Set, error) {
	var all struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &all); err != nil || all.Keys == nil {
		return nil, errors.New("auth: it is no JWK set")
	}
	if len(*all.Keys) > maxKeys {
		return nil, fmt.Errorf("auth: it has more than %d keys", maxKeys)
	}
	kept := jwk.NewSet()
	for i, raw := range *all.Keys {
		k, err := jwk.ParseKey(raw)
		if err == nil {
			err = usable(k)
		}
		if err == nil {
			err = kept.AddKey(k)
		}
		if err != nil {
			slog.WarnContext(ctx, "a key of the JWKS is not used", "index", i, "reason", err)
		}
	}
	return kept, nil
}

func (r *remote) close() error {
	r.stop()
	<-r.done
	return nil
}
