package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// provider is an identity provider without a network, so that its time can be the test's.
type provider struct {
	t     *testing.T
	mu    sync.Mutex
	text  string // the JWKS; empty: the provider is down
	asked int
}

func (p *provider) RoundTrip(*http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.text == "" {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(p.text))}, nil
}

// publish makes these the keys; none: the provider goes down.
func (p *provider) publish(keys ...jwk.Key) {
	p.t.Helper()
	set := jwk.NewSet()
	for _, k := range keys {
		if err := set.AddKey(k); err != nil {
			p.t.Fatal(err)
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		p.t.Fatal(err)
	}
	p.say(string(text))
}

func (p *provider) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

func (p *provider) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// pair is a key under an id: the private half signs, the public one is published.
type pair struct{ private, public jwk.Key }

func newPair(t *testing.T, kid string) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := jwk.Import(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := private.Set(jwk.KeyIDKey, kid); err != nil {
		t.Fatal(err)
	}
	public, err := private.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return pair{private, public}
}

func (p pair) token(t *testing.T) string { return sign(t, jwa.ES256(), p.private, claims(nil)) }

// withProvider runs a test in time of its own: hours pass when everybody waits.
func withProvider(t *testing.T, fn func(t *testing.T, p *provider, v *Verifier)) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{t: t}
		v := newTestVerifier(t, Config{JWKSURL: "https://id.example/keys", HTTPClient: &http.Client{Transport: p}})
		synctest.Wait() // the fetch of the start
		fn(t, p, v)
	})
}

func (p *provider) want(v *Verifier, what, token string, want error) {
	p.t.Helper()
	if _, err := v.Verify(p.t.Context(), token); !errors.Is(err, want) || want == nil && err != nil {
		p.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// Contract §3, lesson 24: a new key is known at once, a removed one is refused after the refresh, tokens seen before included.
func TestRotation(t *testing.T) {
	withProvider(t, func(t *testing.T, p *provider, v *Verifier) {
		a, b, c := newPair(t, "a"), newPair(t, "b"), newPair(t, "c")
		p.want(v, "the provider is down at the start", a.token(t), ErrKeys)
		p.publish(a.public)
		time.Sleep(2 * retryEvery)
		seen := a.token(t)
		p.want(v, "it is up", seen, nil)
		p.publish(a.public, b.public)
		p.want(v, "a new key", b.token(t), nil)
		p.want(v, "the old one beside it", seen, nil)
		p.want(v, "a key that nobody has", c.token(t), ErrToken)
		p.publish(b.public)
		p.want(v, "a removed key, until the refresh", seen, nil)
		time.Sleep(refreshEvery)
		synctest.Wait()
		p.want(v, "a removed key, its token known", seen, ErrToken)
		p.want(v, "a removed key, its token new", a.token(t), ErrToken)
		p.want(v, "the other", b.token(t), nil)
	})
}

// The provider down, or talking nonsense: the last keys stand. All keys taken back: nobody is believed.
func TestLastKeysStand(t *testing.T) {
	withProvider(t, func(t *testing.T, p *provider, v *Verifier) {
		a := newPair(t, "a")
		p.publish(a.public)
		time.Sleep(2 * retryEvery)
		for _, text := range []string{"", "<html>", `{"keys":"none"}`, `{"keys":[` + strings.Repeat(`{"kty":"oct","k":"AAAA"},`, maxKeys) + `{"kty":"oct","k":"AAAA"}]}`, strings.Repeat(" ", maxJWKS) + `{"keys":[]}`} {
			p.say(text)
			time.Sleep(refreshEvery)
			synctest.Wait()
			p.want(v, "the provider says "+text[:min(len(text), 20)], a.token(t), nil)
		}
		p.publish()
		time.Sleep(refreshEvery)
		synctest.Wait()
		p.want(v, "no keys at all", a.token(t), ErrToken)
	})
}

// A flood of unknown key ids makes us ask now and then, not each time; a provider that is down is not flooded either.
func TestUnknownKeysDoNotMakeUsAsk(t *testing.T) {
	withProvider(t, func(t *testing.T, p *provider, v *Verifier) {
		a := newPair(t, "a")
		p.publish(a.public)
		time.Sleep(2 * retryEvery)
		before := p.times()
		for range 100 {
			p.want(v, "unknown", newPair(t, "../../etc/passwd").token(t), ErrToken)
		}
		if n := p.times() - before; n != 1 {
			t.Errorf("asked %d times", n)
		}
		b := newPair(t, "b")
		p.publish(b.public)
		time.Sleep(refetchEvery)
		p.want(v, "a new key after the flood", b.token(t), nil)
	})
}

// Keys of a JWKS that are no public signing keys of ours sign nothing.
func TestOtherKeysOfTheSet(t *testing.T) {
	withProvider(t, func(t *testing.T, p *provider, v *Verifier) {
		private, encryption, wrapping, pinned := newPair(t, "private"), newPair(t, "enc"), newPair(t, "wrap"), newPair(t, "pinned")
		secret, err := jwk.Import([]byte(strings.Repeat("s", 32)))
		if err != nil {
			t.Fatal(err)
		}
		for k, set := range map[jwk.Key][2]any{secret: {jwk.KeyIDKey, "secret"}, encryption.public: {jwk.KeyUsageKey, "enc"},
			wrapping.public: {jwk.KeyOpsKey, jwk.KeyOperationList{jwk.KeyOpWrapKey}}, pinned.public: {jwk.AlgorithmKey, jwa.ES384()}} {
			if err := k.Set(set[0].(string), set[1]); err != nil {
				t.Fatal(err)
			}
		}
		good := newPair(t, "good")
		p.publish(private.private, encryption.public, wrapping.public, pinned.public, secret, good.public)
		weak, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		short := fmt.Sprintf(`{"kty":"RSA","kid":"short","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(weak.N.Bytes()))
		p.say(strings.Replace(p.text, `{"keys":[`, `{"keys":[`+short+`,{"kty":"XYZ"},7,`, 1))
		time.Sleep(2 * retryEvery)
		p.want(v, "the good one among them", good.token(t), nil)
		if r := v.keys.(*remote); len(r.known(jwa.RS256(), "short")) > 0 {
			t.Error("an RSA key of 1024 bits is believed")
		}
		p.want(v, "a published private key", private.token(t), ErrToken)
		p.want(v, "a key to encrypt with", encryption.token(t), ErrToken)
		p.want(v, "a key to wrap with", wrapping.token(t), ErrToken)
		p.want(v, "a key for another algorithm", pinned.token(t), ErrToken)
		p.want(v, "a published secret", sign(t, jwa.HS256(), secret, claims(nil)), ErrToken)
	})
}

func TestRedirectsOfTheJWKS(t *testing.T) {
	https, _ := http.NewRequest(http.MethodGet, "https://id.example", nil)
	plain, _ := http.NewRequest(http.MethodGet, "http://id.example", nil)
	if safely(https, []*http.Request{https}) != nil || safely(https, []*http.Request{plain}) != nil {
		t.Error("a sound redirect is not followed")
	}
	if safely(plain, []*http.Request{https}) == nil || safely(https, []*http.Request{https, https, https, https}) == nil {
		t.Error("an unsound redirect is followed")
	}
}
