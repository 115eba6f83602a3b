package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"
	"go.uber.org/goleak"

	"paydesk/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mem is table settings in memory.
type mem struct {
	mu   sync.Mutex
	rows map[string]string
}

func (m *mem) Exec(_ context.Context, _ string, args ...any) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[string]string{}
	}
	if _, there := m.rows[args[0].(string)]; there {
		return 0, errors.New("duplicate")
	}
	m.rows[args[0].(string)] = args[1].(string)
	return 1, nil
}

func (m *mem) QueryRow(_ context.Context, dest []any, _ string, args ...any) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.rows[args[0].(string)]
	if ok {
		*dest[0].(*string) = v
	}
	return ok, nil
}

func newTestVerifier(t *testing.T, cfg Config) *Verifier {
	t.Helper()
	v, err := NewVerifier(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

func TestDevelopmentTokens(t *testing.T) {
	store := &mem{}
	issuer, err := NewIssuer(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewIssuer(t.Context(), store)
	if err != nil || string(again.Key()) != string(issuer.Key()) {
		t.Fatal("a second instance has another key", err)
	}
	want := Viewer{UserID: "u1", Name: "林", Role: Finance, AccountID: models.NewID(), Locale: "zh-Hans"}
	token, err := issuer.Issue(want, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	v := newTestVerifier(t, Config{DevelopmentKey: issuer.Key(), Issuer: "https://id.example", Audience: "paydesk"})
	for range 2 { // fresh, then from the cache
		got, err := v.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if got.UserID != want.UserID || got.Name != want.Name || got.Role != want.Role || got.AccountID != want.AccountID || got.Locale != want.Locale {
			t.Fatalf("%+v", got)
		}
	}
	production := newTestVerifier(t, Config{})
	if _, err := production.Verify(t.Context(), token); !errors.Is(err, ErrToken) {
		t.Fatal("production takes a development token:", err)
	}
	for _, bad := range []Viewer{{UserID: "u", Role: "ROOT"}, {Role: Operator}, {UserID: "u", Role: Finance}, {UserID: "u", Role: Operator, AccountID: models.NewID()}} {
		if _, err := issuer.Issue(bad, time.Hour); !errors.Is(err, ErrClaims) {
			t.Errorf("%+v was signed (%v)", bad, err)
		}
	}
}

// The leeway is for the clocks of others: a token of our own ends to the second, so that it can be tried what happens then.
func TestDevelopmentTokensEndOnTime(t *testing.T) {
	issuer, err := NewIssuer(t.Context(), &mem{})
	if err != nil {
		t.Fatal(err)
	}
	var shift atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	for _, cached := range []bool{true, false} {
		shift.Store(0)
		v := newTestVerifier(t, Config{DevelopmentKey: issuer.Key(), Leeway: 30 * time.Second, Now: now})
		token, err := issuer.Issue(Viewer{UserID: "u", Role: Operator}, 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if cached {
			got, err := v.Verify(t.Context(), token)
			if err != nil || time.Until(got.Expires) > 3*time.Second || time.Until(got.Expires) < time.Second {
				t.Fatal(got, err)
			}
		}
		shift.Store(int64(4 * time.Second))
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrToken) {
			t.Errorf("cached %v: %v", cached, err)
		}
	}
}

func sign(t testing.TB, alg jwa.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	token := jwt.New()
	for k, v := range claims {
		if err := token.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	out, err := jwt.Sign(token, jwt.WithKey(alg, key))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func claims(change map[string]any) map[string]any {
	c := map[string]any{"sub": "u1", "iss": "https://id.example", "aud": "paydesk", "exp": time.Now().Add(time.Hour),
		"role": "FINANCE", "account": models.NewID().Encode("acc")}
	for k, v := range change {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func keyFile(t testing.TB, public any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClaims(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	v := newTestVerifier(t, Config{KeyFile: keyFile(t, &key.PublicKey), Issuer: "https://id.example", Audience: "paydesk", Leeway: 30 * time.Second})
	for name, c := range map[string]struct {
		change map[string]any
		ok     bool
	}{
		"good":                 {nil, true},
		"within the leeway":    {map[string]any{"exp": time.Now().Add(-10 * time.Second)}, true},
		"expired":              {map[string]any{"exp": time.Now().Add(-time.Minute)}, false},
		"no exp":               {map[string]any{"exp": nil}, false},
		"not yet":              {map[string]any{"nbf": time.Now().Add(time.Hour)}, false},
		"another issuer":       {map[string]any{"iss": "https://evil.example"}, false},
		"no issuer":            {map[string]any{"iss": nil}, false},
		"another audience":     {map[string]any{"aud": "shop"}, false},
		"several audiences":    {map[string]any{"aud": []string{"shop", "paydesk"}}, true},
		"no sub":               {map[string]any{"sub": nil}, false},
		"empty sub":            {map[string]any{"sub": ""}, false},
		"no role":              {map[string]any{"role": nil}, false},
		"unknown role":         {map[string]any{"role": "ADMIN"}, false},
		"no account":           {map[string]any{"account": nil}, false},
		"not an account":       {map[string]any{"account": models.NewID().Encode("pay")}, false},
		"operator":             {map[string]any{"role": "OPERATOR", "account": nil}, true},
		"operator with one":    {map[string]any{"role": "OPERATOR"}, false},
		"locale we don't have": {map[string]any{"locale": "fr"}, true},
	} {
		_, err := v.Verify(t.Context(), sign(t, jwa.ES256(), key, claims(c.change)))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RFC 8725 §2.1, §3.1: the algorithm is ours to choose, not the token's.
func TestAlgorithmsAreClosed(t *testing.T) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	ecKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	file := keyFile(t, &rsaKey.PublicKey)
	v := newTestVerifier(t, Config{KeyFile: file})
	publicPEM, _ := os.ReadFile(file)
	good := sign(t, jwa.RS256(), rsaKey, claims(nil))
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	if _, err := newTestVerifier(t, Config{KeyFile: keyFile(t, edKey.Public())}).Verify(t.Context(), sign(t, jwa.EdDSA(), edKey, claims(nil))); err != nil {
		t.Fatal("EdDSA:", err)
	}
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	for name, token := range map[string]string{
		"none":                     encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"HS256 by the public key":  sign(t, jwa.HS256(), publicPEM, claims(nil)),
		"PS256":                    sign(t, jwa.PS256(), rsaKey, claims(nil)),
		"RS512":                    sign(t, jwa.RS512(), rsaKey, claims(nil)),
		"another RSA key's header": sign(t, jwa.ES256(), ecKey, claims(nil)),
		"signature cut":            parts[0] + "." + parts[1] + ".",
		"payload changed":          parts[0] + "." + encode([]byte(`{"sub":"x"}`)) + "." + parts[2],
		"crit":                     encode([]byte(`{"alg":"RS256","crit":["x"],"x":1}`)) + "." + parts[1] + "." + parts[2],
		"empty":                    "", "dots": "..", "JSON": `{"payload":"."."."}`, "long": strings.Repeat("a", 9000),
	} {
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCachedTokenStillExpires(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	now := time.Now()
	var shift atomic.Int64
	v := newTestVerifier(t, Config{KeyFile: keyFile(t, &key.PublicKey), Now: func() time.Time { return now.Add(time.Duration(shift.Load())) }})
	token := sign(t, jwa.ES256(), key, claims(map[string]any{"exp": now.Add(time.Minute)}))
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	// However late, it stays a token that was good once: a page that was left open locks nobody out who shares its address.
	for _, later := range []time.Duration{2 * time.Minute, recheckAfter + time.Minute, time.Hour} {
		shift.Store(int64(later))
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrToken) {
			t.Fatal(err)
		}
		if viewer, known := v.Recall(token); viewer != nil || !known {
			t.Error(later, viewer, known)
		}
	}
}

func BenchmarkVerifyCached(b *testing.B) {
	issuer := &Issuer{key: make([]byte, 32)}
	v, _ := NewVerifier(b.Context(), Config{DevelopmentKey: issuer.key})
	token, _ := issuer.Issue(Viewer{UserID: "u", Role: Finance, AccountID: models.NewID()}, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
