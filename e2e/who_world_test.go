package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// provider is an identity provider: keys, a JWKS over HTTP on this machine, and tokens of whatever kind a test wants.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	keys []map[string]any
	down bool
}

func newProvider(t testing.TB, listen string) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": p.keys})
	}))
	if listen != "" {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Listener.Close()
		p.Listener = l
	}
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// publish makes these the keys of the JWKS, by their ids.
func (p *provider) publish(keys map[string]crypto.Signer) {
	var list []map[string]any
	for _, kid := range sorted(keys) {
		k := map[string]any{"kid": kid, "use": "sig"}
		maps.Copy(k, jwkOf(keys[kid].Public()))
		list = append(list, k)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = list
}

func (p *provider) fail(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

var b64 = base64.RawURLEncoding.EncodeToString

// jwkOf writes a public key as RFC 7517 has it.
func jwkOf(key crypto.PublicKey) map[string]any {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(key)}
	}
	panic("a key of another kind")
}

// jws signs any header and payload: by the key's kind, whatever the header says. Bytes are an HMAC's secret.
func jws(header map[string]any, payload string, key any) string {
	head, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	text := b64(head) + "." + b64([]byte(payload))
	var signature []byte
	switch key := key.(type) {
	case nil:
	case []byte:
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	case *rsa.PrivateKey:
		hash, sum := crypto.SHA256, sha256.Sum256([]byte(text))
		if header["alg"] == "RS384" {
			wide := sha512.Sum384([]byte(text))
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA384, wide[:])
		} else {
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, sum[:])
		}
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256([]byte(text))
		r, s, e := ecdsa.Sign(rand.Reader, key, sum[:])
		signature, err = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), e
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, []byte(text))
	}
	if err != nil {
		panic(err)
	}
	return text + "." + b64(signature)
}

const (
	whoIssuer   = "https://id.example"
	whoAudience = "paydesk"
)

// claim is the payload of a token of a role, changed as the test says; nil takes a claim away.
func claim(role, account string, change map[string]any) string {
	c := map[string]any{"sub": "somebody", "name": "Somebody", "role": role, "iss": whoIssuer, "aud": whoAudience,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if account != "" {
		c["account"] = account
	}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// whoKeys are one key of each kind; made once, for RSA keys take their time.
var whoKeys = sync.OnceValue(func() (k struct {
	rsa, otherRSA, stranger *rsa.PrivateKey
	ec                      *ecdsa.PrivateKey
	ed                      ed25519.PrivateKey
}) {
	k.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.otherRSA, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.stranger, _ = rsa.GenerateKey(rand.Reader, 2048) // never published
	k.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

// rs256 is a sound token.
func rs256(kid, role, account string) string {
	return jws(map[string]any{"alg": "RS256", "typ": "JWT", "kid": kid}, claim(role, account, nil), whoKeys().rsa)
}

// productionEnv is a start outside development: MariaDB, Redis, tokens of a provider.
func productionEnv(home testenv.Home, more ...string) []string {
	return append([]string{"PAYDESK_DATABASE_URL=" + home.DatabaseURL, "PAYDESK_REDIS_URL=" + home.RedisURL, "PAYDESK_DEV=false",
		"PAYDESK_JWT_ISSUER=" + whoIssuer, "PAYDESK_JWT_AUDIENCE=" + whoAudience, "PAYDESK_RATE_SIGN_IN=100000"}, more...)
}

// openAccount opens an account with a SERVICE token and gives its id.
func openAccount(t testing.TB, service user) string {
	t.Helper()
	var out struct {
		OpenAccount struct {
			Account *struct{ ID string }
			Errors  []userError
		}
	}
	service.must(t, `mutation($input: OpenAccountInput!) { openAccount(input: $input) { account { id } errors { code message } } }`, map[string]any{"input": map[string]any{
		"idempotencyKey": unique("open"), "number": unique("WHO"), "name": "Li Na", "kind": "INDIVIDUAL", "region": "CN", "country": "CN",
		"signingEntity": "MAINLAND", "currency": "CNY", "realName": "Li Na"}}, &out)
	if out.OpenAccount.Account == nil {
		t.Fatalf("openAccount: %v", out.OpenAccount.Errors)
	}
	return out.OpenAccount.Account.ID
}
