package sandbox_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	other "github.com/tjfoc/gmsm/sm2"

	"paydesk/internal/sandbox"
)

// signedText is what is signed of a callback, written for this test alone: flat fields, and lists of flat objects.
func signedText(t *testing.T, body []byte) (map[string]any, string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var f map[string]any
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	var join func(f map[string]any) string
	join = func(f map[string]any) string {
		var parts []string
		for k, v := range f {
			switch x := v.(type) {
			case nil:
			case string:
				parts = append(parts, k+"="+x)
			case map[string]any:
				parts = append(parts, k+"="+join(x))
			case []any:
				var items []string
				for _, i := range x {
					items = append(items, join(i.(map[string]any)))
				}
				parts = append(parts, k+"="+strings.Join(items, ","))
			default:
				text, _ := json.Marshal(v)
				parts = append(parts, k+"="+string(text))
			}
		}
		slices.Sort(parts)
		return strings.Join(parts, "&")
	}
	sign := f["sign"]
	delete(f, "sign")
	text := join(f)
	f["sign"] = sign
	return f, text
}

func point(t *testing.T, text string) *other.PublicKey {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 65 {
		t.Fatal(text, err)
	}
	return &other.PublicKey{Curve: other.P256Sm2(), X: new(big.Int).SetBytes(b[1:33]), Y: new(big.Int).SetBytes(b[33:])}
}

// orderMade is an order string as if it were made at a moment.
func orderMade(t *testing.T, k sandbox.HuaweiPayCredentials, order string, at time.Time) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(order), &fields); err != nil {
		t.Fatal(err)
	}
	fields["timestamp"] = strconv.FormatInt(at.UnixMilli(), 10)
	body, _ := json.Marshal(fields)
	_, text := signedText(t, body)
	block, _ := pem.Decode([]byte(k.PrivateKey))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		t.Fatal(err)
	}
	fields["sign"] = base64.StdEncoding.EncodeToString(signature)
	body, _ = json.Marshal(fields)
	return string(body)
}
