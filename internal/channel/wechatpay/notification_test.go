package wechatpay

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// letters writes notifications as WeChat Pay does, sealed with a key of 32 bytes.
type letters struct {
	t   *testing.T
	key *rsa.PrivateKey
}

func (w letters) write(event, original, content, seal string) channel.Notification {
	w.t.Helper()
	block, err := aes.NewCipher([]byte(seal))
	if err != nil {
		w.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"id": "EV-1", "create_time": time.Now().Format(time.RFC3339), "resource_type": "encrypt-resource", "event_type": event, "summary": "x",
		"resource": map[string]any{"algorithm": "AEAD_AES_256_GCM", "original_type": original, "associated_data": "", "nonce": "123456789012", "ciphertext": gcm.Seal(nil, []byte("123456789012"), []byte(content), nil)}})
	if err != nil {
		w.t.Fatal(err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	sum := sha256.Sum256([]byte(at + "\nN\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, w.key, crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range map[string]string{"Timestamp": at, "Nonce": "N", "Serial": "PUB_KEY_ID_1", "Signature": base64.StdEncoding.EncodeToString(signature)} {
		h.Set("Wechatpay-"+name, value)
	}
	return channel.Notification{Header: h, Body: body}
}

// What is rightly signed and sealed for us and tells of no payment is heard, as WeChat Pay's own test wants it; its key is proven by it.
func TestSelfTestIsHeard(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	const secret = "0123456789abcdef0123456789abcdef"
	a, err := New(Config{BaseURL: "https://api.mch.weixin.qq.com", AppID: "wx1", MchID: "19", CertificateSerial: "S", PublicKeyID: "PUB_KEY_ID_1", APIv3Key: secret, Mode: guard.Production,
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))})
	if err != nil {
		t.Fatal(err)
	}
	w := letters{t, key}
	for _, content := range []string{`{"echo":"x"}`, `"x"`, "plain text"} {
		e, err := a.ParseNotification(context.Background(), w.write("SECURITY_ECHO.SUCCESS", "security", content, secret))
		if err != nil || e.ID != "EV-1" || e.State != channel.StatePending || e.Number != "" || e.RefundNumber != "" || e.Detail != "SECURITY_ECHO.SUCCESS" {
			t.Errorf("%s: %+v %v", content, e, err)
		}
	}
	changed := w.write("SECURITY_ECHO.SUCCESS", "security", "{}", secret)
	changed.Body = []byte(strings.Replace(string(changed.Body), "EV-1", "EV-2", 1))
	for what, n := range map[string]channel.Notification{
		"another key":            w.write("SECURITY_ECHO.SUCCESS", "security", "{}", strings.ToUpper(secret)),
		"changed":                changed,
		"a payment of nobody's":  w.write("TRANSACTION.SUCCESS", "transaction", `{}`, secret),
		"a payment and no JSON":  w.write("TRANSACTION.SUCCESS", "transaction", `x`, secret),
		"a refund of nobody's":   w.write("REFUND.SUCCESS", "refund", `{"mchid":"20"}`, secret),
		"a payment of another's": w.write("TRANSACTION.SUCCESS", "transaction", `{"mchid":"20","appid":"wx1","out_trade_no":"P1","trade_state":"NOTPAY"}`, secret),
	} {
		if e, err := a.ParseNotification(context.Background(), n); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %+v %v", what, e, err)
		}
	}
}
