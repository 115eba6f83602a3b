package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"paydesk/models"
)

// FuzzToken tries to become somebody: with any text as a token, and with any claims under a signature of ours. Nobody is anybody
// whose claims we have not signed, and what we have signed makes a viewer only where the claims are whole.
func FuzzToken(f *testing.F) {
	// Fixed keys and claims: each worker of the fuzzing engine is a process of its own, and inputs that were kept stay what they are.
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	stranger, _ := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{2}, 32))
	secret := []byte("0123456789abcdef0123456789abcdef")
	file := keyFile(f, &key.PublicKey)
	v, err := NewVerifier(f.Context(), Config{KeyFile: file, Issuer: "https://id.example", Audience: "paydesk", DevelopmentKey: secret, Leeway: time.Second, CacheSize: 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = v.Close() })

	ours := map[string]bool{} // header and claims of what was signed for the seeds
	account := models.ID{1}.Encode(models.PrefixAccount)
	whole := claims(map[string]any{"exp": time.Unix(4102444800, 0), "account": account})
	good := sign(f, jwa.ES256(), key, whole)
	dev := sign(f, jwa.HS256(), secret, claims(map[string]any{"exp": time.Unix(4102444800, 0), "account": account, "iss": developmentIssuer}))
	for _, token := range []string{good, dev} {
		ours[token[:strings.LastIndexByte(token, '.')]] = true
	}
	public, _ := os.ReadFile(file)
	part := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	payload := `{"sub":"u1","iss":"https://id.example","aud":"paydesk","exp":4102444800,"role":"FINANCE","account":"` + account + `"}`
	for _, token := range []string{
		good, dev, sign(f, jwa.ES256(), stranger, whole), sign(f, jwa.HS256(), public, whole), sign(f, jwa.HS256(), []byte("0123456789abcdef0123456789abcdeF"), whole),
		encode([]byte(`{"alg":"none"}`)) + "." + part[1] + ".", part[0] + "." + part[1] + ".", part[0] + "." + encode([]byte(payload)) + "." + part[2],
		encode([]byte(`{"alg":"ES256","jwk":{"kty":"EC"}}`)) + "." + part[1] + "." + part[2], good + "=", " " + good, good + "\n", strings.ToUpper(good), "..", "", `{"payload":"a.b.c"}`,
	} {
		f.Add(token, payload)
	}
	for _, p := range []string{
		strings.Replace(payload, "FINANCE", "OPERATOR", 1), strings.Replace(payload, `"sub":"u1"`, `"sub":""`, 1), strings.Replace(payload, `"exp":4102444800`, `"exp":1`, 1),
		strings.Replace(payload, `"exp":4102444800`, `"exp":1e300`, 1), strings.Replace(payload, `"paydesk"`, `["shop","paydesk"]`, 1), `{"sub":1}`, `null`, `[]`, `{}`, `x`, payload + "0", payload + payload,
		strings.Replace(payload, `"role":"FINANCE"`, `"role":["FINANCE"],"nbf":-1,"locale":"zh-TW","name":"林"`, 1), strings.Replace(payload, `acc_`, `pay_`, 1),
	} {
		f.Add("", p)
	}
	f.Fuzz(func(t *testing.T, token, payload string) {
		viewer, err := v.Verify(t.Context(), token)
		if cut := strings.LastIndexByte(token, '.'); viewer != nil && !ours[token[:max(cut, 0)]] {
			t.Fatalf("%q is %+v", token, viewer)
		}
		told(t, viewer, err)
		for _, by := range []jws.SignOption{jws.WithKey(jwa.ES256(), key), jws.WithKey(jwa.HS256(), secret)} {
			signed, err := jws.Sign([]byte(payload), by)
			if err != nil {
				continue
			}
			viewer, err := v.Verify(t.Context(), string(signed))
			told(t, viewer, err)
			if viewer == nil {
				continue
			}
			var c struct {
				Sub, Role string
				Exp       any
			}
			if json.Unmarshal([]byte(payload), &c) != nil || c.Exp == nil || c.Sub != viewer.UserID || Role(c.Role) != viewer.Role {
				t.Fatalf("%q is %+v", payload, viewer)
			}
		}
	})
}

// told sees that there is a whole viewer or an error of ours that repeats nothing.
func told(t *testing.T, viewer *Viewer, err error) {
	t.Helper()
	switch {
	case (viewer == nil) == (err == nil):
		t.Fatal(viewer, err)
	case err != nil:
		if !errors.Is(err, ErrToken) || len(err.Error()) > 100 {
			t.Fatal(err)
		}
	case viewer.UserID == "" || len(viewer.UserID) > maxSubject || !viewer.Role.Valid() || viewer.Role.AnyAccount() != viewer.AccountID.IsZero() ||
		!viewer.Expires.After(time.Now()):
		t.Fatalf("%+v", viewer)
	}
}
