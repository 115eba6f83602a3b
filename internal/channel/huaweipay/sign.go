package huaweipay

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"paydesk/internal/channel"
)

// minBits is the shortest RSA key that Huawei Pay takes.
const minBits = 3072

// canonical is what is signed of an object: all fields but sign and those that are null, sorted, k=v joined by &. Empty texts count. The
// elements of a list are joined by commas, an object within stands as its own fields do. Numbers have to be json.Number or int64, so that
// they stand as they were written.
func canonical(fields map[string]any) string {
	keys := make([]string, 0, len(fields))
	for k, v := range fields {
		if k != "sign" && v != nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = k + "=" + written(fields[k])
	}
	return strings.Join(keys, "&")
}

func written(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return canonical(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = written(v[i])
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}

// fieldsOf reads an object as it came, numbers untouched.
func fieldsOf(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil || fields == nil {
		return nil, errors.New("not a JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than a JSON object")
	}
	return fields, nil
}

// sign is SHA256withRSA/PSS, its salt as long as the hash, in base64.
func (a *Adapter) sign(text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPSS(rand.Reader, a.private, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		return "", fmt.Errorf("%w: huaweipay: not signed: %v", channel.ErrUnavailable, err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// signed reports whether Huawei Pay has signed the fields: SM2 with the usual user id, ASN.1 in base64.
func (a *Adapter) signed(fields map[string]any) bool {
	text, _ := fields["sign"].(string)
	signature, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(signature) > 0 && sm2.VerifyASN1WithSM2(a.huawei, nil, []byte(canonical(fields)), signature)
}

// authorization is the header PayMercAuth: bodySign over what is sent, headerSign over the header's other fields.
func (a *Adapter) authorization(signedBody string) (string, error) {
	bodySign, err := a.sign(signedBody)
	if err != nil {
		return "", err
	}
	fields := map[string]any{"callerId": a.merchant, "traceId": nonce(), "time": time.Now().UnixMilli(), "authId": a.authID, "bodySign": bodySign}
	if fields["headerSign"], err = a.sign(canonical(fields)); err != nil {
		return "", err
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

// hostedSandbox is Huawei's own sandbox; the wallet goes there only where the order string says so.
const hostedSandbox = "petalpay-developer-sandbox.cloud.huawei.com.cn"

// orderString is what the wallet is opened with.
func (a *Adapter) orderString(prepayID string) (string, error) {
	fields := map[string]any{"app_id": a.app, "merc_no": a.merchant, "prepay_id": prepayID, "timestamp": fmt.Sprint(time.Now().UnixMilli()),
		"noncestr": nonce(), "auth_id": a.authID}
	if a.base.Hostname() == hostedSandbox {
		fields["reserved"] = `{"sandbox_flag": true}`
	}
	var err error
	if fields["sign"], err = a.sign(canonical(fields)); err != nil {
		return "", err
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

// nonce is 32 characters that never come again.
func nonce() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// parsePrivate reads PEM or bare base64 of PKCS#8 (PEM also of PKCS#1).
func parsePrivate(text string) (*rsa.PrivateKey, error) {
	der, kind := decode(text)
	var key any
	var err error
	if kind == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(der)
	} else {
		key, err = x509.ParsePKCS8PrivateKey(der)
	}
	k, ok := key.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("is not an RSA key in PEM or base64")
	}
	if k.N.BitLen() < minBits {
		return nil, fmt.Errorf("has %d bits; Huawei Pay wants %d or more", k.N.BitLen(), minBits)
	}
	return k, nil
}

// spki is what stands before the 65 bytes of a point of the SM2 curve in a public key's DER (GB/T 35276).
var spki, _ = hex.DecodeString("3059301306072a8648ce3d020106082a811ccf5501822d034200")

// parsePublic reads a point in hexadecimal (04…), or PEM of a public key or a certificate.
func parsePublic(text string) (*ecdsa.PublicKey, error) {
	der, kind := decode(text)
	if point, err := hex.DecodeString(strings.TrimSpace(text)); err == nil && len(point) == 65 {
		der, kind = append(slices.Clone(spki), point...), ""
	}
	var key any
	var err error
	if kind == "CERTIFICATE" {
		var c *smx509.Certificate
		if c, err = smx509.ParseCertificate(der); err == nil {
			key = c.PublicKey
		}
	} else {
		key, err = smx509.ParsePKIXPublicKey(der)
	}
	if k, ok := key.(*ecdsa.PublicKey); err == nil && ok && sm2.IsSM2PublicKey(k) {
		return k, nil
	}
	return nil, errors.New("is not an SM2 key in hexadecimal or PEM")
}

// decode takes PEM or bare base64.
func decode(text string) (der []byte, kind string) {
	text = strings.TrimSpace(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, block.Type
	}
	der, _ = base64.StdEncoding.DecodeString(text)
	return der, ""
}
