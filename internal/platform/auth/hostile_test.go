package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"paydesk/models"
)

// signRaw signs any header and payload, so that tokens can be made that no library makes.
func signRaw(t *testing.T, alg jwa.SignatureAlgorithm, key any, header map[string]any, payload string) string {
	t.Helper()
	h := map[string]any{"alg": alg.String()}
	maps.Copy(h, header)
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(text) + "." + encode([]byte(payload))
	signer, err := jws.SignerFor(alg)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(key, []byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func payload(t *testing.T, change map[string]any) string {
	t.Helper()
	c := claims(change)
	for name, v := range c {
		if at, ok := v.(time.Time); ok {
			c[name] = at.Unix()
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// RFC 8725: what a header may say, and what it may not make us do. Each is rightly signed, but for what its name says.
func TestHostileHeaders(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	evil, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	v := newTestVerifier(t, Config{KeyFile: keyFile(t, &key.PublicKey), Issuer: "https://id.example", Audience: "paydesk", Leeway: 30 * time.Second})
	public, _ := jwk.Import(&evil.PublicKey)
	for name, c := range map[string]struct {
		header map[string]any
		key    *ecdsa.PrivateKey
		ok     bool
	}{
		"plain":                 {nil, key, true},
		"typ JWT":               {map[string]any{"typ": "jwt"}, key, true},
		"an access token":       {map[string]any{"typ": "application/at+JWT"}, key, true},
		"to sign out with":      {map[string]any{"typ": "logout+jwt"}, key, false},
		"to prove a key with":   {map[string]any{"typ": "dpop+jwt"}, key, false},
		"typ empty":             {map[string]any{"typ": ""}, key, false},
		"typ a number":          {map[string]any{"typ": 1}, key, false},
		"crit":                  {map[string]any{"crit": []string{"x"}, "x": 1}, key, false},
		"crit of what we know":  {map[string]any{"crit": []string{"exp"}, "exp": 1}, key, false},
		"b64":                   {map[string]any{"b64": false, "crit": []string{"b64"}}, key, false},
		"kid a path":            {map[string]any{"kid": "../../../../dev/null"}, key, true}, // a file's key has no id: names are not looked up
		"kid SQL":               {map[string]any{"kid": "x' UNION SELECT 'k"}, evil, false},
		"kid a number":          {map[string]any{"kid": 7}, key, false},
		"embedded jwk":          {map[string]any{"jwk": public}, evil, false},
		"jku":                   {map[string]any{"jku": "http://127.0.0.1:1/keys"}, evil, false},
		"x5u":                   {map[string]any{"x5u": "http://127.0.0.1:1/cert"}, evil, false},
		"x5c":                   {map[string]any{"x5c": []string{"AAAA"}}, evil, false},
		"another's key":         {nil, evil, false},
		"alg of another family": {map[string]any{"alg": "RS256"}, key, false},
		"alg ES384":             {map[string]any{"alg": "ES384"}, key, false},
		"alg none":              {map[string]any{"alg": "none"}, key, false},
		"alg NONE":              {map[string]any{"alg": "nOnE"}, key, false},
		"alg es256":             {map[string]any{"alg": "es256"}, key, false},
		"alg HS256":             {map[string]any{"alg": "HS256"}, key, false},
		"alg a list":            {map[string]any{"alg": []string{"ES256"}}, key, false},
		"alg missing":           {map[string]any{"alg": nil}, key, false},
	} {
		_, err := v.Verify(t.Context(), signRaw(t, jwa.ES256(), c.key, c.header, payload(t, nil)))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostileClaims(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	v := newTestVerifier(t, Config{KeyFile: keyFile(t, &key.PublicKey), Issuer: "https://id.example", Audience: "paydesk", Leeway: 30 * time.Second})
	verify := func(payload string) (*Viewer, error) {
		return v.Verify(t.Context(), signRaw(t, jwa.ES256(), key, nil, payload))
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, c := range map[string]struct {
		change map[string]any
		ok     bool
	}{
		"good":                     {nil, true},
		"exp with a fraction":      {map[string]any{"exp": float64(in(time.Hour)) + 0.5}, true},
		"exp null":                 {map[string]any{"exp": json.RawMessage("null")}, false},
		"exp a text":               {map[string]any{"exp": "tomorrow"}, false},
		"exp a list":               {map[string]any{"exp": []int{1}}, false},
		"exp zero":                 {map[string]any{"exp": 0}, false},
		"exp negative":             {map[string]any{"exp": -1}, false},
		"exp beyond all time":      {map[string]any{"exp": json.RawMessage("1e400")}, false},
		"exp beyond what fits":     {map[string]any{"exp": json.RawMessage("9223372036854775807")}, false},
		"nbf within the leeway":    {map[string]any{"nbf": in(20 * time.Second)}, true},
		"nbf in the future":        {map[string]any{"nbf": in(time.Minute)}, false},
		"iat within the leeway":    {map[string]any{"iat": in(20 * time.Second)}, true},
		"iat in the future":        {map[string]any{"iat": in(time.Hour)}, false},
		"aud a list with us":       {map[string]any{"aud": []string{"shop", "paydesk"}}, true},
		"aud a list without":       {map[string]any{"aud": []string{"shop", "paydesk2"}}, false},
		"aud an empty list":        {map[string]any{"aud": []string{}}, false},
		"aud missing":              {map[string]any{"aud": nil}, false},
		"aud an object":            {map[string]any{"aud": map[string]any{"paydesk": 1}}, false},
		"iss with a slash":         {map[string]any{"iss": "https://id.example/"}, false},
		"iss a list":               {map[string]any{"iss": []string{"https://id.example"}}, false},
		"sub a number":             {map[string]any{"sub": 7}, false},
		"sub too long":             {map[string]any{"sub": strings.Repeat("s", maxSubject+1)}, false},
		"role a list":              {map[string]any{"role": []string{"FINANCE"}}, false},
		"role in small letters":    {map[string]any{"role": "finance"}, false},
		"account a list":           {map[string]any{"account": []string{models.NewID().Encode("acc")}}, false},
		"OPERATOR with a list":     {map[string]any{"role": "OPERATOR", "account": []string{models.NewID().Encode("acc")}}, false},
		"SERVICE with an account":  {map[string]any{"role": "SERVICE"}, false},
		"account with a long tail": {map[string]any{"account": models.NewID().Encode("acc") + "\x00"}, false},
	} {
		if _, err := verify(payload(t, c.change)); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "a list": "[]", "null": "null", "a text": `"x"`, "not JSON": "{", "two objects": "{}{}", "nested": strings.Repeat("[", 3000),
		"a JWT inside": sign(t, jwa.ES256(), key, claims(nil)),
	} {
		if _, err := verify(text); !errors.Is(err, ErrToken) {
			t.Errorf("payload %s: %v", name, err)
		}
	}
}

// The cache is asked with the whole token: what it knows of one helps no other.
func TestCacheKeepsTokensApart(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	v := newTestVerifier(t, Config{KeyFile: keyFile(t, &key.PublicKey)})
	one, two := sign(t, jwa.ES256(), key, claims(nil)), sign(t, jwa.ES256(), key, claims(nil))
	first, err := v.Verify(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	second, err := v.Verify(t.Context(), two)
	if err != nil || second.AccountID == first.AccountID {
		t.Fatal("one token works for another's account", err)
	}
	a, b := strings.Split(one, "."), strings.Split(two, ".")
	for name, token := range map[string]string{
		"the payload of another":   a[0] + "." + b[1] + "." + a[2],
		"the signature of another": a[0] + "." + a[1] + "." + b[2],
		"without its last letter":  one[:len(one)-2],
		"with a dot at the end":    one + ".",
	} {
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again, err := v.Verify(t.Context(), one); err != nil || again.AccountID != first.AccountID {
		t.Error("from the cache:", again, err)
	}
}

// A key file is told why it is not taken, in one line that does not repeat the key.
func TestKeyFilesThatAreRefused(t *testing.T) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	short, _ := rsa.GenerateKey(rand.Reader, 1024)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs8 := func(key any) string { der, _ := x509.MarshalPKCS8PrivateKey(key); return block("PRIVATE KEY", der) }
	public := func(key any) string { der, _ := x509.MarshalPKIXPublicKey(key); return block("PUBLIC KEY", der) }
	for name, c := range map[string]struct{ text, why string }{
		"RSA private":         {pkcs8(rsaKey), "private"},
		"RSA private, PKCS#1": {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "private"},
		"EC private":          {pkcs8(p256), "private"},
		"Ed25519 private":     {pkcs8(edKey), "private"},
		"both halves":         {public(&rsaKey.PublicKey) + pkcs8(rsaKey), "private"},
		"short RSA":           {public(&short.PublicKey), "1024 bits"},
		"P-384":               {public(&p384.PublicKey), "P-256"},
		"nothing":             {"", "no PEM key"},
		"not PEM":             {"ssh-rsa AAAA", "no PEM key"},
		"a secret":            {block("SECRET", []byte("s3cret")), "no PEM key"},
		"good RSA":            {public(&rsaKey.PublicKey), ""},
		"good P-256":          {public(&p256.PublicKey), ""},
		"good Ed25519":        {public(edKey.Public()), ""},
	} {
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := NewVerifier(t.Context(), Config{KeyFile: path})
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
}
